#include "api/group_row.h"

#include <time.h>

#include "api/group_filter.h"
#include "api/html.h"
#include "base/base64.h"
#include "base/clock.h"
#include "metrics/key.h"
#include "metrics/key_name.h"

enum { JOB_SHOWN = 120, VALUE_SHOWN = 64, WHY_SHOWN = 240, LABELS_SHOWN = 6 };

static bool is_job(const struct label *l)
{
	return str_eq(l->name, STR("job"));
}

/* Whether the value can be a path segment without being encoded (RFC 3986 section 2.3). */
static bool is_plain(struct str s)
{
	if (s.n == 0 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_' && c != ':')
			return false;
	}
	return true;
}

/*
 * Writes a label of the group's path. A value that is not plain is encoded in base64, and an empty
 * one is "=". False: the name cannot be in a path.
 */
static bool add_label(struct strbuf *b, const struct label *l, bool utf8_names)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	if (!key_name_write(l->name, utf8_names, &name))
		return false;
	strbuf_addc(b, '/');
	html_add_url_part(b, strbuf_str(&name));
	if (is_plain(l->value)) {
		strbuf_addc(b, '/');
		strbuf_adds(b, l->value);
		return true;
	}
	strbuf_addz(b, "@base64/");
	if (l->value.n == 0)
		strbuf_addc(b, '=');
	base64url_encode(l->value, b);
	return true;
}

static bool add_url(struct strbuf *b, const struct key *key, bool utf8_names)
{
	strbuf_addz(b, "metrics");
	for (int rest = 0; rest < 2; rest++)
		for (uint32_t i = 0; i < key->n_labels; i++)
			if (is_job(&key->labels[i]) == !rest &&
			    !add_label(b, &key->labels[i], utf8_names))
				return false;
	return true;
}

static size_t length_of(const struct key *key)
{
	size_t n = 0;

	for (uint32_t i = 0; i < key->n_labels; i++)
		n += key->labels[i].name.n + key->labels[i].value.n;
	return n;
}

static struct str job_of(const struct key *key)
{
	for (uint32_t i = 0; i < key->n_labels; i++)
		if (is_job(&key->labels[i]))
			return key->labels[i].value;
	return STR("");
}

/* Where JavaScript runs, a button opens the row; elsewhere the link leads to the same content. */
static void add_name(struct strbuf *b, const struct key *key, struct row_links links)
{
	enum { URL_LABELS_MAX = 600 };
	CLEANUP(strbuf_done) struct strbuf url = { 0 };
	struct str job = job_of(key);
	bool linked = links.shown && length_of(key) <= URL_LABELS_MAX &&
		      add_url(&url, key, links.utf8_names);

	strbuf_addz(b, linked ? "<a class=\"job\" href=\"" : "<b class=\"job\">");
	if (linked) {
		strbuf_adds(b, strbuf_str(&url));
		strbuf_addz(b, "\">");
	}
	if (job.n) {
		strbuf_addz(b, "<bdi>");
		html_add_cut(b, job, JOB_SHOWN);
		strbuf_addz(b, "</bdi>");
	} else {
		strbuf_addz(b, "<span class=\"dim\">no job</span>");
	}
	strbuf_addz(b, linked ? "</a>" : "</b>");
}

static void add_chips(struct strbuf *b, const struct key *key)
{
	uint32_t shown = 0;

	for (uint32_t i = 0; i < key->n_labels; i++) {
		const struct label *l = &key->labels[i];

		if (is_job(l) || shown++ >= LABELS_SHOWN)
			continue;
		strbuf_addz(b, " <span class=\"chip\"><i>");
		html_add_cut(b, l->name, VALUE_SHOWN);
		strbuf_addz(b, "=</i><bdi>");
		html_add_cut(b, l->value, VALUE_SHOWN);
		strbuf_addz(b, "</bdi></span>");
	}
	if (shown > LABELS_SHOWN)
		strbuf_addf(b, " <span class=\"dim\">and %u more</span>", shown - LABELS_SHOWN);
}

