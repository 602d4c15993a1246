#include "api/metric_json.h"

#include <stdlib.h>

#include "api/native_buckets.h"
#include "base/array.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

static void add_number(struct strbuf *b, double v)
{
	char num[NUM_MAX];

	strbuf_addc(b, '"');
	strbuf_add(b, num, num_format_signed_zero(v, num));
	strbuf_addc(b, '"');
}

static void add_count(struct strbuf *b, uint64_t v)
{
	strbuf_addf(b, "\"%llu\"", (unsigned long long)v);
}

void json_add_member(struct strbuf *b, const char *name)
{
	char last = b->p[b->n - 1];

	if (last != '{' && last != '[')
		strbuf_addc(b, ',');
	json_add_string(b, str_of(name));
	strbuf_addc(b, ':');
}

void json_add_labels(struct strbuf *b, const struct label *labels, uint32_t n)
{
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		json_add_string(b, labels[i].name);
		strbuf_addc(b, ':');
		json_add_string(b, labels[i].value);
	}
	strbuf_addc(b, '}');
}

static double simple_value(int32_t type, const struct metric *m)
{
	return type == METRIC_COUNTER ? m->counter : type == METRIC_GAUGE ? m->gauge : m->untyped;
}

static void add_summary(struct strbuf *b, const struct metric *m)
{
	const struct summary *s = m->summary;

	strbuf_addz(b, "{\"count\":");
	add_count(b, s->count);
	json_add_member(b, "labels");
	json_add_labels(b, m->labels, m->n_labels);
	json_add_member(b, "quantiles");
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < s->n_quantiles; i++) {
		if (i)
			strbuf_addc(b, ',');
		add_number(b, s->quantiles[i].quantile);
		strbuf_addc(b, ':');
		add_number(b, s->quantiles[i].value);
	}
	strbuf_addc(b, '}');
	json_add_member(b, "sum");
	add_number(b, s->sum);
	strbuf_addc(b, '}');
}

struct bound {
	char text[NUM_MAX];
	size_t n;
	uint32_t at; /* its index among the histogram's buckets */
};

static int bound_cmp(const void *pa, const void *pb)
{
	const struct bound *a = pa, *b = pb;
	int r = str_cmp((struct str){ a->text, a->n }, (struct str){ b->text, b->n });

	return r ? r : (a->at > b->at) - (a->at < b->at);
}

static void add_histogram_count(struct strbuf *b, uint64_t count, double count_float)
{
	if (count_float > 0)
		add_number(b, count_float);
	else
		add_count(b, count);
}

/* Keys are sorted as strings, as in Go; of equal bounds the last one counts. */
static void add_classic_buckets(struct strbuf *b, const struct histogram *h)
{
	CLEANUP(freep) struct bound *bounds = mem_alloc(h->n_buckets * sizeof(*bounds));

	for (uint32_t i = 0; i < h->n_buckets; i++) {
		bounds[i].n = num_format_signed_zero(h->buckets[i].upper_bound, bounds[i].text);
		bounds[i].at = i;
	}
	array_sort(bounds, h->n_buckets, bound_cmp);
	strbuf_addc(b, '{');
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		struct str text = { bounds[i].text, bounds[i].n };
		const struct bucket *bucket = &h->buckets[bounds[i].at];

		if (i + 1 < h->n_buckets &&
		    str_eq(text, (struct str){ bounds[i + 1].text, bounds[i + 1].n }))
			continue;
		if (b->p[b->n - 1] != '{')
			strbuf_addc(b, ',');
		json_add_string(b, text);
		strbuf_addc(b, ':');
		add_histogram_count(b, bucket->count, bucket->count_float);
	}
	strbuf_addc(b, '}');
}

static void add_native_bucket(void *arg, const struct native_bucket *n)
{
	struct strbuf *b = arg;

	if (b->p[b->n - 1] != '[')
		strbuf_addc(b, ',');
	strbuf_addf(b, "[%d,", n->boundaries);
	add_number(b, n->lower);
	strbuf_addc(b, ',');
	add_number(b, n->upper);
	strbuf_addc(b, ',');
	if (n->is_float)
		add_number(b, n->count_float);
	else
		add_count(b, n->count);
	strbuf_addc(b, ']');
}

static void add_histogram(struct strbuf *b, const struct metric *m)
{
	const struct histogram *h = m->histogram;

	strbuf_addz(b, "{\"buckets\":");
	if (native_buckets_shown(h)) {
		strbuf_addc(b, '[');
		native_buckets_each(h, add_native_bucket, b);
		strbuf_addc(b, ']');
	} else {
		add_classic_buckets(b, h);
	}
	json_add_member(b, "count");
	add_histogram_count(b, h->count, h->count_float);
	json_add_member(b, "labels");
	json_add_labels(b, m->labels, m->n_labels);
	json_add_member(b, "sum");
	add_number(b, h->sum);
	strbuf_addc(b, '}');
}

void json_add_metric(struct strbuf *b, int32_t type, const struct metric *m)
{
	if (m->summary) {
		add_summary(b, m);
	} else if (m->histogram && type == METRIC_HISTOGRAM) {
		add_histogram(b, m);
	} else {
		strbuf_addz(b, "{\"labels\":");
		json_add_labels(b, m->labels, m->n_labels);
		json_add_member(b, "value");
		add_number(b, type == METRIC_GAUGE_HISTOGRAM ? 0 : simple_value(type, m));
		strbuf_addc(b, '}');
	}
}
