/*
 * Groups that end by themselves and those that are awaited, against a model that looks at the clock
 * for each of them. The clock is held; the database refuses some batches, and the store is loaded
 * anew from its rows, as they are and as they come out when they are applied in order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "store/lifetime.h"
#include "store/store.h"

#define SECOND INT64_C(1000000000)

enum { N_GROUPS = 3, GRACE = 5 };

static const char *const paths[N_GROUPS] = { "/a", "/b", "/c/x/y" };
static const char *const labels[N_GROUPS] = { "{instance=\"\",job=\"a\"}",
					      "{instance=\"\",job=\"b\"}",
					      "{instance=\"\",job=\"c\",x=\"y\"}" };

/* Seconds; 0: never. */
struct said {
	int ttl, keep_times, expect_every;
	bool own;
};

struct model_group {
	bool exists, has_value, own;
	struct said life;
	bool expired, overdue;
	int made, pushed, failed, expired_at; /* seconds; 0: never */
	int value;
};

struct world {
	struct store *store;
	struct mem_storage rows;
	int now, last_row;
	int no_end_before; /* seconds */
	struct model_group g[N_GROUPS];
};

static const struct store_limits lim = { 100, 100000 };

static void set_clock(const struct world *w)
{
	clock_hold(w->now * SECOND, w->now * SECOND);
}

/* ---- the model ---- */

/* Nobody whose pushes all failed is ever heard of: it counts from when it was made, or emptied. */
static int heard_of(const struct model_group *g)
{
	return g->pushed ? g->pushed : g->expired ? g->expired_at : g->made;
}

static bool has_life(const struct model_group *g)
{
	return g->life.ttl || g->life.expect_every || g->own;
}

/* Whether it ends now, by its age. */
static bool is_over(const struct world *w, const struct model_group *g)
{
	int heard = heard_of(g);

	if (!g->exists || w->now < w->no_end_before)
		return false;
	if (g->life.ttl && !g->expired)
		return w->now >= heard + g->life.ttl;
	return g->expired && !g->life.expect_every && w->now >= g->expired_at + g->life.keep_times;
}

static void model_end(struct world *w, struct model_group *g)
{
	bool remembered = !g->expired && (g->life.keep_times || g->life.expect_every);

	w->last_row = w->now;
	if (!remembered) {
		*g = (struct model_group){ .exists = false };
		return;
	}
	g->expired = true;
	g->expired_at = w->now;
	g->has_value = false;
}

static void model_due(struct world *w, struct model_group *g)
{
	int heard = heard_of(g);
	bool late = g->exists && g->life.expect_every && !g->overdue &&
		    w->now >= heard + g->life.expect_every;

	if (is_over(w, g))
		model_end(w, g);
	g->overdue |= late && g->exists;
}

/* Whoever pushes, or deletes, finds no group from its deadline on. */
static void model_check(struct world *w, struct model_group *g)
{
	if (is_over(w, g))
		model_due(w, g);
}

static void model_say(struct model_group *g, const struct said *said)
{
	if (said->own || !g->own)
		g->life.ttl = said->ttl;
	g->own |= said->own;
	g->life.expect_every = said->expect_every;
	g->life.keep_times = has_life(g) ? said->keep_times : 0;
	g->expired = g->overdue = false;
}

static void model_push(struct world *w, struct model_group *g, const struct said *said, int value,
		       bool refused)
{
	bool made = !g->exists;

	if (made)
		g->made = w->now;
	w->last_row = w->now;
	g->exists = true;
	if (!refused) {
		g->pushed = w->now;
		g->has_value = true;
		g->value = value;
	} else {
		g->failed = w->now;
	}
	if (!refused || made)
		model_say(g, said);
}

static void add_line(struct strbuf *b, const char *name, int which, double v)
{
	strbuf_addf(b, "%s%s %g\n", name, labels[which], v);
}

static void model_show(const struct world *w, struct strbuf *b)
{
	static const char *const names[] = { "a",
					     "push_failure_time_seconds",
					     "push_time_seconds",
					     "pushgateway_group_expired",
					     "pushgateway_job_overdue",
					     "pushgateway_next_push_expected_timestamp_seconds" };

	for (size_t n = 0; n < ARRAY_LEN(names); n++)
		for (int i = 0; i < N_GROUPS; i++) {
			const struct model_group *g = &w->g[i];
			const double values[] = { g->value,   g->failed,
						  g->pushed,  1,
						  g->overdue, g->pushed + g->life.expect_every };
			const bool there[] = {
				g->has_value,        true, true, g->expired, g->life.expect_every,
				g->life.expect_every
			};

			if (g->exists && there[n])
				add_line(b, names[n], i, values[n]);
		}
}

/* ---- the store ---- */

