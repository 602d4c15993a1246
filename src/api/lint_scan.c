#include "api/lint_scan.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "api/endpoints.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/current_rules.h"
#include "expose/background.h"
#include "expose/job_counts.h"

void lint_scan_init(struct lint_scan *s, struct store *store, struct group_rules *rules)
{
	*s = (struct lint_scan){ .store = store, .rules = rules };
	arena_init(&s->arena, ARENA_MAY_FAIL);
	arena_init(&s->scratch, ARENA_MAY_FAIL);
}

void lint_scan_done(struct lint_scan *s)
{
	group_rules_unref(s->rules);
	group_list_done(&s->some);
	held_group_done(&s->held);
	arena_done(&s->arena);
	arena_done(&s->scratch);
}

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_BUSY, 0, "not enough memory for the answer");
}

static void report(struct lint_scan *s, const struct group_copy_family *f)
{
	struct lint_found what = { .key = s->held.copy.key, .name = f->name, .type = f->type };

	for (int p = 0; p < N_LINT_PROBLEMS; p++) {
		what.problem = (enum lint_problem)p;
		if (s->problems >> p & 1)
			s->found(s->arg, &what);
	}
}

/* Goes on with the family that is looked at. */
static int look_at_lines(struct lint_scan *s, struct err *err)
{
	const struct group_copy_family *f = &s->held.copy.families[s->family];
	const struct metric *m;

	if (!s->in_family) {
		s->problems = lint_name(f->name, f->type, f->help);
		group_metrics_begin(&s->metrics, f);
		s->in_family = true;
	}
	arena_reset(&s->scratch);
	m = group_metrics_next(&s->metrics, &s->scratch);
	for (const struct metric *i = m; i; i = i->next)
		s->problems |= lint_labels(f->type, i->labels, i->n_labels);
	if (s->metrics.failed)
		return out_of_memory(err);
	if (m)
		return 0;
	report(s, f);
	s->in_family = false;
	s->family++;
	return 0;
}

/* 1: the group's rule says lint; 0: it does not, or the filter does not match; -1: *err. */
static int is_meant(struct lint_scan *s, struct str bytes, struct err *err)
{
	const struct group_rule *rule;
	struct key key;
	int r = s->filter ? group_filter_key(s->filter, bytes, &s->scratch, err) : 1;

	if (r <= 0)
		return r;
	arena_reset(&s->scratch);
	if (key_decode(bytes, &s->scratch, &key) < 0)
		return out_of_memory(err);
	if (group_rules_find(s->rules, &key, &rule, err) < 0)
		return -1;
	return rule && rule->guards.lint;
}

static int hold(struct lint_scan *s, const struct group_brief *g, struct err *err)
{
	struct str key = group_list_key(&s->some, g);
	uint32_t before = g->slot - 1;
	int r = is_meant(s, key, err);

	if (r <= 0)
		return r;
	arena_reset(&s->arena);
	s->family = 0;
	r = store_hold_group(s->store, &before, false, &s->arena, &s->held);
	if (r < 0)
		return out_of_memory(err);
	/* Otherwise the group has been deleted since it was listed. */
	if (r == 0 || !str_eq(s->held.copy.key, key))
		held_group_done(&s->held);
	return 0;
}

bool lint_scan_step(struct lint_scan *s, struct err *err)
{
	if (s->family < s->held.copy.n_families)
		return look_at_lines(s, err) < 0;
	held_group_done(&s->held);
	s->family = 0;
	if (s->at == s->some.n) {
		s->at = 0;
		return !store_list_groups(s->store, &s->cursor, &s->some);
	}
	return hold(s, &s->some.list[s->at++], err) < 0;
}

/* ---- for own metrics ---- */

enum {
	FRESH_S = 10,
	SHARE = 20 /* the pause after a scan is this many times as long as the scan */
};

struct refresh {
	struct job job; /* first */
	struct api *api;
	struct lint_scan scan;
	struct job_counts counts;
	bool found;
	int64_t began_ns;
};

static void count(void *arg, const struct lint_found *what)
{
	struct refresh *r = arg;

	r->found = true;
	job_counts_add(&r->counts, key_value(what->key, STR("job")));
}

static void end(struct refresh *r)
{
	struct api *api = r->api;
	int64_t now = clock_mono_ns(), pause = (now - r->began_ns) * SHARE;
	int64_t least = FRESH_S * INT64_C(1000000000);

	job_counts_swap(&api->counters.lint, &r->counts);
	api->has_findings = r->found;
	api->lint_due_ns = now + (pause > least ? pause : least);
	api->linting = false;
	job_counts_done(&r->counts);
	lint_scan_done(&r->scan);
	free(r);
}

static bool step(struct job *job, int64_t until_ns)
{
	struct refresh *r = (struct refresh *)job;
	struct err err = { 0 };

	do {
		if (lint_scan_step(&r->scan, &err)) {
			end(r);
			return true;
		}
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void begin(struct api *api)
{
	struct refresh *r = mem_zalloc(sizeof(*r));

	r->job = (struct job){ .kind = JOB_PAGE, .step = step };
	r->api = api;
	r->began_ns = clock_mono_ns();
	job_counts_init(&r->counts);
	lint_scan_init(&r->scan, api->store, current_rules_get(api->rules));
	r->scan.found = count;
	r->scan.arg = r;
	if (background_add(api->background, &r->job))
		return;
	/* The scan could not begin. The next scrape asks for it again. */
	api->linting = false;
	job_counts_done(&r->counts);
	lint_scan_done(&r->scan);
	free(r);
}

void api_lint_refresh(struct api *api)
{
	/*
	 * Scans go on until one finds nothing, even if no rule has lint any more: findings of the
	 * last scan are shown until then.
	 */
	if (api->rules && (current_rules_have_lint(api->rules) || api->has_findings) &&
	    clock_mono_ns() >= api->lint_due_ns && !atomic_exchange(&api->linting, true))
		begin(api);
}
