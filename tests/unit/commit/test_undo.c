/*
 * Removals that are undone: random histories of pushes, deletes, removals, undos, restarts,
 * cleaning and commits that fail, against a model that simply remembers what each group looked like
 * when it was removed; and what a random history does not meet.
 *
 * HISTORIES says how many, SEED where they begin.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "commit/late.h"
#include "commit/slices.h"
#include "journal/load.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "unit/commit/undo_world.h"

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_look(const struct world *w, unsigned g, const struct look *got, const char *what)
{
	const struct look *want = &w->model[g];
	bool ok = want->there == got->there && same(want->times, got->times) &&
		  same(want->sources, got->sources);

	for (int f = 0; f < N_FAMILIES; f++)
		ok &= same(want->family[f], got->family[f]);
	ck_assert_msg(
		ok,
		"seed %llu, step %u, %s: group %u is %d (%s | %s | %s | %s | %s | %s), and not "
		"%d (%s | %s | %s | %s | %s | %s)",
		(unsigned long long)w->seed, w->step, what, g, got->there, got->times,
		got->family[0], got->family[1], got->family[2], got->family[3], got->sources,
		want->there, want->times, want->family[0], want->family[1], want->family[2],
		want->family[3], want->sources);
}

static void check(const struct world *w, struct store *s, const char *what)
{
	struct look got[N_GROUPS];

	look_at_all(s, got);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		check_look(w, g, &got[g], what);
		look_done(&got[g]);
	}
}

static void push_summed(struct world *w, unsigned g)
{
	char path[64], body[200];
	struct push *push;
	struct err err;

	snprintf(path, sizeof(path), "/s/g/%u/__mode__/sum/pid/%u", g, rng_below(&w->rng, 3));
	snprintf(body, sizeof(body), "# TYPE a counter\na{x=\"%u\"} %u\n# TYPE b gauge\nb %u\n",
		 rng_below(&w->rng, 2), rng_below(&w->rng, 1000), rng_below(&w->rng, 1000));
	push = make_sum_push(PUSH_POST, path, body, w->now, &err);
	ck_assert_msg(push != NULL, "%s", err.msg);
	keep(w, push);
	store_stage(w->store, push);
	commit(w);
	learn(w, g, !push->err.reason);
}

static void delete (struct world *w, unsigned g)
{
	char path[64];

	path_of(g, path);
	keep(w, make_push(PUSH_DELETE, path, "", w->now));
	store_stage(w->store, w->pushes[w->n_pushes - 1]);
	commit(w);
	learn(w, g, false);
}

static struct removed *new_removed(struct world *w)
{
	struct removed *r = &w->known[w->n_known++ % N_KNOWN];

	removed_done(r);
	*r = (struct removed){ .at = w->now,
			       .family = rng_below(&w->rng, 3)
						 ? -1
						 : (int)rng_below(&w->rng, N_FAMILIES) };
	w->n_ids++;
	memcpy(r->id, &w->n_ids, sizeof(w->n_ids));
	for (unsigned g = 0; g < N_GROUPS; g++)
		r->goes[g] = rng_below(&w->rng, 3) > 0;
	return r;
}

/* What the model has of it, in the order of the groups. */
static uint64_t remove_in_model(struct world *w, struct removed *r)
{
	uint64_t n = 0;

	for (unsigned g = 0; g < N_GROUPS; g++) {
		struct look *l = &w->model[g];

		r->goes[g] &= l->there && (r->family < 0 || (l->family[r->family] && g < N_PLAIN));
		if (!r->goes[g])
			continue;
		n++;
		r->looks[g] = look_copy(l);
		if (r->family < 0) {
			look_done(l);
		} else {
			free(l->family[r->family]);
			l->family[r->family] = NULL;
		}
	}
	return n;
}

static void remove_some(struct world *w)
{
	struct removed *r = new_removed(w);
	char name[2] = { (char)('a' + (r->family < 0 ? 0 : r->family)), 0 };
	bool can_undo = rng_below(&w->rng, 8) > 0;
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = r, .now = w->now, .can_undo = can_undo
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};

	memcpy(removal.id, r->id, UNDO_ID);
	if (r->family >= 0)
		removal.family = str_of(name);
	w->verdict = false;
	w->rows.refuse = rng_below(&w->rng, 8) == 0;
	if (!slices_begin_removal(&w->slices, &push))
		w->verdict = true;
	else
		w->rows.refuse = false;
	finish(w, &push);
	w->database.suspect = false;
	w->rows.refuse = false;
	if (push.err.reason) {
		r->ended = true;
		return;
	}
	ck_assert_uint_eq(removal.n, remove_in_model(w, r));
	r->ended = !removal.can_undo;
	ck_assert_int_eq(removal.can_undo, can_undo && removal.n > 0);
}

