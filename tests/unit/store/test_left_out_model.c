/* After random batches: what a version with other metrics of its own leaves out and lets in again.
 */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/load.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "store/internal.h"
#include "unit/store/store_world.h"

/* All rows, whatever is due. */
static void clean_all(struct store *s, struct mem_storage *rows)
{
	struct err err;

	ck_assert_int_eq(storage_clean(&rows->base, s, UINT64_MAX, &err), 0);
	store_clean_rows(s);
	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_clean_end(s, true);
	store_publish(s);
}

static struct store *load_strict(struct world *w)
{
	struct store *s = new_store(w->run);
	struct err err = { 0 };

	store_add_own(s, STR("a"), METRIC_COUNTER);
	store_add_own(s, STR("b_c"), METRIC_HISTOGRAM);
	store_add_own(s, STR("z"), METRIC_SUMMARY);
	ck_assert_msg(load_store(&w->rows.base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

static void begin_with_batches(struct world *w, uint64_t seed)
{
	w->run = &runs[0];
	w->rng = seed;
	w->shown.max_groups = w->shown.max_series = 100000;
	w->staged = w->shown;
	w->store = new_store(w->run);
	mem_storage_init(&w->rows);
	for (int i = 0; i < 60; i++)
		run_batch(w);
}

/*
 * A version with more metrics of its own leaves out what contradicts them, and keeps it: the next
 * one that knows nothing of these shows all of it again.
 */
START_TEST(left_out_and_let_in)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct store_left_out left;
	struct store *strict;
	struct err err = { 0 };
	size_t n = 0, at = 0;

	begin_with_batches(w, (uint64_t)_i + 200);
	w->rows.refuse = false;
	strict = load_strict(w);
	for (; store_left_out(strict, &at, &left); n++)
		ck_assert(left.key.n > 0 && left.family.n > 0 && left.why[0]);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(store_counts(strict).left_out, n);
	ck_assert_uint_eq(store_counts(strict).groups, naive_groups(&w->shown));
	for (int i = 0; i < 3; i++)
		clean_all(strict, &w->rows);
	store_free(strict);
	store_free(w->store);
	w->store = new_store(w->run);
	ck_assert_msg(load_store(&w->rows.base, w->store, &err) == STORAGE_LOADED, "%s", err.msg);
	check_same(w, w->store, &w->shown, "let in");
	ck_assert_uint_eq(store_counts(w->store).left_out, 0);
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

/* Which families the groups have, without the groups that have none. */
static void describe_families(struct store *s, struct strbuf *out)
{
	struct group_copy copy;
	struct strbuf of[NAIVE_GROUPS];
	struct arena a;
	uint32_t cursor = 0;
	size_t n = 0;

	arena_init(&a, 1 << 24);
	while (store_copy_group(s, &cursor, &a, &copy) == 1) {
		if (copy.n_families == 0)
			continue;
		of[n] = (struct strbuf){ 0 };
		strbuf_adds(&of[n], copy.key);
		for (uint32_t i = 0; i < copy.n_families; i++)
			strbuf_addf(&of[n], " %.*s %g", STR_ARG(copy.families[i].name),
				    copy.families[i].pushed_at);
		n++;
	}
	arena_done(&a);
	if (n > 1)
		qsort(of, n, sizeof(*of), group_cmp);
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(out, strbuf_str(&of[i]));
		strbuf_addz(out, "\n");
		strbuf_done(&of[i]);
	}
}

/* The next push that is refused by the store as it is. */
static struct push *random_refused(struct world *w, struct store *s)
{
	for (;;) {
		struct naive_push p;
		struct push *push;
		enum err_reason reason;

		w->op++;
		naive_random_push(&w->rng, w->op, &p);
		push = naive_real_push(&p);
		store_stage(s, push);
		reason = push->err.reason;
		store_rollback(s);
		push_free(push);
		if (reason == ERR_INVALID)
			return naive_real_push(&p);
	}
}

static void run_refused_batch(struct world *w, struct store *s)
{
	struct push *pushes[4];
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(pushes); i++)
		pushes[i] = random_refused(w, s);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		store_stage(s, pushes[i]);
		ck_assert_int_eq(pushes[i]->err.reason, ERR_INVALID);
	}
	ck_assert_int_eq(w->rows.base.ops->commit(&w->rows.base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_publish(s);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++)
		push_free(pushes[i]);
}

static uint64_t left_out_by_strict(struct world *w)
{
	struct store *s = load_strict(w);
	uint64_t n = store_counts(s).left_out;

	store_free(s);
	return n;
}

/*
 * Whatever is refused, and after any cleaning, a group has the families that it had: those that are
 * shown, and those that are left out and that another version lets in.
 */
START_TEST(refused_pushes_change_no_family)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	CLEANUP(strbuf_done) struct strbuf before = { 0 }, after = { 0 };
	struct store *strict;
	struct err err = { 0 };
	uint64_t n;

