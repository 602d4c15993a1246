/* Removals of many groups in slices, between which pushes come: the log says in which order. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/le.h"
#include "base/mem.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "lib/rng.h"
#include "lib/row_follower.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "store/apply.h"
#include "store/internal.h"
#include "store/removal.h"
#include "unit/store/store_world.h"

/* Pushes that nobody foretells the verdicts of. */
static void run_batch_meanwhile(struct world *w)
{
	struct push *pushes[BATCH_MAX];
	unsigned n = rng_below(&w->rng, BATCH_MAX + 1);

	for (unsigned i = 0; i < n; i++) {
		struct naive_push p;

		w->op++;
		naive_random_push(&w->rng, w->op, &p);
		pushes[i] = naive_real_push(&p);
		store_stage(w->store, pushes[i]);
	}
	if (commit(w, store_rows(w->store)))
		store_publish(w->store);
	else
		store_rollback(w->store);
	for (unsigned i = 0; i < n; i++)
		push_free(pushes[i]);
}

static void check_loads_the_same(struct world *w, struct storage *from)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 }, want = { 0 };
	struct store *again = new_store(w->run);
	struct err err = { 0 };

	ck_assert_msg(load_store(from, again, &err) == STORAGE_LOADED, "%s", err.msg);
	exposed_add(w->store, &want);
	exposed_add(again, &got);
	ck_assert_msg(str_eq(strbuf_str(&got), strbuf_str(&want)), "op %u", w->op);
	check_copies(w->store, again);
	store_free(again);
}

/* Pushes come between the decision and the last slice; the log says in which order. */
START_TEST(removed_meanwhile)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct mem_storage in_order;
	struct asked a;

	w->run = &runs[_i % 2];
	w->rng = (uint64_t)_i + 500;
	w->store = new_store(w->run);
	mem_storage_init(&w->rows);
	for (int i = 0; i < 60; i++) {
		run_batch_meanwhile(w);
		if (begin_removal(w, &a))
			for (unsigned k = rng_below(&w->rng, 4); k > 0; k--)
				run_batch_meanwhile(w);
		while (store_removal_step(w->store))
			;
		ck_assert(!store_removal_pending(w->store));
		check_log(w);
		check_loads_the_same(w, &w->rows.base);
		mem_storage_init(&in_order);
		rows_apply_in_order(w->rows.rows, w->rows.n_rows, &in_order);
		check_loads_the_same(w, &in_order.base);
		mem_storage_done(&in_order);
	}
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

static void check_has_the_same(struct world *w, struct store *other)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 }, want = { 0 };
	struct digest ours, theirs;

	exposed_add(w->store, &want);
	exposed_add(other, &got);
	ck_assert_msg(str_eq(strbuf_str(&got), strbuf_str(&want)), "op %u:\n%s\n%s", w->op,
		      strbuf_z(&got), strbuf_z(&want));
	ck_assert_int_eq(store_digest(w->store, &ours), store_digest(other, &theirs));
	ck_assert_msg(digest_same(&ours, &theirs), "op %u", w->op);
}

/*
 * Another gateway applies what was pushed beside the removal while its own groups are still to go,
 * and has the same in the end.
 */
START_TEST(followed_meanwhile)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct row_follower other;
	unsigned beside = 0;
	struct asked a;

	w->run = &runs[_i % 2];
	w->rng = (uint64_t)_i + 900;
	w->store = new_store(w->run);
	store_keep_digest(w->store);
	mem_storage_init(&w->rows);
	row_follower_init(&other, new_store(w->run));
	store_keep_digest(other.store);
	for (int i = 0; i < 60; i++) {
		run_batch_meanwhile(w);
		ck_assert(row_follower_apply(&other, &w->rows, w->op));
		if (begin_removal(w, &a)) {
			ck_assert(row_follower_take(&other, &w->rows, w->op));
			for (unsigned k = rng_below(&w->rng, 4); k > 0; k--) {
				run_batch_meanwhile(w);
				beside += store_removal_pending(other.store);
				ck_assert(row_follower_take(&other, &w->rows, w->op));
			}
		}
		store_removal_finish(w->store);
		store_removal_finish(other.store);
		check_has_the_same(w, other.store);
	}
	ck_assert_uint_ge(beside, 20);
	row_follower_done(&other);
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

