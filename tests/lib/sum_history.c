#include "lib/sum_history.h"

#include <math.h>
#include <stdio.h>

#include "lib/naive_sums.h"
#include "lib/rng.h"

static double any_number(uint64_t *r)
{
	uint64_t bits = rng_next(r) >> 1;
	double v;

	memcpy(&v, &bits, sizeof(v));
	return isfinite(v) ? v : 0.3;
}

static double some_number(uint64_t *r)
{
	static const double odd[] = { 0.1, 1e-9, 1e300, 5e-324, 123456.789, 9007199254740993.0 };

	if (rng_one_in(r, 8))
		return any_number(r);
	if (rng_one_in(r, 4))
		return odd[rng_below(r, ARRAY_LEN(odd))];
	return rng_below(r, 20);
}

static double some_sum(uint64_t *r)
{
	switch (rng_below(r, 16)) {
	case 0:
		return (double)NAN;
	case 1:
		return HUGE_VAL;
	case 2:
		return -HUGE_VAL;
	default:
		return rng_one_in(r, 2) ? some_number(r) : -some_number(r);
	}
}

static void fill_said(uint64_t *r, struct said_by_step *said, bool native)
{
	static const double thresholds[] = { 0, 0.5, 1.5 };

	for (int i = 0; i < N_SERIES; i++) {
		said->counter[i] = !rng_one_in(r, 3);
		said->count[i] = some_number(r);
		said->created[i] = rng_one_in(r, 4);
		said->began[i] = 10 * (1 + rng_below(r, 3));
		said->exemplar[i] = rng_one_in(r, 4);
		said->exemplar_at[i] = 1 + (int)rng_below(r, 9);
		said->histogram[i] = rng_one_in(r, 2);
		said->gauge_histogram[i] = rng_one_in(r, 4);
		said->native[i] = native;
		said->sum[i] = some_sum(r);
		for (int b = 0; b <= N_BOUNDS; b++)
			said->buckets[i][b] = rng_below(r, 4);
		for (int g = 0; g < N_GAUGES; g++) {
			said->gauge[g][i] = rng_one_in(r, 2);
			said->values[g][i] = (double)rng_below(r, 9) - 4;
		}
	}
	said->schema = (int)rng_below(r, 3);
	said->threshold = thresholds[rng_below(r, ARRAY_LEN(thresholds))];
	said->odd = rng_one_in(r, 3);
	said->odd_kind = rng_one_in(r, 4) ? ODD_GAUGE : ODD_COUNTER;
	said->odd_value = some_number(r);
	said->bad = rng_one_in(r, 20);
}

static enum step_kind some_kind(uint64_t *r)
{
	enum { PUSHES = 12, ADDS = 3 };
	uint32_t kind = rng_below(r, PUSHES + ADDS + N_KINDS - 2);

	return kind < PUSHES          ? PUSH
	       : kind < PUSHES + ADDS ? ADD
				      : (enum step_kind)(kind - PUSHES - ADDS + 1);
}

/* natives: 0: all processes have native histograms, 1: none, 2: some. */
static void fill_step(uint64_t *r, struct step *s, unsigned natives)
{
	*s = (struct step){
		.kind = some_kind(r),
		.name = (uint8_t)rng_below(r, N_NAMES),
		.start = (uint8_t)rng_below(r, N_STARTS),
		.push_id = (uint8_t)rng_below(r, N_PUSH_IDS + 1),
		.replace = rng_one_in(r, 2),
		.final = rng_one_in(r, 10),
		.lost = rng_one_in(r, 6),
	};
	/* A process has the same layout all its life. */
	s->layout = (s->name + s->start) % N_LAYOUTS;
	fill_said(r, &s->said, natives == 0 || (natives == 2 && s->start != 1));
	s->follow = rng_one_in(r, 3);
	s->swaps = rng_one_in(r, 6);
}

void sum_history_fill(uint64_t seed, struct history *h)
{
	uint64_t r = seed;
	unsigned natives = rng_below(&r, 3);

	*h = (struct history){
		.rule = { .few_sources = rng_one_in(&r, 3),
			  .few_series = rng_one_in(&r, 4),
			  .few_values = rng_one_in(&r, 3),
			  .ends = rng_one_in(&r, 3),
			  .zero_first = rng_one_in(&r, 3) },
		.n = 2 + rng_below(&r, MAX_STEPS - 2),
	};
	for (unsigned i = 0; i < h->n; i++)
		fill_step(&r, &h->steps[i], natives);
}

void sum_step_print(const struct step *s)
{
	static const char *const kinds[N_KINDS] = {
		[PUSH] = "push",         [END] = "end",         [SILENT] = "silent",
		[FOLD] = "fold",         [EXPIRE] = "expire",   [RESTART] = "restart",
		[IN_ORDER] = "in order", [REWRITE] = "rewrite", [CLEAN] = "clean",
		[DELETE] = "delete",     [ADD] = "add",
	};
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	fprintf(stderr, "%s %c@%d id %d%s%s%s%s%s\n", kinds[s->kind], 'a' + s->name, s->start * 100,
		s->push_id, s->replace ? " PUT" : "", s->final ? " final" : "",
		s->lost ? " (comes to nothing)" : "",
		s->follow ? ", which the other one reads" : "",
		s->follow && s->swaps ? ", and then writes" : "");
	if (s->kind != PUSH && s->kind != ADD)
		return;
	sum_step_body(s, &body);
	fputs(strbuf_z(&body), stderr);
	for (int i = 0; i < N_SERIES && s->kind == PUSH; i++) {
		if (s->said.native[i])
			fprintf(stderr, "h %d, q %d native, schema %d, threshold %g\n", i,
				(i + N_SERIES - 1) % N_SERIES, s->said.schema, s->said.threshold);
		if (s->said.counter[i] && s->said.exemplar[i])
			fprintf(stderr, "c %d exemplar at %d\n", i, s->said.exemplar_at[i]);
	}
}
