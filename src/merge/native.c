#include "merge/native.h"

#include <math.h>

enum { MAX_GAP = 2 };

struct side {
	const struct span *spans;
	const int64_t *deltas;
	const double *counts;
	uint32_t n_spans, n;
	bool negative, floats;
};

static bool is_float(const struct histogram *h)
{
	return h->count_float > 0 || h->zero_count_float > 0;
}

static struct side positive_side(const struct histogram *h)
{
	bool floats = is_float(h);

	return (struct side){
		h->pos_spans,
		h->pos_deltas,
		h->pos_counts,
		h->n_pos_spans,
		floats ? h->n_pos_counts : h->n_pos_deltas,
		false,
		floats,
	};
}

static struct side negative_side(const struct histogram *h)
{
	bool floats = is_float(h);

	return (struct side){
		h->neg_spans,
		h->neg_deltas,
		h->neg_counts,
		h->n_neg_spans,
		floats ? h->n_neg_counts : h->n_neg_deltas,
		true,
		floats,
	};
}

uint32_t native_room(const struct histogram *h)
{
	return positive_side(h).n + negative_side(h).n;
}

static double next_count(const struct side *s, uint32_t at, int64_t *running)
{
	*running += s->floats ? 0 : s->deltas[at];
	return s->floats ? s->counts[at] : (double)*running;
}

static const char *side_fault(const struct side *s)
{
	int64_t index = 0, running = 0;
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->n_spans; i++) {
		index += s->spans[i].offset;
		for (uint32_t j = 0; j < s->spans[i].length && at < s->n; j++, at++, index++) {
			if (!isfinite(next_count(s, at, &running)))
				return "a bucket has an infinite count";
			if (index < -NATIVE_MAX_INDEX || index > NATIVE_MAX_INDEX)
				return "a bucket is beyond all numbers";
		}
	}
	return NULL;
}

const char *native_sum_fault(const struct histogram *h)
{
	const struct side positive = positive_side(h), negative = negative_side(h);
	const char *fault;

	if (!isfinite(h->zero_count_float))
		return "its zero bucket has an infinite count";
	if (!isfinite(h->zero_threshold))
		return "its zero bucket holds all numbers";
	fault = side_fault(&positive);
	return fault ? fault : side_fault(&negative);
}

static void read_side(const struct side *s, struct native *to)
{
	int64_t index = 0, running = 0;
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->n_spans; i++) {
		index += s->spans[i].offset;
		for (uint32_t j = 0; j < s->spans[i].length && at < s->n; j++, at++, index++) {
			double count = next_count(s, at, &running);

			if (count != 0)
				to->counts[to->n++] = (struct native_count){ (int32_t)index,
									     s->negative, count };
		}
	}
}

void native_read(const struct histogram *h, struct native *to)
{
	const struct side positive = positive_side(h), negative = negative_side(h);

	*to = (struct native){ 0 };
	to->schema = h->schema;
	to->threshold = h->zero_threshold;
	to->zero = is_float(h) ? h->zero_count_float : (double)h->zero_count;
	read_side(&positive, to);
	read_side(&negative, to);
}

bool native_same(const struct native *a, const struct native *b)
{
	if (!a || !b)
		return a == b;
	if (a->schema != b->schema || a->n != b->n || a->threshold != b->threshold ||
	    a->zero != b->zero)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->counts[i].index != b->counts[i].index ||
		    a->counts[i].negative != b->counts[i].negative ||
		    a->counts[i].count != b->counts[i].count)
			return false;
	return true;
}

/* ---- back into spans ---- */

static bool is_integer(double v)
{
	return v == floor(v) && v < 0x1p63;
}

/*
 * Whether the counts can be written as integers: readers refuse integers that do not add up to the
 * count; floats need not.
 */
static bool are_integers(const struct native *v, const struct histogram *h)
{
	double count = h->count_float > 0 ? h->count_float : (double)h->count, all = v->zero;

	if (!is_integer(count) || !is_integer(v->zero))
		return false;
	for (uint32_t i = 0; i < v->n; i++) {
		if (!is_integer(v->counts[i].count))
			return false;
		all += v->counts[i].count;
	}
	/* Above 2^53 doubles cannot hold every integer. */
	if (all > 0x1p53)
		return false;
	return isnan(h->sum) ? all <= count : all == count;
}

struct written {
	struct span *spans;
	uint32_t n_spans, n;
	int64_t *deltas, before;
	double *counts;
};

static void write_count(struct written *w, double count)
{
	if (w->counts) {
		w->counts[w->n++] = count;
		return;
	}
	w->deltas[w->n++] = (int64_t)count - w->before;
	w->before = (int64_t)count;
}

/* Short gaps are filled with zeros, since another span takes more room. */
static void write_side(struct written *w, const struct native_count *c, uint32_t n)
{
	int32_t next = 0;

	for (uint32_t i = 0; i < n; i++) {
		int32_t gap = c[i].index - next;

		if (i == 0 || gap > MAX_GAP) {
			w->spans[w->n_spans++] = (struct span){ gap, 0 };
		} else {
			w->spans[w->n_spans - 1].length += (uint32_t)gap;
			for (; gap > 0; gap--)
				write_count(w, 0);
		}
		write_count(w, c[i].count);
		w->spans[w->n_spans - 1].length++;
		next = c[i].index + 1;
	}
}

static bool make_side(struct written *w, const struct native_count *c, uint32_t n, bool integers,
		      struct arena *a)
{
	size_t room = (size_t)n * (MAX_GAP + 1);

	w->spans = arena_zalloc(a, (n + 1) * sizeof(*w->spans));
	if (integers)
		w->deltas = arena_alloc(a, (room + 1) * sizeof(*w->deltas));
	else
		w->counts = arena_alloc(a, (room + 1) * sizeof(*w->counts));
	if (!w->spans || !(integers ? (void *)w->deltas : (void *)w->counts))
		return false;
	write_side(w, c, n);
	return true;
}

static void set_floats(const struct native *v, struct histogram *h)
{
	if (!(h->count_float > 0))
		h->count_float = (double)h->count;
	h->count = 0;
	h->has_zero_count_float = true;
	h->zero_count_float = v->zero;
}

bool native_write(const struct native *v, struct arena *a, struct histogram *h)
{
	bool integers = are_integers(v, h);
	struct written pos = { 0 }, neg = { 0 };
	uint32_t n = 0;

	while (n < v->n && !v->counts[n].negative)
		n++;
	if (!make_side(&pos, v->counts, n, integers, a) ||
	    !make_side(&neg, v->counts + n, v->n - n, integers, a))
		return false;
	/* An empty span tells readers that the histogram is native if it has no buckets. */
	if (v->n == 0)
		pos.n_spans = 1;
	h->has_schema = h->has_zero_threshold = true;
	h->schema = v->schema;
	h->zero_threshold = v->threshold;
	h->pos_spans = pos.spans;
	h->n_pos_spans = pos.n_spans;
	h->neg_spans = neg.spans;
	h->n_neg_spans = neg.n_spans;
	if (integers) {
		h->has_zero_count = true;
		h->zero_count = (uint64_t)v->zero;
		h->pos_deltas = pos.deltas;
		h->n_pos_deltas = pos.n;
		h->neg_deltas = neg.deltas;
		h->n_neg_deltas = neg.n;
		return true;
	}
	set_floats(v, h);
	h->pos_counts = pos.counts;
	h->n_pos_counts = pos.n;
	h->neg_counts = neg.counts;
	h->n_neg_counts = neg.n;
	return true;
}
