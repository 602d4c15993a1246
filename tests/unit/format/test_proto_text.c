/* Families as Go's prototext shows them; the text is that of the Go gateway 1.11, blanks aside. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "format/protobuf/text.h"
#include "lib/run.h"

static struct label labels[] = { { { "a", 1 }, { "\x01\x7f\xc2\x85\\\"\n\t\r\xc3\xa9\xff", 12 } } };
static struct label trace = { { "t", 1 }, { "n", 1 } };
static struct exemplar exemplar = { &trace, 1, 0.9, { true, 1600000000, 5 } };
static struct bucket buckets[] = { { 1, 1, 0, NULL }, { (double)INFINITY, 0, 1.5, NULL } };
static struct span negative = { -1, 1 }, positive[] = { { 0, 2 }, { 3, 1 } };
static int64_t deltas[] = { 1, -1 };
static double counts[] = { 0.5 };
static struct quantile quantile = { 0.5, (double)NAN };
static struct summary summary = { 4, 1e10, &quantile, 1, { true, 15, 0 } };
static struct histogram histogram = {
	.count = 12,
	.sum = 18.4,
	.buckets = buckets,
	.n_buckets = 2,
	.created = { true, 0, 7 },
	.has_schema = true,
	.schema = -3,
	.has_zero_threshold = true,
	.zero_threshold = 1e-128,
	.has_zero_count = true,
	.zero_count = 2,
	.has_zero_count_float = true,
	.zero_count_float = 0.25,
	.neg_spans = &negative,
	.n_neg_spans = 1,
	.neg_counts = counts,
	.n_neg_counts = 1,
	.pos_spans = positive,
	.n_pos_spans = 2,
	.pos_deltas = deltas,
	.n_pos_deltas = 2,
	.exemplars = &exemplar,
	.n_exemplars = 1,
};

static const struct {
	const char *name;
	struct family f;
	struct metric m;
	const char *compact;
} rows[] = {
	{ "counter",
	  { .name = STR("c"), .type = METRIC_COUNTER, .has_help = true, .help = STR("\"h\"") },
	  { .has = HAS_COUNTER,
	    .counter = 3,
	    .labels = labels,
	    .n_labels = 1,
	    .exemplar = &exemplar,
	    .counter_created = { true, 0, 0 } },
	  "name:\"c\" help:\"\\\"h\\\"\" type:COUNTER metric:{label:{name:\"a\" "
	  "value:\"\\x01\\x7f\\u0085\\\\\\\"\\n\\t\\r\xc3\xa9\\xff\"} counter:{value:3 "
	  "exemplar:{label:{name:\"t\" value:\"n\"} value:0.9 timestamp:{seconds:1600000000 "
	  "nanos:5}} created_timestamp:{}}}\n" },
	{ "gauge",
	  { .name = STR("g"), .type = METRIC_GAUGE },
	  { .has = HAS_GAUGE, .gauge = -0.0 },
	  "name:\"g\" type:GAUGE metric:{gauge:{value:-0}}\n" },
	{ "infinities, two kinds",
	  { .name = STR("u"), .type = METRIC_UNTYPED },
	  { .has = HAS_GAUGE | HAS_UNTYPED,
	    .gauge = (double)INFINITY,
	    .untyped = -(double)INFINITY },
	  "name:\"u\" type:UNTYPED metric:{gauge:{value:inf} untyped:{value:-inf}}\n" },
	{ "summary",
	  { .name = STR("s"), .type = METRIC_SUMMARY, .has_help = true },
	  { .has = HAS_SUMMARY, .summary = &summary },
	  "name:\"s\" help:\"\" type:SUMMARY metric:{summary:{sample_count:4 sample_sum:1e+10 "
	  "quantile:{quantile:0.5 value:nan} created_timestamp:{seconds:15}}}\n" },
	{ "histogram",
	  { .name = STR("h"), .type = METRIC_GAUGE_HISTOGRAM },
	  { .has = HAS_HISTOGRAM, .histogram = &histogram },
	  "name:\"h\" type:GAUGE_HISTOGRAM metric:{histogram:{sample_count:12 sample_sum:18.4 "
	  "bucket:{cumulative_count:1 upper_bound:1} bucket:{cumulative_count_float:1.5 "
	  "upper_bound:inf} created_timestamp:{nanos:7} schema:-3 zero_threshold:1e-128 "
	  "zero_count:2 zero_count_float:0.25 negative_span:{offset:-1 length:1} "
	  "negative_count:0.5 positive_span:{offset:0 length:2} positive_span:{offset:3 length:1} "
	  "positive_delta:1 positive_delta:-1 exemplars:{label:{name:\"t\" value:\"n\"} value:0.9 "
	  "timestamp:{seconds:1600000000 nanos:5}}}}\n" },
	{ "unknown type",
	  { .name = STR("x"), .type = 77 },
	  { 0 },
	  "name:\"x\" type:77 metric:{}\n" },
};

static void write(struct strbuf *out, bool compact, int i)
{
	proto_text_head(out, compact, &rows[i].f);
	proto_text_metric(out, compact, &rows[i].m);
	proto_text_end(out);
}

START_TEST(compact)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	write(&out, true, _i);
	ck_assert_msg(str_eq(strbuf_str(&out), str_of(rows[_i].compact)), "%s:\n%s", rows[_i].name,
		      strbuf_z(&out));
}
END_TEST

START_TEST(several_lines)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	write(&out, false, 0);
	write(&out, false, 1);
	ck_assert_str_eq(strbuf_z(&out),
			 "name: \"c\"\n"
			 "help: \"\\\"h\\\"\"\n"
			 "type: COUNTER\n"
			 "metric: {\n"
			 "  label: {\n"
			 "    name: \"a\"\n"
			 "    value: \"\\x01\\x7f\\u0085\\\\\\\"\\n\\t\\r\xc3\xa9\\xff\"\n"
			 "  }\n"
			 "  counter: {\n"
			 "    value: 3\n"
			 "    exemplar: {\n"
			 "      label: {\n"
			 "        name: \"t\"\n"
			 "        value: \"n\"\n"
			 "      }\n"
			 "      value: 0.9\n"
			 "      timestamp: {\n"
			 "        seconds: 1600000000\n"
			 "        nanos: 5\n"
			 "      }\n"
			 "    }\n"
			 "    created_timestamp: {}\n"
			 "  }\n"
			 "}\n"
			 "\n"
			 "name: \"g\"\n"
			 "type: GAUGE\n"
			 "metric: {\n"
			 "  gauge: {\n"
			 "    value: -0\n"
			 "  }\n"
			 "}\n"
			 "\n");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("proto_text");

	tcase_add_loop_test(tc, compact, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, several_lines);
	return run_cases("proto_text", tc);
}
