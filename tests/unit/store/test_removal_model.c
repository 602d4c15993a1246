/* Removals of many groups in slices, between which pushes come: the log says in which order. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "store/internal.h"
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

int main(void)
{
	TCase *tc = tcase_create("removal_model");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, removed_meanwhile, 0, 20);
	return run_cases("removal_model", tc);
}
