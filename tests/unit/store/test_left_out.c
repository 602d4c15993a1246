/*
 * Whole groups that the database has and a rule does not let in: histories of a group, which then
 * gets a key that no version lets in. Its rows are cleaned again and again, and whenever the key is
 * repaired, the group has to be there as it was.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/apply.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "lib/stored_recount.h"
#include "lib/sum_push.h"
#include "store/internal.h"
#include "store/removal.h"

#define SECOND INT64_C(1000000000)

enum { FAMILIES = 8, PUSHES = 40, HALF = PUSHES / 2, CLEANINGS = 30 };

static const struct store_limits limits = { 100, 1000 };
static bool summed; /* the group that is left out is a summed one */

static void commit(struct store *s, struct mem_storage *rows)
{
	struct err err;

	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_publish(s);
}

static void push_with(struct store *s, struct mem_storage *rows, enum push_mode mode,
		      const char *path, const char *body, double now,
		      const struct push_options *options)
{
	CLEANUP(push_freep) struct push *p = make_push(mode, path, body, now);

	p->options = *options;
	store_stage(s, p);
	commit(s, rows);
}

static void push(struct store *s, struct mem_storage *rows, enum push_mode mode, const char *path,
		 const char *body, double now)
{
	push_with(s, rows, mode, path, body, now, &(struct push_options){ .own_ttl = false });
}

/* Puts `to` in place of `from` in each grouping key of the rows. */
static void change_keys(struct mem_storage *rows, const char *from, const char *to)
{
	for (size_t i = 0; i < rows->n_rows; i++) {
		struct row *row = &rows->rows[i];
		char *at = row->kind == ROW_GROUP
				   ? memmem(row->body.p, row->body.n, from, strlen(from))
				   : NULL;

		if (!at)
			continue;
		memcpy(at, to, strlen(to));
		row->checksum = row_checksum(row);
	}
}

static struct store *load(struct mem_storage *rows)
{
	struct store *s = store_new(&limits);
	struct err err = { 0 };

