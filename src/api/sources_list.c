/*
 * GET /api/v1/groups/sources: the contributions of summed groups, a page at a time, by group, and
 * within a group in the order in which they were first heard of. Groups are picked as for GET
 * /api/v1/groups.
 */
#include <stdlib.h>

#include "api/cursor.h"
#include "api/endpoints.h"
#include "api/group_json.h"
#include "api/group_scan.h"
#include "api/groups_list.h"
#include "api/metric_json.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/seconds.h"
#include "config/units.h"
#include "store/hidden_group.h"

/* How many sources of one group are copied at a time, since that takes the lock. */
enum { AT_ONCE = 100, SAID = 0xFF };

static const char *const known[] = { "match[]", "limit", "cursor" };

struct sources_list {
	struct v1_job job; /* first */
	struct group_scan scan;
	struct arena arena;
	bool scanned;
	uint64_t limit, written;
	/*
	 * The current group, among the picks, and the source after which the next one is written.
	 */
	size_t group;
	uint64_t after;
};

static void add_bool(struct strbuf *b, const char *name, bool value)
{
	json_add_member(b, name);
	strbuf_addz(b, value ? "true" : "false");
}

static void add_time(struct strbuf *b, const char *name, double at)
{
	if (at <= 0)
		return;
	json_add_member(b, name);
	v1_add_time(b, at);
}

/*
 * Writes a source's labels, or the name that its pushes gave; {} if it is known by its start only.
 */
static bool add_name(struct strbuf *b, struct str name, struct arena *a)
{
	struct key labels = { 0 };
	struct label said;

	if (name.n > 0 && (unsigned char)name.p[0] == SAID) {
		said = (struct label){ STR("__source__"), { name.p + 1, name.n - 1 } };
		labels = (struct key){ .labels = &said, .n_labels = 1 };
	} else if (name.n > 0 && key_decode_labels(name, a, &labels) < 0) {
		return false;
	}
	json_add_member(b, "source");
	json_add_labels(b, labels.labels, labels.n_labels);
	return true;
}

static bool write_source(struct sources_list *l, const struct key *key, enum group_mode mode,
			 const struct source_copy *s)
{
	struct strbuf *b = &l->job.data;

	strbuf_addz(b, l->written ? ",{\"group\":" : "{\"group\":");
	json_add_labels(b, key->labels, key->n_labels);
	json_add_member(b, "mode");
	json_add_string(b, str_of(group_mode_name(mode)));
	if (!add_name(b, s->name, &l->arena))
		return false;
	/* Older versions took any number of process_start_time_seconds for one. */
	if (s->has_start && seconds_are_time(s->start))
		add_time(b, "start", s->start);
	add_time(b, "push_time", s->pushed_at);
	add_time(b, "failure_time", s->failed_at);
	add_time(b, "reset_assumed_time", s->reset_at);
	add_bool(b, "failed", s->failing);
	if (s->failed_why.n) {
		struct str why = s->failed_why;

		if (l->scan.asked.hides_others)
			why = reason_without_group(why, &l->arena);
		if (!why.p)
			return false;
		json_add_member(b, "failure_reason");
		json_add_string(b, why);
	}
	add_bool(b, "live", s->live);
	add_bool(b, "ended", s->ended);
	json_add_member(b, "series");
	strbuf_addf(b, "%u}", s->n_series);
	return true;
}

/* The next page begins behind the source that was written last. */
static void add_cursor(struct sources_list *l)
{
	const struct picks *picks = &l->scan.picks;

	json_add_member(&l->job.data, "next_cursor");
	strbuf_addc(&l->job.data, '"');
	cursor_write(&l->job.data, l->scan.asked.hash,
		     (struct place){ (int64_t)l->after, pick_key(picks, &picks->list[l->group]) });
	strbuf_addc(&l->job.data, '"');
}

static bool finish_list(struct sources_list *l, bool more)
{
	strbuf_addf(&l->job.data, "],\"total\":%llu", (unsigned long long)l->scan.n_sources);
	if (more)
		add_cursor(l);
	strbuf_addc(&l->job.data, '}');
	return true;
}

/* One source more than the page holds is asked for: it shows that there is a next page. */
static int write_some(struct sources_list *l)
{
	const struct picks *picks = &l->scan.picks;
	uint64_t room = l->limit - l->written;
	struct sources_copy some;
	struct key key;
	int r;

	arena_reset(&l->arena);
	r = store_copy_sources(l->scan.store, &picks->list[l->group].group, l->after,
			       room < AT_ONCE ? room + 1 : AT_ONCE, &l->arena, &some);
	if (r < 0 || key_decode(group_scan_key(&l->scan, l->group), &l->arena, &key) < 0)
		return -1;
	for (size_t i = 0; i < some.n; i++) {
		if (l->written == l->limit)
			return finish_list(l, true);
		if (!write_source(l, &key, some.mode, &some.list[i]))
			return -1;
		l->after = some.list[i].id;
		l->written++;
	}
	if (some.n == 0) {
		if (l->group + 1 == picks->n)
			return finish_list(l, picks->n > l->limit);
		l->group++;
		l->after = 0;
	}
	return 0;
}

/* True: the page is complete, or there is an error. */
static bool write_next(struct sources_list *l)
{
	int r = l->group < l->scan.picks.n ? write_some(l) : finish_list(l, false);

	if (r < 0)
		err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
	return r != 0;
}

/* If the group of the cursor is gone, the page begins with the first source of the next group. */
static void begin_page(struct sources_list *l)
{
	const struct picks *picks = &l->scan.picks;

	l->scanned = true;
	strbuf_addz(&l->job.data, "{\"sources\":[");
	if (!picks->has_after || picks->n == 0 ||
	    !str_eq(pick_key(picks, &picks->list[0]), picks->after.key))
		l->after = 0;
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct sources_list *l = (struct sources_list *)job;

	do {
		if (l->scanned) {
			if (write_next(l))
				return true;
		} else if (group_scan_step(&l->scan, &l->job.err)) {
			begin_page(l);
		}
		if (l->job.err.reason)
			return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void list_free(struct v1_job *job)
{
	struct sources_list *l = (struct sources_list *)job;

	group_scan_done(&l->scan);
	arena_done(&l->arena);
	free(l);
}

/*
 * Groups are listed in the order of their keys. In a cursor of this list, rank is the id of a
 * source.
 */
static void list(struct api_worker *w, struct http_request *req, struct list_request *asked,
		 struct str warning)
{
	struct sources_list *l = mem_zalloc(sizeof(*l));

	l->job.step = step;
	l->job.free = list_free;
	l->limit = asked->limit;
	l->after = (uint64_t)asked->after.rank;
	asked->after.rank = 0;
	asked->sort = SORT_KEY;
	asked->descending = false;
	arena_init(&l->arena, ARENA_MAY_FAIL);
	group_scan_init(&l->scan, w->api->store, asked);
	l->scan.of_sources = l->scan.picks.inclusive = true;
	strbuf_adds(&l->job.warning, warning);
	v1_run(w, req, &l->job);
}

void api_sources(struct api_worker *w, struct http_request *req)
{
	struct list_request asked = { 0 };
	struct str warning;
	struct params p;
	struct err err;

	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    list_request_parse(&p, STR("sources"), caller_of(req), &w->reader.arena, &asked, &err) <
		    0) {
		list_request_done(&asked);
		v1_reply_error(w, req, &err);
		return;
	}
	list(w, req, &asked, warning);
}