static void commit(struct world *w, bool refuse)
{
	struct err err = { 0 };

	w->rows.refuse = refuse;
	if (w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err) ==
	    STORAGE_COMMITTED)
		store_publish(w->store);
	else
		store_rollback(w->store);
	w->rows.refuse = false;
}

static struct store *load(struct mem_storage *from)
{
	struct store *s = store_new(&lim);
	struct err err = { 0 };

	ck_assert_msg(load_store(&from->base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	store_begin_waiting(s, clock_mono_ns(), clock_wall(), GRACE * SECOND);
	return s;
}

static void check_shown(const struct world *w, struct store *s, const char *what)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };

	model_show(w, &want);
	exposed_add(s, &got);
	for (const char *p = strbuf_z(&got); *p;) {
		size_t n = strcspn(p, "\n") + 1;

		if (*p != '#')
			strbuf_add(&lines, p, n);
		p += n;
	}
	ck_assert_msg(strcmp(strbuf_z(&lines), strbuf_z(&want)) == 0, "%s at %d: got\n%swanted\n%s",
		      what, w->now, strbuf_z(&lines), strbuf_z(&want));
	check_stored(s);
}

static void restart(struct world *w)
{
	int down = w->now - w->last_row;
	struct store *again = load(&w->rows);

	ck_assert_uint_eq(stored_bytes_of(again), stored_bytes_of(w->store));
	store_free(w->store);
	w->store = again;
	w->no_end_before = w->now + (!w->last_row ? 0 : down < GRACE ? down : GRACE);
}

/* Applied in order, the rows come to the same. */
static void check_in_order(struct world *w)
{
	struct mem_storage other;
	struct store *s;

	mem_storage_init(&other);
	rows_apply_in_order(w->rows.rows, w->rows.n_rows, &other);
	s = load(&other);
	check_shown(w, s, "in order");
	store_free(s);
	mem_storage_done(&other);
}

/* ---- steps ---- */

static struct said some_said(uint64_t *r)
{
	static const int times[] = { 0, 3, 10, 30 };

	return (struct said){ times[rng_below(r, 4)], times[rng_below(r, 4)],
			      rng_one_in(r, 3) ? times[rng_below(r, 4)] : 0, rng_one_in(r, 4) };
}

static void set_options(struct push *p, const struct said *said)
{
	p->options = (struct push_options){
		.group = { .has_ttl = true,
			   .ttl_ns = said->ttl * SECOND,
			   .has_keep_times = true,
			   .keep_times_ns = said->keep_times * SECOND,
			   .has_expect_every = true,
			   .expect_every_ns = said->expect_every * SECOND },
		.own_ttl = said->own,
	};
}

static void all_due(struct world *w)
{
	store_stage_due(w->store, clock_mono_ns(), clock_wall(), 100);
	for (int i = 0; i < N_GROUPS; i++)
		model_due(w, &w->g[i]);
}

static void push(struct world *w, uint64_t *r, int which, bool due_first)
{
	struct said said = some_said(r);
	bool refused = rng_one_in(r, 5);
	int value = (int)rng_below(r, 100);
	char body[64];
	struct push *p;

	snprintf(body, sizeof(body), refused ? "a %d 1\n" : "a %d\n", value);
	p = make_push(rng_one_in(r, 2) ? PUSH_PUT : PUSH_POST, paths[which], body, w->now);
	set_options(p, &said);
	if (due_first)
		all_due(w);
	else
		model_check(w, &w->g[which]);
	store_stage(w->store, p);
	model_push(w, &w->g[which], &said, value, refused);
	commit(w, false);
	push_free(p);
}

static void delete (struct world *w, int which)
{
	struct push *p = make_push(PUSH_DELETE, paths[which], "", w->now);

	model_check(w, &w->g[which]);
	store_stage(w->store, p);
	if (w->g[which].exists)
		w->last_row = w->now;
	w->g[which] = (struct model_group){ .exists = false };
	commit(w, false);
	push_free(p);
}

static void end_those_due(struct world *w, bool refuse)
{
	struct world before = *w;

	all_due(w);
	commit(w, refuse);
	if (!refuse)
		return;
	memcpy(w->g, before.g, sizeof(w->g));
	w->last_row = before.last_row;
}

static void take_step(struct world *w, uint64_t *r)
{
	int which = (int)rng_below(r, N_GROUPS);

	switch (rng_below(r, 8)) {
	case 0:
	case 1:
	case 2:
		push(w, r, which, rng_one_in(r, 2));
		break;
	case 3:
	case 4:
		w->now += (int)rng_below(r, 12);
		set_clock(w);
		break;
	case 5:
		end_those_due(w, rng_one_in(r, 2));
		break;
	case 6:
		delete (w, which);
		break;
	default:
		restart(w);
		break;
	}
}

