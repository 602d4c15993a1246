/*
 * GET /api/v1/groups: one page of the groups that match. Each page looks at all groups: it counts
 * them for `total`, and picks the first ones behind the cursor.
 */
#include "api/groups_list.h"

#include <stdlib.h>

#include "api/cursor.h"
#include "api/endpoints.h"
#include "api/group_json.h"
#include "api/group_scan.h"
#include "api/limits_json.h"
#include "api/metric_json.h"
#include "api/permission.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/current_rules.h"

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

static uint64_t hash_of(const struct list_request *r, struct str what, struct str by)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addf(&b, "%d %d %zu %llx ", r->sort, r->descending, by.n,
		    (unsigned long long)r->filter.hash);
	if (by.n)
		strbuf_adds(&b, by);
	return checksum_bytes(what, strbuf_str(&b));
}

int list_request_parse(const struct params *p, struct str what, const struct caller *reader,
		       struct arena *a, struct list_request *ret, struct err *err)
{
	struct str cursor = params_get(p, "cursor");

	*ret = (struct list_request){ .limit = LIST_LIMIT,
				      .now = clock_wall(),
				      .hides_others = !caller_sees_all(reader) };
	if (group_filter_parse(p, reader, &ret->filter, err) < 0 ||
	    parse_sort(params_get(p, "sort"), ret, err) < 0 ||
	    params_count(p, "limit", 1, LIST_LIMIT_MAX, &ret->limit, err) < 0)
		return -1;
	ret->hash = hash_of(ret, what, params_get(p, "by"));
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
	struct group_scan scan;
	bool scanned;              /* the page is begun */
	struct group_rules *rules; /* owned; NULL: there are none */
	size_t written;            /* how many of the picks */
};

/* Writes what the client may do with a group, if not everybody may do everything. False: *err. */
static bool add_may(struct groups_list *l, struct str key)
{
	static const enum access_verb verbs[] = { VERB_PUSH, VERB_DELETE };
	const struct caller *c = caller_of(l->job.req);
	struct strbuf *b = &l->job.data;
	const char *before = "";

	if (!c)
		return true;
	b->n--;
	strbuf_addz(b, ",\"may\":[");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		int r = permission_for_group(c, verbs[i], key, &l->scan.arena, &l->job.err);

		if (r < 0 && l->job.err.reason != ERR_FORBIDDEN)
			return false;
		l->job.err.reason = ERR_NONE;
		if (r > 0)
			strbuf_addf(b, "%s\"%s\"", before, access_verbs[verbs[i]]);
		before = r > 0 ? "," : before;
	}
	strbuf_addz(b, "]}");
	return true;
}

/* Writes what the group's rule lets it hold. False: *err. */
static bool add_limits(struct groups_list *l, struct str bytes)
{
	struct strbuf *b = &l->job.data;
	const struct group_rule *rule;
	struct key key;

	if (!l->rules)
		return true;
	arena_reset(&l->scan.arena);
	if (key_decode(bytes, &l->scan.arena, &key) < 0) {
		err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
		return false;
	}
	if (group_rules_find(l->rules, &key, &rule, &l->job.err) < 0)
		return false;
	if (!rule || !rule_limits_any(&rule->guards.limits))
		return true;
	b->n--;
	json_add_member(b, "limits");
	limits_json_add(b, l->scan.store, l->rules, rule, !l->scan.asked.filter.narrowed);
	strbuf_addc(b, '}');
	return true;
}

/*
 * False: the page is not complete yet. One group more than the page holds was picked: it shows that
 * there is a next page, and is not written.
 */
static bool write_some(struct groups_list *l)
{
	struct strbuf *b = &l->job.data;
	struct group_scan *scan = &l->scan;
	const struct picks *picks = &scan->picks;
	size_t n = group_scan_n(scan);
	const struct pick *it = &picks->list[l->written];
	struct group_details details;
	int r;

	if (l->written < n) {
		arena_reset(&scan->arena);
		r = group_scan_details(scan, it, &details);
		/* 0: the group has been deleted since it was picked. */
		if (r > 0 && !group_json_add(b, group_scan_key(scan, l->written), &it->group,
					     &details, &scan->arena))
			r = -1;
		if (r < 0)
			err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
		else if (r > 0 && (!add_limits(l, group_scan_key(scan, l->written)) ||
				   !add_may(l, group_scan_key(scan, l->written))))
			r = -1;
		l->written++;
		return r < 0;
	}
	strbuf_addf(b, "],\"total\":%llu", (unsigned long long)scan->total);
	if (scan->asked.sort != SORT_KEY)
		strbuf_addz(b, ",\"stable\":false");
	if (picks->n > n) {
		json_add_member(b, "next_cursor");
		strbuf_addc(b, '"');
		group_scan_cursor(scan, n - 1, b);
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '}');
	return true;
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct groups_list *l = (struct groups_list *)job;

	do {
		if (l->scanned) {
			if (write_some(l))
				return true;
		} else if (group_scan_step(&l->scan, &l->job.err)) {
			l->scanned = true;
			strbuf_addz(&l->job.data, "{\"groups\":[");
		}
		if (l->job.err.reason)
			return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void list_free(struct v1_job *job)
{
	struct groups_list *l = (struct groups_list *)job;

	group_scan_done(&l->scan);
	group_rules_unref(l->rules);
	free(l);
}

static void list(struct api_worker *w, struct http_request *req, struct list_request *asked,
		 struct str warning)
{
	struct groups_list *l = mem_zalloc(sizeof(*l));

	l->job.step = step;
	l->job.free = list_free;
	l->rules = w->api->rules ? current_rules_get(w->api->rules) : NULL;
	group_scan_init(&l->scan, w->api->store, asked);
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
	    list_request_parse(&p, STR("groups"), caller_of(req), &w->reader.arena, &asked, &err) <
		    0) {
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
