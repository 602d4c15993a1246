#include <check.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lib/run.h"
#include "metrics/series.h"

static const struct {
	const char *name, *line, *head;
} heads[] = {
	{ "no labels", "a 1", "a" },
	{ "labels", "a{b=\"c\"} 1", "a{b=\"c\"}" },
	{ "brace in a value", "a{b=\"}\"} 1", "a{b=\"}\"}" },
	{ "opening brace in a value", "a{b=\"{\",c=\"d\"} 1", "a{b=\"{\",c=\"d\"}" },
	{ "quote in a value", "a{b=\"\\\"}\"} 1", "a{b=\"\\\"}\"}" },
	{ "backslash at the end", "a{b=\"\\\\\"} 1", "a{b=\"\\\\\"}" },
	{ "space in a value", "a{b=\" \"} 1", "a{b=\" \"}" },
	{ "nothing behind", "a", "a" },
	{ "labels and nothing behind", "a{b=\"c\"}", "a{b=\"c\"}" },
	{ "cut short", "a{b=\"c", "a{b=\"c" },
	{ "cut after a backslash", "a{b=\"c\\", "a{b=\"c\\" },
	{ "empty", "", "" },
};

START_TEST(head_row)
{
	size_t n = strlen(heads[_i].line);
	CLEANUP(freep) char *copy = mem_dup(heads[_i].line, n);
	size_t head = series_head((struct str){ copy, n });

	ck_assert_msg(head == strlen(heads[_i].head), "%s: %zu", heads[_i].name, head);
}
END_TEST

#define H                                                      \
	"h_bucket{instance=\"\",job=\"j\",le=\"1\"} "          \
	"1\nh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\n" \
	"h_sum{instance=\"\",job=\"j\"} 1\nh_count{instance=\"\",job=\"j\"} 1\n"

/* Is the series `id` of family `family` among the lines? */
static const struct {
	const char *name, *text, *family, *id;
	bool there;
} finds[] = {
	{ "first", "a{b=\"1\"} 1\na{b=\"2\"} 1\n", "a", "a{b=\"1\"}", true },
	{ "last", "a{b=\"1\"} 1\na{b=\"2\"} 1\n", "a", "a{b=\"2\"}", true },
	{ "no LF at the end", "a{b=\"1\"} 1\na{b=\"2\"} 1", "a", "a{b=\"2\"}", true },
	{ "not there", "a{b=\"1\"} 1\na{b=\"2\"} 1\n", "a", "a{b=\"3\"}", false },
	{ "part of another", "a{b=\"11\"} 1\n", "a", "a{b=\"1\"}", false },
	{ "nothing to search", "", "a", "a{b=\"1\"}", false },
	{ "histogram", H, "h", "h{instance=\"\",job=\"j\"}", true },
	{ "bucket only", "h_bucket{job=\"j\",le=\"1\"} 1\n", "h", "h{job=\"j\"}", true },
	{ "not its _count", H, "h_count", "h{instance=\"\",job=\"j\"}", false },
	{ "summary", "s{job=\"j\",quantile=\"0.5\"} 1\n", "s", "s{job=\"j\"}", true },
	{ "gauge with le, whole", "a{job=\"j\",le=\"1\"} 1\n", "a", "a{job=\"j\",le=\"1\"}", true },
	{ "gauge with quantile, whole", "a{job=\"j\",quantile=\"1\"} 1\n", "a",
	  "a{job=\"j\",quantile=\"1\"}", true },
	{ "le in a value", "a{job=\",le=\\\"1\\\"\"} 1\n", "a", "a{job=\",le=\\\"1\\\"\"}", true },
	{ "value that looks like le", "a{job=\"j\",z=\",le=\"} 1\n", "a", "a{job=\"j\",z=\",le=\"}",
	  true },
	{ "value that ends like le and a quote", "h_bucket{z=\",le=\\\"\",le=\"1\"} 1\n", "h",
	  "h{z=\",le=\\\"\"}", true },
	{ "name that ends in le", "a{handle=\"1\"} 1\n", "a", "a{handle=\"1\"}", true },
	{ "brace and space in a value", "a{b=\"} 1\"} 2\n", "a", "a{b=\"} 1\"}", true },
	{ "no labels", "a 1\n", "a", "a", true },
};

START_TEST(find_row)
{
	size_t n = strlen(finds[_i].text);
	CLEANUP(freep) char *copy = mem_dup(finds[_i].text, n);
	CLEANUP(strbuf_done) struct strbuf id = { 0 };
	bool there;

	strbuf_addz(&id, "x");
	there = series_find((struct str){ copy, n }, str_of(finds[_i].family),
			    hash_bytes(str_of(finds[_i].id)), &id);
	ck_assert_msg(there == finds[_i].there, "%s", finds[_i].name);
	ck_assert_msg(strcmp(strbuf_z(&id) + 1, there ? finds[_i].id : "") == 0, "%s: %s",
		      finds[_i].name, id.p);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("series");

	tcase_add_loop_test(tc, head_row, 0, (int)ARRAY_LEN(heads));
	tcase_add_loop_test(tc, find_row, 0, (int)ARRAY_LEN(finds));
	return run_cases("series", tc);
}
