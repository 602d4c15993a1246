/* The bodies that steps of a history push. */
#include "lib/naive_sums.h"
#include "lib/sum_history.h"

static void counters_of(const struct step *s, struct strbuf *b)
{
	bool any = false;

	strbuf_addz(b, "# TYPE c counter\n");
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.counter[i]) {
			strbuf_addf(b, "c{x=\"%d\"}", i);
			naive_line(b, s->said.count[i]);
			any |= s->said.created[i];
		}
	if (any)
		strbuf_addz(b, "# TYPE c_created gauge\n");
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.counter[i] && s->said.created[i])
			strbuf_addf(b, "c_created{x=\"%d\"} %g\n", i, s->said.began[i]);
}

static void histogram_of(const char *name, int i, const struct amount *a, struct strbuf *b)
{
	for (int k = 0; k < N_BOUNDS; k++)
		strbuf_addf(b, "%s_bucket{x=\"%d\",le=\"%g\"} %g\n", name, i,
			    naive_bounds[a->layout][k], a->buckets[k]);
	strbuf_addf(b, "%s_bucket{x=\"%d\",le=\"+Inf\"} %g\n%s_count{x=\"%d\"} %g\n", name, i,
		    a->count, name, i, a->count);
	strbuf_addf(b, "%s_sum{x=\"%d\"}", name, i);
	naive_line(b, a->value);
}

static void histograms_of(const struct step *s, struct strbuf *b)
{
	strbuf_addz(b, "# TYPE h histogram\n");
	for (int i = 0; i < N_SERIES; i++) {
		struct amount a = naive_amount(s, i, true);

		if (s->said.histogram[i])
			histogram_of("h", i, &a, b);
	}
}

static void gauge_histograms_of(const struct step *s, const char *name, struct strbuf *b)
{
	bool any = false;

	for (int i = 0; i < N_SERIES; i++) {
		struct amount a = naive_amount(s, naive_gauge_histogram_of(i), true);

		if (!s->said.gauge_histogram[i])
			continue;
		if (!any)
			strbuf_addf(b, "# TYPE %s gaugehistogram\n", name);
		any = true;
		histogram_of(name, i, &a, b);
	}
}

static void gauges_of(const struct step *s, struct strbuf *b)
{
	for (int g = 0; g < N_GAUGES; g++) {
		bool any = false;

		for (int i = 0; i < N_SERIES; i++) {
			if (!s->said.gauge[g][i])
				continue;
			if (!any)
				strbuf_addf(b, "# TYPE %s gauge\n", naive_gauges[g]);
			any = true;
			strbuf_addf(b, "%s{x=\"%d\"} %g\n", naive_gauges[g], i,
				    s->said.values[g][i]);
		}
	}
}

static void increments_of(const struct step *s, struct strbuf *b)
{
	strbuf_addz(b, "# TYPE added counter\n");
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.counter[i]) {
			strbuf_addf(b, "added{x=\"%d\"}", i);
			naive_line(b, s->said.count[i]);
		}
	strbuf_addz(b, "# TYPE added_recent gauge\n");
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.gauge[RECENT][i])
			strbuf_addf(b, "added_recent{x=\"%d\"} %g\n", i, s->said.values[RECENT][i]);
	gauge_histograms_of(s, "added_q", b);
}

void sum_step_body(const struct step *s, struct strbuf *b)
{
	if (s->said.bad)
		strbuf_addz(b, "# TYPE bad counter\nbad -1\n");
	if (s->kind == ADD) {
		increments_of(s, b);
		return;
	}
	counters_of(s, b);
	histograms_of(s, b);
	gauges_of(s, b);
	gauge_histograms_of(s, "q", b);
	if (!s->said.odd)
		return;
	strbuf_addf(b, "# TYPE odd %s\nodd", s->said.odd_kind == ODD_GAUGE ? "gauge" : "counter");
	naive_line(b, s->said.odd_value);
}

/* Adds the native part, which text does not have: buckets 1 to 3, and 2 of negative numbers. */
static void add_native(const struct said_by_step *said, int i, struct histogram *h, struct arena *a)
{
	const unsigned *n = said->buckets[i];
	struct span *spans = arena_alloc(a, 2 * sizeof(*spans));
	int64_t *deltas = arena_alloc(a, 4 * sizeof(*deltas));

	spans[0] = (struct span){ 1, 3 };
	spans[1] = (struct span){ 2, 1 };
	deltas[0] = n[1];
	deltas[1] = -(int64_t)n[1];
	deltas[2] = n[2];
	deltas[3] = n[3];
	h->has_schema = h->has_zero_threshold = h->has_zero_count = true;
	h->schema = said->schema;
	h->zero_threshold = said->threshold;
	h->zero_count = n[0];
	h->pos_spans = spans;
	h->neg_spans = spans + 1;
	h->pos_deltas = deltas;
	h->neg_deltas = deltas + 3;
	h->n_pos_spans = h->n_neg_spans = h->n_neg_deltas = 1;
	h->n_pos_deltas = 3;
}

void sum_step_edit(void *arg, struct family *families, struct arena *a)
{
	const struct said_by_step *said = arg;

	for (struct family *f = families; f; f = f->next)
		for (struct metric *m = f->metrics; m; m = m->next) {
			int i = m->n_labels ? m->labels[0].value.p[0] - '0' : 0;

			if (f->type == METRIC_GAUGE_HISTOGRAM)
				i = naive_gauge_histogram_of(i);
			if (m->histogram && said->native[i])
				add_native(said, i, m->histogram, a);
			if (!str_eq(f->name, STR("c")) || !said->exemplar[i])
				continue;
			m->exemplar = arena_zalloc(a, sizeof(*m->exemplar));
			m->exemplar->value = said->count[i];
			m->exemplar->ts = (struct timestamp){ true, said->exemplar_at[i], 0 };
		}
}
