/*
 * GET /: the groups, a hundred at a time, as HTML that needs no script. The modules of ui/ put
 * their own table in its place and go on from the same address: its parameters mean the same to
 * both.
 */
#include <stdlib.h>

#include "api/endpoints.h"
#include "api/first_steps.h"
#include "api/group_row.h"
#include "api/group_scan.h"
#include "api/html.h"
#include "api/page_said.h"
#include "api/page_shell.h"
#include "api/reply.h"
#include "api/status_facts.h"
#include "base/clock.h"
#include "base/mem.h"
#include "expose/background.h"

enum {
	ROWS = 100,
	/*
	 * A row is begun only while the HTML is shorter than this, so that the page stays below 60
	 * kB.
	 */
	ROWS_END = 49 * 1000,
};

struct groups_page {
	struct job job;        /* first; on the way to the background thread */
	struct http_task task; /* and back */
	struct api_worker *worker;
	struct http_request *req;
	struct arena arena; /* what the address says */
	struct str said[N_SAID];
	struct strbuf address; /* of the gateway, for the commands that the page shows */
	struct group_scan scan;
	struct err err; /* why there are no rows */
	struct strbuf html;
	size_t shown; /* rows */
	bool crowded;
};

static bool is_filtered(const struct groups_page *p)
{
	return p->said[SAID_Q].n || p->said[SAID_OLDER].n || p->said[SAID_FAILED].n ||
	       p->said[SAID_OVERDUE].n || p->said[SAID_CONFLICT].n;
}

/* ---- the numbers at the top ---- */

static void add_tile(struct strbuf *b, const struct groups_page *p, enum page_said which,
		     const char *name, const char *what, const char *alarm, uint64_t n)
{
	bool on = p->said[which].n && which != SAID_SORT;
	struct str to = which == SAID_SORT ? STR("-series") : on ? STR("") : STR("true");

	strbuf_addf(b, "<a data-alarm=\"%s\"%s%s%s", alarm, on ? " aria-current=\"true\"" : "",
		    which == SAID_SORT ? "" : " data-flag=\"", which == SAID_SORT ? "" : name);
	strbuf_addf(b, "%s class=\"%s\" href=\"", which == SAID_SORT ? "" : "\"", n ? alarm : "");
	page_said_link(b, p->said, which, to);
	strbuf_addf(b, "\"><b id=\"n-%s\">", name);
	html_add_count(b, n);
	strbuf_addf(b, "</b><span>%s</span></a>", what);
}

static void add_stats(struct strbuf *b, const struct groups_page *p)
{
	struct status_facts facts;

	status_facts_collect(p->worker->api, &facts);
	strbuf_addz(b, "<div class=\"stats\" id=\"stats\"><a href=\"./\"><b id=\"n-groups\">");
	html_add_count(b, facts.stored.groups);
	strbuf_addz(b, "</b><span>groups</span></a>");
	add_tile(b, p, SAID_SORT, "series", "series", "", facts.stored.series);
	add_tile(b, p, SAID_FAILED, "failed", "last push failed", "bad", facts.stored.failed);
	add_tile(b, p, SAID_OVERDUE, "overdue", "overdue", "warn", facts.stored.overdue);
	add_tile(b, p, SAID_CONFLICT, "conflict", "writers in conflict", "warn",
		 facts.stored.conflict);
	if (*facts.database) {
		strbuf_addz(b, "<a href=\"status#storage\"><b id=\"n-database\">");
		html_add_size(b, facts.database_bytes);
		strbuf_addz(b, "</b><span>database</span></a></div>");
	} else {
		strbuf_addz(b, "<a class=\"bad\" href=\"status#storage\"><b>in memory</b>"
			       "<span>a restart loses everything</span></a></div>");
	}
}

/* ---- the box ---- */

static void add_age_option(struct strbuf *b, struct str value, bool asked, const char *title)
{
	strbuf_addz(b, "<option value=\"");
	html_add(b, value);
	strbuf_addf(b, "\"%s>%s", asked ? " selected" : "", title);
}

static void add_ages(struct strbuf *b, const struct groups_page *p)
{
	static const char *const ages[][2] = {
		{ "", "any age" },
		{ "1h", "older than 1 h" },
		{ "1d", "older than 1 d" },
		{ "7d", "older than 7 d" },
		{ "30d", "older than 30 d" },
	};
	bool listed = false;

	strbuf_addz(
		b, "<select name=\"older_than\" id=\"older\" aria-label=\"Age of the last push\">");
	for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
		bool asked = str_eq(str_of(ages[i][0]), p->said[SAID_OLDER]);

		listed |= asked;
		add_age_option(b, str_of(ages[i][0]), asked, ages[i][1]);
		strbuf_addz(b, "</option>");
	}
	/* A search repeats this one, too. */
	if (!listed) {
		add_age_option(b, p->said[SAID_OLDER], true, "older than ");
		html_add(b, p->said[SAID_OLDER]);
		strbuf_addz(b, "</option>");
	}
	strbuf_addz(b, "</select>");
}

