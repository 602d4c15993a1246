/*
 * A large push that is staged in steps: what others see of it, who has to wait for it, and that
 * nothing is left of one that is refused or given up. Random ones, with crashes and a disk that
 * fails, are in tests/sim.
 */
#include <check.h>
#include <stdlib.h>

#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "store/internal.h"

static const struct store_limits room = { 1000, 100000 };

static struct store *store_of(const char *j, const char *k)
{
	struct store *s = store_new(&room);
	struct push *pushes[] = { make_push(PUSH_PUT, "/j", j, 1),
				  make_push(PUSH_PUT, "/k", k, 1) };

	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		store_stage(s, pushes[i]);
		ck_assert_int_eq(pushes[i]->err.reason, ERR_NONE);
		store_publish(s);
		push_free(pushes[i]);
	}
	return s;
}

static void steps(struct store *s, unsigned n)
{
	while (n-- > 0 && store_large_step(s, 1))
		;
}

static char *shown(struct store *s)
{
	struct strbuf text = { 0 };

	exposed_add(s, &text);
	strbuf_z(&text);
	return text.p;
}

static void check_shown(struct store *s, const char *want)
{
	CLEANUP(freep) char *got = exposed_pushed(s);

	ck_assert_str_eq(got, want);
}

static const char before[] = "# TYPE a untyped\na{instance=\"\",job=\"j\"} 1\n"
			     "# TYPE b untyped\nb{instance=\"\",job=\"j\"} 1\n"
			     "# TYPE z untyped\nz{instance=\"\",job=\"k\"} 1\n";

static const char after[] = "# TYPE a untyped\na{instance=\"\",job=\"j\"} 2\n"
			    "# TYPE c untyped\nc{instance=\"\",job=\"j\"} 2\n"
			    "# TYPE d untyped\nd{instance=\"\",job=\"j\"} 2\n"
			    "# TYPE z untyped\nz{instance=\"\",job=\"k\"} 2\n";

/* Between any two steps others push, and nothing of the large one is to be seen. */
START_TEST(is_seen_as_a_whole)
{
	struct store *s = store_of("a 1\nb 1\n", "z 1\n");
	struct push *large = make_push(PUSH_PUT, "/j", "a 2\nc 2\nd 2\n", 2);
	struct store_counts counts = store_counts(s);
	unsigned n = 0;

	ck_assert(store_large_begin(s, large));
	for (; store_large_step(s, 1); n++) {
		struct push *small = make_push(PUSH_PUT, "/k", "z 1\n", 2);

		ck_assert(!store_large_is_in_the_way(s, small));
		store_publish(s);
		check_shown(s, before);
		ck_assert_mem_eq(&counts, &(struct store_counts[]){ store_counts(s) },
				 sizeof(counts));
		push_free(small);
	}
	/* Each family, those that the group has, and all that go or come, by themselves. */
	ck_assert_uint_ge(n, 10);
	struct push *last = make_push(PUSH_PUT, "/k", "z 2\n", 2);

	store_stage(s, last);
	store_publish(s);
	store_large_end(s);
	ck_assert_int_eq(large->err.reason, ERR_NONE);
	store_publish(s);
	check_shown(s, after);
	ck_assert_uint_eq(store_counts(s).series, 4 + 2 * 2);
	push_free(last);
	push_free(large);
	store_free(s);
}
END_TEST

/* After so many steps as the number of the test; then the same push as a whole. */
START_TEST(can_be_given_up_at_any_time)
{
	struct store *s = store_of("a 1\nb 1\n", "z 1\n");
	CLEANUP(freep) char *want = shown(s);
	struct push *large = make_push(PUSH_PUT, "/j", "# TYPE a gauge\na 2\nc 2\nd 2\n", 2);
	struct push *other = make_push(PUSH_POST, "/k", "# TYPE c gauge\nc 1\nb 1\n", 2);

	ck_assert(store_large_begin(s, large));
	steps(s, (unsigned)_i);
	store_large_drop(s);
	ck_assert_ptr_null(store_large_push(s));
	CLEANUP(freep) char *got = shown(s);

	ck_assert_str_eq(got, want);
	/* Nothing that it had taken is taken now. */
	store_stage(s, other);
	ck_assert_int_eq(other->err.reason, ERR_NONE);
	store_rollback(s);
	ck_assert(store_large_begin(s, large));
	steps(s, UINT32_MAX);
	store_large_end(s);
	ck_assert_int_eq(large->err.reason, ERR_NONE);
	store_publish(s);
	check_shown(s, "# TYPE a gauge\na{instance=\"\",job=\"j\"} 2\n"
		       "# TYPE c untyped\nc{instance=\"\",job=\"j\"} 2\n"
		       "# TYPE d untyped\nd{instance=\"\",job=\"j\"} 2\n"
		       "# TYPE z untyped\nz{instance=\"\",job=\"k\"} 1\n");
	push_free(other);
	push_free(large);
	store_free(s);
}
END_TEST

