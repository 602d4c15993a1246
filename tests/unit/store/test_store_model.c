/*
 * Random pushes and deletes, in batches that are published or rolled back, against the naive store
 * (lib/naive_store.h). Everything that the store says in its changes goes into rows, and now and
 * then a new store is made of the rows, which must show the same.
 */
#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/apply.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "store/internal.h"
#include "unit/store/store_world.h"

static void add_pages(const struct snapshot *snap, struct strbuf *out)
{
	for (size_t i = 0; i < snap->n_families; i++) {
		strbuf_adds(out, snap->families[i].name);
		strbuf_adds(out, bytes_str(snap->families[i].header));
	}
	for (size_t i = 0; i < snap->n_pages; i++)
		strbuf_adds(out, bytes_str(snap->pages[i].text));
}

/* What a scrape holds stays what it was, however much is published meanwhile. */
static void check_held(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf now = { 0 };

	if (w->held) {
		add_pages(w->held, &now);
		ck_assert_msg(str_eq(strbuf_str(&now), strbuf_str(&w->held_text)),
			      "%s: op %u changed a scrape", w->run->name, w->op);
		snapshot_free(w->held);
		strbuf_done(&w->held_text);
	}
	w->held = exposed_take(w->store);
	w->held_text = (struct strbuf){ 0 };
	add_pages(w->held, &w->held_text);
}

static void wipe(struct world *w)
{
	struct err err;

	w->rows.refuse = rng_one_in(&w->rng, 4);
	if (w->rows.base.ops->commit(&w->rows.base, store_wipe_rows(w->store, w->op), &err) ==
	    STORAGE_COMMITTED) {
		store_wipe(w->store);
		memset(w->staged.groups, 0, sizeof(w->staged.groups));
		w->shown = w->staged;
		ck_assert_uint_eq(stored_bytes_of(w->store), 0);
	} else {
		store_rollback(w->store);
	}
	check_same(w, w->store, &w->shown, "wiped");
}

static void remove_some(struct world *w)
{
	struct asked a;
	bool begun = begin_removal(w, &a);

	for (int i = 0; begun && i < NAIVE_GROUPS; i++) {
		if (!(a.went >> i & 1))
			continue;
		if (!a.family)
			memset(&w->staged.groups[i], 0, sizeof(w->staged.groups[i]));
		for (int k = 0; a.family && k < NAIVE_NAMES; k++)
			if (strcmp(naive_names[k].name, a.family) == 0)
				w->staged.groups[i].families[k].there = false;
	}
	while (store_removal_step(w->store))
		;
	w->shown = w->staged;
	check_same(w, w->store, &w->shown, "removed");
}

/*
 * Rows read from the newest to the oldest make the same as rows applied in order: the latter is
 * done as plainly as can be, and what it has come to is loaded as a log of its own.
 */