START_TEST(random_histories)
{
	for (int h = 0; h < 100; h++) {
		uint64_t r = (uint64_t)_i * 1000 + (uint64_t)h;
		struct world w = { .now = 1000 };

		set_clock(&w);
		mem_storage_init(&w.rows);
		w.store = load(&w.rows);
		for (int step = 0; step < 60; step++) {
			take_step(&w, &r);
			check_shown(&w, w.store, "the store");
		}
		check_in_order(&w);
		store_free(w.store);
		mem_storage_done(&w.rows);
	}
}
END_TEST

/* All that is in memory waits, ordered by when it is due. */
START_TEST(due_in_order)
{
	struct store *s = store_new(&lim);
	uint64_t r = 1;

	clock_hold(0, 0);
	store_begin_waiting(s, 0, 0, 0);
	ck_assert_int_eq(store_next_due(s), INT64_MAX);
	for (int i = 0; i < 100; i++) {
		char path[32];
		struct push *p;

		snprintf(path, sizeof(path), "/j/n/%d", i);
		p = make_push(PUSH_PUT, path, "a 1\n", 1);
		p->options.group.has_ttl = true;
		p->options.group.ttl_ns = 1 + rng_below(&r, 1000);
		store_stage(s, p);
		store_publish(s);
		push_free(p);
	}
	for (int64_t last = 0; store_next_due(s) != INT64_MAX;) {
		int64_t due = store_next_due(s);

		ck_assert_int_ge(due, last);
		ck_assert_uint_eq(store_stage_due(s, due - 1, 2, 100), 0);
		ck_assert_uint_ge(store_stage_due(s, due, 2, 1), 1);
		store_publish(s);
		last = due;
	}
	ck_assert_uint_eq(store_counts(s).groups, 0);
	store_free(s);
}
END_TEST

START_TEST(a_clock_that_is_set_ends_nothing)
{
	struct store *s = store_new(&lim);
	struct push *p = make_push(PUSH_PUT, "/j", "a 1\n", 1000);

	clock_hold(1000 * SECOND, 5 * SECOND);
	p->options.group.has_ttl = true;
	p->options.group.ttl_ns = 60 * SECOND;
	store_stage(s, p);
	store_publish(s);
	push_free(p);
	ck_assert_uint_eq(store_stage_due(s, 64 * SECOND, 1e9, 100), 0);
	ck_assert_uint_eq(store_stage_due(s, 65 * SECOND, 1, 100), 1);
	store_publish(s);
	ck_assert_uint_eq(store_counts(s).groups, 0);
	store_free(s);
}
END_TEST

START_TEST(rows_that_say_no_life)
{
	char body[LIFE_BODY];
	struct life l = { .ttl_ns = 1,
			  .keep_times_ns = 2,
			  .expect_every_ns = 3,
			  .own_ttl = true,
			  .overdue = true };
	struct life back;
	struct str bytes = life_encode(&l, body);

	ck_assert(life_decode(bytes, 7, &back));
	ck_assert_int_eq(back.ttl_ns, 1);
	ck_assert_int_eq(back.keep_times_ns, 2);
	ck_assert_int_eq(back.expect_every_ns, 3);
	ck_assert(back.own_ttl && back.overdue && !back.expired && back.row_at == 7);
	bytes.n--;
	ck_assert(!life_decode(bytes, 7, &back));
	l.ttl_ns = -1;
	ck_assert(!life_decode(life_encode(&l, body), 7, &back));
}
END_TEST

/* Only the one that makes the group says how long it lives, as if they came one by one. */
START_TEST(refused_pushes_of_one_batch)
{
	struct store *s = store_new(&lim);
	struct push *push[2];

	clock_hold(100 * SECOND, 100 * SECOND);
	for (int i = 0; i < 2; i++) {
		push[i] = make_push(PUSH_PUT, "/a", "e 1 1\n", 100);
		push[i]->options.group.has_ttl = true;
		push[i]->options.group.ttl_ns = (50 - 30 * i) * SECOND;
		store_stage(s, push[i]);
		ck_assert_int_eq(push[i]->err.reason, ERR_INVALID);
	}
	store_rows(s);
	store_publish(s);
	ck_assert_int_eq(store_next_due(s), 150 * SECOND);
	for (int i = 0; i < 2; i++)
		push_free(push[i]);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("lifetime");

	tcase_add_loop_test(tc, random_histories, 0, 12);
	tcase_add_test(tc, refused_pushes_of_one_batch);
	tcase_add_test(tc, due_in_order);
	tcase_add_test(tc, a_clock_that_is_set_ends_nothing);
	tcase_add_test(tc, rows_that_say_no_life);
	return run_cases("lifetime", tc);
}
