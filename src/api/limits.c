/*
 * GET /api/v1/limits: the rules of --config.file that have limits, and for each the group that is
 * nearest to them, and the label with the most values.
 */
#include <stdlib.h>

#include "api/endpoints.h"
#include "api/group_filter.h"
#include "api/group_json.h"
#include "api/limits_json.h"
#include "api/metric_json.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/current_rules.h"

/* The group of a rule that holds the most series, or families. */
struct fullest {
	uint64_t n;
	struct strbuf key; /* canonical; empty: no group has any */
};

struct rule_use {
	uint64_t groups;
	struct fullest series, families;
};

struct limits_list {
	struct v1_job job; /* first */
	struct store *store;
	struct group_rules *rules; /* owned; NULL: there are none */
	struct rule_use *use;      /* for each of them */
	struct group_filter filter;
	struct group_list some;
	uint32_t cursor;
	struct arena arena;
};

static void offer(struct fullest *f, uint64_t n, struct str key)
{
	if (n <= f->n)
		return;
	f->n = n;
	f->key.n = 0;
	strbuf_adds(&f->key, key);
}

/* -1: *err. */
static int look_at(struct limits_list *l, const struct group_brief *g, struct err *err)
{
	struct str bytes = group_list_key(&l->some, g);
	const struct group_rule *rule;
	struct rule_use *use;
	struct key key;
	int r = group_filter_key(&l->filter, bytes, &l->arena, err);

	if (r <= 0)
		return r;
	arena_reset(&l->arena);
	if (key_decode(bytes, &l->arena, &key) < 0)
		return err_set(err, ERR_BUSY, 0, "not enough memory for the answer");
	if (group_rules_find(l->rules, &key, &rule, err) < 0)
		return -1;
	if (!rule || !rule_limits_any(&rule->guards.limits))
		return 0;
	use = &l->use[rule - l->rules->v];
	use->groups++;
	offer(&use->series, g->n_series, bytes);
	offer(&use->families, g->n_families, bytes);
	return 0;
}

static void add_fullest(struct limits_list *l, const char *name, const char *unit,
			const struct fullest *f)
{
	struct strbuf *b = &l->job.data;

	if (f->key.n == 0)
		return;
	json_add_member(b, name);
	arena_reset(&l->arena);
	if (!group_json_add_labels(b, strbuf_str(&f->key), &l->arena)) {
		err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
		return;
	}
	b->n--;
	json_add_member(b, unit);
	strbuf_addf(b, "%llu}", (unsigned long long)f->n);
}

static void add_rule(struct limits_list *l, size_t i)
{
	const struct group_rule *rule = &l->rules->v[i];
	struct strbuf *b = &l->job.data;

	if (b->p[b->n - 1] == '}')
		strbuf_addc(b, ',');
	strbuf_addz(b, "{\"match\":");
	json_add_string(b, selector_text(rule->match));
	json_add_member(b, "limits");
	limits_json_add(b, l->store, l->rules, rule, !l->filter.narrowed);
	strbuf_addf(b, ",\"groups\":%llu", (unsigned long long)l->use[i].groups);
	if (rule->guards.limits.series)
		add_fullest(l, "most_series", "series", &l->use[i].series);
	if (rule->guards.limits.families)
		add_fullest(l, "most_families", "families", &l->use[i].families);
	strbuf_addc(b, '}');
}

static void finish(struct limits_list *l)
{
	strbuf_addz(&l->job.data, "{\"rules\":[");
	for (size_t i = 0; l->rules && i < l->rules->n; i++)
		if (rule_limits_any(&l->rules->v[i].guards.limits))
			add_rule(l, i);
	strbuf_addz(&l->job.data, "]}");
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct limits_list *l = (struct limits_list *)job;

	do {
		if (!l->rules || !store_list_groups(l->store, &l->cursor, &l->some)) {
			finish(l);
			return true;
		}
		for (uint32_t i = 0; i < l->some.n; i++)
			if (look_at(l, &l->some.list[i], &l->job.err) < 0)
				return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void list_free(struct v1_job *job)
{
	struct limits_list *l = (struct limits_list *)job;

	for (size_t i = 0; l->rules && i < l->rules->n; i++) {
		strbuf_done(&l->use[i].series.key);
		strbuf_done(&l->use[i].families.key);
	}
	free(l->use);
	group_rules_unref(l->rules);
	group_filter_done(&l->filter);
	group_list_done(&l->some);
	arena_done(&l->arena);
	free(l);
}

void api_limits(struct api_worker *w, struct http_request *req)
{
	struct limits_list *l = mem_zalloc(sizeof(*l));
	struct params p;
	struct str warning;
	struct err err;

	l->job.step = step;
	l->job.free = list_free;
	l->store = w->api->store;
	l->rules = w->api->rules ? current_rules_get(w->api->rules) : NULL;
	l->use = mem_zalloc(((l->rules ? l->rules->n : 0) + 1) * sizeof(*l->use));
	arena_init(&l->arena, ARENA_MAY_FAIL);
	if (v1_params(w, NULL, 0, false, &p, &warning, &err) < 0 ||
	    group_filter_parse(&p, caller_of(req), &l->filter, &err) < 0) {
		list_free(&l->job);
		v1_reply_error(w, req, &err);
		return;
	}
	strbuf_adds(&l->job.warning, warning);
	v1_run(w, req, &l->job);
}