/* Says how many sources a summed group has. */
static void add_sources(struct strbuf *b, const struct group_brief *g)
{
	if (g->summed.mode == GROUP_SUM && g->summed.n_sources)
		strbuf_addf(b, " <span class=\"chip\">sum of %u</span>", g->summed.n_sources);
}

static void add_state(struct strbuf *b, const char *kind, const char *word, double since,
		      const char *after)
{
	strbuf_addf(b, "<span class=\"state%s\">%s", kind, word);
	if (since >= 0)
		html_add_duration(b, since);
	strbuf_addf(b, "%s</span>", after);
}

static void add_why(struct strbuf *b, struct str why)
{
	if (!why.n)
		return;
	strbuf_addz(b, "<span class=\"why\" dir=\"auto\">");
	html_add_cut(b, why, WHY_SHOWN);
	strbuf_addz(b, "</span>");
}

static void add_rivals(struct strbuf *b, const struct group_details *d)
{
	strbuf_addz(b, "<span class=\"why\" dir=\"auto\">pushed in turn by ");
	html_add_cut(b, d->peer, WHY_SHOWN);
	for (int i = 0; i < CONFLICT_RIVALS && d->rivals[i].n; i++) {
		strbuf_addz(b, ", ");
		html_add_cut(b, d->rivals[i], WHY_SHOWN);
	}
	strbuf_addz(b, "</span>");
}

/* Shows the first state that holds, in the order of stateOf() in ui/. */
static void add_states(struct strbuf *b, const struct group_brief *g, const struct group_details *d)
{
	double now = clock_wall(), from = g->pushed_at > 0 ? g->pushed_at : d->life.row_at;
	double end = from + (double)d->life.ttl_ns / 1e9;
	double expected = from + (double)d->life.expect_every_ns / 1e9;

	if (group_brief_failed(g)) {
		add_state(b, " failed", "failed ", now - g->failed_at, " ago");
		add_why(b, d->failed_why);
	} else if (g->conflict) {
		add_state(b, " conflict", "writers in conflict", -1, "");
		add_rivals(b, d);
	} else if (g->overdue) {
		add_state(b, " overdue", "overdue ", now - expected, "");
	} else if (g->expired) {
		add_state(b, " expired", "expired", -1, "");
	} else if (d->life.ttl_ns) {
		add_state(b, end - now < 3600 ? " expiring" : "", "ok, expires in ",
			  end > now ? end - now : 0, "");
	} else {
		add_state(b, "", "ok", -1, "");
	}
}

static void add_age(struct strbuf *b, double at)
{
	time_t seconds = (time_t)at;
	char text[32];
	struct tm tm;

	if (at <= 0) {
		strbuf_addz(b, "<td class=\"n\"><span class=\"dim\">never</span></td>");
		return;
	}
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	strbuf_addf(b, "<td class=\"n\"><time datetime=\"%s\">", text);
	html_add_duration(b, clock_wall() - at);
	strbuf_addz(b, "</time></td>");
}

bool group_row_add(struct strbuf *b, struct str bytes, const struct group_brief *g,
		   const struct group_details *d, struct row_links links, struct arena *a)
{
	struct key key;

	if (key_decode(bytes, a, &key) < 0)
		return false;
	strbuf_addz(b, "<tr class=\"row\"><td class=\"pick\"></td><td class=\"group\">");
	add_name(b, &key, links);
	add_sources(b, g);
	add_chips(b, &key);
	strbuf_addz(b, "</td><td>");
	add_states(b, g, d);
	strbuf_addz(b, "</td>");
	add_age(b, g->pushed_at);
	strbuf_addz(b, "<td class=\"n\">");
	html_add_count(b, g->n_series);
	strbuf_addz(b, "</td><td class=\"n\">");
	html_add_size(b, g->n_bytes);
	strbuf_addz(b, "</td></tr>\n");
	return true;
}
