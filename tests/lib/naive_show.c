/* The exposition of the naive summed groups. */
#include <math.h>

#include "base/num.h"
#include "lib/naive_sums.h"
#include "merge/total.h"
#include "metrics/native_bounds.h"

const double naive_bounds[N_LAYOUTS][N_BOUNDS] = { { 1, 2, 4 }, { 0.5, 2, 8 } };
const char *const naive_gauges[N_GAUGES] = { "g_recent", "g_max", "g_min", "g_in_progress",
					     "g_info" };
/* The first is the zero bucket. */
const struct naive_place naive_places[N_BOUNDS + 1] = {
	{ 0, false }, { 1, false }, { 3, false }, { 2, true }
};

void naive_line(struct strbuf *out, double v)
{
	char num[NUM_MAX];

	strbuf_addc(out, ' ');
	strbuf_add(out, num, num_format(v, num));
	strbuf_addc(out, '\n');
}

/* ---- all amounts that were ever pushed of a series, one after the other ---- */

typedef void (*amount_fn)(void *arg, const struct amount *a, int times);

/* Returns whether there is an amount, or the base has the series. */
static bool each_amount(const struct naive_sums *m, bool histogram, int series, amount_fn fn,
			void *arg)
{
	const struct amounts *all = histogram ? &m->histograms[series] : &m->counters[series];
	bool there = m->in_base[histogram][series];

	for (unsigned i = 0; i < all->n; i++)
		fn(arg, &all->list[i], all->list[i].times);
	for (int i = 0; i < N_NAMES * N_STARTS; i++) {
		const struct process *p = &m->p[i / N_STARTS][i % N_STARTS];

		if (!(histogram ? p->has_histogram : p->has_counter)[series])
			continue;
		fn(arg, histogram ? &p->histogram[series] : &p->counter[series], 1);
		there = true;
	}
	return there;
}

struct sum {
	struct total t;
	double (*part)(const struct amount *a, double bound);
	double bound;
};

static void add_part(void *arg, const struct amount *a, int times)
{
	struct sum *s = arg;

	total_add(&s->t, s->part(a, s->bound), times);
}

static double add_up(const struct naive_sums *m, bool histogram, int series,
		     double (*part)(const struct amount *a, double bound), double bound,
		     bool *ret_there)
{
	struct sum s = { .part = part, .bound = bound };
	double v;

	*ret_there = each_amount(m, histogram, series, add_part, &s);
	v = total_value(&s.t);
	total_done(&s.t);
	return v;
}

/* Whether a series is so new that it shows zeros. */
static bool is_new(const struct naive_sums *m, double since)
{
	return m->rule.zero_first && m->now < since + ZERO_FIRST_MS / 1e3;
}

static double value_part(const struct amount *a, double bound)
{
	(void)bound;
	return a->value;
}

static double count_part(const struct amount *a, double bound)
{
	(void)bound;
	return a->count;
}

static double bucket_part(const struct amount *a, double bound)
{
	double v = 0;

	for (int i = 0; i < N_BOUNDS && naive_bounds[a->layout][i] <= bound; i++)
		v = a->buckets[i];
	return v;
}

bool naive_counter(const struct naive_sums *m, int series, double *ret)
{
	bool there;

	*ret = add_up(m, false, series, value_part, 0, &there);
	if (is_new(m, m->since[0][series]))
		*ret = 0;
	return there;
}

static void show_counts(const struct naive_sums *m, struct strbuf *out)
{
	for (int i = 0; i < N_SERIES; i++) {
		double v;

		if (!naive_counter(m, i, &v))
			continue;
		strbuf_addf(out, "c{x=\"%d\"}", i);
		naive_line(out, v);
		if (m->exemplars[i].at && !is_new(m, m->since[0][i])) {
			strbuf_addf(out, "c exemplar %d at %d", i, m->exemplars[i].at);
			naive_line(out, m->exemplars[i].value);
		}
	}
}

/* ---- native histograms ---- */

enum { MOST_INDEX = 8, N_INDEX = 2 * MOST_INDEX };

/* Counts at the shape, by sign and index; integers, all of them. */
struct naive_total {
	const struct naive_shape *shape;
	double zero, counts[2][N_INDEX];
};

/* The bucket of the lower schema that holds this one: the first one whose bound is as high. */
static int index_at(int schema, int index, int lower)
{
	double per = exp2(schema - lower);

	return (int)ceil(index / per);
}

