/* The rules about what one metric holds: its value, buckets, quantiles and exemplars. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "metrics/native_histogram.h"
#include "push/rules.h"

static const struct {
	uint8_t has;
	const char *what;
} needs[] = {
	[METRIC_COUNTER] = { HAS_COUNTER, "is not a COUNTER" },
	[METRIC_GAUGE] = { HAS_GAUGE, "is not a GAUGE" },
	[METRIC_SUMMARY] = { HAS_SUMMARY, "is not a SUMMARY" },
	[METRIC_UNTYPED] = { HAS_UNTYPED, "is not a UNTYPED" },
	[METRIC_HISTOGRAM] = { HAS_HISTOGRAM, "is not a HISTOGRAM" },
	[METRIC_GAUGE_HISTOGRAM] = { HAS_HISTOGRAM, "is not a GAUGE_HISTOGRAM" },
};

/*
 * A value that does not belong to the family's type is dropped: nobody has checked it, and no
 * reader would use it.
 */
static void keep_value(const struct family *f, struct metric *m)
{
	m->has = needs[f->type].has;
	if (!(m->has & HAS_COUNTER)) {
		m->exemplar = NULL;
		m->counter_created = (struct timestamp){ 0 };
	}
	if (!(m->has & HAS_SUMMARY))
		m->summary = NULL;
	if (!(m->has & HAS_HISTOGRAM))
		m->histogram = NULL;
}

/* Of a bucket or quantile: its bound, and its place. */
struct ranked {
	double bound;
	uint32_t at;
};

/* All NaNs are equal here, since the exposition writes all of them as "NaN". */
static int cmp_bounds(double a, double b)
{
	if (isnan(a) || isnan(b))
		return !!isnan(a) - !!isnan(b);
	return (a > b) - (a < b);
}

static int cmp_ranked(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;
	int r = cmp_bounds(a->bound, b->bound);

	return r ? r : (a->at > b->at) - (a->at < b->at);
}

static bool is_ascending(const struct ranked *r, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (!(r[i - 1].bound < r[i].bound))
			return false;
	return true;
}

static void take_out(struct metric *m, const bool *twice)
{
	struct histogram *h = m->histogram;
	struct summary *s = m->summary;
	uint32_t kept = 0;

	for (uint32_t i = 0; h && i < h->n_buckets; i++)
		if (!twice[i])
			h->buckets[kept++] = h->buckets[i];
	for (uint32_t i = 0; s && i < s->n_quantiles; i++)
		if (!twice[i])
			s->quantiles[kept++] = s->quantiles[i];
	*(h ? &h->n_buckets : &s->n_quantiles) = kept;
}

static int refuse_twice(const struct family *f, const struct metric *m, double bound,
			struct err *err)
{
	char number[NUM_MAX + 1], what[100];

	number[num_format(bound, number)] = '\0';
	snprintf(what, sizeof(what), "has two %s with %s=\"%s\"",
		 m->histogram ? "buckets" : "quantiles", m->histogram ? "le" : "quantile", number);
	return rules_refuse_metric(f, m, err, what);
}

/* Each bound makes a series of its own. */
static int check_bounds(const struct family *f, struct metric *m, bool lenient, struct err *err)
{
	const struct histogram *h = m->histogram;
	const struct summary *s = m->summary;
	uint32_t n = h ? h->n_buckets : s->n_quantiles;
	CLEANUP(freep) struct ranked *r = mem_alloc(n * sizeof(*r));
	CLEANUP(freep) bool *twice = NULL;

	for (uint32_t i = 0; i < n; i++)
		r[i] = (struct ranked){ h ? h->buckets[i].upper_bound : s->quantiles[i].quantile,
					i };
	if (is_ascending(r, n))
		return 0;
	array_sort(r, n, cmp_ranked);
	twice = mem_zalloc(n * sizeof(*twice));
	for (uint32_t i = 1; i < n; i++) {
		if (cmp_bounds(r[i - 1].bound, r[i].bound) != 0)
			continue;
		if (!lenient)
			return refuse_twice(f, m, r[i].bound, err);
		twice[r[i].at] = true;
	}
	take_out(m, twice);
	return 0;
}

static bool is_exposable(const struct exemplar *e)
{
	for (uint32_t i = 0; i < e->n_labels; i++)
		if (!utf8_valid(e->labels[i].name) || !utf8_valid(e->labels[i].value))
			return false;
	return true;
}

/* Readers that require UTF-8 refuse a whole message because of one bad exemplar. */
static int check_exemplar(const struct family *f, const struct metric *m, struct exemplar **e,
			  bool lenient, struct err *err)
{
	if (!*e || is_exposable(*e))
		return 0;
	if (!lenient)
		return rules_refuse_metric(f, m, err,
					   "has an exemplar with a label that is not utf8");
	*e = NULL;
	return 0;
}

static int check_exemplars(const struct family *f, const struct metric *m, bool lenient,
			   struct err *err)
{
	struct histogram *h = m->histogram;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < h->n_buckets; i++)
		if (check_exemplar(f, m, &h->buckets[i].exemplar, lenient, err) < 0)
			return -1;
	for (uint32_t i = 0; i < h->n_exemplars; i++) {
		struct exemplar *e = &h->exemplars[i];

		if (check_exemplar(f, m, &e, lenient, err) < 0)
			return -1;
		if (e)
			h->exemplars[kept++] = *e;
	}
	h->n_exemplars = kept;
	return 0;
}

static int check_native(const struct family *f, const struct metric *m, bool lenient,
			struct err *err)
{
	const char *fault = native_histogram_fault(m->histogram);
	char what[200];

	if (!fault)
		return 0;
	if (lenient) {
		native_histogram_drop(m->histogram);
		return 0;
	}
	snprintf(what, sizeof(what), "has a native histogram that no reader takes: %s", fault);
	return rules_refuse_metric(f, m, err, what);
}

int rules_check_value(const struct family *f, struct metric *m, bool lenient, struct err *err)
{
	if (!(m->has & needs[f->type].has))
		return rules_refuse_metric(f, m, err, needs[f->type].what);
	keep_value(f, m);
	if (m->histogram &&
	    (check_native(f, m, lenient, err) < 0 || check_exemplars(f, m, lenient, err) < 0))
		return -1;
	if (m->histogram || m->summary)
		return check_bounds(f, m, lenient, err);
	return check_exemplar(f, m, &m->exemplar, lenient, err);
}
