/* Undoing removals: what a random history does not meet. */
#include <check.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "commit/late.h"
#include "commit/slices.h"
#include "journal/load.h"
#include "lib/contradictions.h"
#include "lib/run.h"
#include "unit/commit/undo_world.h"

/* With an id of its own, all groups there are. */
static struct removal remove_all(struct world *w, uint64_t id)
{
	struct removed all = { .family = -1 };
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = &all, .now = w->now, .can_undo = true
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};

	memset(all.goes, true, sizeof(all.goes));
	memcpy(removal.id, &id, sizeof(id));
	w->verdict = false;
	ck_assert(slices_begin_removal(&w->slices, &push));
	finish(w, &push);
	ck_assert_int_eq(push.err.reason, ERR_NONE);
	return removal;
}

static enum err_reason undo_id(struct world *w, uint64_t id)
{
	struct undo what = { .now = w->now, .may = may, .left_out = left_out, .arg = w };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};

	memcpy(what.id, &id, sizeof(id));
	w->verdict = false;
	if (slices_begin_undo(&w->slices, &push))
		finish(w, &push);
	return push.err.reason;
}

/*
 * A disk that is full takes the removal without what would undo it, for room is what is wanted; one
 * that takes not even that leaves everything as it was, for whoever reads the log later, too.
 */
START_TEST(removal_on_a_full_disk)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct removed all = { .family = -1 };
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = &all, .can_undo = true, .id = "nothing of it"
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};

	world_init(w, 1);
	for (unsigned g = 0; g < 3; g++)
		push_plain(w, g);
	removal.now = w->now;
	memset(all.goes, true, sizeof(all.goes));
	w->rows.full = 2;
	ck_assert(!slices_begin_removal(&w->slices, &push));
	ck_assert_int_eq(push.err.reason, ERR_STORAGE);
	ck_assert(!slices_pending(&w->slices) && w->rows.full == 0);
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_uint_eq(store_counts(w->store).groups, 3);
		push_plain(w, 0);
		restart(w);
	}
	w->database.full = w->database.suspect = false;
	w->rows.full = 1;
	ck_assert(!remove_all(w, 8).can_undo);
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_uint_eq(store_counts(w->store).groups, 0);
		ck_assert_int_eq(undo_id(w, 8), ERR_NOT_FOUND);
		restart(w);
	}
	world_done(w);
}
END_TEST

/* Also for whoever reads the log later: the oldest is ended by a row. */
START_TEST(so_many_can_be_undone)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

	world_init(w, 1);
	for (uint64_t i = 1; i <= UNDO_MAX + 1; i++) {
		push_plain(w, i % N_PLAIN);
		if (remove_all(w, i).n == 0)
			ck_abort();
	}
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_int_eq(undo_id(w, 1), ERR_NOT_FOUND);
		ck_assert_int_eq(undo_id(w, 3 + (uint64_t)restarted), ERR_NONE);
		restart(w);
	}
	/* With a place free, the first one must not come back. */
	ck_assert_int_eq(undo_id(w, 1), ERR_NOT_FOUND);
	ck_assert_int_eq(undo_id(w, 2), ERR_NONE);
	world_done(w);
}
END_TEST

/* A row was lost that says which removals can be undone no more: their times tell. */
START_TEST(a_clock_that_was_set_back)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

	world_init(w, 1);
	push_plain(w, 0);
	remove_all(w, 7);
	advance(w, UNDO_SECONDS + 1);
	push_plain(w, 1);
	advance(w, -UNDO_SECONDS);
	restart(w);
	ck_assert_int_eq(undo_id(w, 7), ERR_NOT_FOUND);
	world_done(w);
}
END_TEST

/* Whoever may not have one of them back gets none. */
static int may_not(void *arg, struct str key, struct err *err)
{
	(void)arg;
	return index_of(key) == 1 ? err_set(err, ERR_FORBIDDEN, 0, "not this one") : 0;
}

/* Also where the log is read in several passes: the one that may not come back is in a later one.
 */
START_TEST(not_allowed)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct undo what = { .may = may_not, .left_out = left_out, .pass_bytes = (uint64_t)_i };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};

	world_init(w, 1);
	for (unsigned g = 0; g < 3; g++)
		push_plain(w, g);
	remove_all(w, 0);
	what.now = w->now;
	ck_assert(slices_begin_undo(&w->slices, &push));
	finish(w, &push);
	ck_assert_int_eq(push.err.reason, ERR_FORBIDDEN);
	ck_assert_uint_eq(store_counts(w->store).groups, 0);
	ck_assert_int_eq(undo_id(w, 0), ERR_NONE);
	ck_assert_uint_eq(store_counts(w->store).groups, 3);
	world_done(w);
}
END_TEST

