/*
 * Random histories of processes that push to a summed group, through the store, against a model
 * that keeps everything for ever and adds it all up anew each time (lib/naive_sums.h). Processes
 * restart, share names, repeat pushes, push late and out of order, change types, end, fall silent,
 * are folded for their age and for room, and come back; limits of series and of values refuse
 * pushes; what is new shows zeros for some time; increments have ids and are repeated;
 * groups expire and are deleted; pushes are refused; the gateway is restarted from its log, as it
 * is, as it is when applied in order, and as it is written anew; the log is cleaned, and batches
 * come to nothing. What is exposed is that of the model, bit by bit, native histograms and
 * exemplars too, and no counter ever falls.
 *
 * HISTORIES says how many, SEED where they begin. One that fails is made as short as it can be, and
 * printed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "format/protobuf/decode.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/naive_sums.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "merge/native.h"
#include "metrics/native_histogram.h"
#include "store/store.h"

enum {
	DEFAULT_HISTORIES =
#ifdef __SANITIZE_ADDRESS__
		3000,
#else
		100000,
#endif
};

struct history {
	struct naive_rule rule;
	struct step steps[MAX_STEPS];
	unsigned n;
};

/* ---- histories ---- */

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

/* natives: of all processes, of none, of some. */
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
	/* A process has one all its life. */
	s->layout = (s->name + s->start) % N_LAYOUTS;
	fill_said(r, &s->said, natives == 0 || (natives == 2 && s->start != 1));
}

static void fill_history(uint64_t seed, struct history *h)
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

/* For what each of millions of steps asks: Check writes a note of each of its own assertions. */
static void must(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

/* ---- the store ---- */

struct world {
	struct store *store;
	struct mem_storage rows;
};

static bool series_limited; /* to A_FEW_SERIES */

static void limit_series(struct store *s)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	char text[80];
	struct err err = { 0 };

	snprintf(text, sizeof(text), "rules:\n- match: '{}'\n  limits: {series: %d}\n",
		 A_FEW_SERIES);
	must(group_rules_parse(str_of(text), &rules, &err) == 0, err.msg);
	store_use_rules(s, rules);
}

static struct source_limits source_limits = { .fold_after_ns = FOLD_AFTER * INT64_C(1000000000) };

static struct store *new_store(void)
{
	struct store *s = store_new(&(struct store_limits){ 100, 10000 });

	store_limit_sources(s, &source_limits);
	store_keep_digest(s);
	return s;
}

static bool same_digest(const struct store *a, const struct store *b)
{
	uint64_t of_a, of_b;
	bool has_a = store_digest(a, &of_a), has_b = store_digest(b, &of_b);

	return has_a == has_b && (!has_a || of_a == of_b);
}

static void load(struct world *w, struct storage *from)
{
	struct store *again = new_store();
	struct err err = { 0 };

	must(load_store(from, again, &err) == STORAGE_LOADED, err.msg);
	if (from == &w->rows.base)
		must(same_digest(w->store, again), "the digests differ");
	store_begin_waiting(again, clock_mono_ns(), clock_wall(), 0);
	if (series_limited)
		limit_series(again);
	store_free(w->store);
	w->store = again;
}

static void restart(struct world *w, enum step_kind how)
{
	struct mem_storage other;
	struct err err = { 0 };

	if (how == RESTART) {
		load(w, &w->rows.base);
		return;
	}
	mem_storage_init(&other);
	if (how == IN_ORDER)
		rows_apply_in_order(w->rows.rows, w->rows.n_rows, &other);
	else
		must(rewrite_store(w->store, &other.base, &err) == 0, err.msg);
	load(w, &other.base);
	mem_storage_done(&w->rows);
	w->rows = other;
}

static void commit(struct world *w)
{
	struct err err = { 0 };

	must(w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err) ==
		     STORAGE_COMMITTED,
	     err.msg);
	store_publish(w->store);
}

static void roll_back(struct world *w)
{
	store_rows(w->store);
	store_rollback(w->store);
}

static void clean(struct world *w)
{
	struct err err = { 0 };

	must(storage_clean(&w->rows.base, w->store, UINT64_MAX, &err) == 0, err.msg);
	store_clean_rows(w->store);
	must(w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err) ==
		     STORAGE_COMMITTED,
	     err.msg);
	store_clean_end(w->store, true);
	store_publish(w->store);
}