	ck_assert_msg(load_store(&rows->base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

/* A step of any size, as the committer makes them. */
static void clean(struct store *s, struct mem_storage *rows, uint64_t bytes)
{
	struct err err;

	ck_assert_int_eq(storage_clean(&rows->base, s, bytes, &err), 0);
	store_clean_rows(s);
	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_clean_end(s, true);
	store_publish(s);
}

/* Processes that push to a summed group, and end. */
static void random_sum_push(struct store *s, struct mem_storage *rows, uint64_t *rng, double now)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(push_freep) struct push *p = NULL;
	struct err err = { 0 };
	char path[60];

	snprintf(path, sizeof(path), "/j/abc/x/__mode__/sum/pid/%u", rng_below(rng, 4));
	for (int i = 0; i < FAMILIES; i++)
		if (rng_one_in(rng, 3))
			strbuf_addf(&body, "# TYPE s%d_total counter\ns%d_total{l=\"%u\"} %d\n", i,
				    i, rng_below(rng, 2), (int)now);
	p = make_sum_push(rng_one_in(rng, 8) ? PUSH_DELETE : PUSH_POST, path, strbuf_z(&body), now,
			  &err);
	ck_assert_msg(p != NULL, "%s", err.msg);
	p->options.own_ttl = rng_one_in(rng, 4);
	if (p->options.own_ttl) {
		p->options.group.has_ttl = p->options.group.has_keep_times = true;
		p->options.group.ttl_ns = SECOND;
		p->options.group.keep_times_ns = 1000 * SECOND;
	}
	store_stage(s, p);
	commit(s, rows);
}

static void random_push(struct store *s, struct mem_storage *rows, uint64_t *rng, double now)
{
	static const char *const paths[] = { "/j/abc/x", "/j/abc/x", "/j/abc/x", "/k" };
	const char *path = paths[rng_below(rng, ARRAY_LEN(paths))];
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	enum push_mode mode = rng_one_in(rng, 16) ? PUSH_PUT : PUSH_POST;
	struct push_options options = { .own_ttl = rng_one_in(rng, 4) };

	/* The values of all that have a time to live go, and the times of their pushes stay. */
	if (rng_one_in(rng, 12)) {
		store_stage_due(s, clock_mono_ns() + 2 * SECOND, now, 100);
		commit(s, rows);
		return;
	}
	if (summed && strstr(path, "abc")) {
		random_sum_push(s, rows, rng, now);
		return;
	}
	if (options.own_ttl)
		options.group = (struct group_options){ .has_ttl = true,
							.ttl_ns = SECOND,
							.has_keep_times = true,
							.keep_times_ns = 1000 * SECOND };
	if (rng_one_in(rng, 80)) {
		push(s, rows, PUSH_DELETE, path, "", now);
		return;
	}
	/* Of another type than everywhere else: refused, if somebody has it. */
	if (rng_one_in(rng, 6))
		strbuf_addz(&body, "# TYPE m0 counter\n");
	for (int i = 0; i < FAMILIES; i++)
		if (rng_one_in(rng, 3))
			strbuf_addf(&body, "m%d %d\n", i, (int)now);
	push_with(s, rows, mode, path, strbuf_z(&body), now, &options);
}

/* So that the group is there. */
static void push_one(struct store *s, struct mem_storage *rows, const char *body, double now)
{
	CLEANUP(push_freep) struct push *p = NULL;
	struct err err = { 0 };

	if (!summed) {
		push(s, rows, PUSH_POST, "/j/abc/x", body, now);
		return;
	}
	p = make_sum_push(PUSH_POST, "/j/abc/x/__mode__/sum/pid/1", body, now, &err);
	ck_assert_msg(p != NULL, "%s", err.msg);
	store_stage(s, p);
	commit(s, rows);
}

static char *exposed(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

static void check_repaired(struct mem_storage *rows, const char *as_it_was)
{
	change_keys(rows, "a:c", "abc");
	struct store *s = load(rows);
	CLEANUP(freep) char *text = exposed(s);

	ck_assert_str_eq(text, as_it_was);
	ck_assert_uint_eq(store_counts(s).left_out, 0);
	store_free(s);
	change_keys(rows, "abc", "a:c");
}

START_TEST(cleaning_keeps_a_group_that_is_left_out)
{
	uint64_t rng = (uint64_t)_i + 1;
	struct store *s = store_new(&limits);
	struct mem_storage rows;
	struct store_left_out left;
	size_t at = 0, before;

	summed = _i % 2;
	mem_storage_init(&rows);
	for (int i = 1; i <= PUSHES; i++)
		random_push(s, &rows, &rng, i);
	push_one(s, &rows, "last 1\n", PUSHES + 1);
	CLEANUP(freep) char *as_it_was = exposed(s);

	store_free(s);
	before = rows.n_rows;
	change_keys(&rows, "abc", "a:c");
	s = load(&rows);
	ck_assert(store_left_out(s, &at, &left));
	ck_assert_uint_eq(left.family.n, 0);
	ck_assert_ptr_nonnull(strstr(left.why, "colon"));
	ck_assert(!store_left_out(s, &at, &left));
	ck_assert_uint_eq(store_counts(s).left_out, 1);
	for (int i = 0; i < CLEANINGS; i++) {
		clean(s, &rows, 100 + rng_below(&rng, 400));
		check_repaired(&rows, as_it_was);
		if (rng_one_in(&rng, 4)) {
			store_free(s);
			s = load(&rows);
		}
	}
	clean(s, &rows, UINT64_MAX);
	check_repaired(&rows, as_it_was);
	/* What is superseded does go. */
	ck_assert_uint_lt(rows.n_rows, before);
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

static int wants_all(void *arg, const struct removal_group *g, struct err *err)
{
	(void)arg, (void)g, (void)err;
	return 1;
}

static void let_go(void *arg, const struct removal_group *g)
{
	(void)arg, (void)g;
}

/* Takes a family out of all groups, with one row. */
static void take_out(struct store *s, struct mem_storage *rows, const char *family, double now)
{
	struct removal r = {
		.wants = wants_all, .goes = let_go, .family = str_of(family), .now = now
	};
	struct err err = { 0 };

	ck_assert_int_eq(store_removal_decide(s, &r, &err), 0);
	if (r.n == 0)
		return;
	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_removal_rows(s), &err),
			 STORAGE_COMMITTED);
	store_removal_begin(s);
	store_removal_finish(s);
}

/* From memory alone, and from what was written so. */
START_TEST(a_new_database_has_a_group_that_is_left_out)
{
	uint64_t rng = (uint64_t)_i + 1;
	struct store *s = store_new(&limits);
	struct mem_storage rows, anew;
	struct err err = { 0 };

	summed = _i % 2;
	mem_storage_init(&rows);
	for (int i = 1; i <= PUSHES; i++)
		random_push(s, &rows, &rng, i);
	take_out(s, &rows, "m3", PUSHES + 1);
	push_one(s, &rows, "last 1\n", PUSHES + 2);
	CLEANUP(freep) char *as_it_was = exposed(s);

	store_free(s);
	change_keys(&rows, "abc", "a:c");
	for (int times = 0; times < 3; times++) {
		s = load(&rows);
		for (int i = 0; i < times; i++)
			clean(s, &rows, 100 + rng_below(&rng, 400));
		mem_storage_done(&rows);
		mem_storage_init(&anew);
		ck_assert_msg(rewrite_store(s, &anew.base, &err) == 0, "%s", err.msg);
		store_free(s);
		rows = anew;
		s = load(&rows);
		ck_assert_uint_eq(store_counts(s).left_out, 1);
		store_free(s);
		check_repaired(&rows, as_it_was);
	}
	mem_storage_done(&rows);
}
END_TEST

/* False: the group has ended, and there is another one. */
static bool follow(struct applier *a, struct store *s, const struct mem_storage *rows)
{
	uint64_t next = s->next_number;
	struct err err;

	for (size_t i = 0; i < rows->n_rows; i++) {
		const struct row *row = &rows->rows[i];

		if (row->number < next)
			continue;
		if (row->kind == ROW_GROUP && memmem(row->body.p, row->body.n, "abc", 3))
			return false;
		ck_assert_int_eq(applier_row(a, row, &err), 0);
	}
	ck_assert_msg(applier_end(a, 0, s->log.bytes, false, &err) == 0, "%s", err.msg);
	return true;
}

/* Another gateway lets it in, and goes on pushing to it. */
START_TEST(what_others_push_to_one_that_is_left_out_is_kept)
{
	uint64_t rng = (uint64_t)_i + 1;
	struct store *writer = store_new(&limits), *s;
	struct mem_storage rows;
	struct applier *applier;
	bool goes_on = true;

	summed = _i % 2;
	mem_storage_init(&rows);
	for (int i = 1; i <= HALF; i++)
		random_push(writer, &rows, &rng, i);
	push_one(writer, &rows, "first 1\n", HALF + 1);
	change_keys(&rows, "abc", "a:c");
	s = load(&rows);
	ck_assert_uint_eq(store_counts(s).left_out, 1);
	change_keys(&rows, "a:c", "abc");
	applier = applier_new(s);
	for (int i = HALF + 2; i <= PUSHES && goes_on; i++) {
		random_push(writer, &rows, &rng, i);
		goes_on = follow(applier, s, &rows);
	}
	if (goes_on) {
		CLEANUP(freep) char *as_it_was = exposed(writer);

		change_keys(&rows, "abc", "a:c");
		for (int i = 0; i < CLEANINGS / 3; i++) {
			clean(s, &rows, 100 + rng_below(&rng, 400));
			check_repaired(&rows, as_it_was);
		}
	}
	applier_free(applier);
	store_free(writer);
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

/* What the log holds of it is live: cleaning has no reason to try again and again. */
START_TEST(a_group_that_is_left_out_counts_as_live)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct store *s = store_new(&(struct store_limits){ 10, 100000 });
	struct mem_storage rows;

	mem_storage_init(&rows);
	for (int i = 0; i < 20000; i++)
		strbuf_addf(&body, "m{i=\"%d\"} 1\n", i);
	push(s, &rows, PUSH_PUT, "/j/abc/x", strbuf_z(&body), 1);
	store_free(s);
	change_keys(&rows, "abc", "a:c");
	s = load(&rows);
	ck_assert_uint_gt(rows.base.ops->bytes(&rows.base), 200000);
	ck_assert_uint_eq(store_clean_due(s, true), 0);
	/* It is held in memory, too. */
	ck_assert_uint_gt(store_counts(s).bytes, 200000);
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

static const struct {
	enum push_mode mode;
	const char *path, *body;
	bool stays;
} pushes[] = {
	{ PUSH_POST, "/j/abc/x", "b 1\n", false },
	{ PUSH_PUT, "/j/abc/x", "b 1\n", false },
	{ PUSH_DELETE, "/j/abc/x", "", false },
	{ PUSH_POST, "/j/abc/x", "# TYPE a counter\na 1\n", true },
	{ PUSH_POST, "/j/abc/y", "b 1\n", true },
	{ PUSH_DELETE, "/j/abc/y", "", true },
};

/* Two of one key: the newer one is shown. */
static struct store *load_twins(struct mem_storage *rows)
{
	struct store *s = store_new(&limits);

	mem_storage_init(rows);
	push(s, rows, PUSH_PUT, "/j/abd/x", "a 1\n", 1);
	push(s, rows, PUSH_PUT, "/j/abc/x", "a 1\n", 2);
	push(s, rows, PUSH_PUT, "/other", "a 1\n", 3);
	store_free(s);
	change_keys(rows, "abd", "abc");
	s = load(rows);
	ck_assert_uint_eq(store_counts(s).left_out, 1);
	return s;
}

START_TEST(until_its_key_is_pushed_to_or_deleted)
{
	struct mem_storage rows;
	struct store *s = load_twins(&rows);
	uint64_t live, stored;

	check_stored(s);
	push(s, &rows, pushes[_i].mode, pushes[_i].path, pushes[_i].body, 4);
	check_stored(s);
	stored = store_counts(s).bytes;
	ck_assert_uint_eq(store_counts(s).left_out, pushes[_i].stays);
	live = s->log.live_bytes;
	store_free(s);
	/* The log says so, too. */
	s = load(&rows);
	ck_assert_uint_eq(store_counts(s).left_out, pushes[_i].stays);
	ck_assert_uint_eq(s->log.live_bytes, live);
	ck_assert_uint_eq(store_counts(s).bytes, stored);
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

START_TEST(what_is_rolled_back_ends_nothing)
{
	struct mem_storage rows;
	struct store *s = load_twins(&rows);
	CLEANUP(push_freep) struct push *p = make_push(PUSH_DELETE, "/j/abc/x", "", 4);

	store_stage(s, p);
	store_stage(s, p);
	ck_assert_uint_eq(store_rows(s)->n, 2);
	store_rollback(s);
	ck_assert_uint_eq(store_counts(s).left_out, 1);
	store_stage(s, p);
	commit(s, &rows);
	ck_assert_uint_eq(store_counts(s).left_out, 0);
	ck_assert_uint_eq(mem_storage_count(&rows, ROW_END), 2);
	store_free(s);
	mem_storage_done(&rows);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("left out");

	tcase_add_loop_test(tc, cleaning_keeps_a_group_that_is_left_out, 0, 40);
	tcase_add_loop_test(tc, a_new_database_has_a_group_that_is_left_out, 0, 40);
	tcase_add_loop_test(tc, what_others_push_to_one_that_is_left_out_is_kept, 0, 40);
	tcase_add_test(tc, a_group_that_is_left_out_counts_as_live);
	tcase_add_loop_test(tc, until_its_key_is_pushed_to_or_deleted, 0, (int)ARRAY_LEN(pushes));
	tcase_add_test(tc, what_is_rolled_back_ends_nothing);
	return run_cases("left out", tc);
}
