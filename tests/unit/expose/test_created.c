#include <check.h>
#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "expose/created.h"
#include "lib/run.h"

static struct arena arena;

static struct metric with(struct label *labels, uint32_t n)
{
	return (struct metric){ .labels = labels, .n_labels = n };
}

static const struct {
	double seconds;
	bool is_time;
	struct timestamp want;
} times[] = {
	{ 0, true, { true, 0, 0 } },
	{ 1600000000.5, true, { true, 1600000000, 500000000 } },
	{ 253402300799, true, { true, 253402300799, 0 } },
	{ 253402300800, false, { 0 } },
	{ -0.5, false, { 0 } },
	{ INFINITY, false, { 0 } },
	{ NAN, false, { 0 } },
};

START_TEST(what_a_timestamp_can_be)
{
	struct timestamp ts = { 0 };

	ck_assert_int_eq(created_is_time(times[_i].seconds, &ts), times[_i].is_time);
	ck_assert_int_eq(ts.set, times[_i].want.set);
	ck_assert_int_eq(ts.seconds, times[_i].want.seconds);
	ck_assert_int_eq(ts.nanos, times[_i].want.nanos);
}
END_TEST

START_TEST(the_order_of_labels_does_not_count)
{
	struct label ab[] = { { STR("a"), STR("1") }, { STR("b"), STR("2") } };
	struct label ba[] = { { STR("b"), STR("2") }, { STR("a"), STR("1") } };
	struct label other[] = { { STR("a"), STR("2") }, { STR("b"), STR("1") } };
	struct metric pushed = with(ab, 2), turned = with(ba, 2), no = with(other, 2);
	struct timestamp ts = { true, 5, 0 };
	struct created c = { 0 };

	ck_assert_ptr_null(created_find(&c, &pushed, &arena));
	created_add(&c, &pushed, &ts, &arena);
	ck_assert_int_eq(created_find(&c, &turned, &arena)->seconds, 5);
	ck_assert_ptr_null(created_find(&c, &no, &arena));
	ck_assert_ptr_null(created_find(&c, &(const struct metric){ 0 }, &arena));
	created_reset(&c);
	ck_assert_ptr_null(created_find(&c, &pushed, &arena));
	created_done(&c);
}
END_TEST

START_TEST(many)
{
	enum { N = 1000 };
	struct created c = { 0 };

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2 * N; i++) {
			char value[16];
			struct label l = { STR("l"), STR_NULL };
			struct metric m = with(&l, 1);
			struct timestamp ts = { true, i, 0 };

			l.value = (struct str){ value,
						(size_t)snprintf(value, sizeof(value), "%d", i) };
			if (i < N)
				created_add(&c, &m, &ts, &arena);
			else
				ck_assert_ptr_null(created_find(&c, &m, &arena));
			if (i < N)
				ck_assert_int_eq(created_find(&c, &m, &arena)->seconds, i);
		}
		ck_assert_uint_eq(c.n, N);
		created_reset(&c);
	}
	created_done(&c);
}
END_TEST

static void setup(void)
{
	arena_init(&arena, ARENA_MUST);
}

static void teardown(void)
{
	arena_done(&arena);
}

int main(void)
{
	TCase *tc = tcase_create("created");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, what_a_timestamp_can_be, 0, ARRAY_LEN(times));
	tcase_add_test(tc, the_order_of_labels_does_not_count);
	tcase_add_test(tc, many);
	return run_cases("created", tc);
}
