/*
 * Random histories of processes that push to a summed group, through the store, against a model
 * that keeps everything for ever and adds it all up anew each time. Processes restart, fork names,
 * repeat pushes, push late and out of order, end, fall silent, are folded and come back; the
 * gateway is restarted from its log, as it is, as it is when applied in order, and as it is written
 * anew; the log is cleaned, and batches come to nothing. What is exposed is that of the model, bit
 * by bit, and no counter ever falls.
 *
 * HISTORIES says how many, SEED where they begin. One that fails is made as short as it can be, and
 * printed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/mem_storage.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "merge/total.h"
#include "store/store.h"

enum {
	N_NAMES = 3,   /* of sources */
	N_STARTS = 3,  /* of each; the first is none at all */
	N_SERIES = 3,  /* of the counter c, the histogram h, and each gauge */
	N_LAYOUTS = 2, /* of the histogram; the middle bound is common */
	N_BOUNDS = 3,
	MAX_STEPS = 24,
	SOURCE_TTL = 900, /* seconds */
	FOLD_AFTER = 8 * 86400,
	DEFAULT_HISTORIES =
#ifdef __SANITIZE_ADDRESS__
		3000,
#else
		100000,
#endif
};

static const double bounds[N_LAYOUTS][N_BOUNDS] = { { 1, 2, 4 }, { 0.5, 2, 8 } };
static const char *const gauges[] = { "g_recent", "g_max", "g_min", "g_in_progress", "g_info" };
enum { RECENT, MAX_EVER, MIN_EVER, LIVESUM, LIVEMAX, N_GAUGES };

/* ---- histories ---- */

enum step_kind { PUSH, END, SILENT, FOLD, RESTART, IN_ORDER, REWRITE, CLEAN, DELETE, N_KINDS };

struct said_by_step {
	bool counter[N_SERIES], histogram[N_SERIES], gauge[N_GAUGES][N_SERIES];
	double count[N_SERIES], values[N_GAUGES][N_SERIES];
	unsigned buckets[N_SERIES][N_BOUNDS + 1]; /* not cumulative; the last is above all bounds */
	double sum[N_SERIES];
};

struct step {
	enum step_kind kind;
	uint8_t name, start, layout;
	bool replace;
	bool lost; /* the batch comes to nothing */
	struct said_by_step said;
};

