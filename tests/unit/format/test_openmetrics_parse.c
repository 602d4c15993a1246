/*
 * OpenMetrics text as it is understood: each accepted row is written out again, delimited messages
 * shown as Go shows them, in one line a family.
 */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/openmetrics/parse.h"
#include "format/protobuf/text.h"
#include "lib/run.h"

#define EOF_LINE "# EOF\n"

static const struct {
	const char *name, *body;
	const char *want; /* or, after a '!', part of the refusal */
} rows[] = {
	{ "nothing", "", "" },
	{ "EOF alone", EOF_LINE, "" },
	{ "EOF without LF", "# EOF", "" },
	{ "counter", "# HELP c a \\\"b\\\"\\n\n# TYPE c counter\nc_total{a=\"b\"} 3\n" EOF_LINE,
	  "name:\"c_total\" help:\"a \\\"b\\\"\\n\" type:COUNTER metric:{label:{name:\"a\" "
	  "value:\"b\"} counter:{value:3}}\n" },
	{ "created and exemplar",
	  "# TYPE c counter\nc_total 3 # {t=\"x\",le=\"1\"} 0.5 1600000000.5\n"
	  "c_created 1500000000.25\n" EOF_LINE,
	  "name:\"c_total\" type:COUNTER metric:{counter:{value:3 exemplar:{label:{name:\"t\" "
	  "value:\"x\"} label:{name:\"le\" value:\"1\"} value:0.5 "
	  "timestamp:{seconds:1600000000 nanos:500000000}} "
	  "created_timestamp:{seconds:1500000000 nanos:250000000}}}\n" },
	{ "created first, other order of labels",
	  "# TYPE c counter\nc_created{a=\"1\",b=\"2\"} 7\nc_total{b=\"2\",a=\"1\"} 3\n" EOF_LINE,
	  "name:\"c_total\" type:COUNTER metric:{label:{name:\"a\" value:\"1\"} label:{name:\"b\" "
	  "value:\"2\"} counter:{value:3 created_timestamp:{seconds:7}}}\n" },
	{ "exemplar without labels and time", "# TYPE c counter\nc_total 1 # {} 2\n" EOF_LINE,
	  "name:\"c_total\" type:COUNTER metric:{counter:{value:1 exemplar:{value:2}}}\n" },
	{ "gauge with unit",
	  "# TYPE g_seconds gauge\n# UNIT g_seconds seconds\ng_seconds 1\n" EOF_LINE,
	  "name:\"g_seconds\" type:GAUGE metric:{gauge:{value:1}} unit=seconds\n" },
	{ "info", "# TYPE i info\n# HELP i h\ni_info{v=\"1\"} 1\n" EOF_LINE,
	  "name:\"i_info\" help:\"h\" type:GAUGE metric:{label:{name:\"v\" value:\"1\"} "
	  "gauge:{value:1}}\n" },
	{ "stateset", "# TYPE s stateset\ns{s=\"a\"} 1\ns{s=\"b\"} 0\n" EOF_LINE,
	  "name:\"s\" type:GAUGE metric:{label:{name:\"s\" value:\"a\"} gauge:{value:1}} "
	  "metric:{label:{name:\"s\" value:\"b\"} gauge:{value:0}}\n" },
	{ "unknown and no type", "# TYPE u unknown\nu 1\nv 2\n# HELP v h\n" EOF_LINE,
	  "name:\"u\" type:UNTYPED metric:{untyped:{value:1}}\n"
	  "name:\"v\" help:\"h\" type:UNTYPED metric:{untyped:{value:2}}\n" },
	{ "histogram",
	  "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1 # {t=\"x\"} 0.7\nh_bucket{le=\"+Inf\"} 2\n"
	  "h_count 2\nh_sum 2.5\nh_created 9\n" EOF_LINE,
	  "name:\"h\" type:HISTOGRAM metric:{histogram:{sample_count:2 sample_sum:2.5 "
	  "bucket:{cumulative_count:1 upper_bound:1 exemplar:{label:{name:\"t\" value:\"x\"} "
	  "value:0.7}} bucket:{cumulative_count:2 upper_bound:inf} "
	  "created_timestamp:{seconds:9}}}\n" },
	{ "gauge histogram",
	  "# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 2\ng_gcount 2\ng_gsum -1\n" EOF_LINE,
	  "name:\"g\" type:GAUGE_HISTOGRAM metric:{histogram:{sample_count:2 sample_sum:-1 "
	  "bucket:{cumulative_count:2 upper_bound:inf}}}\n" },
	{ "summary",
	  "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 4\ns_created 5\n" EOF_LINE,
	  "name:\"s\" type:SUMMARY metric:{summary:{sample_count:4 sample_sum:3 "
	  "quantile:{quantile:0.5 value:1} created_timestamp:{seconds:5}}}\n" },
	{ "timestamp is noted", "a 1 1600000000.5\n" EOF_LINE,
	  "name:\"a\" type:UNTYPED metric:{untyped:{value:1}} timestamp\n" },
	{ "type without samples", "# TYPE c counter\n" EOF_LINE, "" },
	{ "no EOF", "a 1\n", "name:\"a\" type:UNTYPED metric:{untyped:{value:1}}\n" },
	{ "no EOF, cut off", "b 1\na 1", "!line 2: unexpected end of input stream" },
	{ "cut line", "a 1", "!line 1: unexpected end of input stream" },
	{ "behind EOF", "# EOF\na 1\n", "!line 1: there is something behind # EOF" },
	{ "unknown type", "# TYPE a foo\n" EOF_LINE, "!line 1: unknown metric type \"foo\"" },
	{ "two types", "# TYPE a gauge\n# TYPE a gauge\n" EOF_LINE,
	  "!line 2: second TYPE line for metric name \"a\"" },
	{ "two helps", "# HELP a x\n# HELP a y\n" EOF_LINE,
	  "!line 2: second HELP line for metric name \"a\"" },
	{ "two units", "# UNIT a_s s\n# UNIT a_s s\n" EOF_LINE,
	  "!line 2: second UNIT line for metric name \"a_s\"" },
	{ "unit not in the name", "# UNIT a seconds\n" EOF_LINE,
	  "!line 1: the name of a metric has to end in _ and its unit" },
	{ "type after sample", "a 1\n# TYPE a gauge\n" EOF_LINE,
	  "!line 2: \"a\" is already a name of another metric" },
	{ "two families of one name", "# TYPE c counter\n# TYPE c_total gauge\n" EOF_LINE,
	  "!line 2: \"c_total\" is already a name of another metric" },
	{ "counter without _total", "# TYPE c counter\nc 1\n" EOF_LINE,
	  "!line 2: the type of its metric has no sample called \"c\"" },
	{ "info without _info", "# TYPE i info\ni 1\n" EOF_LINE,
	  "!line 2: the type of its metric has no sample called \"i\"" },
	{ "fault in a label of a sample", "# TYPE c counter\nc_total{a=\"1\",a=\"1\"} 1\n" EOF_LINE,
	  "!line 2: duplicate label names for metric \"c_total\"" },
	{ "fault in a label of a time of creation",
	  "# TYPE c counter\nc_created{a=\"1\",a=\"1\"} 1\n" EOF_LINE,
	  "!line 2: duplicate label names for metric \"c_created\"" },
	{ "fault in a label of a bucket", "# TYPE h histogram\nh_bucket{=} 1\n" EOF_LINE,
	  "!line 2: invalid label name for metric \"h_bucket\"" },
	{ "name of the sample among the labels",
	  "# TYPE c counter\n{\"c_created\",a=\"1\",a=\"1\"} 1\n" EOF_LINE,
	  "!line 2: duplicate label names for metric \"c_created\"" },
	{ "created alone", "# TYPE c counter\nc_created 1\n" EOF_LINE,
	  "name:\"c_created\" type:GAUGE metric:{gauge:{value:1}}\n" },
	{ "some created alone",
	  "# TYPE c counter\nc_created{a=\"1\"} 1\nc_total{a=\"2\"} 2\nc_created{a=\"2\"} 3\n"
	  "c_created{a=\"3\"} 4\n" EOF_LINE,
	  "name:\"c_total\" type:COUNTER metric:{label:{name:\"a\" value:\"2\"} "
	  "counter:{value:2 created_timestamp:{seconds:3}}}\n"
	  "name:\"c_created\" type:GAUGE metric:{label:{name:\"a\" value:\"1\"} gauge:{value:1}} "
	  "metric:{label:{name:\"a\" value:\"3\"} gauge:{value:4}}\n" },
	{ "created NaN", "# TYPE c counter\nc_total 2\nc_created NaN\n" EOF_LINE,
	  "name:\"c_total\" type:COUNTER metric:{counter:{value:2}}\n"
	  "name:\"c_created\" type:GAUGE metric:{gauge:{value:nan}}\n" },
	{ "created of no histogram", "# TYPE h histogram\nh_created 1\n" EOF_LINE,
	  "name:\"h_created\" type:GAUGE metric:{gauge:{value:1}}\n" },
	{ "created of a summary, out of range",
	  "# TYPE s summary\ns_count 1\ns_created 1e300\n" EOF_LINE,
	  "name:\"s\" type:SUMMARY metric:{summary:{sample_count:1 sample_sum:0}}\n"
	  "name:\"s_created\" type:GAUGE metric:{gauge:{value:1e+300}}\n" },
	{ "counter called _total",
	  "# HELP c_total h\n# TYPE c_total counter\nc_total 1 # {t=\"x\"} 2\n" EOF_LINE,
	  "name:\"c_total\" help:\"h\" type:COUNTER metric:{counter:{value:1 "
	  "exemplar:{label:{name:\"t\" value:\"x\"} value:2}}}\n" },
	{ "counter called _total, as it should be",
	  "# TYPE c_total counter\nc_total_total 1\n" EOF_LINE,
	  "name:\"c_total_total\" type:COUNTER metric:{counter:{value:1}}\n" },
	{ "backslashes",
	  "# HELP a \\x\\n\\\\n\\\"\\\n# TYPE a gauge\na{b=\"\\x\\\\\\n\\\"\\\303\244\"} "
	  "1\n" EOF_LINE,
	  "name:\"a\" help:\"\\\\x\\n\\\\n\\\"\\\\\" type:GAUGE metric:{label:{name:\"b\" "
	  "value:\"\\\\x\\\\\\n\\\"\\\\\303\244\"} gauge:{value:1}}\n" },
	{ "backslash before a line feed", "a{b=\"\\\n\"} 1\n" EOF_LINE,
	  "!line 1: label value \"\\\\\" contains unescaped new-line" },
	{ "counter twice", "# TYPE c counter\nc_total 1\nc_total 2\n" EOF_LINE,
	  "!line 3: \"c_total\" has the same labels twice" },
	{ "exemplar of a gauge", "# TYPE g gauge\ng 1 # {} 1\n" EOF_LINE,
	  "!line 2: only counters and buckets have exemplars" },
	{ "exemplar of a sum", "# TYPE h histogram\nh_sum 1 # {} 1\n" EOF_LINE,
	  "!line 2: only counters and buckets have exemplars" },
	{ "exemplar without braces", "# TYPE c counter\nc_total 1 # 1\n" EOF_LINE,
	  "!line 2: expected '{' at start of exemplar" },
	{ "exemplar without value", "# TYPE c counter\nc_total 1 # {}\n" EOF_LINE,
	  "!line 2: expected float as value of an exemplar, got \"\"" },
	{ "exemplar, one number too many", "# TYPE c counter\nc_total 1 # {} 1 2 3\n" EOF_LINE,
	  "!line 2: spurious string at the end of the line: \"3\"" },
	{ "time out of range", "# TYPE c counter\nc_total 1 # {} 1 1e300\n" EOF_LINE,
	  "!line 2: the time of an exemplar is out of range" },
	{ "bad timestamp", "a 1 x\n" EOF_LINE, "!line 1: expected float as timestamp, got \"x\"" },
	{ "bad name", "# TYPE a-b gauge\n" EOF_LINE, "!line 1: invalid metric name in comment" },
	{ "too many samples", "a 1\na 2\na 3\na 4\na 5\na 6\na 7\n" EOF_LINE,
	  "!--limits.series-per-push=6" },
	{ "long name", "# TYPE a2345678901234567 gauge\n" EOF_LINE,
	  "!--limits.label-name-length=16" },
};