/* Returns how many come back. */
static uint64_t undo_in_model(struct world *w, struct removed *r, unsigned *ret_left_out)
{
	uint64_t n = 0;

	for (unsigned g = 0; g < N_GROUPS; g++) {
		struct look *l = &w->model[g], *was = &r->looks[g];
		bool back;

		if (!r->goes[g])
			continue;
		if (r->family < 0)
			back = !l->there;
		else
			back = l->there && l->pushed == was->pushed && !l->family[r->family];
		*ret_left_out += !back;
		if (!back)
			continue;
		n++;
		if (r->family < 0) {
			look_done(l);
			*l = look_copy(was);
		} else {
			l->family[r->family] = copy_of(was->family[r->family]);
		}
	}
	return n;
}

static void undo(struct world *w)
{
	struct removed *r = &w->known[rng_below(&w->rng, N_KNOWN)];
	/* All of it at a time, some groups, or one. */
	const uint64_t passes[] = { 0, 400, 1 };
	struct undo what = { .now = w->now,
			     .may = may,
			     .left_out = left_out,
			     .arg = w,
			     .pass_bytes = passes[rng_below(&w->rng, ARRAY_LEN(passes))] };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};
	bool none = r->at == 0 || r->ended || w->now - r->at > UNDO_SECONDS;
	unsigned left = 0;

	memcpy(what.id, r->id, UNDO_ID);
	w->left_out = 0;
	w->verdict = false;
	w->rows.refuse = rng_below(&w->rng, 6) == 0;
	if (!slices_begin_undo(&w->slices, &push))
		w->verdict = true;
	finish(w, &push);
	w->database.suspect = false;
	if (none) {
		ck_assert_int_eq(push.err.reason, ERR_NOT_FOUND);
	} else if (w->rows.refuse && push.err.reason) {
		ck_assert_int_eq(push.err.reason, ERR_STORAGE);
	} else {
		/* Where nothing comes back nothing is written. */
		ck_assert(!w->rows.refuse || what.restored == 0);
		ck_assert_msg(!push.err.reason, "%s", push.err.msg);
		ck_assert_uint_eq(what.restored, undo_in_model(w, r, &left));
		ck_assert_uint_eq(w->left_out, left);
		r->ended = what.restored > 0;
	}
	w->rows.refuse = false;
}

static void wipe(struct world *w)
{
	struct err err;

	ck_assert_int_eq(
		w->rows.base.ops->commit(&w->rows.base, store_wipe_rows(w->store, w->now), &err),
		STORAGE_COMMITTED);
	store_wipe(w->store);
	for (unsigned g = 0; g < N_GROUPS; g++)
		look_done(&w->model[g]);
	for (unsigned i = 0; i < N_KNOWN; i++)
		w->known[i].ended = true;
}

static void clean(struct world *w)
{
	struct err err;

	store_undo_forget_old(w->store, w->now);
	ck_assert_msg(storage_clean(&w->rows.base, w->store, 1 + rng_below(&w->rng, 4000), &err) ==
			      0,
		      "%s", err.msg);
	store_clean_end(w->store,
			w->rows.base.ops->commit(&w->rows.base, store_clean_rows(w->store), &err) ==
				STORAGE_COMMITTED);
	store_publish(w->store);
}

static void apply_in_order(struct world *w)
{
	struct store *again = new_store();
	struct mem_storage in_order;

	mem_storage_init(&in_order);
	rows_apply_in_order(w->rows.rows, w->rows.n_rows, &in_order);
	load(w, &in_order.base, again);
	check(w, again, "rows in order");
	store_free(again);
	mem_storage_done(&in_order);
}

static void do_something(struct world *w)
{
	unsigned g = rng_below(&w->rng, N_GROUPS), what = rng_below(&w->rng, 100);

	if (what < 40) {
		if (g < N_PLAIN)
			push_plain(w, g);
		else
			push_summed(w, g);
	} else if (what < 45) {
		delete (w, g);
	} else if (what < 58) {
		remove_some(w);
	} else if (what < 73) {
		undo(w);
	} else if (what < 88) {
		clean(w);
	} else if (what < 98) {
		restart(w);
	} else if (what == 98) {
		advance(w, 400);
	} else {
		wipe(w);
	}
}

static unsigned long from_environment(const char *name, unsigned long usual)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	const char *said = getenv(name);

	return said ? strtoul(said, NULL, 10) : usual;
}

START_TEST(histories)
{
	unsigned long n = from_environment("HISTORIES", DEFAULT_HISTORIES);
	unsigned long first = from_environment("SEED", 1);

	for (unsigned long i = 0; i < n; i++) {
		CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

		world_init(w, first + i);
		/* In every second one most groups are large. */
		late_families = (first + i) % 2 ? LATE_FAMILIES : 2;
		for (w->step = 0; w->step < STEPS; w->step++) {
			advance(w, 1);
			do_something(w);
			check(w, w->store, "the store");
		}
		restart(w);
		check(w, w->store, "at the end");
		apply_in_order(w);
		world_done(w);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("undo");

	/* The log lines of failed commits would only confuse. */
	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	tcase_set_timeout(tc, 240);
	tcase_add_test(tc, histories);
	return run_cases("undo", tc);
}