/* What is due comes to nothing once, if it is to. */
static void do_due(struct world *w, bool lost)
{
	while (store_next_due(w->store) <= clock_mono_ns()) {
		store_stage_due(w->store, clock_mono_ns(), clock_wall(), 100);
		if (lost)
			roll_back(w);
		else
			commit(w);
		lost = false;
	}
}

/* ---- what is pushed ---- */

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

static void body_of(const struct step *s, struct strbuf *b)
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

/* What text cannot say: the spans are 1 to 3, and of negative numbers 2. */
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

static void edit(void *arg, struct family *families, struct arena *a)
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

static bool push(struct world *w, const struct step *s)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	struct err err = { 0 };
	struct push *push;
	bool taken;

	body_of(s, &body);
	if (s->kind == ADD) {
		strbuf_addz(&path, "/k/__mode__/add");
		if (s->push_id)
			strbuf_addf(&path, "/__push_id__/%d", s->push_id);
	} else {
		strbuf_addf(&path, "/j/__source__/%c", 'a' + s->name);
		if (s->start)
			strbuf_addf(&path, "/__start__/%d", s->start * 100);
		if (s->final)
			strbuf_addz(&path, "/__final__/1");
	}
	sum_push_edit(edit, (void *)&s->said);
	push = make_sum_push(s->replace ? PUSH_PUT : PUSH_POST, strbuf_z(&path), strbuf_z(&body),
			     clock_wall(), &err);
	sum_push_edit(NULL, NULL);
	must(push != NULL, err.msg);
	store_stage(w->store, push);
	taken = push->err.reason == ERR_NONE;
	if (taken ? s->lost : true)
		roll_back(w);
	else
		commit(w);
	push_free(push);
	return taken;
}

static void delete (struct world *w, const char *path, bool lost)
{
	struct err err = { 0 };
	struct push *push = make_sum_push(PUSH_DELETE, path, NULL, clock_wall(), &err);

	must(push != NULL, err.msg);
	store_stage(w->store, push);
	must(push->err.reason == ERR_NONE, push->err.msg);
	if (lost)
		roll_back(w);
	else
		commit(w);
	push_free(push);
}

/* ---- what is shown beside the text ---- */

static void add_exemplar(const struct metric *m, int i, struct strbuf *out)
{
	strbuf_addf(out, "c exemplar %d at %d", i, (int)m->exemplar->ts.seconds);
	naive_line(out, m->exemplar->value);
}

static void add_shown_native(struct str name, const struct histogram *h, int i, struct strbuf *out)
{
	CLEANUP(freep) struct native *v = mem_alloc(native_size(native_room(h)));

	native_read(h, v);
	strbuf_adds(out, name);
	strbuf_addf(out, " native %d %d %.17g %.17g", i, v->schema, v->threshold, v->zero);
	for (uint32_t k = 0; k < v->n; k++)
		strbuf_addf(out, " %s%d:%.17g", v->counts[k].negative ? "-" : "",
			    v->counts[k].index, v->counts[k].count);
	strbuf_addc(out, '\n');
}

static void add_message(struct str proto, struct arena *a, struct strbuf *out)
{
	static const struct decode_limits lim = DECODE_UNLIMITED;
	struct family *families;
	struct err err;

	must(proto_decode(arena_dup(a, proto), &lim, a, &families, &err) == 0, err.msg);
	for (struct family *f = families; f; f = f->next)
		for (struct metric *m = f->metrics; m; m = m->next) {
			int i = 0;

			for (uint32_t k = 0; k < m->n_labels; k++)
				if (str_eq(m->labels[k].name, STR("x")))
					i = m->labels[k].value.p[0] - '0';
			if (m->exemplar)
				add_exemplar(m, i, out);
			if (m->histogram && native_histogram_is(m->histogram))
				add_shown_native(f->name, m->histogram, i, out);
		}
}

static void add_messages(struct store *s, struct strbuf *out)
{
	struct snapshot *snap = store_snapshot(s, &(struct snapshot_wants){ .slots = SLOTS_LOSSY });
	CLEANUP(arena_done) struct arena a;

	arena_init(&a, ARENA_MUST);
	for (size_t i = 0; i < snap->n_families; i++)
		for (size_t k = 0; k < snap->families[i].n; k++) {
			const struct snapshot_page *p = &snap->pages[snap->families[i].first + k];

			for (uint32_t n = 0; n < p->n_slots; n++)
				if (p->slots[n].proto)
					add_message(bytes_str(p->slots[n].proto), &a, out);
		}
	snapshot_free(snap);
}

/* ---- both, step by step ---- */