static double some_number(uint64_t *r)
{
	static const double odd[] = { 0.1, 1e-9, 1e300, 5e-324, 123456.789, 9007199254740993.0 };

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

static void fill_said(uint64_t *r, struct said_by_step *said)
{
	for (int i = 0; i < N_SERIES; i++) {
		said->counter[i] = !rng_one_in(r, 3);
		said->count[i] = some_number(r);
		said->histogram[i] = rng_one_in(r, 2);
		said->sum[i] = some_sum(r);
		for (int b = 0; b <= N_BOUNDS; b++)
			said->buckets[i][b] = rng_below(r, 4);
		for (int g = 0; g < N_GAUGES; g++) {
			said->gauge[g][i] = rng_one_in(r, 2);
			said->values[g][i] = (double)rng_below(r, 9) - 4;
		}
	}
}

static void fill_step(uint64_t *r, struct step *s)
{
	uint32_t kind = rng_below(r, 10 + N_KINDS - 1);

	*s = (struct step){
		.kind = kind < 10 ? PUSH : (enum step_kind)(kind - 9),
		.name = (uint8_t)rng_below(r, N_NAMES),
		.start = (uint8_t)rng_below(r, N_STARTS),
		.replace = rng_one_in(r, 2),
		.lost = rng_one_in(r, 6),
	};
	/* A process has one all its life. */
	s->layout = (s->name + s->start) % N_LAYOUTS;
	fill_said(r, &s->said);
}

/* ---- the model ---- */

/* One histogram as it was said, or for a counter its value alone. */
struct amount {
	double value;                    /* of a histogram: its sum */
	double count, buckets[N_BOUNDS]; /* cumulative */
	uint8_t layout;
	int times; /* -1: it is taken away */
};

/* All that was ever said of one series and counts for good. */
struct amounts {
	struct amount list[4 * MAX_STEPS];
	unsigned n;
};

struct process {
	bool known, live, ended, returned;
	uint64_t first;
	double pushed_at, resets[3];
	bool has_counter[N_SERIES], has_histogram[N_SERIES], has_gauge[N_GAUGES][N_SERIES];
	struct amount counter[N_SERIES], histogram[N_SERIES];
	double gauge[N_GAUGES][N_SERIES];
};

struct model {
	struct process p[N_NAMES][N_STARTS];
	bool was_folded[N_NAMES][N_STARTS];
	struct amounts counters[N_SERIES], histograms[N_SERIES];
	bool in_base[2][N_SERIES]; /* of counters, histograms */
	struct process *recent_by[N_SERIES];
	bool recent[N_SERIES], extreme[2][N_SERIES];
	double recents[N_SERIES], extremes[2][N_SERIES];
	uint64_t pushes, shown_first;
	uint8_t shown;
	double now; /* Unix seconds */
};

static struct amount amount_of(const struct step *s, int series, bool histogram)
{
	struct amount a = { .value = s->said.count[series], .times = 1, .layout = s->layout };

	a.count = a.value;
	if (!histogram)
		return a;
	a.value = s->said.sum[series];
	a.count = 0;
	for (int b = 0; b <= N_BOUNDS; b++) {
		a.count += s->said.buckets[series][b];
		if (b < N_BOUNDS)
			a.buckets[b] = a.count;
	}
	return a;
}

/* For what each of millions of steps asks: Check writes a note of each of its own assertions. */
static void must(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

static void for_good(struct amounts *all, struct amount a, int times)
{
	a.times = times;
	must(all->n < ARRAY_LEN(all->list), "more amounts than there is room for");
	all->list[all->n++] = a;
}

/* Returns whether it began anew without a start that says so. */
static bool count_said(struct process *p, bool has_start, struct amounts *all, bool *in_base,
		       bool *has, struct amount *now, struct amount said)
{
	bool reset = false;

	if (!*has) {
		if (p->returned && *in_base)
			for_good(all, said, -1);
		*has = true;
		*now = said;
		return false;
	}
	if (said.count < now->count && has_start)
		return false;
	if (said.count < now->count) {
		for_good(all, *now, 1);
		*in_base = true;
		reset = true;
	}
	*now = said;
	return reset;
}

static void gauge_said(struct model *m, struct process *p, int g, int i, double v)
{
	p->has_gauge[g][i] = true;
	p->gauge[g][i] = v;
	if (g == RECENT) {
		m->recent[i] = true;
		m->recents[i] = v;
		m->recent_by[i] = p;
	} else if (g == MAX_EVER || g == MIN_EVER) {
		int which = g == MIN_EVER;

		if (!m->extreme[which][i] ||
		    (which ? v < m->extremes[1][i] : v > m->extremes[0][i]))
			m->extremes[which][i] = v;
		m->extreme[which][i] = true;
	}
}

/* A body names a gauge's family when it has any series of it. */
static bool names_family(const struct step *s, int g)
{
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.gauge[g][i])
			return true;
	return false;
}

static void gauges_said(struct model *m, struct process *p, const struct step *s)
{
	for (int g = 0; g < N_GAUGES; g++) {
		for (int i = 0; i < N_SERIES; i++) {
			if (s->said.gauge[g][i]) {
				gauge_said(m, p, g, i, s->said.values[g][i]);
			} else if (s->replace || names_family(s, g)) {
				p->has_gauge[g][i] = false;
				if (g == RECENT && m->recent_by[i] == p)
					m->recent[i] = false;
			}
		}
	}
}

/* False: refused, and nothing has changed. */
static bool model_push(struct model *m, const struct step *s)
{
	struct process *p = &m->p[s->name][s->start];
	struct model before = *m;
	bool reset = false;

	m->pushes++;
	if (!p->known) {
		*p = (struct process){ .known = true,
				       .first = m->pushes,
				       .returned = m->was_folded[s->name][s->start] };
		/* Whose gauge it was has gone. */
	}
	p->live = true;
	p->ended = false;
	p->pushed_at = m->now;
	for (int i = 0; i < N_SERIES; i++) {
		if (s->said.counter[i])
			reset |= count_said(p, s->start > 0, &m->counters[i], &m->in_base[0][i],
					    &p->has_counter[i], &p->counter[i],
					    amount_of(s, i, false));
		if (s->said.histogram[i])
			reset |= count_said(p, s->start > 0, &m->histograms[i], &m->in_base[1][i],
					    &p->has_histogram[i], &p->histogram[i],
					    amount_of(s, i, true));
	}
	gauges_said(m, p, s);
	for (int i = 0; i < N_SERIES; i++) {
		if (!p->has_histogram[i])
			continue;
		if (p->first >= m->shown_first) {
			m->shown_first = p->first;
			m->shown = p->histogram[i].layout;
		}
		break;
	}
	if (!reset)
		return true;
	if (p->resets[0] != 0 && m->now - p->resets[0] < 60) {
		*m = before;
		return false;
	}
	p->resets[0] = p->resets[1];
	p->resets[1] = p->resets[2];
	p->resets[2] = m->now;
	return true;
}

static void model_fold(struct model *m, int name, int start)
{
	struct process *p = &m->p[name][start];

	for (int i = 0; i < N_SERIES; i++) {
		if (p->has_counter[i])
			for_good(&m->counters[i], p->counter[i], 1);
		if (p->has_histogram[i])
			for_good(&m->histograms[i], p->histogram[i], 1);
		m->in_base[0][i] |= p->has_counter[i];
		m->in_base[1][i] |= p->has_histogram[i];
		if (m->recent_by[i] == p)
			m->recent_by[i] = NULL;
	}
	*p = (struct process){ .known = false };
}

static void model_end(struct model *m, int name)
{
	for (int start = 0; start < N_STARTS; start++) {
		struct process *p = &m->p[name][start];

		if (!p->known || p->ended)
			continue;
		p->live = false;
		p->ended = true;
		for (int i = 0; i < N_SERIES; i++)
			p->has_gauge[LIVESUM][i] = p->has_gauge[LIVEMAX][i] = false;
		if (start == 0)
			model_fold(m, name, start);
	}
}

/* ---- what it shows ---- */

struct shown_counter {
	bool there;
	double value;
};

static void add_number(struct strbuf *out, double v)
{
	char num[NUM_MAX];

	strbuf_addc(out, ' ');
	strbuf_add(out, num, num_format(v, num));
	strbuf_addc(out, '\n');
}

/* fn: the part of an amount. */
static double add_up(const struct model *m, bool histogram, int series,
		     double (*part)(const struct amount *a, double bound), double bound,
		     bool *ret_there)
{
	const struct amounts *all = histogram ? &m->histograms[series] : &m->counters[series];
	struct total t = { 0 };
	double v;

	for (unsigned i = 0; i < all->n; i++)
		total_add(&t, part(&all->list[i], bound), all->list[i].times);
	*ret_there = m->in_base[histogram][series];
	for (int n = 0; n < N_NAMES; n++)
		for (int st = 0; st < N_STARTS; st++) {
			const struct process *p = &m->p[n][st];

			if (!(histogram ? p->has_histogram : p->has_counter)[series])
				continue;
			total_add(&t,
				  part(histogram ? &p->histogram[series] : &p->counter[series],
				       bound),
				  1);
			*ret_there = true;
		}
	v = total_value(&t);
	total_done(&t);
	return v;
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

	for (int i = 0; i < N_BOUNDS && bounds[a->layout][i] <= bound; i++)
		v = a->buckets[i];
	return v;
}

static void show_counts(const struct model *m, struct strbuf *out, struct shown_counter *counters)
{
	for (int i = 0; i < N_SERIES; i++) {
		double v = add_up(m, false, i, value_part, 0, &counters[i].there);

		counters[i].value = v;
		if (!counters[i].there)
			continue;
		strbuf_addf(out, "c{x=\"%d\"}", i);
		add_number(out, v);
	}
}

static void show_histograms(const struct model *m, struct strbuf *out)
{
	for (int i = 0; i < N_SERIES; i++) {
		bool there;
		double count = add_up(m, true, i, count_part, 0, &there);

		if (!there)
			continue;
		for (int b = 0; b < N_BOUNDS; b++) {
			double v = add_up(m, true, i, bucket_part, bounds[m->shown][b], &there);

			strbuf_addf(out, "h_bucket{x=\"%d\",le=\"%g\"}", i, bounds[m->shown][b]);
			add_number(out, v > 0 ? v : 0);
		}
		strbuf_addf(out, "h_bucket{x=\"%d\",le=\"+Inf\"}", i);
		add_number(out, count > 0 ? count : 0);
		strbuf_addf(out, "h_sum{x=\"%d\"}", i);
		add_number(out, add_up(m, true, i, value_part, 0, &there));
		strbuf_addf(out, "h_count{x=\"%d\"}", i);
		add_number(out, count > 0 ? count : 0);
	}
}

static bool gauge_now(const struct model *m, int g, int i, double *ret)
{
	bool any = false;

	if (g == RECENT) {
		*ret = m->recents[i];
		return m->recent[i];
	}
	if (g == MAX_EVER || g == MIN_EVER) {
		*ret = m->extremes[g == MIN_EVER][i];
		return m->extreme[g == MIN_EVER][i];
	}
	*ret = 0;
	for (int n = 0; n < N_NAMES; n++)
		for (int st = 0; st < N_STARTS; st++) {
			const struct process *p = &m->p[n][st];

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

static void show_gauges(const struct model *m, struct strbuf *out)
{
	static const int by_name[N_GAUGES] = { LIVESUM, LIVEMAX, MAX_EVER, MIN_EVER, RECENT };

	for (int k = 0; k < N_GAUGES; k++)
		for (int i = 0; i < N_SERIES; i++) {
			double v;

			if (!gauge_now(m, by_name[k], i, &v))
				continue;
			strbuf_addf(out, "%s{x=\"%d\"}", gauges[by_name[k]], i);
			add_number(out, v);
		}
}

/* ---- the store ---- */

struct world {
	struct store *store;
	struct mem_storage rows;
};

static struct store *new_store(void)
{
	struct store *s = store_new(&(struct store_limits){ 100, 10000 });

	store_limit_sources(
		s, &(struct source_limits){ .fold_after_ns = FOLD_AFTER * INT64_C(1000000000) });
	return s;
}

static void load(struct world *w, struct storage *from)
{
	struct store *again = new_store();
	struct err err = { 0 };

	must(load_store(from, again, &err) == STORAGE_LOADED, err.msg);
	store_begin_waiting(again, clock_mono_ns(), clock_wall(), 0);
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

static void body_of(const struct step *s, struct strbuf *b)
{
	strbuf_addz(b, "# TYPE c counter\n");
	for (int i = 0; i < N_SERIES; i++)
		if (s->said.counter[i]) {
			strbuf_addf(b, "c{x=\"%d\"}", i);
			add_number(b, s->said.count[i]);
		}
	strbuf_addz(b, "# TYPE h histogram\n");
	for (int i = 0; i < N_SERIES; i++) {
		struct amount a = amount_of(s, i, true);

		if (!s->said.histogram[i])
			continue;
		for (int k = 0; k < N_BOUNDS; k++)
			strbuf_addf(b, "h_bucket{x=\"%d\",le=\"%g\"} %g\n", i, bounds[s->layout][k],
				    a.buckets[k]);
		strbuf_addf(b, "h_bucket{x=\"%d\",le=\"+Inf\"} %g\nh_count{x=\"%d\"} %g\n", i,
			    a.count, i, a.count);
		strbuf_addf(b, "h_sum{x=\"%d\"}", i);
		add_number(b, a.value);
	}
	for (int g = 0; g < N_GAUGES; g++) {
		if (names_family(s, g))
			strbuf_addf(b, "# TYPE %s gauge\n", gauges[g]);
		for (int i = 0; i < N_SERIES; i++)
			if (s->said.gauge[g][i])
				strbuf_addf(b, "%s{x=\"%d\"} %g\n", gauges[g], i,
					    s->said.values[g][i]);
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
	strbuf_addf(&path, "/j/__source__/%c", 'a' + s->name);
	if (s->start)
		strbuf_addf(&path, "/__start__/%d", s->start * 100);
	push = make_sum_push(s->replace ? PUSH_PUT : PUSH_POST, strbuf_z(&path), strbuf_z(&body),
			     clock_wall(), &err);
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

/* ---- both, step by step ---- */

static void tell_time(const struct model *m)
{
	clock_hold((int64_t)m->now * 1000000000, (int64_t)m->now * 1000000000);
}

/* Time passes: who has been silent for too long is not live, and later is folded. */
static void model_wait(struct model *m, double seconds)
{
	m->now += seconds;
	for (int n = 0; n < N_NAMES; n++)
		for (int st = 0; st < N_STARTS; st++) {
			struct process *p = &m->p[n][st];

			if (!p->known)
				continue;
			if (m->now >= p->pushed_at + SOURCE_TTL)
				p->live = false;
			if (m->now < p->pushed_at + FOLD_AFTER)
				continue;
			model_fold(m, n, st);
			m->was_folded[n][st] = true;
		}
}

static void model_delete(struct model *m)
{
	*m = (struct model){ .now = m->now };
}

/* The step in both; what is wrong, in words, or NULL. */
static const char *take_step(struct world *w, struct model *m, const struct step *s)
{
	const struct model before = *m;
	char path[32];

	switch (s->kind) {
	case PUSH:
		if (push(w, s) != model_push(m, s))
			return "one has taken a push that the other has refused";
		break;
	case END:
		snprintf(path, sizeof(path), "/j/__source__/%c", 'a' + s->name);
		delete (w, path, s->lost);
		model_end(m, s->name);
		break;
	case DELETE:
		delete (w, "/j", s->lost);
		model_delete(m);
		break;
	case SILENT:
	case FOLD:
		model_wait(m, s->kind == FOLD ? FOLD_AFTER : SOURCE_TTL);
		tell_time(m);
		do_due(w, s->lost);
		return NULL;
	case CLEAN:
		clean(w);
		return NULL;
	default:
		restart(w, s->kind);
		return NULL;
	}
	if (s->lost)
		*m = before;
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
	char *lines[256], *save;
	size_t n = 0;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	if (n > 0)
		qsort(lines, n, sizeof(*lines), by_text);
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s\n", lines[i]);
}

static const char *compare(struct world *w, const struct model *m, struct shown_counter *last)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	struct shown_counter now[N_SERIES];
	static char words[16384];

	sum_exposed(w->store, &got);
	show_counts(m, &want, now);
	show_gauges(m, &want);
	show_histograms(m, &want);
	sort_lines(&got);
	sort_lines(&want);
	for (int i = 0; i < N_SERIES; i++) {
		if (last[i].there && (!now[i].there || now[i].value < last[i].value))
			return "a counter fell";
		last[i] = now[i];
	}
	if (strcmp(strbuf_z(&got), strbuf_z(&want)) == 0)
		return NULL;
	snprintf(words, sizeof(words), "exposed\n%sthe model\n%s", strbuf_z(&got), strbuf_z(&want));
	return words;
}

static const char *run(const struct step *steps, unsigned n)
{
	struct world w = { .store = new_store() };
	struct model *m = mem_zalloc(sizeof(*m));
	struct shown_counter last[N_SERIES] = { { .there = false } };
	const char *wrong = NULL;

	mem_storage_init(&w.rows);
	m->now = 1000000;
	for (unsigned i = 0; i < n && !wrong; i++) {
		m->now++;
		tell_time(m);
		do_due(&w, false);
		model_wait(m, 0);
		wrong = take_step(&w, m, &steps[i]);
		if (steps[i].kind == DELETE && !steps[i].lost)
			memset(last, 0, sizeof(last));
		wrong = wrong ? wrong : compare(&w, m, last);
	}
	store_free(w.store);
	mem_storage_done(&w.rows);
	free(m);
	return wrong;
}

/* ---- failures, made short ---- */

static void print_step(const struct step *s)
{
	static const char *const kinds[] = { "push",     "end",     "silent", "fold",  "restart",
					     "in order", "rewrite", "clean",  "delete" };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	fprintf(stderr, "%s %c@%d%s%s\n", kinds[s->kind], 'a' + s->name, s->start * 100,
		s->replace ? " PUT" : "", s->lost ? " (comes to nothing)" : "");
	if (s->kind != PUSH)
		return;
	body_of(s, &body);
	fputs(strbuf_z(&body), stderr);
}

static unsigned shrink(struct step *steps, unsigned n)
{
	for (unsigned i = 0; i < n;) {
		struct step gone = steps[i];

		memmove(&steps[i], &steps[i + 1], (n - i - 1) * sizeof(*steps));
		if (run(steps, n - 1)) {
			n--;
			i = 0;
			continue;
		}
		memmove(&steps[i + 1], &steps[i], (n - i - 1) * sizeof(*steps));
		steps[i++] = gone;
	}
	return n;
}

/* Each flag of a step that can be left out is. */
static void shrink_said(struct step *steps, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bool *flags = (bool *)&steps[i].said.counter;
		size_t n_flags = offsetof(struct said_by_step, count) / sizeof(bool);

		for (size_t k = 0; k < n_flags; k++) {
			if (!flags[k])
				continue;
			flags[k] = false;
			flags[k] = !run(steps, n);
		}
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
	sum_push_rule(&(struct group_options){ .gauges = policies });
	for (uint64_t h = 0; h < n; h++) {
		uint64_t r = seed + h;
		struct step steps[MAX_STEPS];
		unsigned n_steps = 2 + rng_below(&r, MAX_STEPS - 2);
		const char *wrong;

		for (unsigned i = 0; i < n_steps; i++)
			fill_step(&r, &steps[i]);
		wrong = run(steps, n_steps);
		if (!wrong)
			continue;
		n_steps = shrink(steps, n_steps);
		shrink_said(steps, n_steps);
		for (unsigned i = 0; i < n_steps; i++)
			print_step(&steps[i]);
		ck_abort_msg("SEED=%llu HISTORIES=1: %s", (unsigned long long)(seed + h),
			     run(steps, n_steps));
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
