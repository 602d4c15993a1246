#include "lib/naive_push.h"

#include <stdlib.h>

#include "base/mem.h"
#include "lib/make_push.h"
#include "lib/rng.h"

enum { FEW = 4 }; /* families of most pushes */

static int32_t random_type(uint64_t *rng, int name)
{
	static const int32_t usual[NAIVE_NAMES] = {
		METRIC_GAUGE,   METRIC_GAUGE,   METRIC_GAUGE,     METRIC_GAUGE,
		METRIC_GAUGE,   METRIC_COUNTER, METRIC_UNTYPED,   METRIC_UNTYPED,
		METRIC_UNTYPED, METRIC_SUMMARY, METRIC_GAUGE,     METRIC_GAUGE,
		METRIC_UNTYPED, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_HISTOGRAM,
	};
	static const int32_t plain[] = { METRIC_GAUGE, METRIC_COUNTER, METRIC_UNTYPED };

	if (name >= NAIVE_PLAIN && !rng_one_in(rng, 100))
		return plain[name % 3];

	return rng_one_in(rng, 10) ? (int32_t)rng_below(rng, 6) : usual[name];
}

static void random_series(uint64_t *rng, struct naive_series *s)
{
	static const char *const as[] = { NULL, NULL, "1", "2" };
	static const char *const jobs[] = { NULL, NULL, NULL, "j", "k" };
	static const char *const instances[] = { NULL, NULL, NULL, "", "i" };

	*s = (struct naive_series){
		.a = as[rng_below(rng, 4)],
		.job = jobs[rng_below(rng, 5)],
		.instance = instances[rng_below(rng, 5)],
		.padded = rng_one_in(rng, 3),
		.value = (int)rng_below(rng, 3),
	};
}

static void random_family(uint64_t *rng, double now, struct naive_family *f)
{
	f->there = true;
	f->type = random_type(rng, f->name);
	f->help = rng_one_in(rng, 2) ? 0 : (int)rng_below(rng, 4);
	f->n = (int)rng_below(rng, NAIVE_SERIES + 1);
	f->pushed_at = now;
	for (int i = 0; i < f->n; i++)
		random_series(rng, &f->series[i]);
}

/* A push of plain names, which seldom contradicts anything, so that groups get wide. */
static void random_wide_push(uint64_t *rng, struct naive_push *p)
{
	int first = (int)rng_below(rng, NAIVE_PLAIN_NAMES);

	p->n = (int)rng_below(rng, NAIVE_PLAIN_NAMES + 1);
	for (int i = 0; i < p->n; i++) {
		struct naive_family *f = &p->families[i];

		f->name = NAIVE_PLAIN + (first + 5 * i) % NAIVE_PLAIN_NAMES;
		random_family(rng, p->now, f);
		f->n = f->n > 1 ? 1 : f->n;
		if (!rng_one_in(rng, 100))
			f->series[0] = (struct naive_series){ .value = (int)rng_below(rng, 3) };
	}
}

void naive_random_push(uint64_t *rng, double now, struct naive_push *p)
{
	static const enum push_mode modes[] = { PUSH_PUT,  PUSH_PUT,  PUSH_POST, PUSH_POST,
						PUSH_POST, PUSH_POST, PUSH_POST, PUSH_POST,
						PUSH_POST, PUSH_POST, PUSH_POST, PUSH_DELETE };
	int first = (int)rng_below(rng, NAIVE_NAMES);

	*p = (struct naive_push){
		.mode = modes[rng_below(rng, ARRAY_LEN(modes))],
		.group = (int)rng_below(rng, NAIVE_GROUPS),
		.with_timestamp = rng_one_in(rng, 40),
		.n = (int)rng_below(rng, FEW + 1),
		.now = now,
	};
	if (p->mode == PUSH_DELETE)
		p->n = 0;
	else if (rng_one_in(rng, 4)) {
		random_wide_push(rng, p);
		return;
	}
	/* Different names: five is prime to their number, and to that of the plain ones. */
	for (int i = 0; i < p->n; i++) {
		p->families[i].name = (first + 5 * i) % NAIVE_NAMES;
		random_family(rng, now, &p->families[i]);
	}
}

