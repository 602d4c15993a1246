#include "merge/exemplars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "metrics/native_bounds.h"
#include "metrics/native_histogram.h"

static int compare_places(const struct kept_exemplar *a, const struct kept_exemplar *b)
{
	if (a->native != b->native)
		return a->native - b->native;
	return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

static int compare_labels(const struct kept_exemplar *a, const struct kept_exemplar *b)
{
	for (uint32_t i = 0; i < a->n_labels && i < b->n_labels; i++) {
		int r = str_cmp(a->labels[i].name, b->labels[i].name);

		r = r ? r : str_cmp(a->labels[i].value, b->labels[i].value);
		if (r)
			return r;
	}
	return (a->n_labels > b->n_labels) - (a->n_labels < b->n_labels);
}

/* Whether a is the one to be kept of two exemplars of one bucket. */
static bool is_newer(const struct kept_exemplar *a, const struct kept_exemplar *b)
{
	if (a->at != b->at)
		return a->at > b->at;
	if (a->value != b->value)
		return a->value > b->value || isnan(b->value);
	return compare_labels(a, b) > 0;
}

/* ---- what was said ---- */

static void count_one(const struct exemplar *e, uint32_t *n, size_t *labels, size_t *text)
{
	if (!e)
		return;
	++*n;
	*labels += e->n_labels;
	for (uint32_t i = 0; i < e->n_labels; i++)
		*text += e->labels[i].name.n + e->labels[i].value.n;
}

uint32_t exemplars_count(const struct metric *m, size_t *ret_labels, size_t *ret_text)
{
	const struct histogram *h = m->histogram;
	uint32_t n = 0;

	count_one(m->exemplar, &n, ret_labels, ret_text);
	for (uint32_t i = 0; h && i < h->n_buckets; i++)
		count_one(h->buckets[i].exemplar, &n, ret_labels, ret_text);
	for (uint32_t i = 0; h && native_histogram_is(h) && i < h->n_exemplars; i++)
		count_one(&h->exemplars[i], &n, ret_labels, ret_text);
	return n;
}

static int64_t index_of(int schema, double v)
{
	int exponent, per = 1 << (schema > 0 ? schema : 0);
	double fraction = frexp(v, &exponent);
	int64_t lo, hi;

	if (schema <= 0) {
		int64_t index = fraction == 0.5 ? exponent - 1 : exponent;

		return (index + (1 << -schema) - 1) >> -schema;
	}
	lo = (int64_t)(exponent - 1) * per;
	hi = (int64_t)exponent * per;
	while (lo < hi) {
		int64_t mid = lo + (hi - lo) / 2;

		if (native_upper_bound(schema, mid) < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The bound of its bucket that is farther from 0, and 0 for the zero bucket. */
static double native_bucket_of(int schema, double threshold, double v)
{
	if (fabs(v) <= threshold)
		return 0;
	if (!isfinite(v))
		return isnan(v) ? HUGE_VAL : v;
	return copysign(native_upper_bound(schema, index_of(schema, fabs(v))), v);
}

struct copier {
	struct kept_exemplar *to;
	struct label **label;
	char **text;
	uint32_t n;
	double now;
};

static struct str copy_text(char **text, struct str s)
{
	struct str placed = { *text, s.n };

	copy_bytes(*text, s.p, s.n);
	*text += s.n;
	return placed;
}

static const struct label *copy_labels(struct label **label, char **text, const struct label *from,
				       uint32_t n)
{
	const struct label *first = *label;

	for (uint32_t i = 0; i < n; i++) {
		struct str name = copy_text(text, from[i].name);

		*(*label)++ = (struct label){ name, copy_text(text, from[i].value) };
	}
	return first;
}

static void copy_one(struct copier *c, const struct exemplar *e, bool native, double bucket)
{
	double at = e->ts.set ? (double)e->ts.seconds + e->ts.nanos / 1e9 : c->now;

	c->to[c->n++] = (struct kept_exemplar){
		.native = native,
		.bucket = bucket,
		.value = e->value,
		.at = at,
		.ts = e->ts,
		.n_labels = e->n_labels,
		.labels = copy_labels(c->label, c->text, e->labels, e->n_labels),
	};
}

static int by_place(const void *pa, const void *pb)
{
	const struct kept_exemplar *a = pa, *b = pb;
	int r = compare_places(a, b);

	return r ? r : is_newer(a, b) - is_newer(b, a);
}

void exemplars_read(const struct metric *m, double now, struct kept_exemplar *to,
		    struct label **label, char **text)
{
	const struct histogram *h = m->histogram;
	struct copier c = { to, label, text, 0, now };

	if (m->exemplar)
		copy_one(&c, m->exemplar, false, 0);
	for (uint32_t i = 0; h && i < h->n_buckets; i++)
		if (h->buckets[i].exemplar)
			copy_one(&c, h->buckets[i].exemplar, false, h->buckets[i].upper_bound);
	for (uint32_t i = 0; h && native_histogram_is(h) && i < h->n_exemplars; i++)
		copy_one(&c, &h->exemplars[i], true,
			 native_bucket_of(h->schema, h->zero_threshold, h->exemplars[i].value));
	array_sort(to, c.n, by_place);
}

/* ---- the newest of two ---- */

static struct exemplars *make(const struct kept_exemplar *const *from, uint32_t n)
{
	size_t labels = 0, text = 0;
	struct exemplars *e;
	struct label *label;
	char *at;

	for (uint32_t i = 0; i < n; i++) {
		labels += from[i]->n_labels;
		for (uint32_t j = 0; j < from[i]->n_labels; j++)
			text += from[i]->labels[j].name.n + from[i]->labels[j].value.n;
	}
	e = mem_alloc(sizeof(*e) + n * sizeof(e->list[0]) + labels * sizeof(*label) + text);
	*e = (struct exemplars){ 1, n };
	label = (struct label *)(e->list + n);
	at = (char *)(label + labels);
	for (uint32_t i = 0; i < n; i++) {
		e->list[i] = *from[i];
		e->list[i].labels = copy_labels(&label, &at, from[i]->labels, from[i]->n_labels);
	}
	return e;
}

struct exemplars *exemplars_newest(struct exemplars *e, const struct kept_exemplar *list,
				   uint32_t n)
{
	uint32_t n_old = e ? e->n : 0, i = 0, j = 0, kept = 0;
	CLEANUP(freep) const struct kept_exemplar **picked = NULL;
	bool changed = false;

	if (n == 0)
		return exemplars_ref(e);
	picked = mem_alloc((n_old + (size_t)n) * sizeof(*picked));
	while (i < n_old || j < n) {
		int r = i == n_old ? 1 : j == n ? -1 : compare_places(&e->list[i], &list[j]);
		const struct kept_exemplar *one;

		/* Exemplars of one bucket are next to each other, the newest last. */
		while (r >= 0 && j + 1 < n && compare_places(&list[j], &list[j + 1]) == 0)
			j++;
		one = r < 0 || (r == 0 && !is_newer(&list[j], &e->list[i])) ? &e->list[i]
									    : &list[j];
		changed |= i == n_old || one != &e->list[i];
		picked[kept++] = one;
		i += r <= 0;
		j += r >= 0;
	}
	return changed ? make(picked, kept) : exemplars_ref(e);
}

void exemplars_unref(struct exemplars *e)
{
	if (e && --e->refs == 0)
		free(e);
}

/* ---- what is shown ---- */

static void set_exemplar(struct exemplar *to, const struct kept_exemplar *from)
{
	*to = (struct exemplar){ .labels = from->labels,
				 .n_labels = from->n_labels,
				 .value = from->value,
				 .ts = from->ts };
}

/* The labels are borrowed from e. */
static struct exemplar *new_exemplar(const struct kept_exemplar *from, struct arena *a)
{
	struct exemplar *to = arena_alloc(a, sizeof(*to));

	if (to)
		set_exemplar(to, from);
	return to;
}

/* The bucket that the value falls into; n_buckets: only +Inf holds it. */
static uint32_t find_bucket(const struct histogram *h, double v)
{
	uint32_t lo = 0, hi = h->n_buckets;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (h->buckets[mid].upper_bound < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* OpenMetrics puts exemplars on buckets only, so +Inf becomes a bucket if it has one. */
static bool add_last_bucket(struct histogram *h, struct arena *a)
{
	struct bucket *all = arena_alloc(a, (h->n_buckets + 1) * sizeof(*all));

	if (!all)
		return false;
	copy_bytes(all, h->buckets, h->n_buckets * sizeof(*all));
	all[h->n_buckets++] = (struct bucket){ .upper_bound = HUGE_VAL,
					       .count = h->count,
					       .count_float = h->count_float };
	h->buckets = all;
	return true;
}

static bool write_classic(const struct exemplars *e, struct arena *a, struct histogram *h)
{
	const struct kept_exemplar **newest;

	newest = arena_zalloc(a, (h->n_buckets + 1) * sizeof(struct kept_exemplar *));
	if (!newest)
		return false;
	for (uint32_t i = 0; i < e->n; i++) {
		const struct kept_exemplar *one = &e->list[i];
		uint32_t at = find_bucket(h, one->value);

		if (!one->native && (!newest[at] || is_newer(one, newest[at])))
			newest[at] = one;
	}
	if (newest[h->n_buckets] && !add_last_bucket(h, a))
		return false;
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		if (!newest[i])
			continue;
		h->buckets[i].exemplar = new_exemplar(newest[i], a);
		if (!h->buckets[i].exemplar)
			return false;
	}
	return true;
}

/* Exemplars of two buckets can share one at a lower schema; the list is in the order of buckets. */
static bool write_native(const struct exemplars *e, struct arena *a, struct histogram *h)
{
	const struct kept_exemplar *last = NULL;
	double last_bucket = 0;

	h->exemplars = arena_alloc(a, e->n * sizeof(*h->exemplars));
	if (!h->exemplars)
		return false;
	for (uint32_t i = 0; i < e->n; i++) {
		const struct kept_exemplar *one = &e->list[i];
		double bucket = native_bucket_of(h->schema, h->zero_threshold, one->value);

		if (!one->native)
			continue;
		if (last && bucket == last_bucket) {
			last = is_newer(one, last) ? one : last;
			set_exemplar(&h->exemplars[h->n_exemplars - 1], last);
			continue;
		}
		last = one;
		last_bucket = bucket;
		set_exemplar(&h->exemplars[h->n_exemplars++], one);
	}
	return true;
}

bool exemplars_write(const struct exemplars *e, struct arena *a, struct metric *m)
{
	if (!e || e->n == 0)
		return true;
	if (!m->histogram) {
		m->exemplar = new_exemplar(&e->list[0], a);
		return m->exemplar;
	}
	return write_classic(e, a, m->histogram) &&
	       (!native_histogram_is(m->histogram) || write_native(e, a, m->histogram));
}