static const struct {
	const char *large; /* to /j, which has a and b; /k has z */
	enum push_mode mode;
	const char *path, *body;
	bool waits;
} others[] = {
	/* What it brings is taken, */
	{ "a 2\nb 2\nc 2\n", PUSH_POST, "/k", "# TYPE c gauge\nc 1\n", true },
	{ "a 2\nb 2\nc 2\n", PUSH_POST, "/k", "# TYPE c summary\nc_sum 1\nc_count 1\n", true },
	{ "a 2\nb 2\nc_sum 2\n", PUSH_POST, "/k", "# TYPE c summary\nc_sum 1\nc_count 1\n", true },
	/* what it takes is not free yet, */
	{ "a 2\n", PUSH_POST, "/k", "# TYPE b gauge\nb 1\n", true },
	{ "a{x=\"1\"} 2\nb 2\n", PUSH_PUT, "/l", "n 1\n", true },
	/* and all else is as ever. */
	{ "a 2\nb 2\nc 2\n", PUSH_POST, "/k", "c 1\n", false },
	{ "a 2\nb 2\nc 2\n", PUSH_PUT, "/l", "a 1\nn 1\n", false },
	{ "a 2\n", PUSH_PUT, "/k", "z 3\n", false },
	{ "a 2\n", PUSH_DELETE, "/k", "", false },
	{ "# TYPE z gauge\nz 2\n", PUSH_POST, "/k", "z 2\n", false },
	/* A group whose times it has, even for a push that is refused anyway. */
	{ "a 2\nb 2\n", PUSH_PUT, "/j/instance/", "a 1\n", true },
	{ "a 2\nb 2\n", PUSH_PUT, "/j/instance/", "a 1 1\n", true },
	{ "a 2\nb 2\n", PUSH_PUT, "/k", "a 1 1\n", false },
};

START_TEST(to_whom_it_is_in_the_way)
{
	struct store *s = store_of("a 1\nb 1\n", "z 1\n");
	struct push *large = make_push(PUSH_PUT, "/j", others[_i].large, 2);
	struct push *other = make_push(others[_i].mode, others[_i].path, others[_i].body, 2);

	ck_assert(store_large_begin(s, large));
	steps(s, UINT32_MAX);
	ck_assert_int_eq(store_large_is_in_the_way(s, other), others[_i].waits);
	store_rollback(s);
	store_large_drop(s);
	push_free(other);
	push_free(large);
	store_free(s);
}
END_TEST

/*
 * What a source of a summed group has pushed to a plain one goes with its first push to the summed
 * one, which has to wait for a large push to the plain one: whatever it says, and however much of
 * that one is staged.
 */
START_TEST(a_source_whose_plain_group_it_replaces)
{
	static const char path[] = "/k/pid/1";
	const enum push_mode modes[] = { PUSH_POST, PUSH_DELETE };
	struct push *large = make_push(PUSH_PUT, path, "c 1\nd 1\n", 2);
	struct store *s = store_of("a 1\n", "z 1\n");
	struct err err = { 0 };

	for (unsigned n = 0; n < 10; n++) {
		const char *body = n % 2 ? NULL : "# TYPE n counter\nn 5\n";
		struct push *source = make_sum_push(modes[n % 2], path, body, 3, &err);

		ck_assert_ptr_nonnull(source);
		ck_assert(store_large_begin(s, large));
		steps(s, n / 2);
		ck_assert(store_large_is_in_the_way(s, source));
		store_rollback(s);
		steps(s, UINT32_MAX);
		store_large_end(s);
		ck_assert_int_eq(large->err.reason, ERR_NONE);
		store_publish(s);
		store_stage(s, source);
		ck_assert_int_eq(source->err.reason, ERR_NONE);
		store_publish(s);
		CLEANUP(freep) char *got = exposed_pushed(s);

		ck_assert_ptr_null(strstr(got, "\nc{"));
		push_free(source);
	}
	push_free(large);
	store_free(s);
}
END_TEST

