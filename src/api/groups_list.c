/*
 * GET /api/v1/groups: the groups that are meant, a page at a time. Each page looks at all groups:
 * total is counted, and the first of the order behind the cursor are picked.
 */
#include "api/groups_list.h"

#include <math.h>
#include <stdlib.h>

#include "api/cursor.h"
#include "api/endpoints.h"
#include "api/group_json.h"
#include "api/metric_json.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

static const char *const known[] = { GROUP_FILTER_PARAMS, "sort", "limit", "cursor", "by" };

static const char *const sorts[N_LIST_SORTS] = { "key", "age", "series", "bytes", "failed" };

static int parse_sort(struct str text, struct list_request *r, struct err *err)
{
	char quoted[64];

	if (!text.p)
		return 0;
	r->descending = str_has_prefix(text, STR("-"));
	for (int i = 0; i < N_LIST_SORTS; i++)
		if (str_eq((struct str){ text.p + r->descending, text.n - r->descending },
			   str_of(sorts[i]))) {
			r->sort = (enum list_sort)i;
			return 0;
		}
	return err_set(err, ERR_INVALID, 0,
		       "sort=%s: there are key, age, series, bytes, failed, and each with a minus "
		       "in front for the reverse",
		       str_quote(text, quoted, sizeof(quoted)));
}

static uint64_t hash_of(const struct list_request *r, struct str by)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addf(&b, "%d %d %zu %llx ", r->sort, r->descending, by.n,
		    (unsigned long long)r->filter.hash);
	if (by.n)
		strbuf_adds(&b, by);
	return checksum_bytes(STR("groups"), strbuf_str(&b));
}

int list_request_parse(const struct params *p, struct arena *a, struct list_request *ret,
		       struct err *err)
{
	struct str cursor = params_get(p, "cursor");

	*ret = (struct list_request){ .limit = LIST_LIMIT, .now = clock_wall() };
	if (group_filter_parse(p, &ret->filter, err) < 0 ||
	    parse_sort(params_get(p, "sort"), ret, err) < 0 ||
	    params_count(p, "limit", 1, LIST_LIMIT_MAX, &ret->limit, err) < 0)
		return -1;
	ret->hash = hash_of(ret, params_get(p, "by"));
	if (!cursor.p)
		return 0;
	if (cursor_read(cursor, ret->hash, a, &ret->after, err) < 0)
		return -1;
	ret->after.key.p = mem_dup(ret->after.key.p, ret->after.key.n);
	ret->has_after = true;
	return 0;
}

void list_request_done(struct list_request *r)
{
	group_filter_done(&r->filter);
	if (r->has_after)
		free((char *)r->after.key.p);
}

struct groups_list {
	struct v1_job job; /* first */
	struct store *store;
	struct list_request asked;
	uint32_t cursor;
	struct group_list some; /* of all groups */
	struct arena arena;
	uint64_t total;
	struct picks picks;
	size_t written; /* of the picks; the page has begun when data has */
};

static int64_t nanoseconds(double at)
{
	return at <= 0 ? 0 : at < 9e9 ? (int64_t)(at * 1e9) : INT64_MAX / 2;
}

static int64_t rank_of(const struct list_request *r, const struct group_brief *g)
{
	int64_t rank = 0;

	switch (r->sort) {
	case SORT_AGE:
		rank = -nanoseconds(g->pushed_at > 0 ? g->pushed_at : g->failed_at);
		break;
	case SORT_SERIES:
		rank = (int64_t)g->n_series;
		break;
	case SORT_BYTES:
		rank = (int64_t)g->n_bytes;
		break;
	case SORT_FAILED:
		rank = nanoseconds(g->failed_at);
		break;
	default:
		break;
	}
	return r->descending ? -rank : rank;
}

/* False: *err says why there is no answer. */
static bool look_at(struct groups_list *l, const struct group_brief *g)
{
	struct str key = group_list_key(&l->some, g);
	int r;

	if (!group_filter_state(&l->asked.filter, g, l->asked.now))
		return true;
	r = group_filter_key(&l->asked.filter, key, &l->arena, &l->job.err);
	if (r > 0) {
		l->total++;
		picks_offer(&l->picks, (struct place){ rank_of(&l->asked, g), key }, g);
	}
	return r >= 0;
}

/* False: the page is not complete yet. The first beyond the page only says that there is one. */
static bool write_some(struct groups_list *l)
{
	struct strbuf *b = &l->job.data;
	size_t n = l->picks.n < l->asked.limit ? l->picks.n : l->asked.limit;
	const struct pick *it = &l->picks.list[l->written];
	struct group_details details;
	int r;

	if (l->written < n) {
		arena_reset(&l->arena);
		r = store_group_details(l->store, &it->group, &l->arena, &details);
		/* It has gone since. */
		if (r > 0 &&
		    !group_json_add(b, pick_key(&l->picks, it), &it->group, &details, &l->arena))
			r = -1;
		if (r < 0)
			err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
		l->written++;
		return r < 0;
	}
	strbuf_addf(b, "],\"total\":%llu", (unsigned long long)l->total);
	if (l->asked.sort != SORT_KEY)
		strbuf_addz(b, ",\"stable\":false");
	if (l->picks.n > n) {
		it = &l->picks.list[n - 1];
		json_add_member(b, "next_cursor");
		strbuf_addc(b, '"');
		cursor_write(b, l->asked.hash, (struct place){ it->rank, pick_key(&l->picks, it) });
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '}');
	return true;
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct groups_list *l = (struct groups_list *)job;

	do {
		if (l->job.data.n > 0) {
			if (write_some(l))
				return true;
			continue;
		}
		if (!store_list_groups(l->store, &l->cursor, &l->some)) {
			picks_finish(&l->picks);
			strbuf_addz(&l->job.data, "{\"groups\":[");
			continue;
		}
		for (uint32_t i = 0; i < l->some.n; i++)
			if (!look_at(l, &l->some.list[i]))
				return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void list_free(struct v1_job *job)
{
	struct groups_list *l = (struct groups_list *)job;

	list_request_done(&l->asked);
	group_list_done(&l->some);
	arena_done(&l->arena);
	picks_done(&l->picks);
	free(l);
}

static void list(struct api_worker *w, struct http_request *req, struct list_request *asked,
		 struct str warning)
{
	struct groups_list *l = mem_zalloc(sizeof(*l));

	l->job.step = step;
	l->job.free = list_free;
	l->store = w->api->store;
	l->asked = *asked;
	arena_init(&l->arena, ARENA_MAY_FAIL);
	picks_init(&l->picks, asked->limit + 1);
	l->picks.descending = asked->sort == SORT_KEY && asked->descending;
	l->picks.has_after = asked->has_after;
	l->picks.after = asked->after;
	strbuf_adds(&l->job.warning, warning);
	v1_run(w, req, &l->job);
}

void api_groups(struct api_worker *w, struct http_request *req)
{
	struct list_request asked = { 0 };
	struct params p;
	struct str warning, by;
	struct err err;

	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    list_request_parse(&p, &w->reader.arena, &asked, &err) < 0) {
		list_request_done(&asked);
		v1_reply_error(w, req, &err);
		return;
	}
	by = params_get(&p, "by");
	if (by.n)
		groups_by_label(w, req, &asked, by, warning);
	else
		list(w, req, &asked, warning);
}
