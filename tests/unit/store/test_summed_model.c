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
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/mem_storage.h"
#include "lib/naive_sums.h"
#include "lib/row_follower.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "lib/sum_history.h"
#include "lib/sum_push.h"
#include "store/store.h"

enum {
	DEFAULT_HISTORIES =
#ifdef __SANITIZE_ADDRESS__
		2000,
#else
		50000,
#endif
};

/* ---- the store ---- */

struct world {
	struct store *store;
	struct mem_storage rows;
	struct row_follower other;
	bool another_log; /* the other one has read one that is not there any more */
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
	struct digest of_a, of_b;
	bool has_a = store_digest(a, &of_a), has_b = store_digest(b, &of_b);

	return has_a == has_b && (!has_a || digest_same(&of_a, &of_b));
}

static void load(struct world *w, struct storage *from)
{
	struct store *again = new_store();
	struct err err = { 0 };

	must(load_store(from, again, &err) == STORAGE_LOADED, err.msg);
	if (from == &w->rows.base)
		must(same_digest(w->store, again), "the digests differ");
	must(stored_bytes_of(w->store) == stored_bytes_of(again), "the stored bytes differ");
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
	w->another_log = true;
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

static bool push(struct world *w, const struct step *s)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	struct err err = { 0 };
	struct push *push;
	bool taken;

	sum_step_body(s, &body);
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
	sum_push_edit(sum_step_edit, (void *)&s->said);
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

	check_stored(w->store);
	sum_exposed(w->store, &got);
	sum_add_messages(w->store, &got);
	naive_show(m, &want);
	if (one_fell(m, last))
		return "a counter fell";
	if (got.n == want.n && sum_hash_lines(&got) == sum_hash_lines(&want))
		return NULL;
	sum_sort_lines(&got);
	sum_sort_lines(&want);
	snprintf(words, sizeof(words), "exposed\n%sthe model\n%s", strbuf_z(&got), strbuf_z(&want));
	return words;
}

/* ---- another gateway ---- */

static void add_all(struct store *s, struct strbuf *out)
{
	sum_exposed(s, out);
	sum_add_messages(s, out);
	store_state_add(s, out);
	sum_sort_lines(out);
}

/* What is due was written by the writer; what needs no row is not. */
static void show_due(struct store *s)
{
	while (store_next_due(s) <= clock_mono_ns()) {
		store_stage_due(s, clock_mono_ns(), clock_wall(), 100);
		must(store_rows(s)->n == 0, "the other one has something to write");
		store_publish(s);
	}
}

static void catch_up(struct world *w)
{
	if (!w->another_log && row_follower_apply(&w->other, &w->rows, clock_wall()))
		return;
	row_follower_load(&w->other, &w->rows, new_store());
	store_begin_waiting(w->other.store, clock_mono_ns(), clock_wall(), 0);
	if (series_limited)
		limit_series(w->other.store);
	w->another_log = false;
}

static const char *follow(struct world *w, const struct step *s)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	static char words[8192];
	struct store *writer = w->store;

	if (!s->follow)
		return NULL;
	catch_up(w);
	show_due(w->other.store);
	add_all(w->other.store, &got);
	add_all(writer, &want);
	if (!str_eq(strbuf_str(&got), strbuf_str(&want))) {
		snprintf(words, sizeof(words), "the other one\n%sthe writer\n%s", strbuf_z(&got),
			 strbuf_z(&want));
		return words;
	}
	if (!same_digest(writer, w->other.store) ||
	    stored_bytes_of(writer) != stored_bytes_of(w->other.store))
		return "the other one's digest or stored bytes differ";
	if (s->swaps) {
		w->store = w->other.store;
		row_follower_swap(&w->other, writer);
	}
	return NULL;
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
	row_follower_init(&w.other, new_store());
	w.another_log = false;
	if (series_limited)
		limit_series(w.other.store);
	m->rule = h->rule;
	m->now = 1000000;
	for (unsigned i = 0; i < h->n && !wrong; i++) {
		naive_wait(m, 1);
		tell_time(m);
		do_due(&w, false);
		wrong = take_step(&w, m, &h->steps[i]);
		wrong = wrong ? wrong : compare(&w, m, last);
		wrong = wrong ? wrong : follow(&w, &h->steps[i]);
	}
	store_free(w.store);
	row_follower_done(&w.other);
	mem_storage_done(&w.rows);
	return wrong;
}

/* ---- failures, made short ---- */

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
		shrink_flag(h, &h->steps[i].follow);
		shrink_flag(h, &h->steps[i].swaps);
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

		sum_history_fill(seed + i, &h);
		if (!run(&h))
			continue;
		shrink(&h);
		fprintf(stderr, "%s%s%s%s%s\n", h.rule.few_sources ? "few sources; " : "",
			h.rule.few_series ? "few series; " : "",
			h.rule.few_values ? "few values; " : "",
			h.rule.zero_first ? "zeros first; " : "", h.rule.ends ? "it ends" : "");
		for (unsigned k = 0; k < h.n; k++)
			sum_step_print(&h.steps[k]);
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
