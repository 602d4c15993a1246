/* Decoding stored records on other threads: all of them, in their order, to the first bad one. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/decoders.h"
#include "lib/make_push.h"
#include "lib/run.h"

enum { MANY = 5000 };

struct seen {
	uint64_t rows;
	uint64_t announced; /* the newest row that soon() was called with */
	unsigned pushes;    /* of the row that is seen last */
	unsigned refused;
	struct str body; /* of each row */
};

/* Each once, in order. */
static void see_soon(void *arg, const struct row *row, const struct push *push)
{
	struct seen *seen = arg;

	ck_assert_uint_eq(row->number, seen->announced + 1);
	ck_assert(push->now == (double)row->number / 2);
	seen->announced++;
}

static void see(void *arg, const struct row *row, struct push *push)
{
	struct seen *seen = arg;

	if (row->number != seen->rows) {
		ck_assert_uint_eq(row->number, seen->rows + 1);
		seen->rows++;
		seen->pushes = 0;
	}
	seen->pushes++;
	ck_assert_uint_ge(seen->announced, row->number);
	ck_assert_uint_eq(row->group, row->number % 7 + 1);
	ck_assert(str_eq(row->body, seen->body));
	ck_assert_uint_eq(push->n_families, 1);
	ck_assert(push->now == (double)row->number / 2);
}

static void see_refused(void *arg, const struct row *row, struct str family, const char *why)
{
	struct seen *seen = arg;

	ck_assert(row->number > 0 && str_eq(row->body, seen->body));
	ck_assert(str_eq(family, STR("bad")) && strstr(why, "invalid"));
	seen->refused++;
}

/* Rows are added until one call fails; `bad` is one that cannot be decoded. */
static int run(struct seen *seen, struct str body, uint64_t n, uint64_t bad, struct err *err)
{
	const struct decoded_sink sink = { see_soon, see, see_refused, seen };
	struct decoders *d = decoders_new(&sink);
	int r = 0;

	seen->body = body;
	for (uint64_t number = 1; r == 0 && number <= n; number++) {
		/* Gone when the call returns. */
		CLEANUP(freep) char *copy = mem_dup(body.p, body.n);
		struct row row = { .number = number,
				   .group = number % 7 + 1,
				   .kind = ROW_RECORD,
				   .at = (double)number / 2,
				   .body = { copy, body.n - (number == bad) } };

		r = decoders_add(d, &row, STR("job\xFFj\xFF"), err);
	}
	if (r == 0)
		r = decoders_finish(d, err);
	decoders_free(d);
	return r;
}

static int run_good(struct seen *seen, uint64_t n, uint64_t bad, struct err *err)
{
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/j", "a{x=\"y\"} 1\n", 1);

	return run(seen, push->families[0].proto, n, bad, err);
}

static const uint64_t counts[] = { 0, 1, 255, 256, 257, 2048, MANY };

START_TEST(all_in_order)
{
	struct seen seen = { 0 };
	struct err err = { 0 };

	ck_assert_msg(run_good(&seen, counts[_i], 0, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(seen.rows, counts[_i]);
}
END_TEST

static const uint64_t places[] = { 1, 256, 257, 3000, MANY };

START_TEST(ends_at_a_damaged_one)
{
	struct seen seen = { 0 };
	struct err err = { 0 };

	ck_assert_int_eq(run_good(&seen, MANY, places[_i], &err), -1);
	ck_assert(err.reason != ERR_NONE && err.msg[0]);
	ck_assert_uint_eq(seen.rows, places[_i] - 1);
}
END_TEST

/* The same series twice is let through by no push: as if the rule had come after it. */
START_TEST(families_that_a_rule_refuses)
{
	static const char bad[] = "\x21\x0A\x03"
				  "bad\x18\x01\x22\x0B\x12\x09\x09\0\0\0\0\0\0\xF0\x3F"
				  "\x22\x0B\x12\x09\x09\0\0\0\0\0\0\xF0\x3F";
	CLEANUP(push_freep)
	struct push *good = make_push(PUSH_PUT, "/j", "a 1\nc 1\n", 1);
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct seen seen = { 0 };
	struct err err = { 0 };

	strbuf_adds(&body, good->families[0].proto);
	strbuf_add(&body, bad, sizeof(bad) - 1);
	strbuf_adds(&body, good->families[1].proto);
	ck_assert_msg(run(&seen, strbuf_str(&body), 3, 0, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(seen.rows, 3);
	ck_assert_uint_eq(seen.pushes, 2);
	ck_assert_uint_eq(seen.refused, 3);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("decoders");

	tcase_add_loop_test(tc, all_in_order, 0, (int)ARRAY_LEN(counts));
	tcase_add_loop_test(tc, ends_at_a_damaged_one, 0, (int)ARRAY_LEN(places));
	tcase_add_test(tc, families_that_a_rule_refuses);
	return run_cases("decoders", tc);
}