/*
 * A group of which no push was ever accepted has the time of its making to count from, also after a
 * start.
 */
START_TEST(refused_and_undone)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct push *push;
	char path[64];

	world_init(w, 1);
	path_of(0, path);
	w->now = clock_wall();
	push = make_push(PUSH_PUT, path, "e 1 1\n", w->now);
	push->options.own_ttl = push->options.group.has_ttl = true;
	push->options.group.ttl_ns = INT64_C(100000000000);
	keep(w, push);
	store_stage(w->store, push);
	ck_assert_int_eq(push->err.reason, ERR_INVALID);
	ck_assert(commit(w));
	remove_all(w, 8);
	ck_assert_int_eq(undo_id(w, 8), ERR_NONE);
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_uint_eq(store_counts(w->store).groups, 1);
		ck_assert_int_gt(store_next_due(w->store), clock_mono_ns() + INT64_C(50000000000));
		restart(w);
	}
	world_done(w);
}
END_TEST

/* Others push between any two slices. Returns how many there were. */
static unsigned undo_beside_pushes(void)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct undo what = { .may = may, .left_out = left_out, .arg = w };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};
	struct look before[N_GROUPS], looks[N_GROUPS];
	unsigned slices = 0;

	world_init(w, 1);
	for (unsigned g = 0; g < 3; g++)
		push_plain(w, g);
	look_at_all(w->store, before);
	remove_all(w, 0);
	what.now = w->now;
	ck_assert(slices_begin_undo(&w->slices, &push));
	for (; slices_go_on(&w->slices); slices++)
		push_plain(w, 3 + slices % 4);
	ck_assert(w->verdict);
	ck_assert_int_eq(push.err.reason, ERR_NONE);
	ck_assert_uint_eq(what.restored, 3);
	look_at_all(w->store, looks);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		for (int f = 0; g < 3 && f < N_FAMILIES; f++)
			ck_assert_pstr_eq(looks[g].family[f], before[g].family[f]);
		look_done(&looks[g]);
		look_done(&before[g]);
	}
	world_done(w);
	return slices;
}

/* They are loaded, copied, and what brings them back is built, in a slice of its own each. */
START_TEST(large_groups)
{
	unsigned small = undo_beside_pushes();

	late_families = 1;
	ck_assert_uint_eq(undo_beside_pushes(), small + 3);
	late_families = LATE_FAMILIES;
}
END_TEST

/*
 * What is left out of a group comes back with it, or the user is told: 0: nothing contradicts it
 * any more, 1: somebody does.
 */
START_TEST(left_out_before)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct removed all = { .family = -1 };
	struct look looks[N_GROUPS];
	struct err err = { 0 };
	uint64_t id = 77;

	world_init(w, 1);
	contradictions_add(&w->rows, "/j/g/0", "# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n", 1);
	contradictions_add(&w->rows, "/j/g/1", "# TYPE a gauge\na 2\n", 2);
	restart(w);
	w->rows.base.ops->commit(&w->rows.base, store_settle_rows(w->store), &err);
	store_settled(w->store);
	store_publish(w->store);
	ck_assert_uint_eq(store_counts(w->store).left_out, 1);
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = &all, .now = w->now, .can_undo = true
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};
	all.goes[0] = true;
	memcpy(removal.id, &id, sizeof(id));
	w->verdict = false;
	ck_assert(slices_begin_removal(&w->slices, &push));
	finish(w, &push);
	ck_assert_int_eq(push.err.reason, ERR_NONE);
	if (_i == 0) {
		keep(w, make_push(PUSH_DELETE, "/j/g/1", "", w->now));
		store_stage(w->store, w->pushes[w->n_pushes - 1]);
		commit(w);
	}
	ck_assert_int_eq(undo_id(w, id), ERR_NONE);
	look_at_all(w->store, looks);
	ck_assert(looks[0].family[1]);
	ck_assert_int_eq(looks[0].family[0] != NULL, _i == 0);
	ck_assert_uint_eq(w->left_out, _i);
	for (unsigned g = 0; g < N_GROUPS; g++)
		look_done(&looks[g]);
	world_done(w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("undo_edges");

	/* The log lines of failed commits would only confuse. */
	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	tcase_set_timeout(tc, 240);
	tcase_add_test(tc, so_many_can_be_undone);
	tcase_add_test(tc, removal_on_a_full_disk);
	tcase_add_test(tc, refused_and_undone);
	tcase_add_test(tc, large_groups);
	tcase_add_test(tc, a_clock_that_was_set_back);
	tcase_add_loop_test(tc, not_allowed, 0, 2);
	tcase_add_loop_test(tc, left_out_before, 0, 2);
	return run_cases("undo_edges", tc);
}
