/* What one push may hold: each limit at it and one past it. */
#include <check.h>
#include <stdlib.h>

#include "format/text/parse.h"
#include "lib/run.h"
#include "push/push.h"

static const struct {
	const char *name, *body;
	uint64_t max_series;
	uint32_t max_labels;
	size_t memory;
	uint64_t max_text;
	enum err_reason reason;
	const char *message;
} limits[] = {
	{ "series", "a 1\nb 1\nc{x=\"1\"} 1\n", 3, 10, 1 << 20, 0, 0, "" },
	{ "one more", "a 1\nb 1\nc{x=\"1\"} 1\n", 2, 10, 1 << 20, 0, ERR_TOO_LARGE,
	  "more than 2 series in one push (--limits.series-per-push)" },
	{ "lines count, not metrics", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n", 4, 10, 1 << 20,
	  0, 0, "" },
	{ "one line more", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n", 3, 10, 1 << 20, 0,
	  ERR_TOO_LARGE, "more than 3 series" },
	{ "labels", "a{b=\"1\",c=\"2\"} 1\n", 10, 4, 1 << 20, 0, 0, "" },
	{ "one label more", "x 1\na{b=\"1\",c=\"2\",d=\"3\"} 1\n", 10, 4, 1 << 20, 0, ERR_TOO_LARGE,
	  "more than 4 labels, those of the group included (--limits.labels-per-series)" },
	{ "no memory", "a 1\n", 10, 10, 8, 0, ERR_TOO_LARGE, "(--limits.body-size)" },
	{ "a little memory", "a 1\nb 1\nc 1\n", 10, 10, 400, 0, ERR_TOO_LARGE,
	  "(--limits.body-size)" },
	{ "text", "a 1\n", 10, 10, 1 << 20, 200, 0, "" },
	{ "more text", "a 1\nb 1\nc 1\nd 1\n", 10, 10, 1 << 20, 200, ERR_TOO_LARGE,
	  "more than 200 bytes in a scrape" },
	{ "text of a histogram", "# TYPE h histogram\nh_count 1\n", 10, 10, 1 << 20, 400,
	  ERR_TOO_LARGE, "more than 400 bytes in a scrape" },
};

static struct push *build_limited(const char *body, struct label *job, struct push_builder *b)
{
	static const struct decode_limits lim = { 100, 1024, 65536, 1000000, false };
	struct key key = { job, 1, true };
	CLEANUP(arena_done) struct arena parsed;
	struct family *families;
	struct push *push;
	struct err err;

	arena_init(&parsed, 1 << 26);
	ck_assert_int_eq(text_parse(str_of(body), &lim, &parsed, &families, &err), 0);
	push = push_build(b, PUSH_PUT, &key, families, 1);
	ck_assert(push->err.reason == ERR_NONE || push->n_families == 0);
	push_builder_done(b);
	return push;
}

START_TEST(limit_row)
{
	struct label job = { STR("job"), STR("p") };
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = { .max_series = limits[_i].max_series,
				  .max_labels = limits[_i].max_labels,
				  .max_text = limits[_i].max_text,
				  .arena = &a };

	arena_init(&a, limits[_i].memory);
	CLEANUP(push_freep) struct push *push = build_limited(limits[_i].body, &job, &b);

	ck_assert_msg(push->err.reason == limits[_i].reason &&
			      strstr(push->err.msg, limits[_i].message),
		      "%s: %d %s", limits[_i].name, push->err.reason, push->err.msg);
}
END_TEST

/* Of those that are decoded; one that is left out later counts, too. */
START_TEST(families)
{
	struct label job = { STR("job"), STR("p") };
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = {
		.max_series = 10, .max_labels = 10, .max_families = (uint64_t)_i, .arena = &a
	};

	arena_init(&a, 1 << 20);
	CLEANUP(push_freep) struct push *push = build_limited("a 1\nb 1\nc 1\n", &job, &b);

	if (_i == 3) {
		ck_assert_int_eq(push->err.reason, ERR_NONE);
		return;
	}
	ck_assert_int_eq(push->err.reason, ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(push->err.msg, "3 metric families in one push, more than "
						    "--limits.families-per-push=2"));
}
END_TEST

/* Some kilobytes of key on each of many short lines: gigabytes, unless it is noticed early. */
START_TEST(long_key)
{
	static char value[60000];
	struct label job = { STR("job"), { value, sizeof(value) } };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct push_builder b = {
		.max_series = 1000000, .max_labels = 10, .max_text = 64 << 20, .arena = &a
	};

	memset(value, 'v', sizeof(value));
	for (unsigned i = 0; i < 30000; i++)
		strbuf_addf(&body, "a{x=\"%u\"} 1\n", i);
	arena_init(&a, 1 << 26);
	CLEANUP(push_freep) struct push *push = build_limited(strbuf_z(&body), &job, &b);

	ck_assert_int_eq(push->err.reason, ERR_TOO_LARGE);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("limits");

	tcase_add_loop_test(tc, limit_row, 0, (int)ARRAY_LEN(limits));
	tcase_add_loop_test(tc, families, 2, 4);
	tcase_add_test(tc, long_key);
	return run_cases("push limits", tc);
}