static void add_native(void *arg, const struct amount *a, int times)
{
	struct naive_total *t = arg;

	t->zero += times * a->native.counts[0];
	for (int b = 1; b <= N_BOUNDS; b++) {
		int at = index_at(a->native.schema, naive_places[b].index, t->shape->schema);

		t->counts[naive_places[b].negative][at + MOST_INDEX] += times * a->native.counts[b];
	}
}

static void widen(struct naive_shape *shape, const struct naive_total *t)
{
	for (bool again = true; again;) {
		again = false;
		for (int k = 0; k < 2 * N_INDEX; k++) {
			int index = k % N_INDEX - MOST_INDEX;
			double upper = native_upper_bound(shape->schema, index);

			if (t->counts[k / N_INDEX][k % N_INDEX] == 0 || upper <= shape->threshold ||
			    native_upper_bound(shape->schema, index - 1) >= shape->threshold)
				continue;
			shape->threshold = upper;
			again = true;
		}
	}
}

static void show_native(struct naive_sums *m, int series, struct strbuf *out)
{
	struct naive_shape *shape = &m->shapes[series];
	struct naive_total t = { .shape = shape };

	if (!shape->known || shape->hidden)
		return;
	each_amount(m, true, series, add_native, &t);
	widen(shape, &t);
	if (is_new(m, m->since[1][series])) {
		t.zero = 0;
		memset(t.counts, 0, sizeof(t.counts));
	}
	for (int k = 0; k < 2 * N_INDEX; k++) {
		double *count = &t.counts[k / N_INDEX][k % N_INDEX];

		if (native_upper_bound(shape->schema, k % N_INDEX - MOST_INDEX) > shape->threshold)
			continue;
		t.zero += *count;
		*count = 0;
	}
	strbuf_addf(out, "h native %d %d %.17g %.17g", series, shape->schema, shape->threshold,
		    t.zero > 0 ? t.zero : 0);
	for (int k = 0; k < 2 * N_INDEX; k++)
		if (t.counts[k / N_INDEX][k % N_INDEX] > 0)
			strbuf_addf(out, " %s%d:%.17g", k / N_INDEX ? "-" : "",
				    k % N_INDEX - MOST_INDEX, t.counts[k / N_INDEX][k % N_INDEX]);
	strbuf_addc(out, '\n');
}

static void show_histograms(struct naive_sums *m, struct strbuf *out)
{
	for (int i = 0; i < N_SERIES; i++) {
		bool there, zero = is_new(m, m->since[1][i]);
		double count = add_up(m, true, i, count_part, 0, &there);

		if (!there)
			continue;
		if (zero)
			count = 0;
		for (int b = 0; b < N_BOUNDS; b++) {
			double bound = naive_bounds[m->shown][b];
			double v = add_up(m, true, i, bucket_part, bound, &there);

			strbuf_addf(out, "h_bucket{x=\"%d\",le=\"%g\"}", i, bound);
			naive_line(out, v > 0 && !zero ? v : 0);
		}
		strbuf_addf(out, "h_bucket{x=\"%d\",le=\"+Inf\"}", i);
		naive_line(out, count > 0 ? count : 0);
		strbuf_addf(out, "h_sum{x=\"%d\"}", i);
		naive_line(out, zero ? 0 : add_up(m, true, i, value_part, 0, &there));
		strbuf_addf(out, "h_count{x=\"%d\"}", i);
		naive_line(out, count > 0 ? count : 0);
		show_native(m, i, out);
	}
}

/* ---- gauge histograms ---- */

/* labels: those in front of x. */
static void show_gauge_histograms(const struct naive_gauge_histogram *all, const char *name,
				  const char *labels, struct strbuf *out)
{
	for (int i = 0; i < N_SERIES; i++) {
		const struct amount *a = &all[i].last;

		if (!all[i].there)
			continue;
		for (int b = 0; b < N_BOUNDS; b++)
			strbuf_addf(out, "%s_bucket{%sx=\"%d\",le=\"%g\"} %g\n", name, labels, i,
				    naive_bounds[a->layout][b], a->buckets[b]);
		strbuf_addf(out, "%s_bucket{%sx=\"%d\",le=\"+Inf\"} %g\n", name, labels, i,
			    a->count);
		strbuf_addf(out, "%s_sum{%sx=\"%d\"}", name, labels, i);
		naive_line(out, a->value);
		strbuf_addf(out, "%s_count{%sx=\"%d\"} %g\n", name, labels, i, a->count);
		if (!a->native.there)
			continue;
		strbuf_addf(out, "%s native %d %d %.17g %.17g", name, i, a->native.schema,
			    a->native.threshold, a->native.counts[0]);
		for (int b = 1; b <= N_BOUNDS; b++)
			if (a->native.counts[b] > 0)
				strbuf_addf(out, " %s%d:%.17g", naive_places[b].negative ? "-" : "",
					    naive_places[b].index, a->native.counts[b]);
		strbuf_addc(out, '\n');
	}
}