static void add_box(struct strbuf *b, const struct groups_page *p)
{
	strbuf_addz(b, "<form class=\"find\" role=\"search\" action=\"./\"><div class=\"box\">"
		       "<input type=\"search\" name=\"q\" id=\"q\" aria-label=\"Filter groups\" "
		       "placeholder=\"Text, or a matcher: {job=~&#34;nightly.*&#34;}\" "
		       "autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" "
		       "aria-describedby=\"wrong\" value=\"");
	html_add(b, p->said[SAID_Q]);
	strbuf_addz(b, "\"><kbd aria-hidden=\"true\">/</kbd></div>");
	add_ages(b, p);
	strbuf_addz(b, "<noscript>");
	page_said_inputs(b, p->said);
	strbuf_addz(b, "<button class=\"btn\">Search</button></noscript>"
		       "<div class=\"seg\" id=\"rows\" role=\"group\" aria-label=\"Rows\" hidden>"
		       "<a data-by=\"\" href=\"./\">by group</a>"
		       "<a data-by=\"job\" href=\"?by=job\">by job</a></div></form>");
	strbuf_addf(b, "<p class=\"wrong\" id=\"wrong\"%s>", p->err.reason ? "" : " hidden");
	html_add(b, str_of(p->err.msg));
	strbuf_addz(b, "</p><div class=\"filters\" id=\"filters\" hidden></div>");
}

/* ---- the table ---- */

static void add_column(struct strbuf *b, const struct groups_page *p, const char *title,
		       const char *sort, bool number)
{
	struct str now = p->said[SAID_SORT].n ? p->said[SAID_SORT] : STR("key");
	bool down = str_has_prefix(now, STR("-"));
	bool mine = str_eq((struct str){ now.p + down, now.n - down }, str_of(sort));

	strbuf_addf(b, "<th scope=\"col\"%s%s><a href=\"", number ? " class=\"n\"" : "",
		    !mine  ? ""
		    : down ? " aria-sort=\"descending\""
			   : " aria-sort=\"ascending\"");
	/* Sorting by a number shows the largest first. */
	CLEANUP(strbuf_done) struct strbuf to = { 0 };

	if (mine ? !down : !str_eq(str_of(sort), STR("key")))
		strbuf_addc(&to, '-');
	strbuf_addz(&to, sort);
	page_said_link(b, p->said, SAID_SORT, strbuf_str(&to));
	strbuf_addf(b, "\">%s</a></th>", title);
}

static void begin_table(struct strbuf *b, const struct groups_page *p)
{
	strbuf_addz(b, "<table class=\"wide\" id=\"groups\" aria-label=\"Groups\"><thead><tr>"
		       "<td class=\"pick\"></td>");
	add_column(b, p, "Group", "key", false);
	add_column(b, p, "State", "failed", false);
	add_column(b, p, "Last push", "age", true);
	add_column(b, p, "Series", "series", true);
	add_column(b, p, "Size", "bytes", true);
	strbuf_addz(b, "</tr></thead><tbody>");
}

static void add_rows(struct strbuf *b, struct groups_page *p)
{
	const struct row_links links = {
		.shown = caller_may(caller_of(p->req), VERB_SCRAPE),
		.utf8_names = p->worker->api->config->push_enable_utf8_names,
	};
	struct picks *picks = &p->scan.picks;

	for (size_t i = 0; i < picks->n && i < ROWS && b->n < ROWS_END; i++, p->shown++) {
		const struct pick *it = &picks->list[i];
		struct group_details details;
		int r;

		arena_reset(&p->scan.arena);
		r = group_scan_details(&p->scan, it, &details);
		/* 0: the group has been deleted since it was picked. */
		if (r > 0 && !group_row_add(b, group_scan_key(&p->scan, i), &it->group, &details,
					    links, &p->scan.arena))
			r = -1;
		if (r < 0)
			err_set(&p->err, ERR_BUSY, 0, "not enough memory for the answer");
	}
	if (p->said[SAID_BY].n)
		strbuf_addz(b, "<tr><td class=\"none\" colspan=\"6\"><noscript>Rows by label need "
			       "JavaScript. <a href=\"./\">By group</a></noscript></td></tr>");
	else if (p->shown == 0)
		strbuf_addz(b, "<tr><td class=\"none\" colspan=\"6\">No group matches.</td></tr>");
}

static void add_total(struct strbuf *b, const struct groups_page *p)
{
	if (p->shown < p->scan.total) {
		html_add_count(b, p->shown);
		strbuf_addz(b, " of ");
	}
	html_add_count(b, p->scan.total);
	strbuf_addf(b, " group%s%s", p->scan.total == 1 ? "" : "s",
		    is_filtered(p) ? " that match" : "");
}

