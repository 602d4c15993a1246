#include <math.h>

#include "base/array.h"
#include "base/hash.h"
#include "format/text/internal.h"

static bool same_labels(const struct label *a, const struct label *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!str_eq(a[i].value, b[i].value) || !str_eq(a[i].name, b[i].name))
			return false;
	return true;
}

static uint64_t hash_labels(const struct text_family *f, const struct label *labels, uint32_t n)
{
	uint64_t h = (uintptr_t)f;

	for (uint32_t i = 0; i < n; i++) {
		h = (h ^ hash_bytes(labels[i].name)) * 0x9E3779B97F4A7C15u;
		h = ((h ^ h >> 32) + hash_bytes(labels[i].value)) * 0xD6E8FEB86659FD93u;
	}
	return h ^ h >> 32;
}

/* Labels are those of the line, which p->sorted holds. */
static struct text_series *new_series(struct text_parser *p, uint64_t hash)
{
	size_t labels = p->n_labels * sizeof(struct label);
	int32_t type = p->family->pub.type;
	struct text_series *s = arena_alloc(p->arena, sizeof(*s) + 2 * labels);
	void *kind = arena_zalloc(p->arena, type == METRIC_SUMMARY ? sizeof(struct summary)
								   : sizeof(struct histogram));

	if (!s || !kind || text_add_to_table(p, &p->series, hash, s) < 0) {
		text_no_memory(p);
		return NULL;
	}
	*s = (struct text_series){ .family = p->family };
	if (type == METRIC_COUNTER) {
		s->m.has = HAS_COUNTER;
	} else if (type == METRIC_SUMMARY) {
		s->m.has = HAS_SUMMARY;
		s->m.summary = kind;
	} else {
		s->m.has = HAS_HISTOGRAM;
		s->m.histogram = kind;
	}
	text_add_metric(p, &s->m, sizeof(*s));
	if (labels)
		s->sorted = copy_bytes((char *)s + sizeof(*s) + labels, p->sorted, labels);
	return s;
}

/* Finds a series whatever the order of its labels is. */
struct text_series *text_find_series(struct text_parser *p)
{
	struct text_series *s = p->family->recent;
	uint32_t n = p->n_labels;
	uint64_t hash;

	if (s && s->m.n_labels == n && same_labels(s->m.labels, p->labels, n))
		return s;
	if (n) {
		copy_bytes(p->sorted, p->labels, n * sizeof(*p->labels));
		text_sort_labels(p->sorted, n);
	}
	hash = hash_labels(p->family, p->sorted, n);
	for (size_t at = table_first(&p->series, hash); (s = table_next(&p->series, hash, &at));)
		if (s->family == p->family && s->m.n_labels == n &&
		    same_labels(s->sorted, p->sorted, n))
			return s;
	return new_series(p, hash);
}

/* Makes room for one more quantile or bucket, behind n. */
static void *grow(struct text_parser *p, struct text_series *s, void *items, uint32_t n,
		  size_t size)
{
	uint32_t cap = s->cap ? s->cap * 2 : 8;
	void *bigger;

	if (n < s->cap)
		return items;
	bigger = arena_alloc(p->arena, cap * size);
	if (!bigger) {
		text_no_memory(p);
		return NULL;
	}
	copy_bytes(bigger, items, n * size);
	s->cap = cap;
	return bigger;
}

/* The conversion that Go makes on amd64. */
static uint64_t truncated(double v)
{
	if (v >= 0 && v < 0x1p64)
		return (uint64_t)v;
	if (v < 0 && v > (double)INT64_MIN)
		return (uint64_t)(int64_t)v;
	return (uint64_t)1 << 63;
}

static int put_in_summary(struct text_parser *p, struct text_series *s, double v)
{
	struct summary *sum = s->m.summary;

	if (p->role == ROLE_COUNT) {
		sum->count = truncated(v);
	} else if (p->role == ROLE_SUM) {
		sum->sum = v;
	} else if (!isnan(p->bound)) {
		sum->quantiles = grow(p, s, sum->quantiles, sum->n_quantiles,
				      sizeof(*sum->quantiles));
		if (!sum->quantiles)
			return -1;
		sum->quantiles[sum->n_quantiles++] = (struct quantile){ p->bound, v };
	}
	return 0;
}

/*
 * Stores a count as an integer if it is one, else as a float; -1: it is negative. As in the Go
 * gateway, an integer does not replace a float that came before.
 */
static int set_count(struct text_parser *p, struct text_series *s, double v, uint64_t *ret_count,
		     double *ret_float)
{
	*ret_count = v >= 0 && v < 0x1p64 ? (uint64_t)v : 0;
	if (v == (double)*ret_count)
		return 0;
	if (v < 0)
		return -1;
	*ret_count = 0;
	*ret_float = v;
	if (!s->is_float) {
		s->is_float = true;
		s->next_float = p->floats;
		p->floats = s;
	}
	return 0;
}

static int negative(struct text_parser *p, const char *what)
{
	char quoted[TEXT_QUOTE_MAX];

	return text_error(p, "negative %s for histogram %s", what,
			  str_quote(text_sample_name(p), quoted, sizeof(quoted)));
}

static int put_in_histogram(struct text_parser *p, struct text_series *s, double v)
{
	struct histogram *h = s->m.histogram;

	if (p->role == ROLE_COUNT) {
		if (set_count(p, s, v, &h->count, &h->count_float) < 0)
			return negative(p, "count");
	} else if (p->role == ROLE_SUM) {
		h->sum = v;
	} else if (!isnan(p->bound)) {
		struct bucket b = { .upper_bound = p->bound };

		if (set_count(p, s, v, &b.count, &b.count_float) < 0)
			return negative(p, "bucket population");
		h->buckets = grow(p, s, h->buckets, h->n_buckets, sizeof(b));
		if (!h->buckets)
			return -1;
		h->buckets[h->n_buckets++] = b;
	}
	return 0;
}

int text_put(struct text_parser *p, double v)
{
	struct text_family *f = p->family;
	bool is_summary = f->pub.type == METRIC_SUMMARY;
	struct text_series *s;
	int r;

	if (!f->bound_label.n)
		return text_put_plain(p, v);
	s = text_find_series(p);
	if (!s)
		return -1;
	p->metric = &s->m;
	r = is_summary ? put_in_summary(p, s, v) : put_in_histogram(p, s, v);
	f->recent = s;
	return r;
}

static void make_float(uint64_t *count, double *count_float)
{
	if (*count_float == 0)
		*count_float = (double)*count;
	*count = 0;
}

/* All counts of a histogram are floats if one of them is. */
void text_finish_histograms(struct text_parser *p)
{
	for (struct text_series *s = p->floats; s; s = s->next_float) {
		struct histogram *h = s->m.histogram;

		make_float(&h->count, &h->count_float);
		for (uint32_t i = 0; i < h->n_buckets; i++)
			make_float(&h->buckets[i].count, &h->buckets[i].count_float);
	}
}