static const struct decode_limits limits = {
	.max_labels = 4, .max_label_name = 16, .max_label_value = 16, .max_series = 6
};

static void show(const struct family *families, struct strbuf *out)
{
	for (const struct family *f = families; f; f = f->next) {
		proto_text_head(out, true, f);
		for (const struct metric *m = f->metrics; m; m = m->next) {
			proto_text_metric(out, true, m);
			if (m->has_timestamp)
				strbuf_addz(out, " timestamp");
		}
		if (f->unit.n) {
			strbuf_addz(out, " unit=");
			strbuf_adds(out, f->unit);
		}
		proto_text_end(out);
	}
}

START_TEST(body_is_read)
{
	size_t n = strlen(rows[_i].body);
	CLEANUP(freep) char *copy = mem_dup(rows[_i].body, n);
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct family *families = NULL;
	struct err err = { 0 };
	struct arena a;

	arena_init(&a, 1 << 20);
	if (openmetrics_parse((struct str){ copy, n }, &limits, &a, &families, &err) < 0)
		strbuf_addf(&out, "!%s", err.msg);
	else
		show(families, &out);
	if (rows[_i].want[0] == '!')
		ck_assert_msg(out.n && out.p[0] == '!' && strstr(strbuf_z(&out), rows[_i].want + 1),
			      "%s: %s", rows[_i].name, strbuf_z(&out));
	else
		ck_assert_msg(str_eq(strbuf_str(&out), str_of(rows[_i].want)), "%s:\n%s",
			      rows[_i].name, strbuf_z(&out));
	arena_done(&a);
}
END_TEST

/* Whatever memory there is, the answer is the right one or a 413. */
START_TEST(out_of_memory)
{
	size_t n = strlen(rows[_i].body);

	for (size_t limit = 0; limit < 4096; limit += 16) {
		struct family *families = NULL;
		struct err err = { 0 };
		struct arena a;

		arena_init(&a, limit);
		if (openmetrics_parse((struct str){ rows[_i].body, n }, &limits, &a, &families,
				      &err) < 0)
			ck_assert(err.reason == ERR_TOO_LARGE || rows[_i].want[0] == '!');
		else
			ck_assert(rows[_i].want[0] != '!');
		arena_done(&a);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("openmetrics_parse");

	tcase_add_loop_test(tc, body_is_read, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tc, out_of_memory, 0, ARRAY_LEN(rows));
	return run_cases("openmetrics_parse", tc);
}