static void end_table(struct strbuf *b, struct groups_page *p)
{
	struct picks *picks = &p->scan.picks;

	strbuf_addz(b, "</tbody></table><div class=\"foot\"><span id=\"count\">");
	if (!p->said[SAID_BY].n)
		add_total(b, p);
	strbuf_addz(b, "</span><nav id=\"pager\" aria-label=\"Pages of the table\">");
	if (p->said[SAID_CURSOR].n) {
		strbuf_addz(b, "<a href=\"");
		page_said_link(b, p->said, SAID_CURSOR, STR(""));
		strbuf_addz(b, "\">First</a>");
	}
	if (p->shown > 0 && p->shown < picks->n) {
		CLEANUP(strbuf_done) struct strbuf cursor = { 0 };

		group_scan_cursor(&p->scan, p->shown - 1, &cursor);
		strbuf_addz(b, "<a href=\"");
		page_said_link(b, p->said, SAID_CURSOR, strbuf_str(&cursor));
		strbuf_addz(b, "\">Next</a>");
	}
	strbuf_addz(b, "</nav></div>");
}

/* ---- from request to reply ---- */

static void write_page(struct groups_page *p)
{
	struct strbuf *b = &p->html;
	bool empty = !p->err.reason && p->scan.total == 0 && !is_filtered(p) && !p->said[SAID_BY].n;

	page_begin(b, p->worker->api, caller_of(p->req), TAB_GROUPS);
	strbuf_addz(b, "<h1 class=\"away\">Groups</h1>");
	add_stats(b, p);
	page_add_first_steps(b, p->worker->api->config, strbuf_str(&p->address), empty,
			     caller_may(caller_of(p->req), VERB_PUSH));
	strbuf_addf(b, "<div id=\"some\"%s>", empty ? " hidden" : "");
	add_box(b, p);
	begin_table(b, p);
	add_rows(b, p);
	end_table(b, p);
	strbuf_addz(b, "</div>");
	page_end(b);
}

static void page_free(struct groups_page *p)
{
	group_scan_done(&p->scan);
	strbuf_done(&p->html);
	strbuf_done(&p->address);
	arena_done(&p->arena);
	free(p);
}

/* On the worker again. */
static void finish(struct http_task *task)
{
	struct groups_page *p = (struct groups_page *)((char *)task -
						       offsetof(struct groups_page, task));

	if (p->crowded)
		api_refuse_crowded(p->req);
	else if (p->err.reason == ERR_BUSY)
		api_reply_error(p->req, 503, p->err.msg);
	else
		page_reply(p->worker, p->req, p->err.reason ? 400 : 200, &p->html);
	page_free(p);
}

/* On the background thread. */
static bool step(struct job *job, int64_t until_ns)
{
	struct groups_page *p = (struct groups_page *)job;

	p->crowded = api_is_crowded(p->worker->api);
	while (!p->crowded && !p->err.reason && !p->said[SAID_BY].n &&
	       !group_scan_step(&p->scan, &p->err))
		if (clock_mono_ns() >= until_ns)
			return false;
	if (!p->crowded)
		write_page(p);
	http_worker_post(p->worker->http, &p->task);
	return true;
}

/* Translates the address into the API's parameters: the box holds a matcher or plain text. */
static int parse(struct groups_page *p, struct list_request *asked, struct err *err)
{
	static const char *const names[N_SAID] = { NULL,       "older_than", "failed", "overdue",
						   "conflict", "sort",       NULL,     "cursor" };
	struct str q = p->said[SAID_Q];
	struct param list[N_SAID];
	struct params params = { list, 0 };

	for (int i = 0; i < N_SAID; i++) {
		const char *name = i == SAID_Q ? (q.n && *q.p == '{' ? "match[]" : "search")
					       : names[i];

		if (p->said[i].n && name)
			list[params.n++] = (struct param){ str_of(name), p->said[i] };
	}
	return list_request_parse(&params, STR("groups"), caller_of(p->req), &p->arena, asked, err);
}

void api_groups_page(struct api_worker *w, struct http_request *req)
{
	struct groups_page *p = mem_zalloc(sizeof(*p));
	struct list_request asked = { 0 };

	p->job = (struct job){ .kind = JOB_PAGE, .step = step };
	p->task = (struct http_task){ .run = finish };
	p->worker = w;
	p->req = req;
	arena_init(&p->arena, ARENA_MUST);
	page_add_address(&p->address, w, req);
	if (page_said_read(arena_dup(&p->arena, w->query), &p->arena, p->said, &p->err) == 0)
		parse(p, &asked, &p->err);
	asked.limit = ROWS;
	group_scan_init(&p->scan, w->api->store, &asked);
	if (background_add(w->api->background, &p->job)) {
		return;
	}
	page_free(p);
	api_reply_error(req, 503, "too many requests of this kind are waiting, try again");
}