	begin_with_batches(w, (uint64_t)_i + 900);
	while ((n = left_out_by_strict(w)) == 0)
		run_batch(w);
	w->rows.refuse = false;
	describe_families(w->store, &before);
	store_free(w->store);
	strict = load_strict(w);
	for (int i = 0; i < 10; i++) {
		run_refused_batch(w, strict);
		ck_assert_uint_eq(store_counts(strict).left_out, n);
		clean_all(strict, &w->rows);
	}
	store_free(strict);
	w->store = new_store(w->run);
	ck_assert_msg(load_store(&w->rows.base, w->store, &err) == STORAGE_LOADED, "%s", err.msg);
	describe_families(w->store, &after);
	ck_assert_str_eq(strbuf_z(&after), strbuf_z(&before));
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

static const struct {
	const char *stored;
	enum push_mode mode;
	const char *body;
	enum err_reason reason;
	uint64_t before, left;
} untils[] = {
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "x 1\n", ERR_NONE, 2, 2 },
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "# TYPE a counter\na 1\n", ERR_NONE, 2, 1 },
	/* All that is shown is replaced. */
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "c 1\n", ERR_NONE, 2, 2 },
	{ "a 1\nb 1\nc 1\n", PUSH_PUT, "x 1\n", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\nc 1\n", PUSH_PUT, "", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\nc 1\n", PUSH_DELETE, "", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\nc 1\n", PUSH_PUT, "x 1\na 1\n", ERR_INVALID, 2, 2 },
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "x 1\na 1\n", ERR_INVALID, 2, 2 },
	/* Nothing is shown. */
	{ "a 1\nb 1\n", PUSH_PUT, "x 1\n", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\n", PUSH_PUT, "", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\n", PUSH_POST, "x 1\n", ERR_NONE, 2, 2 },
};

static struct store *load_with_own(struct mem_storage *rows, uint64_t left_out)
{
	struct store *s = store_new(&(struct store_limits){ 100, 100 });
	struct err err = { 0 };

	store_add_own(s, STR("a"), METRIC_COUNTER);
	store_add_own(s, STR("b"), METRIC_COUNTER);
	ck_assert_int_eq(load_store(&rows->base, s, &err), STORAGE_LOADED);
	ck_assert_uint_eq(store_counts(s).left_out, left_out);
	return s;
}

/* Until the group says something else, or ends; and the log says the same. */
START_TEST(left_out_until)
{
	struct store *s = store_new(&(struct store_limits){ 100, 100 });
	struct mem_storage rows;
	struct err err = { 0 };
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/j", untils[_i].stored, 1);

	mem_storage_init(&rows);
	store_stage(s, push);
	ck_assert_int_eq(rows.base.ops->commit(&rows.base, store_rows(s), &err), STORAGE_COMMITTED);
	store_free(s);
	for (int refuse = 1; refuse >= 0; refuse--) {
		s = load_with_own(&rows, untils[_i].before);
		CLEANUP(push_freep)
		struct push *next = make_push(untils[_i].mode, "/j", untils[_i].body, 2);

		store_stage(s, next);
		ck_assert_int_eq(next->err.reason, untils[_i].reason);
		if (refuse) {
			store_rollback(s);
		} else {
			ck_assert_int_eq(rows.base.ops->commit(&rows.base, store_rows(s), &err),
					 STORAGE_COMMITTED);
			store_publish(s);
		}
		check_stored(s);
		ck_assert_uint_eq(store_counts(s).left_out,
				  refuse ? untils[_i].before : untils[_i].left);
		store_free(s);
	}
	store_free(load_with_own(&rows, untils[_i].left));
	mem_storage_done(&rows);
}
END_TEST

int main(void)
{
	TCase *left = tcase_create("left_out_model");

	tcase_set_timeout(left, 120);
	tcase_add_loop_test(left, left_out_until, 0, (int)ARRAY_LEN(untils));
	tcase_add_loop_test(left, refused_pushes_change_no_family, 0, 10);
	tcase_add_loop_test(left, left_out_and_let_in, 0, 10);
	return run_cases("left_out_model", left);
}
