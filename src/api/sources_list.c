/*
 * GET /api/v1/groups/sources: the contributions of summed groups, a page at a time. First all
 * groups that are meant are counted, then those behind the cursor are written.
 */
#include <stdlib.h>

#include "api/cursor.h"
#include "api/endpoints.h"
#include "api/group_filter.h"
#include "api/group_json.h"
#include "api/groups_list.h"
#include "api/metric_json.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/units.h"

/* Of one group under the lock at a time. */
enum { AT_ONCE = 100, SAID = 0xFF };

static const char *const known[] = { "match[]", "limit", "cursor" };

struct sources_list {
	struct v1_job job; /* first */
	struct store *store;
	struct group_filter filter;
	struct arena arena, scratch;
	uint64_t limit, hash;
	uint64_t total, written;
	bool counted;
	/* Of store_copy_sources(): where the counting is, where the writing is. */
	uint32_t counting, cursor;
	size_t at;
};

/* 1: some of a group that is meant, 0: there are no more, -1: job.err says why not. */
static int copy_next(struct sources_list *l, uint32_t *cursor, size_t *at, size_t max,
		     struct sources_copy *ret)
{
	int meant, r;

	arena_reset(&l->arena);
	r = store_copy_sources(l->store, cursor, at, max, &l->arena, ret);
	if (r < 0)
		return err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
	if (r == 0)
		return 0;
	meant = group_filter_key(&l->filter, ret->key, &l->scratch, &l->job.err);
	if (meant == 0) {
		*at = SIZE_MAX;
		ret->n = ret->n_all = 0;
	}
	return meant < 0 ? -1 : 1;
}

/* True: all of them are counted, or there is an error. */
static bool count_some(struct sources_list *l)
{
	struct sources_copy some;
	size_t at = l->counting ? SIZE_MAX : 0;
	int r = copy_next(l, &l->counting, &at, 1, &some);

	if (r > 0)
		l->total += some.n_all;
	return r <= 0;
}

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

/* Labels of its own, or what the push said; {} when its start is all there is. */
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

static bool write_source(struct sources_list *l, const struct sources_copy *of,
			 const struct source_copy *s)
{
	struct strbuf *b = &l->job.data;
	struct key key;

	if (key_decode(of->key, &l->arena, &key) < 0)
		return false;
	strbuf_addz(b, l->written ? ",{\"group\":" : "{\"group\":");
	json_add_labels(b, key.labels, key.n_labels);
	json_add_member(b, "mode");
	json_add_string(b, str_of(group_mode_name(of->mode)));
	if (!add_name(b, s->name, &l->arena))
		return false;
	if (s->has_start)
		add_time(b, "start", s->start);
	add_time(b, "push_time", s->pushed_at);
	add_time(b, "failure_time", s->failed_at);
	add_time(b, "reset_assumed_time", s->reset_at);
	add_bool(b, "failed", s->failing);
	if (s->failed_why.n) {
		json_add_member(b, "failure_reason");
		json_add_string(b, s->failed_why);
	}
	add_bool(b, "live", s->live);
	add_bool(b, "ended", s->ended);
	json_add_member(b, "series");
	strbuf_addf(b, "%u}", s->n_series);
	return true;
}

/* Where the next page begins: the group, and how many of its sources come before. */
static void add_cursor(struct sources_list *l, size_t first)
{
	CLEANUP(strbuf_done) struct strbuf at = { 0 };

	strbuf_addf(&at, "%zu", first);
	json_add_member(&l->job.data, "next_cursor");
	strbuf_addc(&l->job.data, '"');
	cursor_write(&l->job.data, l->hash, (struct place){ l->cursor, strbuf_str(&at) });
	strbuf_addc(&l->job.data, '"');
}

static bool finish_list(struct sources_list *l, bool more, size_t first)
{
	strbuf_addf(&l->job.data, "],\"total\":%llu,\"stable\":false",
		    (unsigned long long)l->total);
	if (more)
		add_cursor(l, first);
	strbuf_addc(&l->job.data, '}');
	return true;
}

/* True: the page is complete, or there is an error. */
static bool write_some(struct sources_list *l)
{
	uint64_t room = l->limit - l->written;
	struct sources_copy some;
	int r = copy_next(l, &l->cursor, &l->at, room > 0 && room < AT_ONCE ? room : AT_ONCE,
			  &some);

	if (r <= 0)
		return r < 0 || finish_list(l, false, 0);
	if (room == 0 && some.n > 0)
		return finish_list(l, true, some.first);
	for (size_t i = 0; i < some.n; i++, l->written++)
		if (!write_source(l, &some, &some.list[i]))
			return err_set(&l->job.err, ERR_BUSY, 0,
				       "not enough memory for the answer") < 0;
	return false;
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct sources_list *l = (struct sources_list *)job;

	do {
		if (l->counted) {
			if (write_some(l))
				return true;
		} else if (count_some(l)) {
			l->counted = true;
			strbuf_addz(&l->job.data, "{\"sources\":[");
		}
		if (l->job.err.reason)
			return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void list_free(struct v1_job *job)
{
	struct sources_list *l = (struct sources_list *)job;

	group_filter_done(&l->filter);
	arena_done(&l->arena);
	arena_done(&l->scratch);
	free(l);
}

static int parse(const struct params *p, const struct caller *reader, struct sources_list *l,
		 struct arena *a, struct err *err)
{
	struct str cursor = params_get(p, "cursor");
	struct place place;
	int64_t at;

	l->limit = LIST_LIMIT;
	if (group_filter_parse(p, reader, &l->filter, err) < 0 ||
	    params_count(p, "limit", 1, LIST_LIMIT_MAX, &l->limit, err) < 0)
		return -1;
	l->hash = l->filter.hash ^ checksum_bytes(STR("sources"), STR(""));
	if (!cursor.p)
		return 0;
	if (cursor_read(cursor, l->hash, a, &place, err) < 0)
		return -1;
	if (place.rank < 0 || place.rank > UINT32_MAX || !count_parse(place.key, &at))
		return err_set(err, ERR_INVALID, 0, "cursor: it is not one of this request");
	l->cursor = (uint32_t)place.rank;
	l->at = (size_t)at;
	return 0;
}

void api_sources(struct api_worker *w, struct http_request *req)
{
	struct sources_list *l = mem_zalloc(sizeof(*l));
	struct str warning;
	struct params p;
	struct err err;

	l->job.step = step;
	l->job.free = list_free;
	l->store = w->api->store;
	arena_init(&l->arena, ARENA_MAY_FAIL);
	arena_init(&l->scratch, ARENA_MAY_FAIL);
	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    parse(&p, caller_of(req), l, &w->reader.arena, &err) < 0) {
		list_free(&l->job);
		v1_reply_error(w, req, &err);
		return;
	}
	strbuf_adds(&l->job.warning, warning);
	v1_run(w, req, &l->job);
}
