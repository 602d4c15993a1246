/* The text parser: limits, memory, and much of everything. */
#include <check.h>

#include "lib/run.h"
#include "unit/format/text_result.h"

static const struct {
	const char *name, *body, *msg; /* msg NULL: accepted */
} limit_cases[] = {
	{ "labels at", "a{b=\"1\",c=\"2\",d=\"3\"} 1\n", NULL },
	{ "labels past", "\na{b=\"1\",c=\"2\",d=\"3\",e=\"4\"} 1\n",
	  "line 2: the number of labels is at least 4, more than --limits.labels-per-series=3" },
	{ "labels before the name at", "{b=\"1\",c=\"2\",d=\"3\",a} 1\n", NULL },
	{ "labels before the name past", "{b=\"1\",c=\"2\",d=\"3\",e=\"4\",a} 1\n",
	  "line 1: the number of labels is at least 4, more than --limits.labels-per-series=3" },
	{ "le does not count", HIST "h{b=\"1\",c=\"2\",d=\"3\",le=\"4\"} 1\n", NULL },
	{ "le before the name does not count", HIST "{b=\"1\",c=\"2\",d=\"3\",le=\"4\",h} 1\n",
	  NULL },
	{ "label name at", "a{abcdefgh=\"1\"} 1\n", NULL },
	{ "label name past", "a{abcdefghi=\"1\"} 1\n",
	  "line 1: the length of a label name in bytes is 9, more than "
	  "--limits.label-name-length=8" },
	{ "metric name at", "abcdefgh 1\n", NULL },
	{ "metric name past", "abcdefghi 1\n",
	  "line 1: the length of a metric name in bytes is 9, more than "
	  "--limits.label-name-length=8" },
	{ "metric name in a comment past", "# TYPE abcdefghi gauge\n",
	  "line 1: the length of a metric name in bytes is 9, more than "
	  "--limits.label-name-length=8" },
	{ "metric name within braces past", "{abcdefghi} 1\n",
	  "line 1: the length of a metric name in bytes is 9, more than "
	  "--limits.label-name-length=8" },
	{ "label value at", "a{b=\"123456789\"} 1\n", NULL },
	{ "label value past", "a{b=\"1234567890\"} 1\n",
	  "line 1: the length of a label value in bytes is 10, more than "
	  "--limits.label-value-length=9" },
	{ "escapes count as one", "a{b=\"\\n23456789\"} 1\n", NULL },
	{ "le past", HIST "h{le=\"1000000000\"} 1\n",
	  "line 2: the length of a label value in bytes is 10, more than "
	  "--limits.label-value-length=9" },
	{ "samples at", "a 1\na 2\na 3\na 4\n# x\n\n", NULL },
	{ "samples past", "a 1\na 2\na 3\na 4\na 5\n",
	  "line 5: the number of samples reaches 5, more than --limits.series-per-push=4" },
	{ "lines of a histogram count",
	  HIST "h{le=\"1\"} 1\nh{le=\"2\"} 1\nh_sum 1\nh_count 1\nh 1\n",
	  "line 6: the number of samples reaches 5, more than --limits.series-per-push=4" },
};

START_TEST(limit_case)
{
	static const struct decode_limits tight = {
		.max_labels = 3,
		.max_label_name = 8,
		.max_label_value = 9,
		.max_series = 4,
	};
	struct result res = parse(str_of(limit_cases[_i].body), &tight, 1 << 20);

	if (limit_cases[_i].msg) {
		ck_assert_msg(res.r == -1 && res.err.reason == ERR_TOO_LARGE, "%s",
			      limit_cases[_i].name);
		ck_assert_str_eq(res.err.msg, limit_cases[_i].msg);
	} else {
		ck_assert_msg(res.r == 0, "%s: %s", limit_cases[_i].name, res.err.msg);
	}
	strbuf_done(&res.text);
}
END_TEST

/* Each smaller amount of memory is a 413, whichever allocation it is that fails. */
START_TEST(each_memory_limit)
{
	struct decode_limits lim = generous;
	size_t memory = 0;
	bool fitted = false;

	lim.utf8_names = true;
	for (; memory < 1 << 16 && !fitted; memory += 16) {
		struct result res = parse(str_of(bodies[_i]), &lim, memory);

		fitted = res.r == 0;
		if (!fitted) {
			ck_assert_int_eq(res.err.reason, ERR_TOO_LARGE);
			ck_assert_ptr_nonnull(strstr(res.err.msg, "--limits.body-size"));
		}
		strbuf_done(&res.text);
	}
	ck_assert(fitted && memory > 16);
}
END_TEST