static void check_in_order(struct world *w)
{
	struct store *again = new_store(w->run);
	struct mem_storage in_order;
	struct err err = { 0 };

	mem_storage_init(&in_order);
	rows_apply_in_order(w->rows.rows, w->rows.n_rows, &in_order);
	ck_assert_msg(load_store(&in_order.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	check_same(w, again, &w->shown, "rows in order");
	check_copies(w->store, again);
	store_free(again);
	mem_storage_done(&in_order);
}

/* They can undo the same. */
static void check_undos(struct world *w, struct store *b)
{
	struct store *a = w->store;

	store_undo_forget_old(a, w->op);
	store_undo_forget_old(b, w->op);
	ck_assert_uint_eq(a->undo.n, b->undo.n);
	ck_assert_uint_eq(a->undo.bytes, b->undo.bytes);
	for (size_t i = 0; i < a->undo.n; i++) {
		const struct undoable *x = a->undo.list[i], *y = b->undo.list[i];

		ck_assert_mem_eq(x->id, y->id, UNDO_ID);
		ck_assert_uint_eq(x->number, y->number);
		ck_assert(str_eq(x->family, y->family));
		ck_assert_uint_eq(x->n, y->n);
		ck_assert_mem_eq(x->groups, y->groups, x->n * sizeof(*x->groups));
	}
}

/* Of the same rows, however they have come to the two. */
static void check_digests(const struct world *w, const struct store *a, const struct store *b)
{
	struct digest of_a, of_b;

	ck_assert_int_eq(store_digest(a, &of_a), store_digest(b, &of_b));
	ck_assert_msg(digest_same(&of_a, &of_b), "%s (seed %llu), op %u", w->run->name,
		      (unsigned long long)w->run->seed, w->op);
}

/* The rows that the other has not seen; one that has missed some begins anew. */
static bool give_rows(struct world *w)
{
	const struct mem_storage *rows = &w->rows;
	uint64_t next = w->other->next_number;
	struct err err;

	if (rows->n_rows == 0 || rows->rows[0].number > next)
		return false;
	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->rows[i].number >= next)
			ck_assert_msg(applier_row(w->applier, &rows->rows[i], &err) == 0, "%s",
				      err.msg);
	ck_assert_msg(applier_end(w->applier, w->op, w->store->log.bytes, false, &err) == 0,
		      "%s (seed %llu), op %u: %s", w->run->name, (unsigned long long)w->run->seed,
		      w->op, err.msg);
	store_removal_finish(w->other);
	return true;
}

static void begin_anew(struct world *w)
{
	struct err err = { 0 };

	store_free(w->other);
	applier_free(w->applier);
	w->other = new_store(w->run);
	w->applier = applier_new(w->other);
	ck_assert_int_eq(load_store(&w->rows.base, w->other, &err), STORAGE_LOADED);
}

static void stage_some(struct world *w)
{
	struct naive_push p;

	naive_random_push(&w->rng, w->op, &p);
	w->staging = naive_real_push(&p);
	w->large = p;
	if (!store_large_begin(w->other, w->staging)) {
		push_free(w->staging);
		w->staging = NULL;
		return;
	}
	for (unsigned n = rng_below(&w->rng, 12); n > 0; n--)
		store_large_step(w->other, 1);
}

/* It has the verdict that it would have if it were staged only now; one that has it already may
 * have another, since it came before the rows.
 */
static void check_staged(struct world *w, bool was_refused)
{
	CLEANUP(freep) struct naive_store *naive = mem_dup(&w->shown, sizeof(*naive));
	enum err_reason want;

	if (!store_large_push(w->other)) {
		w->ended++;
		return;
	}
	w->went_on++;
	while (store_large_step(w->other, 1))
		;
	want = naive_apply(naive, &w->large);
	if (!was_refused)
		ck_assert_msg(w->staging->err.reason == want,
			      "%s (seed %llu), op %u: large: got %d %s, wanted %d", w->run->name,
			      (unsigned long long)w->run->seed, w->op, w->staging->err.reason,
			      w->staging->err.msg, want);
	store_large_drop(w->other);
}

static void follow(struct world *w)
{
	bool was_refused;

	if (rng_one_in(&w->rng, 2))
		stage_some(w);
	was_refused = w->staging && w->staging->err.reason;
	if (give_rows(w))
		w->followed++;
	else
		begin_anew(w);
	if (w->staging)
		check_staged(w, was_refused);
	push_free(TAKE(w->staging));
	check_same(w, w->other, &w->shown, "followed");
	check_copies(w->store, w->other);
	check_digests(w, w->store, w->other);
	check_undos(w, w->other);
	ck_assert_uint_eq(w->other->log.live_bytes, w->store->log.live_bytes);
	ck_assert_uint_eq(stored_bytes_of(w->other), stored_bytes_of(w->store));
	ck_assert_uint_eq(w->other->next_number, w->store->next_number);
	if (w->rows.n_rows == 0 || rng_one_in(&w->rng, 2))
		return;
	struct store *writer = w->other;

	w->other = w->store;
	w->store = writer;
	applier_free(w->applier);
	w->applier = applier_new(w->other);
}

/* The new store takes over every other time. */
static void reload(struct world *w)
{
	struct store *again = new_store(w->run);
	struct err err = { 0 };

	ck_assert_msg(load_store(&w->rows.base, again, &err) == STORAGE_LOADED,
		      "%s (seed %llu), op %u: %s", w->run->name, (unsigned long long)w->run->seed,
		      w->op, err.msg);
	check_same(w, again, &w->shown, "reloaded");
	check_copies(w->store, again);
	check_digests(w, w->store, again);
	check_in_order(w);
	check_undos(w, again);
	ck_assert_uint_eq(again->log.bytes, w->store->log.bytes);
	ck_assert_uint_eq(again->log.live_bytes, w->store->log.live_bytes);
	ck_assert_uint_eq(stored_bytes_of(again), stored_bytes_of(w->store));
	if (w->reloads++ % 2 == 0) {
		store_free(again);
		return;
	}
	store_free(w->store);
	w->store = again;
	w->staged = w->shown;
}

START_TEST(random_run)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

	w->run = &runs[_i];
	w->rng = runs[_i].seed;
	w->shown.max_groups = runs[_i].max_groups;
	w->shown.max_series = runs[_i].max_series;
	w->staged = w->shown;
	w->store = new_store(w->run);
	w->other = new_store(w->run);
	w->applier = applier_new(w->other);
	mem_storage_init(&w->rows);
	for (int i = 0; i < BATCHES; i++) {
		run_batch(w);
		/* What can be undone is forgotten after some time. */
		clock_hold((int64_t)w->op * 1000000000, 1);
		check_log(w);
		if (rng_one_in(&w->rng, 2))
			follow(w);
		if (rng_one_in(&w->rng, 10))
			reload(w);
		if (rng_one_in(&w->rng, 100))
			wipe(w);
		if (rng_one_in(&w->rng, 20))
			remove_some(w);
		if (rng_one_in(&w->rng, 10))
			check_held(w);
	}
	/* Otherwise the dice tell nothing. */
	bool narrow = w->run->max_series < 1000;

	ck_assert_msg(w->accepted > w->op / 5 && w->refused > w->op / 5 &&
			      (narrow ? w->full > 0 : w->rows.shrinks > 0),
		      "%s: %u ops, %u accepted, %u refused, %u over a limit, %llu rows shrunk",
		      w->run->name, w->op, w->accepted, w->refused, w->full,
		      (unsigned long long)w->rows.shrinks);
	ck_assert_uint_gt(w->followed, BATCHES / 20);
	ck_assert_uint_gt(w->went_on, 0);
	ck_assert_uint_gt(w->ended, 0);
	snapshot_free(w->held);
	strbuf_done(&w->held_text);
	applier_free(w->applier);
	store_free(w->other);
	store_free(w->store);
	ck_assert_uint_eq(bytes_detached(), 0);
	mem_storage_done(&w->rows);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("store_model");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, random_run, 0, (int)ARRAY_LEN(runs));
	return run_cases("store_model", tc);
}