static void tell_time(const struct naive_sums *m)
{
	clock_hold((int64_t)m->now * 1000000000, (int64_t)m->now * 1000000000);
}

static void pass_time(struct world *w, struct naive_sums *m, const struct step *s)
{
	naive_wait(m, s->kind == SILENT ? SOURCE_TTL : s->kind == FOLD ? FOLD_AFTER : GROUP_TTL);
	tell_time(m);
	do_due(w, s->lost);
}

/* The step in both; what is wrong, in words, or NULL. */
static const char *take_step(struct world *w, struct naive_sums *m, const struct step *s)
{
	CLEANUP(freep) struct naive_sums *before = s->lost ? mem_dup(m, sizeof(*m)) : NULL;
	char path[32];

	switch (s->kind) {
	case PUSH:
	case ADD:
		if (push(w, s) != (s->kind == ADD ? naive_add(m, s) : naive_push(m, s)))
			return "one has taken a push that the other has refused";
		break;
	case END:
		snprintf(path, sizeof(path), "/j/__source__/%c", 'a' + s->name);
		delete (w, path, s->lost);
		naive_end(m, s->name);
		break;
	case DELETE:
		delete (w, "/j", s->lost);
		naive_delete(m);
		break;
	case SILENT:
	case FOLD:
	case EXPIRE:
		pass_time(w, m, s);
		return NULL;
	case CLEAN:
		clean(w);
		return NULL;
	default:
		restart(w, s->kind);
		return NULL;
	}
	if (before)
		*m = *before;
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines, in one order. */
static void sort_lines(struct strbuf *b)
{
	CLEANUP(freep) char *copy = mem_strdup(strbuf_z(b));
	char *lines[512], *save;
	size_t n = 0;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	if (n > 0)
		qsort(lines, n, sizeof(*lines), by_text);
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s\n", lines[i]);
}

/* The same whatever the order of the lines: most of the time they are the same. */
static uint64_t sum_of_lines(const struct strbuf *b)
{
	uint64_t sum = 0;

	for (size_t at = 0; at < b->n;) {
		const char *lf = memchr(b->p + at, '\n', b->n - at);
		size_t n = lf ? (size_t)(lf - b->p) + 1 - at : b->n - at;

		sum += hash_bytes((struct str){ b->p + at, n });
		at += n;
	}
	return sum;
}

struct shown_counter {
	bool there;
	double value;
};

/* Of a group that has gone nothing is remembered. */
static bool one_fell(const struct naive_sums *m, struct shown_counter *last)
{
	bool fell = false;

	for (int i = 0; i < N_SERIES; i++) {
		struct shown_counter now;

		now.there = naive_counter(m, i, &now.value);
		fell |= m->pushed_at > 0 && last[i].there &&
			(!now.there || now.value < last[i].value);
		last[i] = now;
	}
	return fell;
}

static const char *compare(struct world *w, struct naive_sums *m, struct shown_counter *last)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	static char words[4096];

	sum_exposed(w->store, &got);
	add_messages(w->store, &got);
	naive_show(m, &want);
	if (one_fell(m, last))
		return "a counter fell";
	if (got.n == want.n && sum_of_lines(&got) == sum_of_lines(&want))
		return NULL;
	sort_lines(&got);
	sort_lines(&want);
	snprintf(words, sizeof(words), "exposed\n%sthe model\n%s", strbuf_z(&got), strbuf_z(&want));
	return words;
}

static struct group_options options = { .gauges = NULL };

static void set_rule(const struct naive_rule *rule)
{
	options.has_max_sources = rule->few_sources;
	options.max_sources = A_FEW_SOURCES;
	series_limited = rule->few_series;
	options.has_ttl = rule->ends;
	options.ttl_ns = GROUP_TTL * INT64_C(1000000000);
	options.has_zero_first = rule->zero_first;
	options.zero_first_ns = ZERO_FIRST_MS * INT64_C(1000000);
	sum_push_rule(&options);
	source_limits.max_values = rule->few_values ? A_FEW_VALUES : 0;
}

static const char *run(const struct history *h)
{
	struct world w;
	CLEANUP(freep) struct naive_sums *m = mem_zalloc(sizeof(*m));
	struct shown_counter last[N_SERIES] = { { .there = false } };
	const char *wrong = NULL;

	set_rule(&h->rule);
	w.store = new_store();
	if (series_limited)
		limit_series(w.store);
	mem_storage_init(&w.rows);
	m->rule = h->rule;
	m->now = 1000000;
	for (unsigned i = 0; i < h->n && !wrong; i++) {
		naive_wait(m, 1);
		tell_time(m);
		do_due(&w, false);
		wrong = take_step(&w, m, &h->steps[i]);
		wrong = wrong ? wrong : compare(&w, m, last);
	}
	store_free(w.store);
	mem_storage_done(&w.rows);
	return wrong;
}