/* Labels l0, l1 ... lN-1 from the outside in, so that they come in no order. */
static void add_many_labels(struct strbuf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		strbuf_addf(b, "l%u=\"v\",", i % 2 ? n - 1 - i / 2 : i / 2);
}

/* Around the number of labels where the search for repeated ones changes its way. */
START_TEST(many_labels)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct result res;

	strbuf_addz(&b, "a{");
	add_many_labels(&b, (unsigned)_i);
	strbuf_addz(&b, "} 1\n");
	res = parse(strbuf_str(&b), &generous, 1 << 20);
	ck_assert_msg(res.r == 0, "%s", res.err.msg);
	strbuf_done(&res.text);

	for (int repeated = 0; repeated < _i; repeated++) {
		b.n = 0;
		strbuf_addz(&b, "a{");
		add_many_labels(&b, (unsigned)_i);
		strbuf_addf(&b, "l%d=\"w\"} 1\n", repeated);
		res = parse(strbuf_str(&b), &generous, 1 << 20);
		ck_assert_int_eq(res.r, -1);
		ck_assert_str_eq(res.err.msg, "text format parsing error in line 1: duplicate "
					      "label names for metric \"a\"");
	}
}
END_TEST

/* Buckets and sums of many series mixed: each has to find its own again. */
START_TEST(many_series)
{
	enum { SERIES = 100, BUCKETS = 20 };
	static const struct decode_limits lim = { 64, 64, 64, 1 << 20, false };
	CLEANUP(strbuf_done) struct strbuf b = { 0 }, want = { 0 };
	struct result res;

	strbuf_addz(&b, HIST);
	strbuf_addz(&want, HIST);
	for (int le = 0; le < BUCKETS; le += 2) {
		for (int s = 0; s < SERIES; s++)
			strbuf_addf(&b, "h_bucket{le=\"%d\",y=\"z\",x=\"%d\"} %d\n", le, s, s * le);
		for (int s = 0; s < SERIES; s++)
			strbuf_addf(&b, "h{x=\"%d\",le=\"%d\",y=\"z\"} %d\n", s, le + 1,
				    s * (le + 1));
	}
	for (int s = 0; s < SERIES; s++) {
		for (int le = 0; le < BUCKETS; le++)
			strbuf_addf(&want, "h{y=\"z\",x=\"%d\",le=\"%d\"} %d\n", s, le, s * le);
		strbuf_addf(&want, "h_sum{y=\"z\",x=\"%d\"} 0\nh_count{y=\"z\",x=\"%d\"} 0\n", s,
			    s);
	}
	res = parse(strbuf_str(&b), &lim, 1 << 24);
	ck_assert_msg(res.r == 0, "%s", res.err.msg);
	ck_assert(str_eq(strbuf_str(&res.text), strbuf_str(&want)));
	strbuf_done(&res.text);
}
END_TEST

START_TEST(many_families)
{
	static const struct decode_limits lim = { 64, 64, 64, 1 << 20, false };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct result res;

	for (int i = 0; i < 5000; i++)
		strbuf_addf(&b, "# TYPE m%d gauge\nm%d %d\n", i, i, i);
	res = parse(strbuf_str(&b), &lim, 1 << 24);
	ck_assert_msg(res.r == 0, "%s", res.err.msg);
	ck_assert(str_eq(strbuf_str(&res.text), strbuf_str(&b)));
	strbuf_done(&res.text);
}
END_TEST

/* What is quoted is cut, so that the words after it stay. */
START_TEST(long_quotes)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	static const struct decode_limits lim = { 64, 2000, 2000, 1000, false };
	struct result res;

	strbuf_addz(&b, "a{b=\"");
	for (int i = 0; i < 1000; i++)
		strbuf_addc(&b, 'x');
	strbuf_addz(&b, "\n");
	res = parse(strbuf_str(&b), &lim, 1 << 20);
	ck_assert_int_eq(res.r, -1);
	ck_assert_ptr_nonnull(strstr(res.err.msg, "xxx...\" contains unescaped new-line"));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("text_limits");

	tcase_add_loop_test(tc, limit_case, 0, ARRAY_LEN(limit_cases));
	tcase_add_loop_test(tc, each_memory_limit, 0, ARRAY_LEN(bodies));
	tcase_add_loop_test(tc, many_labels, 14, 20);
	tcase_add_test(tc, many_series);
	tcase_add_test(tc, many_families);
	tcase_add_test(tc, long_quotes);
	return run_cases("text_limits", tc);
}
