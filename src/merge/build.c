/* The families of a summed group as scrapes see them. */
#include <math.h>

#include "merge/internal.h"

/* The gauge histogram that was pushed last: by a contribution, or by one that is gone (held). */
static const struct part_dist *last_said(const struct merged_family *f,
					 const struct merged_series *s, double *ret_sum)
{
	const struct part *p = s->by ? contribution_part(s->by, f) : s->held;
	uint32_t at = p && part_dists(p) ? part_find(p, (uint32_t)(s - f->series)) : UINT32_MAX;

	if (at == UINT32_MAX)
		return NULL;
	*ret_sum = part_value(p, at);
	return *part_dist_at(p, at);
}

static bool is_seen(const struct merged_family *f, const struct merged_series *s)
{
	double sum;

	if (f->type == METRIC_GAUGE_HISTOGRAM)
		return s->there && last_said(f, s, &sum);
	switch (f->policy) {
	case MERGE_MOSTRECENT:
		return s->there;
	case MERGE_LIVESUM:
	case MERGE_LIVEMAX:
	case MERGE_LIVEMIN:
		return s->n_said > 0;
	default:
		return s->n_said > 0 || s->in_base;
	}
}

static double value_of(const struct merged_family *f, uint32_t series)
{
	const struct merged_series *s = &f->series[series];

	if (f->policy == MERGE_SUM || f->policy == MERGE_LIVESUM)
		return total_value(&s->all.value);
	return s->value;
}

/*
 * When a process whose contribution was folded comes back, its first value is taken out of the
 * base. The count there can be below 0 until the process pushes more: readers see 0.
 */
static double count_of(const struct exact *e)
{
	double v = exact_value(e);

	return v > 0 ? v : 0;
}

/* The count at the largest bound of the layout that is not above `bound`. */
static const struct exact *counted_up_to(const struct layout *l, const struct layout_sums *sums,
					 double bound)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->bounds[mid] <= bound)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &sums->counts[lo - 1] : NULL;
}

static double bucket_at(const struct merged_family *f, const struct sums *s, double bound)
{
	CLEANUP(exact_done) struct exact all = { 0 };

	for (uint32_t i = 0; i < s->n_layouts; i++) {
		const struct exact *e = s->layouts[i] ? counted_up_to(&f->layouts[i], s->layouts[i],
								      bound)
						      : NULL;

		if (e)
			exact_add_exact(&all, e);
	}
	return count_of(&all);
}

static void set_count(double v, uint64_t *count, double *count_float)
{
	if (v == floor(v) && v < 0x1p63)
		*count = (uint64_t)v;
	else
		*count_float = v;
}

static struct timestamp timestamp_of(double seconds)
{
	double whole = floor(seconds);

	return (struct timestamp){ true, (int64_t)whole, (int32_t)((seconds - whole) * 1e9) };
}

/*
 * A zero bucket that had to grow keeps its width: to Prometheus a zero bucket that becomes narrower
 * is a reset.
 */
static bool build_native(struct merged_group *g, struct merged_family *f, uint32_t series,
			 bool zero, struct arena *a, struct histogram *h)
{
	struct merged_series *s = &f->series[series];
	struct native_shape shape = s->native;
	CLEANUP(freep) struct native *v = NULL;

	if (!shape.known || shape.hidden)
		return true;
	v = native_sums_total(&s->all.native, &shape);
	if (shape.schema != s->native.schema || shape.threshold != s->native.threshold) {
		undo_save_state(g, f, series);
		s->native = shape;
		family_changed(g, f, false, true);
	}
	if (zero) {
		v->n = 0;
		v->zero = 0;
	}
	return native_write(v, a, h);
}

