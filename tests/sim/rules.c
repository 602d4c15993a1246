#include "sim/rules.h"

#include "lib/rng.h"
#include "sim/ends.h"

enum { K_TTL = 20, K_KEEP = 60, J_TTL = 90, J_KEEP = 15, J_EXPECT = 40, J_SERIES = 5 };
enum { SUMS_TTL = 30, SILENT = 15, SOURCES = 3, ADDED_TTL = 25 };

static bool is_k(int group)
{
	return str_has_prefix(str_of(naive_paths[group]), STR("/k"));
}

void rules_random(uint64_t *rng, struct sim_rules *r)
{
	r->file = rng_below(rng, RULES_WRONG);
	if (!r->ends)
		r->file &= ~(unsigned)(RULES_K_TTL | RULES_J_TTL | RULES_SUMS_TTL | RULES_SILENT |
				       RULES_ADDED_TTL | RULES_K_KEEP | RULES_J_KEEP |
				       RULES_J_EXPECT);
	/* What others may not do is asked for most where there are others. */
	if (r->logins && !rng_one_in(rng, 4)) {
		r->file |= RULES_ACCESS;
		r->file &= ~(unsigned)(RULES_K_DENIED | RULES_J_SERIES);
	}
	if (rng_one_in(rng, 5))
		r->file |= RULES_WRONG;
}

static const char *if_set(unsigned rules, unsigned bit, const char *text)
{
	return rules & bit ? text : "";
}

enum { PARTS = 4 };

static void add_rule(struct strbuf *out, const char *match, const char *const parts[PARTS])
{
	bool any = false;

	for (int i = 0; i < PARTS; i++) {
		if (parts[i] && *parts[i] && !any)
			strbuf_addf(out, "- match: '%s'\n", match);
		any |= parts[i] && *parts[i];
		strbuf_addz(out, parts[i] ? parts[i] : "");
	}
}

static void add_access(bool logins, struct strbuf *out)
{
	const char *who = logins ? "user" : "anonymous";

	strbuf_addz(out, "access:\n");
	if (logins)
		strbuf_addz(out, "- who: [admin]\n"
				 "  may: [scrape, read, admin, probe, push, delete]\n");
	strbuf_addf(out,
		    "- who: [%s]\n  may: [scrape, read, admin, probe]\n"
		    "- who: [%s]\n  may: [push, delete]\n  match: '{job=~\"j|sums|added\"}'\n",
		    who, who);
}

static void add_text(unsigned rules, bool logins, struct strbuf *out)
{
	const unsigned of_groups = ~(unsigned)RULES_ACCESS;
	const char *const k[PARTS] = { if_set(rules, RULES_K_TTL, "  ttl: 20s\n"),
				       if_set(rules, RULES_K_KEEP, "  keep_times: 60s\n"),
				       if_set(rules, RULES_K_DENIED, "  deny_labels: [pad]\n") };
	const char *const j[PARTS] = { if_set(rules, RULES_J_TTL, "  ttl: 90s\n"),
				       if_set(rules, RULES_J_KEEP, "  keep_times: 15s\n"),
				       if_set(rules, RULES_J_EXPECT, "  expect_every: 40s\n"),
				       if_set(rules, RULES_J_SERIES, "  limits: {series: 5}\n") };
	const char *const sums[PARTS] = { if_set(rules, RULES_SUMS_TTL, "  ttl: 30s\n"),
					  if_set(rules, RULES_SILENT, "  source_ttl: 15s\n"),
					  if_set(rules, RULES_SOURCES, "  limits: {sources: 3}\n"),
					  if_set(rules, RULES_SUM, "  mode: sum\n") };
	const char *const added[PARTS] = { if_set(rules, RULES_ADDED_TTL, "  ttl: 25s\n"),
					   if_set(rules, RULES_SUM, "  mode: add\n") };

	if (rules & RULES_ACCESS)
		add_access(logins, out);
	strbuf_addz(out, rules & of_groups ? "rules:\n" : "rules: []\n");
	add_rule(out, "{job=\"k\"}", k);
	add_rule(out, "{job=\"j\"}", j);
	add_rule(out, "{job=\"sums\"}", sums);
	add_rule(out, "{job=\"added\"}", added);
	if (rules & RULES_WRONG)
		strbuf_addz(out, "- match: '{job='\n");
}

void rules_write(const struct sim_rules *r, struct disk *d)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	add_text(r->file, r->logins, &text);
	disk_put_file(d, RULES_FILE, strbuf_str(&text));
}

int rules_ttl(unsigned rules, bool ends, int group, int otherwise)
{
	if (!ends)
		return 0;
	if (is_k(group))
		return rules & RULES_K_TTL ? K_TTL : otherwise;
	return rules & RULES_J_TTL ? J_TTL : otherwise;
}

void rules_of_times(unsigned rules, struct naive_push *p)
{
	bool k = is_k(p->group);

	p->keep = k ? (rules & RULES_K_KEEP ? K_KEEP : 0) : rules & RULES_J_KEEP ? J_KEEP : 0;
	p->expect = !k && rules & RULES_J_EXPECT ? J_EXPECT : 0;
}

void rules_of_sum(unsigned rules, bool ends, struct sums_request *r)
{
	bool added = r->kind == SUM_ADDS;

	r->is_plain = r->by_rule && !(rules & RULES_SUM);
	r->ttl = r->is_plain && ends ? ENDS_USUAL : 0;
	if (rules & (added ? RULES_ADDED_TTL : RULES_SUMS_TTL))
		r->ttl = added ? ADDED_TTL : SUMS_TTL;
	if (!r->own_ttl)
		r->source_ttl = rules & RULES_SILENT ? SILENT : ENDS_SILENT_USUAL;
	r->max_sources = rules & RULES_SOURCES ? SOURCES : SUM_PROCESSES;
}

/* Options need a group that is summed, and such a group the name of a source. */
int rules_refusal_of_sum(unsigned rules, const struct sums_request *r)
{
	if (!r->by_rule || !sums_is_push(r))
		return 0;
	return (r->kind == SUM_PLAIN) == ((rules & RULES_SUM) != 0) ? 400 : 0;
}

/* Nobody has a login where there are no users: all are anonymous. */
int rules_refusal(unsigned rules, enum sim_login login, const struct naive_push *p)
{
	if (is_k(p->group) && rules & RULES_ACCESS && login != LOGIN_ADMIN)
		return login == LOGIN_ANY ? 401 : 403;
	if (p->mode == PUSH_DELETE || !is_k(p->group) || !(rules & RULES_K_DENIED))
		return 0;
	for (int i = 0; i < p->n; i++)
		for (int k = 0; k < p->families[i].n; k++)
			if (p->families[i].series[k].padded)
				return 400;
	return 0;
}

unsigned rules_spared(unsigned rules, enum sim_login login)
{
	unsigned groups = 0;

	if (login == LOGIN_ADMIN)
		return 0;
	for (int g = 0; g < NAIVE_GROUPS && rules & RULES_ACCESS; g++)
		groups |= is_k(g) ? 1u << g : 0;
	return groups;
}

uint64_t rules_series(unsigned rules, int group)
{
	return !is_k(group) && rules & RULES_J_SERIES ? J_SERIES : 0;
}

bool rules_hinder_undo(const struct sim_rules *r)
{
	return (r->file | r->pushes | r->committer) & (RULES_K_DENIED | RULES_J_SERIES);
}
