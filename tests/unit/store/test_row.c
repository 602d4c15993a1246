/* A row by itself: its checksum, and the messages in the body of a record. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "store/rows.h"

static struct row whole_row(void)
{
	struct row row = { .number = 7,
			   .group = 3,
			   .from = 5,
			   .kind = ROW_RECORD,
			   .at = 1.5,
			   .body = STR("body") };

	row.checksum = row_checksum(&row);
	return row;
}

/* Stored, so it must never change. */
START_TEST(checksum_is_always_the_same)
{
	struct row row = whole_row();

	ck_assert_uint_eq(row.checksum, UINT64_C(2882222587444407826));
	row.body = STR("");
	ck_assert_uint_eq(row_checksum(&row), UINT64_C(16649859625281242544));
}
END_TEST

START_TEST(each_bit_counts)
{
	enum { BODY = 4 };

	for (unsigned bit = 0; bit < 64; bit++) {
		struct row rows[5];

		for (int i = 0; i < 5; i++)
			rows[i] = whole_row();
		ck_assert_int_eq(row_verdict(&rows[0]), ROW_INTACT);
		rows[0].number ^= 1ull << bit;
		rows[1].group ^= 1ull << bit;
		rows[2].from ^= 1ull << bit;
		rows[3].checksum ^= 1ull << bit;
		uint64_t at;

		memcpy(&at, &rows[4].at, sizeof(at));
		at ^= 1ull << bit;
		memcpy(&rows[4].at, &at, sizeof(at));
		for (int i = 0; i < 5; i++)
			ck_assert_msg(row_verdict(&rows[i]) == ROW_BAD_CHECKSUM, "%d, bit %u", i,
				      bit);
	}
	for (unsigned bit = 0; bit < 8 * BODY; bit++) {
		struct row row = whole_row();
		char body[BODY] = "body";

		body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
		row.body.p = body;
		ck_assert_int_eq(row_verdict(&row), ROW_BAD_CHECKSUM);
	}
}
END_TEST

START_TEST(its_time_is_one)
{
	static const struct {
		double at;
		enum row_verdict verdict;
	} rows[] = {
		{ 0, ROW_INTACT },
		{ -1, ROW_INTACT },
		{ 253402300800, ROW_BAD_CHECKSUM },
		{ 1e300, ROW_BAD_CHECKSUM },
		{ -INFINITY, ROW_BAD_CHECKSUM },
		{ NAN, ROW_BAD_CHECKSUM },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct row row = whole_row();

		row.at = rows[i].at;
		row.checksum = row_checksum(&row);
		ck_assert_msg(row_verdict(&row) == rows[i].verdict, "%g", rows[i].at);
	}
}
END_TEST

START_TEST(kinds_are_known)
{
	for (int kind = 0; kind <= ROW_DIGEST + 1; kind++) {
		struct row row = whole_row();

		row.kind = (enum row_kind)kind;
		ck_assert_int_eq(row_verdict(&row),
				 kind == ROW_RECORD ? ROW_INTACT : ROW_BAD_CHECKSUM);
		row.checksum = row_checksum(&row);
		ck_assert_int_eq(row_verdict(&row),
				 kind >= 1 && kind <= ROW_DIGEST ? ROW_INTACT : ROW_UNKNOWN);
	}
}
END_TEST

static void add_message(struct strbuf *out, struct str name, unsigned padding)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_adds(&text, name);
	strbuf_addf(&text, "{x=\"%0*d\"} 1\n", (int)padding, 0);
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/j", strbuf_z(&text), 1);

	strbuf_adds(out, push->families[0].proto);
}

/* Reads all messages; -1, or how many bytes they make up. */
static long walk(struct str body, unsigned *ret_n)
{
	struct str message, name;
	size_t at = 0, sum = 0;
	int r;

	*ret_n = 0;
	while ((r = row_next_family(body, &at, &message, &name)) > 0) {
		ck_assert_ptr_eq(message.p, body.p + sum);
		sum += message.n;
		++*ret_n;
	}
	return r < 0 ? -1 : (long)sum;
}

/* Lengths of one, two and three bytes; names that are as long. */
START_TEST(messages_with_their_names)
{
	for (unsigned padding = 1; padding < 100000; padding = padding * 50 + 7) {
		CLEANUP(strbuf_done) struct strbuf body = { 0 };
		char long_name[300];
		struct str names[3] = { STR("b"), { long_name, sizeof(long_name) }, STR("a") };
		struct str message, name;
		size_t at = 0;

		memset(long_name, 'n', sizeof(long_name));
		for (int i = 0; i < 3; i++)
			add_message(&body, names[i], padding);
		for (int i = 0; i < 3; i++) {
			ck_assert_int_eq(row_next_family(strbuf_str(&body), &at, &message, &name),
					 1);
			ck_assert(str_eq(name, names[i]));
		}
		ck_assert_int_eq(row_next_family(strbuf_str(&body), &at, &message, &name), 0);
	}
}
END_TEST

/* Cut anywhere but between two messages, it is damaged. */
START_TEST(cut_short)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	size_t first;
	unsigned n;

	add_message(&body, STR("a"), 200);
	first = body.n;
	add_message(&body, STR("b"), 200);
	for (size_t len = 0; len <= body.n; len++) {
		CLEANUP(freep) char *copy = mem_dup(body.p, len);
		long sum = walk((struct str){ copy, len }, &n);
		bool whole = len == 0 || len == first || len == body.n;

		ck_assert_msg(sum == (whole ? (long)len : -1), "%zu bytes", len);
	}
}
END_TEST

static const struct {
	const char *name;
	struct str body;
} damaged[] = {
	{ "empty message", { "\x00", 1 } },
	{ "another field first", { "\x02\x12\x00", 3 } },
	{ "a varint for a name", { "\x02\x08\x01", 3 } },
	{ "name longer than the message",
	  { "\x03\x0A\x05"
	    "abcdef",
	    9 } },
	{ "length without end", { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12 } },
	{ "length of 2^64 - 1",
	  { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x0A\x01"
	    "a",
	    13 } },
	{ "name of 2^64 - 1",
	  { "\x0C\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
	    "a",
	    13 } },
	{ "length of the name ends behind the message", { "\x02\x0A\x80\x01", 4 } },
};

START_TEST(damaged_body)
{
	CLEANUP(freep) char *copy = mem_dup(damaged[_i].body.p, damaged[_i].body.n);
	unsigned n;

	ck_assert_msg(walk((struct str){ copy, damaged[_i].body.n }, &n) == -1, "%s",
		      damaged[_i].name);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("row");

	tcase_add_test(tc, checksum_is_always_the_same);
	tcase_add_test(tc, each_bit_counts);
	tcase_add_test(tc, its_time_is_one);
	tcase_add_test(tc, kinds_are_known);
	tcase_add_test(tc, messages_with_their_names);
	tcase_add_test(tc, cut_short);
	tcase_add_loop_test(tc, damaged_body, 0, (int)ARRAY_LEN(damaged));
	return run_cases("row", tc);
}