static bool build_histogram(struct merged_group *g, struct merged_family *f, uint32_t series,
			    bool zero, struct arena *a, struct metric *m)
{
	const struct merged_series *s = &f->series[series];
	const struct layout *l = &f->layouts[f->shown_layout];
	struct histogram *h = arena_zalloc(a, sizeof(*h));

	if (!h)
		return false;
	h->buckets = arena_zalloc(a, l->n * sizeof(*h->buckets));
	if (!h->buckets)
		return false;
	h->n_buckets = l->n;
	for (uint32_t i = 0; i < l->n; i++) {
		h->buckets[i].upper_bound = l->bounds[i];
		if (!zero)
			set_count(bucket_at(f, &s->all, l->bounds[i]), &h->buckets[i].count,
				  &h->buckets[i].count_float);
	}
	if (!zero) {
		set_count(count_of(&s->all.count), &h->count, &h->count_float);
		h->sum = total_value(&s->all.value);
	}
	h->created = timestamp_of(s->since);
	m->histogram = h;
	m->has = HAS_HISTOGRAM;
	return build_native(g, f, series, zero, a, h) &&
	       (zero || exemplars_write(s->exemplars, a, m));
}

static bool build_gauge_histogram(const struct merged_family *f, const struct merged_series *s,
				  struct arena *a, struct metric *m)
{
	struct histogram *h = arena_zalloc(a, sizeof(*h));
	const struct part_dist *d = h ? last_said(f, s, &h->sum) : NULL;
	const struct layout *l;

	if (!d)
		return false;
	l = &f->layouts[d->layout];
	h->buckets = arena_zalloc(a, l->n * sizeof(*h->buckets));
	if (!h->buckets)
		return false;
	h->n_buckets = l->n;
	for (uint32_t i = 0; i < l->n; i++) {
		h->buckets[i].upper_bound = l->bounds[i];
		set_count(dist_bucket(d, i), &h->buckets[i].count, &h->buckets[i].count_float);
	}
	set_count(d->count, &h->count, &h->count_float);
	m->histogram = h;
	m->has = HAS_HISTOGRAM;
	return (!d->has_native || native_write(dist_native(f, d), a, h)) &&
	       exemplars_write(s->exemplars, a, m);
}

static bool build_summary(const struct merged_series *s, bool zero, struct arena *a,
			  struct metric *m)
{
	struct summary *y = arena_zalloc(a, sizeof(*y));

	if (!y)
		return false;
	if (!zero) {
		double count = count_of(&s->all.count);

		y->count = count < 0x1p64 ? (uint64_t)count : UINT64_MAX;
		y->sum = total_value(&s->all.value);
	}
	y->created = timestamp_of(s->since);
	m->summary = y;
	m->has = HAS_SUMMARY;
	return true;
}

static bool build_metric(struct merged_group *g, struct merged_family *f, uint32_t series,
			 bool zero, struct arena *a, struct metric *m)
{
	const struct merged_series *s = &f->series[series];

	switch (f->type) {
	case METRIC_HISTOGRAM:
		return build_histogram(g, f, series, zero, a, m);
	case METRIC_GAUGE_HISTOGRAM:
		return build_gauge_histogram(f, s, a, m);
	case METRIC_SUMMARY:
		return build_summary(s, zero, a, m);
	case METRIC_COUNTER:
		m->has = HAS_COUNTER;
		m->counter = zero ? 0 : value_of(f, series);
		m->counter_created = timestamp_of(s->since);
		return zero || exemplars_write(s->exemplars, a, m);
	case METRIC_UNTYPED:
		m->has = HAS_UNTYPED;
		m->untyped = zero ? 0 : value_of(f, series);
		return true;
	default:
		m->has = HAS_GAUGE;
		m->gauge = value_of(f, series);
		return true;
	}
}

bool merged_family_build(struct merged_group *g, struct merged_family *f,
			 const struct merged_zeros *zeros, struct arena *a, struct family *ret)
{
	*ret = (struct family){
		.name = f->name,
		.help = f->help,
		.unit = f->unit,
		.has_help = f->has_help,
		.type = f->type,
	};
	if (f->policy == MERGE_LIVEMAX || f->policy == MERGE_LIVEMIN)
		family_refresh(g, f);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct merged_series *s = &f->series[i];
		struct metric *m;

		if (f->dropped || !is_seen(f, s))
			continue;
		m = arena_zalloc(a, sizeof(*m));
		if (!m)
			return false;
		m->labels = s->labels;
		m->n_labels = s->n_labels;
		m->plain = s->plain;
		if (!build_metric(g, f, i, f->policy == MERGE_SUM && merged_is_zero(zeros, s), a,
				  m))
			return false;
		*(ret->last ? &ret->last->next : &ret->metrics) = m;
		ret->last = m;
		ret->n_metrics++;
	}
	return true;
}