/* They came first. */
START_TEST(is_refused_for_what_others_did_meanwhile)
{
	struct store *s = store_of("a 1\nb 1\n", "z 1\n");
	struct push *large = make_push(PUSH_PUT, "/j", "a 2\nb 2\nc 2\n", 2);
	struct push *other = make_push(PUSH_POST, "/k", "# TYPE c gauge\nc 1\n", 2);
	struct push *again = make_push(PUSH_PUT, "/l", "c 1\n", 2);

	ck_assert(store_large_begin(s, large));
	steps(s, 3);
	store_stage(s, other);
	ck_assert_int_eq(other->err.reason, ERR_NONE);
	store_publish(s);
	steps(s, UINT32_MAX);
	store_large_end(s);
	ck_assert_int_eq(large->err.reason, ERR_INVALID);
	store_publish(s);
	check_shown(s, "# TYPE a untyped\na{instance=\"\",job=\"j\"} 1\n"
		       "# TYPE b untyped\nb{instance=\"\",job=\"j\"} 1\n"
		       "# TYPE c gauge\nc{instance=\"\",job=\"k\"} 1\n"
		       "# TYPE z untyped\nz{instance=\"\",job=\"k\"} 1\n");
	ck_assert_uint_eq(store_counts(s).failed, 1);
	store_stage(s, again);
	ck_assert_int_eq(again->err.reason, ERR_INVALID);
	store_rollback(s);
	push_free(again);
	push_free(other);
	push_free(large);
	store_free(s);
}
END_TEST

/* What others add while it is staged is theirs. */
START_TEST(limit_of_series)
{
	struct store *s = store_new(&(struct store_limits){ 10, 10 });
	struct push *large = make_push(PUSH_PUT, "/j", "a 1\nb 1\nc 1\nd 1\n", 1);
	struct push *other = make_push(PUSH_PUT, "/k", "z 1\ny 1\nx 1\n", 1);

	ck_assert(store_large_begin(s, large));
	steps(s, 1);
	store_stage(s, other);
	store_publish(s);
	steps(s, UINT32_MAX);
	store_large_end(s);
	ck_assert_int_eq(large->err.reason, ERR_STORE_FULL);
	ck_assert_msg(strstr(large->err.msg, "holds 7 series and this push would make it 11"), "%s",
		      large->err.msg);
	store_publish(s);
	ck_assert_uint_eq(store_counts(s).series, 5);
	push_free(other);
	push_free(large);
	store_free(s);
}
END_TEST

/* What it takes away is still there until it is committed, and it may never be: others get no group
 * in its place, which the refused would. */
START_TEST(room_that_it_makes)
{
	struct store *s = store_new(&(struct store_limits){ 10, 8 });
	struct push *first = make_push(PUSH_PUT, "/j", "a 1\nb 1\nc 1\nd 1\ne 1\n", 1);
	struct push *large = make_push(PUSH_PUT, "/j", "a 2\n", 1);
	struct push *wrong = make_push(PUSH_PUT, "/k", "a 1\na 1\n", 1);

	ck_assert_int_eq(wrong->err.reason, ERR_INVALID);
	store_stage(s, first);
	store_publish(s);
	ck_assert(store_large_begin(s, large));
	steps(s, UINT32_MAX);
	store_stage(s, wrong);
	store_publish(s);
	ck_assert_uint_eq(store_counts(s).groups, 1);
	store_large_end(s);
	store_publish(s);
	store_stage(s, wrong);
	store_publish(s);
	ck_assert_uint_eq(store_counts(s).groups, 2);
	ck_assert_uint_eq(store_counts(s).series, 5);
	push_free(wrong);
	push_free(large);
	push_free(first);
	store_free(s);
}
END_TEST

/* These are staged at once: of a group that does not begin, or is due, and what is no such push. */
START_TEST(not_in_steps)
{
	struct store *s = store_new(&(struct store_limits){ 0, 10 });
	struct push *pushes[] = { make_push(PUSH_PUT, "/j", "a 1\n", 1),
				  make_push(PUSH_PUT, "/j", "a 1 1\n", 1),
				  make_push(PUSH_DELETE, "/j", "", 1) };

	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		enum err_reason reason = pushes[i]->err.reason;

		ck_assert(!store_large_begin(s, pushes[i]));
		ck_assert_int_eq(pushes[i]->err.reason, reason);
		push_free(pushes[i]);
	}
	ck_assert_ptr_null(store_large_push(s));
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("large");

	tcase_add_test(tc, is_seen_as_a_whole);
	tcase_add_loop_test(tc, can_be_given_up_at_any_time, 0, 20);
	tcase_add_loop_test(tc, to_whom_it_is_in_the_way, 0, ARRAY_LEN(others));
	tcase_add_test(tc, a_source_whose_plain_group_it_replaces);
	tcase_add_test(tc, is_refused_for_what_others_did_meanwhile);
	tcase_add_test(tc, limit_of_series);
	tcase_add_test(tc, room_that_it_makes);
	tcase_add_test(tc, not_in_steps);
	return run_cases("large", tc);
}