/* ---- failures, made short ---- */

static void print_step(const struct step *s)
{
	static const char *const kinds[N_KINDS] = {
		[PUSH] = "push",         [END] = "end",         [SILENT] = "silent",
		[FOLD] = "fold",         [EXPIRE] = "expire",   [RESTART] = "restart",
		[IN_ORDER] = "in order", [REWRITE] = "rewrite", [CLEAN] = "clean",
		[DELETE] = "delete",     [ADD] = "add",
	};
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	fprintf(stderr, "%s %c@%d id %d%s%s%s\n", kinds[s->kind], 'a' + s->name, s->start * 100,
		s->push_id, s->replace ? " PUT" : "", s->final ? " final" : "",
		s->lost ? " (comes to nothing)" : "");
	if (s->kind != PUSH && s->kind != ADD)
		return;
	body_of(s, &body);
	fputs(strbuf_z(&body), stderr);
	for (int i = 0; i < N_SERIES && s->kind == PUSH; i++) {
		if (s->said.native[i])
			fprintf(stderr, "h %d, q %d native, schema %d, threshold %g\n", i,
				(i + N_SERIES - 1) % N_SERIES, s->said.schema, s->said.threshold);
		if (s->said.counter[i] && s->said.exemplar[i])
			fprintf(stderr, "c %d exemplar at %d\n", i, s->said.exemplar_at[i]);
	}
}

static void shrink_steps(struct history *h)
{
	for (unsigned i = 0; i < h->n;) {
		struct history less = *h;

		memmove(&less.steps[i], &less.steps[i + 1], (less.n - i - 1) * sizeof(*less.steps));
		less.n--;
		if (run(&less)) {
			*h = less;
			i = 0;
			continue;
		}
		i++;
	}
}

static void shrink_flag(struct history *h, bool *flag)
{
	if (!*flag)
		return;
	*flag = false;
	*flag = !run(h);
}

/* Each flag that can be left out is. */
static void shrink(struct history *h)
{
	shrink_steps(h);
	shrink_flag(h, &h->rule.few_sources);
	shrink_flag(h, &h->rule.few_series);
	shrink_flag(h, &h->rule.few_values);
	shrink_flag(h, &h->rule.ends);
	shrink_flag(h, &h->rule.zero_first);
	for (unsigned i = 0; i < h->n; i++) {
		bool *flags = (bool *)&h->steps[i].said.counter;
		size_t n_flags = offsetof(struct said_by_step, count) / sizeof(bool);

		for (size_t k = 0; k < n_flags; k++)
			shrink_flag(h, &flags[k]);
		shrink_flag(h, &h->steps[i].lost);
		shrink_flag(h, &h->steps[i].final);
		shrink_flag(h, &h->steps[i].replace);
	}
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

	return text ? strtoull(text, NULL, 10) : otherwise;
}

START_TEST(histories)
{
	CLEANUP(gauge_policies_unrefp) struct gauge_policies *policies = gauge_policies_new();
	struct err err;
	uint64_t n = number_from("HISTORIES", DEFAULT_HISTORIES), seed = number_from("SEED", 1);

	gauge_policies_add(policies, STR("g_max"), MERGE_MAX, &err);
	gauge_policies_add(policies, STR("g_min"), MERGE_MIN, &err);
	options.gauges = policies;
	for (uint64_t i = 0; i < n; i++) {
		struct history h;

		fill_history(seed + i, &h);
		if (!run(&h))
			continue;
		shrink(&h);
		fprintf(stderr, "%s%s%s%s%s\n", h.rule.few_sources ? "few sources; " : "",
			h.rule.few_series ? "few series; " : "",
			h.rule.few_values ? "few values; " : "",
			h.rule.zero_first ? "zeros first; " : "", h.rule.ends ? "it ends" : "");
		for (unsigned k = 0; k < h.n; k++)
			print_step(&h.steps[k]);
		ck_abort_msg("SEED=%llu HISTORIES=1: %s", (unsigned long long)(seed + i), run(&h));
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("summed_model");

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, histories);
	return run_cases("summed_model", tc);
}
