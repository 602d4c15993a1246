#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/body.h"
#include "lib/make_push.h"
#include "lib/run.h"

/* What is pushed, what of it is kept; names are separated by spaces. */
static const struct {
	const char *name, *pushed, *keep, *kept;
} rows[] = {
	{ "the only one", "a", "a", "a" },    { "the first", "a b c", "a", "a" },
	{ "the last", "a b c", "c", "c" },    { "out of order", "b c a", "c b", "b c" },
	{ "all", "b c a", "a b c", "b c a" }, { "prefixes are other names", "aa a aaa", "a", "a" },
};

static size_t split(const char *names, struct str *out)
{
	size_t n = 0;

	while (*names) {
		size_t len = strcspn(names, " ");

		out[n++] = (struct str){ names, len };
		names += len + (names[len] == ' ');
	}
	return n;
}

static void add_message(struct strbuf *out, struct str name, unsigned padding)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_adds(&text, name);
	strbuf_addf(&text, "{x=\"%0*d\"} 1\n", (int)padding, 0);
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/j", strbuf_z(&text), 1);

	strbuf_adds(out, push->families[0].proto);
}

static void make_body(const char *names, unsigned padding, struct strbuf *out)
{
	struct str list[8];
	size_t n = split(names, list);

	for (size_t i = 0; i < n; i++)
		add_message(out, list[i], padding);
}

START_TEST(keep_row)
{
	/* Lengths of one, two and three bytes. */
	for (unsigned padding = 1; padding < 100000; padding = padding * 50 + 7) {
		CLEANUP(strbuf_done) struct strbuf body = { 0 };
		CLEANUP(strbuf_done) struct strbuf want = { 0 };
		CLEANUP(strbuf_done) struct strbuf got = { 0 };
		struct str keep[8];
		size_t n = split(rows[_i].keep, keep);

		make_body(rows[_i].pushed, padding, &body);
		make_body(rows[_i].kept, padding, &want);
		CLEANUP(freep) char *copy = mem_dup(body.p, body.n);

		ck_assert_msg(body_keep((struct str){ copy, body.n }, keep, (uint32_t)n, &got) == 0,
			      "%s", rows[_i].name);
		ck_assert_msg(str_eq(strbuf_str(&got), strbuf_str(&want)), "%s", rows[_i].name);
	}
}
END_TEST

START_TEST(what_is_not_there)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct str keep[] = { STR("a"), STR("b") };

	ck_assert_int_eq(body_keep(strbuf_str(&body), keep, 1, &got), -1);
	make_body("a c", 1, &body);
	ck_assert_int_eq(body_keep(strbuf_str(&body), keep, 1, &got), 0);
	ck_assert_int_eq(body_keep(strbuf_str(&body), keep, 2, &got), -1);
}
END_TEST

START_TEST(long_name)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct str keep[2];
	char names[2][300];

	memset(names, 'n', sizeof(names));
	names[1][299] = 'm';
	for (int i = 0; i < 2; i++) {
		keep[i] = (struct str){ names[i], sizeof(names[i]) };
		add_message(&body, keep[i], 1);
	}
	ck_assert_int_eq(body_keep(strbuf_str(&body), &keep[1], 1, &got), 0);
	ck_assert_uint_eq(got.n * 2, body.n);
	ck_assert_int_eq(memcmp(got.p, body.p + got.n, got.n), 0);
}
END_TEST

/* Cut anywhere but behind the message that is to be kept, or at the end, it is damaged. */
START_TEST(cut_short)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct str keep = STR("a");
	size_t first;

	make_body("a", 200, &body);
	first = body.n;
	make_body("b", 200, &body);
	for (size_t n = 0; n <= body.n; n++) {
		CLEANUP(strbuf_done) struct strbuf got = { 0 };
		CLEANUP(freep) char *copy = mem_dup(body.p, n);
		int r = body_keep((struct str){ copy, n }, &keep, 1, &got);

		ck_assert_msg(r == (n == first || n == body.n ? 0 : -1), "%zu bytes", n);
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

START_TEST(damaged_row)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(freep) char *copy = mem_dup(damaged[_i].body.p, damaged[_i].body.n);
	struct str keep = STR("a");

	ck_assert_msg(body_keep((struct str){ copy, damaged[_i].body.n }, &keep, 1, &got) == -1,
		      "%s", damaged[_i].name);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("body");

	tcase_add_loop_test(tc, keep_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, what_is_not_there);
	tcase_add_test(tc, long_name);
	tcase_add_test(tc, cut_short);
	tcase_add_loop_test(tc, damaged_row, 0, (int)ARRAY_LEN(damaged));
	return run_cases("body", tc);
}
