/* Decoding stored segments on other threads: all of them, in their order, to the first bad one. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/decoders.h"
#include "lib/make_push.h"
#include "lib/run.h"

enum { MANY = 5000 };

struct seen {
	uint64_t rows;
	uint64_t refuse; /* the row that is refused */
};

static int see(void *arg, const struct storage_segment *seg, struct push *push, struct err *err)
{
	struct seen *seen = arg;

	ck_assert_uint_eq(seg->row, seen->rows + 1);
	ck_assert_uint_eq(seg->group, seg->row % 7 + 1);
	ck_assert_uint_eq(seg->body.n, 0);
	ck_assert_uint_eq(push->n_families, 1);
	ck_assert(push->now == (double)seg->row / 2);
	if (seg->row == seen->refuse)
		return err_set(err, ERR_SYSTEM, 0, "refused");
	seen->rows++;
	return 0;
}

/* Rows are added until one call fails; `bad` is one that cannot be decoded. */
static int run(struct seen *seen, uint64_t n, uint64_t bad, struct err *err)
{
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/j", "a{x=\"y\"} 1\n", 1);
	struct decoders *d = decoders_start(see, seen, err);
	int r = 0;

	ck_assert_ptr_nonnull(d);
	for (uint64_t row = 1; r == 0 && row <= n; row++) {
		struct str body = push->families[0].proto;
		/* Gone when the call returns. */
		CLEANUP(freep) char *copy = mem_dup(body.p, body.n);
		struct storage_segment seg = { row,
					       (uint32_t)(row % 7 + 1),
					       false,
					       (double)row / 2,
					       { copy, body.n - (row == bad) } };

		r = decoders_add(d, &seg, push->key, err);
	}
	if (r == 0)
		r = decoders_finish(d, err);
	decoders_free(d);
	return r;
}

static const uint64_t counts[] = { 0, 1, 255, 256, 257, 2048, MANY };

START_TEST(all_in_order)
{
	struct seen seen = { 0 };
	struct err err = { 0 };

	ck_assert_msg(run(&seen, counts[_i], 0, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(seen.rows, counts[_i]);
}
END_TEST

static const uint64_t places[] = { 1, 256, 257, 3000, MANY };

START_TEST(ends_at_a_damaged_one)
{
	struct seen seen = { 0 };
	struct err err = { 0 };

	ck_assert_int_eq(run(&seen, MANY, places[_i], &err), -1);
	ck_assert(err.reason != ERR_NONE && err.msg[0]);
	ck_assert_uint_eq(seen.rows, places[_i] - 1);
}
END_TEST

START_TEST(ends_at_a_refused_one)
{
	struct seen seen = { .refuse = places[_i] };
	struct err err = { 0 };

	ck_assert_int_eq(run(&seen, MANY, 0, &err), -1);
	ck_assert_str_eq(err.msg, "refused");
	ck_assert_uint_eq(seen.rows, places[_i] - 1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("decoders");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, all_in_order, 0, (int)ARRAY_LEN(counts));
	tcase_add_loop_test(tc, ends_at_a_damaged_one, 0, (int)ARRAY_LEN(places));
	tcase_add_loop_test(tc, ends_at_a_refused_one, 0, (int)ARRAY_LEN(places));
	return run_cases("decoders", tc);
}