/* ---- gauges ---- */

static bool live_gauge(const struct naive_sums *m, int g, int i, double *ret)
{
	bool any = false;

	*ret = 0;
	for (int k = 0; k < N_NAMES * N_STARTS; k++) {
		const struct process *p = &m->p[k / N_STARTS][k % N_STARTS];

		if (!p->live || !p->has_gauge[g][i])
			continue;
		if (g == LIVESUM)
			*ret += p->gauge[g][i];
		else if (!any || p->gauge[g][i] > *ret)
			*ret = p->gauge[g][i];
		any = true;
	}
	return any;
}

static bool gauge_now(const struct naive_sums *m, int g, int i, double *ret)
{
	if (g == RECENT) {
		*ret = m->recents[i];
		return m->recent[i];
	}
	if (g == MAX_EVER || g == MIN_EVER) {
		*ret = m->extremes[g == MIN_EVER][i];
		return m->extreme[g == MIN_EVER][i];
	}
	return live_gauge(m, g, i, ret);
}

static void show_gauges(const struct naive_sums *m, struct strbuf *out)
{
	for (int g = 0; g < N_GAUGES; g++)
		for (int i = 0; i < N_SERIES; i++) {
			double v;

			if (!gauge_now(m, g, i, &v))
				continue;
			strbuf_addf(out, "%s{x=\"%d\"}", naive_gauges[g], i);
			naive_line(out, v);
		}
}

/* ---- the rest ---- */

static void show_odd(const struct naive_sums *m, struct strbuf *out)
{
	struct total t = { 0 };
	bool there = m->odd_in_base;

	if (m->odd_kind == ODD_GAUGE && m->odd_recent) {
		strbuf_addz(out, "odd");
		naive_line(out, m->odd_value);
	}
	if (m->odd_kind != ODD_COUNTER)
		return;
	for (unsigned i = 0; i < m->odds.n; i++)
		total_add(&t, m->odds.list[i].value, m->odds.list[i].times);
	for (int k = 0; k < N_NAMES * N_STARTS; k++) {
		const struct process *p = &m->p[k / N_STARTS][k % N_STARTS];

		if (p->has_odd)
			total_add(&t, p->odd.value, 1);
		there |= p->has_odd;
	}
	if (there) {
		strbuf_addz(out, "odd");
		naive_line(out, is_new(m, m->odd_since) ? 0 : total_value(&t));
	}
	total_done(&t);
}

static void show_added(const struct naive_sums *m, struct strbuf *out)
{
	const struct increments *a = &m->added;

	show_gauge_histograms(a->gauge_histograms, "added_q", "instance=\"\",job=\"k\",", out);
	for (int i = 0; i < N_SERIES; i++) {
		struct total t = { 0 };

		for (unsigned k = 0; k < a->counters[i].n; k++)
			total_add(&t, a->counters[i].list[k].value, 1);
		if (a->there[i]) {
			strbuf_addf(out, "added{instance=\"\",job=\"k\",x=\"%d\"}", i);
			naive_line(out, is_new(m, a->since[i]) ? 0 : total_value(&t));
		}
		total_done(&t);
		if (a->gauge[i]) {
			strbuf_addf(out, "added_recent{instance=\"\",job=\"k\",x=\"%d\"}", i);
			naive_line(out, a->gauges[i]);
		}
	}
}

void naive_show(struct naive_sums *m, struct strbuf *out)
{
	show_counts(m, out);
	show_gauges(m, out);
	show_histograms(m, out);
	show_odd(m, out);
	show_gauge_histograms(m->gauge_histograms, "q", "", out);
	show_added(m, out);
}