enum { MANY = 5000, GONE = 4500, SLICE = 512, ROOM = 50000 };

static void push_many(struct store *s)
{
	for (unsigned i = 0; i < MANY; i++) {
		char path[32];
		struct push *p;

		snprintf(path, sizeof(path), "/j/g/%u", i);
		p = make_push(PUSH_PUT, path, "a 1\nb 1\n", 1);
		store_stage(s, p);
		store_publish(s);
		push_free(p);
	}
}

/* All but each tenth. */
static struct strbuf body_of(const struct store *s, const char *family)
{
	struct strbuf body = { 0 };
	char le[8];

	if (*family) {
		strbuf_add(&body, le, (size_t)(le_put(le, strlen(family), 4) - le));
		strbuf_addz(&body, family);
	}
	for (uint32_t slot = 1; slot < s->n_slots; slot++)
		if (s->by_slot[slot] && slot % 10)
			strbuf_add(&body, le, (size_t)(le_put(le, s->by_slot[slot]->id, 8) - le));
	return body;
}

/* However many another gateway has deleted: a scrape waits for one slice of them. */
START_TEST(what_others_remove_goes_in_slices)
{
	const char *family = _i ? "a" : "";
	struct store *s = store_new(&(struct store_limits){ ROOM, ROOM });
	uint64_t *shown = _i ? &s->pages.counts.series : &s->pages.counts.groups;
	unsigned steps = 0;
	struct err err;

	push_many(s);
	CLEANUP(strbuf_done) struct strbuf body = body_of(s, family);
	const struct row row = { .number = s->next_number,
				 .kind = _i ? ROW_TAKE : ROW_END,
				 .body = strbuf_str(&body) };
	uint64_t before = *shown, all = before;

	store_apply_begin(s, 0, s->log.bytes);
	store_apply_any(s, &row);
	ck_assert_int_eq(store_removal_follow(s, &row, &err), 0);
	for (; store_removal_step(s); steps++) {
		ck_assert_uint_le(before - *shown, SLICE);
		before = *shown;
	}
	ck_assert_int_eq(store_apply_end(s, &err), 0);
	ck_assert_uint_ge(steps, GONE / SLICE);
	ck_assert_uint_eq(all - before, GONE);
	ck_assert_uint_eq(s->next_number, row.number + 1);
	store_free(s);
}
END_TEST

START_TEST(what_others_remove_has_to_be_there)
{
	struct store *s = store_new(&(struct store_limits){ ROOM, ROOM });
	struct err err;

	push_many(s);
	CLEANUP(strbuf_done) struct strbuf body = body_of(s, "");
	char le[8];

	le_put(le, s->next_number + 1, 8);
	strbuf_add(&body, le, sizeof(le));
	const struct row row = { .number = s->next_number,
				 .kind = ROW_END,
				 .body = strbuf_str(&body) };
	const struct row cut = { .number = s->next_number, .kind = ROW_END, .body = { body.p, 9 } };

	ck_assert_int_eq(store_removal_follow(s, &row, &err), -1);
	ck_assert_int_eq(store_removal_follow(s, &cut, &err), -1);
	ck_assert(!store_removal_pending(s));
	ck_assert_uint_eq(store_counts(s).groups, MANY);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("removal_model");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, removed_meanwhile, 0, 20);
	tcase_add_loop_test(tc, followed_meanwhile, 0, 20);
	tcase_add_loop_test(tc, what_others_remove_goes_in_slices, 0, 2);
	tcase_add_test(tc, what_others_remove_has_to_be_there);
	return run_cases("removal_model", tc);
}
