/* Text exposition of one metric, line by line. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "format/text/write.h"
#include "lib/run.h"
#include "metrics/names.h"

/* A copy without NUL and without slack, for the address sanitizer. */
static struct str exact(struct str s)
{
	char *p = malloc(s.n ? s.n : 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

static void exact_done(struct str *s)
{
	free((char *)s->p);
}

static const struct {
	const char *name;
	struct str in;
	const char *want;
} names[] = {
	{ "classic", STR("my_metric"), "my_metric" },
	{ "all kinds of classic", STR("aZ_:09"), "aZ_:09" },
	{ "colon first", STR(":a"), ":a" },
	{ "dot", STR("my.metric"), "my_metric" },
	{ "blank", STR("a b"), "a_b" },
	{ "digit first", STR("1a"), "_a" },
	{ "digits only", STR("12"), "_2" },
	{ "underscore stays", STR("x_y.z"), "x_y_z" },
	{ "one code point of two bytes", STR("\xc3\xa9"), "_" },
	{ "three and four bytes", STR("a\xe2\x82\xacx\xf0\x9f\x98\x80z"), "a_x_z" },
	{ "invalid byte", STR("a\xff\xffx"), "a__x" },
	{ "cut code point", STR("a\xe2\x82"), "a__" },
	{ "surrogate", STR("\xed\xa0\x80"), "___" },
	{ "NUL, LF, quote, DEL", STR("a\0\n\"\x7f"), "a____" },
	{ "neighbours of the ranges", STR("a@[`{/;"), "a______" },
	{ "hyphen", STR("a-b"), "a_b" },
	{ "empty", STR(""), "" },
};

START_TEST(escaped_name)
{
	CLEANUP(exact_done) struct str in = exact(names[_i].in);
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	text_write_escaped_name(&out, in);
	ck_assert_msg(str_eq(strbuf_str(&out), str_of(names[_i].want)), "%s: %s", names[_i].name,
		      strbuf_z(&out));
}
END_TEST

static const struct {
	const char *name;
	bool has_help;
	struct str help;
	int32_t type;
	const char *want;
} headers[] = {
	{ "counter", true, STR("What it is."), METRIC_COUNTER,
	  "# HELP a What it is.\n# TYPE a counter\n" },
	{ "no help", false, STR(""), METRIC_GAUGE, "# TYPE a gauge\n" },
	{ "empty help", true, STR(""), METRIC_SUMMARY, "# HELP a \n# TYPE a summary\n" },
	{ "untyped", false, STR(""), METRIC_UNTYPED, "# TYPE a untyped\n" },
	{ "histogram", false, STR(""), METRIC_HISTOGRAM, "# TYPE a histogram\n" },
	{ "gauge histogram", false, STR(""), METRIC_GAUGE_HISTOGRAM, "# TYPE a histogram\n" },
	{ "unknown type", false, STR(""), 77, "# TYPE a untyped\n" },
	{ "help escapes", true, STR("\\a\nb\\n\"c\"\r\t\xff"), METRIC_GAUGE,
	  "# HELP a \\\\a\\nb\\\\n\"c\"\r\t\xff\n# TYPE a gauge\n" },
	{ "help of escapes", true, STR("\\\\\n\n"), METRIC_GAUGE,
	  "# HELP a \\\\\\\\\\n\\n\n# TYPE a gauge\n" },
};

START_TEST(header)
{
	CLEANUP(exact_done) struct str help = exact(headers[_i].help);
	CLEANUP(exact_done) struct str name = exact(STR("a"));
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	text_write_header(&out, name, headers[_i].has_help, help, headers[_i].type);
	ck_assert_msg(str_eq(strbuf_str(&out), str_of(headers[_i].want)), "%s: %s",
		      headers[_i].name, strbuf_z(&out));
}
END_TEST

#define LABEL(n, v)            \
	{                      \
		STR(n), STR(v) \
	}

static const struct {
	const char *name;
	uint32_t n;
	struct label labels[3];
	struct str want;
} labels[] = {
	{ "none", 0, { LABEL("", "") }, STR("") },
	{ "one", 1, { LABEL("a", "b") }, STR("{a=\"b\"}") },
	{ "order kept",
	  3,
	  { LABEL("z", "1"), LABEL("a", "2"), LABEL("z", "3") },
	  STR("{z=\"1\",a=\"2\",z=\"3\"}") },
	{ "empty value", 2, { LABEL("a", ""), LABEL("b", "") }, STR("{a=\"\",b=\"\"}") },
	{ "escapes", 1, { LABEL("a", "\\ \n \"") }, STR("{a=\"\\\\ \\n \\\"\"}") },
	{ "escapes only", 1, { LABEL("a", "\\\\\n\"\"") }, STR("{a=\"\\\\\\\\\\n\\\"\\\"\"}") },
	{ "all else raw",
	  1,
	  { LABEL("a", "\r\t\0\x7f\xc3\xa9{},'#") },
	  STR("{a=\"\r\t\0\x7f\xc3\xa9{},'#\"}") },
	{ "names escaped, collision kept",
	  2,
	  { LABEL("x.y", "1"), LABEL("x_y", "2") },
	  STR("{x_y=\"1\",x_y=\"2\"}") },
	{ "colon in a name", 1, { LABEL("x:y", "1") }, STR("{x:y=\"1\"}") },
	{ "empty name", 1, { LABEL("", "1") }, STR("{=\"1\"}") },
};

/* One byte that may need an escape, at each place in values of each length. */
START_TEST(byte_in_value)
{
	static const char bytes[] = "\\\n\"\x02*a\x8a\xa2\xdc";

	for (size_t n = 1; n < 20; n++) {
		for (size_t i = 0; i < n * (sizeof(bytes) - 1); i++) {
			CLEANUP(strbuf_done) struct strbuf out = { 0 }, plain = { 0 };
			char value[20], c = bytes[i / n];
			bool escaped = i / n < 3;

			memset(value, 'x', n);
			value[i % n] = c;
			struct str v = exact((struct str){ value, n });
			struct label l = { STR("a"), v };

			ck_assert(text_is_verbatim(v) == !escaped);
			text_write_labels(&out, &l, 1, false);
			ck_assert_uint_eq(out.n, n + strlen("{a=\"\"}") + escaped);
			ck_assert(out.p[4 + i % n] == (escaped ? '\\' : c));
			text_write_labels(&plain, &l, 1, true);
			ck_assert(escaped || str_eq(strbuf_str(&plain), strbuf_str(&out)));
			exact_done(&v);
		}
	}
}
END_TEST

START_TEST(label_set)
{
	struct label in[3] = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	for (uint32_t i = 0; i < labels[_i].n; i++)
		in[i] = (struct label){ exact(labels[_i].labels[i].name),
					exact(labels[_i].labels[i].value) };
	text_write_labels(&out, in, labels[_i].n, false);
	ck_assert_msg(str_eq(strbuf_str(&out), labels[_i].want), "%s: %s", labels[_i].name,
		      strbuf_z(&out));
	for (uint32_t i = 0; i < labels[_i].n; i++) {
		exact_done(&in[i].name);
		exact_done(&in[i].value);
	}
}
END_TEST

/* Nothing but escapes: twice as long as the buffer was made for by a plain text. */
START_TEST(long_texts)
{
	enum { N = 5000 };
	char quotes[N];
	struct label l = { STR("a"), { quotes, N } };
	CLEANUP(strbuf_done) struct strbuf set = { 0 };
	CLEANUP(strbuf_done) struct strbuf head = { 0 };

	memset(quotes, '\\', N);
	text_write_labels(&set, &l, 1, false);
	ck_assert_uint_eq(set.n, (size_t)2 * N + sizeof("{a=\"\"}") - 1);
	text_write_header(&head, STR("a"), true, l.value, METRIC_GAUGE);
	ck_assert_uint_eq(head.n, (size_t)2 * N + sizeof("# HELP a \n# TYPE a gauge\n") - 1);
	strbuf_done(&set);
	text_write_escaped_name(&set, l.value);
	ck_assert_uint_eq(set.n, N);
}
END_TEST

/* ---- samples ---- */

static struct bucket two_buckets[] = {
	{ .upper_bound = 0.5, .count = 3 },
	{ .upper_bound = 1e6, .count = 9007199254740993 },
};
static struct bucket inf_first[] = {
	{ .upper_bound = (double)INFINITY, .count = 4 },
	{ .upper_bound = 1, .count = 3 },
};
static struct bucket odd_bounds[] = {
	{ .upper_bound = -(double)INFINITY, .count = 1 },
	{ .upper_bound = (double)NAN, .count = 2 },
	{ .upper_bound = 1, .count = 3 },
	{ .upper_bound = 1, .count = 2 },
};
static struct bucket float_buckets[] = {
	{ .upper_bound = 1, .count = 7, .count_float = 0.25 },
	{ .upper_bound = 2, .count = 8, .count_float = 0 },
	{ .upper_bound = 3, .count = 9, .count_float = -1 },
};
static struct span a_span = { 0, 1 };
static int64_t a_delta = 1;

static struct histogram plain_histogram = {
	.count = 5, .sum = 2.5, .buckets = two_buckets, .n_buckets = 2
};
static struct histogram inf_histogram = {
	.count = 5, .sum = -1, .buckets = inf_first, .n_buckets = 2
};
static struct histogram odd_histogram = {
	.count = 5, .sum = (double)NAN, .buckets = odd_bounds, .n_buckets = 4
};
static struct histogram float_histogram = {
	.count = 5, .count_float = 1.5, .sum = 1, .buckets = float_buckets, .n_buckets = 3
};
static struct histogram native_histogram = { .count = 5,
					     .sum = 1,
					     .has_schema = true,
					     .pos_spans = &a_span,
					     .n_pos_spans = 1,
					     .pos_deltas = &a_delta,
					     .n_pos_deltas = 1 };
static struct quantile two_quantiles[] = { { 0.9, 2 }, { 0.5, (double)NAN } };
static struct summary plain_summary = {
	.count = 18446744073709551615u, .sum = 0.1, .quantiles = two_quantiles, .n_quantiles = 2
};
static struct summary no_quantiles = { .count = 0, .sum = 0 };

/* NOLINTBEGIN(bugprone-macro-parentheses): a member's name stands in none. */
#define SIMPLE(kind, field, v)          \
	{                               \
		.has = kind, .field = v \
	}
#define HISTOGRAM(h)                                 \
	{                                            \
		.has = HAS_HISTOGRAM, .histogram = h \
	}
#define SUMMARY(s)                               \
	{                                        \
		.has = HAS_SUMMARY, .summary = s \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct {
	const char *name;
	int32_t type;
	const char *labels;
	struct metric m;
	uint32_t lines;
	const char *want;
} metrics[] = {
	{ "counter", METRIC_COUNTER, "", SIMPLE(HAS_COUNTER, counter, 2.5), 1, "n 2.5\n" },
	{ "gauge", METRIC_GAUGE, "{a=\"b\"}", SIMPLE(HAS_GAUGE, gauge, -3), 1, "n{a=\"b\"} -3\n" },
	{ "untyped", METRIC_UNTYPED, "{a=\"b\"}", SIMPLE(HAS_UNTYPED, untyped, 1e6), 1,
	  "n{a=\"b\"} 1e+06\n" },
	{ "negative zero", METRIC_GAUGE, "", SIMPLE(HAS_GAUGE, gauge, -0.0), 1, "n 0\n" },
	{ "+Inf", METRIC_GAUGE, "", SIMPLE(HAS_GAUGE, gauge, (double)INFINITY), 1, "n +Inf\n" },
	{ "-Inf", METRIC_GAUGE, "", SIMPLE(HAS_GAUGE, gauge, -(double)INFINITY), 1, "n -Inf\n" },
	{ "NaN", METRIC_GAUGE, "", SIMPLE(HAS_GAUGE, gauge, (double)NAN), 1, "n NaN\n" },
	{ "the longest number", METRIC_GAUGE, "",
	  SIMPLE(HAS_GAUGE, gauge, -2.2250738585072014e-308), 1, "n -2.2250738585072014e-308\n" },
	{ "of two kinds the one of the type",
	  METRIC_GAUGE,
	  "",
	  { .has = HAS_GAUGE | HAS_COUNTER, .gauge = 1, .counter = 2 },
	  1,
	  "n 1\n" },
	{ "without the type's value", METRIC_GAUGE, "", SIMPLE(HAS_COUNTER, counter, 1), 0, "" },
	{ "no value at all", METRIC_HISTOGRAM, "", SIMPLE(0, gauge, 0), 0, "" },
	{ "unknown type", 77, "", SIMPLE(HAS_UNTYPED, untyped, 1), 0, "" },
	{ "a timestamp is not shown",
	  METRIC_GAUGE,
	  "",
	  { .has = HAS_GAUGE, .gauge = 1, .has_timestamp = true },
	  1,
	  "n 1\n" },
	{ "summary", METRIC_SUMMARY, "{a=\"b\"}", SUMMARY(&plain_summary), 4,
	  "n{a=\"b\",quantile=\"0.9\"} 2\nn{a=\"b\",quantile=\"0.5\"} NaN\n"
	  "n_sum{a=\"b\"} 0.1\nn_count{a=\"b\"} 1.8446744073709552e+19\n" },
	{ "summary without labels", METRIC_SUMMARY, "", SUMMARY(&plain_summary), 4,
	  "n{quantile=\"0.9\"} 2\nn{quantile=\"0.5\"} NaN\n"
	  "n_sum 0.1\nn_count 1.8446744073709552e+19\n" },
	{ "summary without quantiles", METRIC_SUMMARY, "{a=\"b\"}", SUMMARY(&no_quantiles), 2,
	  "n_sum{a=\"b\"} 0\nn_count{a=\"b\"} 0\n" },
	{ "histogram, +Inf added", METRIC_HISTOGRAM, "{a=\"b\"}", HISTOGRAM(&plain_histogram), 5,
	  "n_bucket{a=\"b\",le=\"0.5\"} 3\nn_bucket{a=\"b\",le=\"1e+06\"} 9.007199254740992e+15\n"
	  "n_bucket{a=\"b\",le=\"+Inf\"} 5\nn_sum{a=\"b\"} 2.5\nn_count{a=\"b\"} 5\n" },
	{ "histogram without labels", METRIC_HISTOGRAM, "", HISTOGRAM(&plain_histogram), 5,
	  "n_bucket{le=\"0.5\"} 3\nn_bucket{le=\"1e+06\"} 9.007199254740992e+15\n"
	  "n_bucket{le=\"+Inf\"} 5\nn_sum 2.5\nn_count 5\n" },
	{ "le of its own stays", METRIC_HISTOGRAM, "{le=\"5\"}", HISTOGRAM(&native_histogram), 3,
	  "n_bucket{le=\"5\",le=\"+Inf\"} 5\nn_sum{le=\"5\"} 1\nn_count{le=\"5\"} 5\n" },
	{ "+Inf pushed, not last", METRIC_HISTOGRAM, "", HISTOGRAM(&inf_histogram), 4,
	  "n_bucket{le=\"+Inf\"} 4\nn_bucket{le=\"1\"} 3\nn_sum -1\nn_count 5\n" },
	{ "-Inf and NaN are not +Inf", METRIC_HISTOGRAM, "", HISTOGRAM(&odd_histogram), 7,
	  "n_bucket{le=\"-Inf\"} 1\nn_bucket{le=\"NaN\"} 2\nn_bucket{le=\"1\"} 3\n"
	  "n_bucket{le=\"1\"} 2\nn_bucket{le=\"+Inf\"} 5\nn_sum NaN\nn_count 5\n" },
	{ "float counts unless zero", METRIC_HISTOGRAM, "", HISTOGRAM(&float_histogram), 6,
	  "n_bucket{le=\"1\"} 0.25\nn_bucket{le=\"2\"} 8\nn_bucket{le=\"3\"} -1\n"
	  "n_bucket{le=\"+Inf\"} 1.5\nn_sum 1\nn_count 1.5\n" },
	{ "native histogram", METRIC_HISTOGRAM, "{a=\"b\"}", HISTOGRAM(&native_histogram), 3,
	  "n_bucket{a=\"b\",le=\"+Inf\"} 5\nn_sum{a=\"b\"} 1\nn_count{a=\"b\"} 5\n" },
	{ "gauge histogram", METRIC_GAUGE_HISTOGRAM, "", HISTOGRAM(&native_histogram), 3,
	  "n_bucket{le=\"+Inf\"} 5\nn_sum 1\nn_count 5\n" },
};

START_TEST(samples)
{
	CLEANUP(exact_done) struct str name = exact(STR("n"));
	CLEANUP(exact_done) struct str set = exact(str_of(metrics[_i].labels));
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	strbuf_addz(&out, "before\n");
	uint32_t n = text_write_metric(&out, name, set, metrics[_i].type, &metrics[_i].m);

	ck_assert_msg(n == metrics[_i].lines, "%s: %u lines", metrics[_i].name, n);
	ck_assert_msg(strncmp(strbuf_z(&out), "before\n", 7) == 0 &&
			      strcmp(out.p + 7, metrics[_i].want) == 0,
		      "%s: %s", metrics[_i].name, out.p);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("text_write");

	tcase_add_loop_test(tc, escaped_name, 0, ARRAY_LEN(names));
	tcase_add_loop_test(tc, header, 0, ARRAY_LEN(headers));
	tcase_add_loop_test(tc, label_set, 0, ARRAY_LEN(labels));
	tcase_add_test(tc, byte_in_value);
	tcase_add_test(tc, long_texts);
	tcase_add_loop_test(tc, samples, 0, ARRAY_LEN(metrics));
	return run_cases("text_write", tc);
}