/* The families that a decoder would make of the push. */
struct naive_families {
	struct family families[NAIVE_PUSHED];
	struct metric metrics[NAIVE_PUSHED][NAIVE_SERIES];
	struct label labels[NAIVE_PUSHED][NAIVE_SERIES][4];
	struct summary summaries[NAIVE_PUSHED][NAIVE_SERIES];
	struct histogram histograms[NAIVE_PUSHED][NAIVE_SERIES];
	struct quantile quantiles[NAIVE_PUSHED][NAIVE_SERIES];
	struct bucket buckets[NAIVE_PUSHED][NAIVE_SERIES];
	char padding[NAIVE_PADDING];
	int n;
};

/* m's labels are at `labels`. */
static void add_label(struct metric *m, struct label *labels, const char *name, const char *value)
{
	if (value)
		labels[m->n_labels++] = (struct label){ str_of(name), str_of(value) };
}

static void decode_metric(struct naive_families *d, const struct naive_push *p, int i, int j)
{
	const struct naive_series *s = &p->families[i].series[j];
	struct metric *m = &d->metrics[i][j];
	double v = s->value;

	*m = (struct metric){
		.labels = d->labels[i][j],
		.has = HAS_GAUGE | HAS_COUNTER | HAS_UNTYPED | HAS_SUMMARY | HAS_HISTOGRAM,
		.has_timestamp = p->with_timestamp,
		.gauge = v,
		.counter = v,
		.untyped = v,
		.summary = &d->summaries[i][j],
		.histogram = &d->histograms[i][j],
	};
	add_label(m, d->labels[i][j], "job", s->job);
	add_label(m, d->labels[i][j], "a", s->a);
	add_label(m, d->labels[i][j], "instance", s->instance);
	if (s->padded)
		d->labels[i][j][m->n_labels++] = (struct label){ STR("pad"),
								 { d->padding, NAIVE_PADDING } };
	d->quantiles[i][j] = (struct quantile){ 0.5, v };
	d->buckets[i][j] = (struct bucket){ .upper_bound = 1, .count = (uint64_t)s->value };
	*m->summary = (struct summary){ .count = (uint64_t)s->value,
					.sum = v,
					.quantiles = &d->quantiles[i][j],
					.n_quantiles = 1 };
	*m->histogram = (struct histogram){
		.count = (uint64_t)s->value, .sum = v, .buckets = &d->buckets[i][j], .n_buckets = 1
	};
}

struct naive_families *naive_families(const struct naive_push *p)
{
	static const char *const helps[] = { NULL, "one", "two\nlines", "" };
	struct naive_families *d = mem_zalloc(sizeof(*d));

	memset(d->padding, '0', sizeof(d->padding)); /* NOLINT(bugprone-suspicious-memset-usage) */
	for (int i = 0; i < p->n; i++) {
		const struct naive_family *f = &p->families[i];

		for (int j = 0; j < f->n; j++) {
			decode_metric(d, p, i, j);
			if (j > 0)
				d->metrics[i][j - 1].next = &d->metrics[i][j];
		}
		make_family(&d->families[i], naive_names[f->name].name, f->type,
			    f->n ? d->metrics[i] : NULL);
		d->families[i].has_help = helps[f->help] != NULL;
		if (helps[f->help])
			d->families[i].help = str_of(helps[f->help]);
		if (i > 0)
			d->families[i - 1].next = &d->families[i];
	}
	d->n = p->n;
	return d;
}

struct family *naive_first_family(struct naive_families *d)
{
	return d->n ? d->families : NULL;
}

struct push *naive_real_push(const struct naive_push *p)
{
	CLEANUP(freep) struct naive_families *d = naive_families(p);

	return make_push_of(p->mode, naive_paths[p->group], naive_first_family(d), p->now);
}
