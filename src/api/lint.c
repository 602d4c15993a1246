/*
 * GET /api/v1/lint: names that break Prometheus's rules, in groups whose rule says `lint`: a line
 * for each metric and problem, and counts by job.
 */
#include <stdlib.h>

#include "api/endpoints.h"
#include "api/group_json.h"
#include "api/lint_scan.h"
#include "api/metric_json.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/current_rules.h"
#include "expose/job_counts.h"

enum { SHOWN = 100, SHOWN_MAX = 1000 };

static const char *const known[] = { GROUP_FILTER_PARAMS, "limit" };

struct lint_list {
	struct v1_job job; /* first */
	struct lint_scan scan;
	struct group_filter filter;
	struct job_counts jobs;
	struct arena arena;
	uint64_t limit, total;
};

static void add(void *arg, const struct lint_found *what)
{
	struct lint_list *l = arg;
	struct strbuf *b = &l->job.data;
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	job_counts_add(&l->jobs, key_value(what->key, STR("job")));
	if (l->total++ >= l->limit)
		return;
	lint_add_text(what->problem, what->name, what->type, &text);
	strbuf_addz(b, l->total > 1 ? ",{\"group\":" : "{\"group\":");
	arena_reset(&l->arena);
	if (!group_json_add_labels(b, what->key, &l->arena))
		err_set(&l->job.err, ERR_BUSY, 0, "not enough memory for the answer");
	json_add_member(b, "metric");
	json_add_string(b, what->name);
	json_add_member(b, "problem");
	json_add_string(b, strbuf_str(&text));
	strbuf_addc(b, '}');
}

static void add_job(void *arg, struct str job, uint64_t n)
{
	struct strbuf *b = arg;

	strbuf_addz(b, b->p[b->n - 1] == '[' ? "{\"job\":" : ",{\"job\":");
	json_add_string(b, job);
	strbuf_addf(b, ",\"findings\":%llu}", (unsigned long long)n);
}

static void finish(struct lint_list *l)
{
	struct strbuf *b = &l->job.data;

	strbuf_addz(b, "],\"jobs\":[");
	job_counts_each(&l->jobs, add_job, b);
	strbuf_addf(b, "],\"total\":%llu}", (unsigned long long)l->total);
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct lint_list *l = (struct lint_list *)job;

	do {
		if (!l->scan.rules || lint_scan_step(&l->scan, &l->job.err)) {
			if (!l->job.err.reason)
				finish(l);
			return true;
		}
		if (l->job.err.reason)
			return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void list_free(struct v1_job *job)
{
	struct lint_list *l = (struct lint_list *)job;

	lint_scan_done(&l->scan);
	group_filter_done(&l->filter);
	job_counts_done(&l->jobs);
	arena_done(&l->arena);
	free(l);
}

void api_lint(struct api_worker *w, struct http_request *req)
{
	struct lint_list *l = mem_zalloc(sizeof(*l));
	struct params p;
	struct str warning;
	struct err err;

	l->job.step = step;
	l->job.free = list_free;
	l->limit = SHOWN;
	job_counts_init(&l->jobs);
	arena_init(&l->arena, ARENA_MAY_FAIL);
	/* Without rules no group is checked. */
	lint_scan_init(&l->scan, w->api->store,
		       w->api->rules ? current_rules_get(w->api->rules) : NULL);
	l->scan.filter = &l->filter;
	l->scan.found = add;
	l->scan.arg = l;
	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    group_filter_parse(&p, caller_of(req), &l->filter, &err) < 0 ||
	    params_count(&p, "limit", 1, SHOWN_MAX, &l->limit, &err) < 0) {
		list_free(&l->job);
		v1_reply_error(w, req, &err);
		return;
	}
	strbuf_addz(&l->job.data, "{\"findings\":[");
	strbuf_adds(&l->job.warning, warning);
	v1_run(w, req, &l->job);
}
