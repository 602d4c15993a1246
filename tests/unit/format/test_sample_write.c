/* Sample lines with quoted names, and those of OpenMetrics. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "format/sample_write.h"
#include "lib/run.h"

#define TS(s, n)               \
	{                      \
		true, (s), (n) \
	}

static struct label trace = { { "t", 1 }, { "x\"", 2 } };
static struct exemplar exemplar = { &trace, 1, 0.5, TS(1600000000, 120000000) };
static struct exemplar bare = { .value = 2 };
static struct label odd_label = { { "a.b", 3 }, { "x", 1 } };
static struct exemplar odd = { .labels = &odd_label, .n_labels = 1, .value = 1 };
static struct quantile quantiles[] = { { 0.5, 1 }, { 0.99, (double)NAN } };
static struct summary summary = { 4, 1e10, quantiles, 2, TS(7, 0) };
static struct bucket buckets[] = { { 1, 1, 0, &exemplar }, { 2, 2, 0, NULL } };
static struct histogram histogram = {
	.count = 3, .sum = 2.5, .buckets = buckets, .n_buckets = 2, .created = TS(-1, 500000000)
};

#define C .type = METRIC_COUNTER, .openmetrics = true
#define OM .openmetrics = true

static const struct {
	const char *name;
	struct sample_family f;
	struct label labels[2];
	uint32_t n_labels;
	struct metric m;
	const char *want;
} rows[] = {
	{ .name = "text, classic",
	  .f = { .name = STR("a"),
		 .type = METRIC_GAUGE,
		 .has_help = true,
		 .help = STR("\"h\"\n\\") },
	  .labels = { { STR("b"), STR("\"\\\n") } },
	  .n_labels = 1,
	  .m = { .gauge = 1 },
	  .want = "# HELP a \"h\"\\n\\\\\n# TYPE a gauge\na{b=\"\\\"\\\\\\n\"} 1\n" },
	{ .name = "text, quoted",
	  .f = { .name = STR("my.metric"), .type = METRIC_COUNTER, .has_help = true },
	  .labels = { { STR("a.b"), STR("c") }, { STR("d_e"), STR("x") } },
	  .n_labels = 2,
	  .m = { .counter = 5, .exemplar = &exemplar },
	  .want = "# HELP \"my.metric\" \n# TYPE \"my.metric\" counter\n"
		  "{\"my.metric\",\"a.b\"=\"c\",d_e=\"x\"} 5\n" },
	{ .name = "text, quoted with escapes",
	  .f = { .name = STR("a\"\n\\"), .type = METRIC_UNTYPED },
	  .m = { .untyped = 5 },
	  .want = "# TYPE \"a\\\"\\n\\\\\" untyped\n{\"a\\\"\\n\\\\\"} 5\n" },
	{ .name = "text, quoted histogram",
	  .f = { .name = STR("h.x"), .type = METRIC_HISTOGRAM },
	  .labels = { { STR("x:y"), STR("1") } },
	  .n_labels = 1,
	  .m = { .histogram = &histogram },
	  .want = "# TYPE \"h.x\" histogram\n{\"h.x_bucket\",x:y=\"1\",le=\"1\"} 1\n"
		  "{\"h.x_bucket\",x:y=\"1\",le=\"2\"} 2\n"
		  "{\"h.x_bucket\",x:y=\"1\",le=\"+Inf\"} 3\n{\"h.x_sum\",x:y=\"1\"} 2.5\n"
		  "{\"h.x_count\",x:y=\"1\"} 3\n" },
	{ .name = "text, quoted summary",
	  .f = { .name = STR("s.x"), .type = METRIC_SUMMARY },
	  .m = { .summary = &summary },
	  .want = "# TYPE \"s.x\" summary\n{\"s.x\",quantile=\"0.5\"} 1\n"
		  "{\"s.x\",quantile=\"0.99\"} NaN\n{\"s.x_sum\"} 1e+10\n{\"s.x_count\"} 4\n" },
	{ .name = "counter",
	  .f = { .name = STR("c_total"), .has_help = true, .help = STR("\"h\""), C },
	  .labels = { { STR("a"), STR("b") } },
	  .n_labels = 1,
	  .m = { .counter = 3, .exemplar = &exemplar, .counter_created = TS(15, 500000000) },
	  .want = "# HELP c \\\"h\\\"\n# TYPE c counter\n"
		  "c_total{a=\"b\"} 3 # {t=\"x\\\"\"} 0.5 1600000000.12\nc_created{a=\"b\"} "
		  "15.5\n" },
	{ .name = "counter, exemplar without labels",
	  .f = { .name = STR("c_total"), C },
	  .m = { .counter = 3, .exemplar = &bare },
	  .want = "# TYPE c counter\nc_total 3 # {} 2\n" },
	{ .name = "counter, exemplar that OpenMetrics does not allow",
	  .f = { .name = STR("c_total"), C },
	  .m = { .counter = 3, .exemplar = &odd },
	  .want = "# TYPE c counter\nc_total 3\n" },
	{ .name = "counter of another name",
	  .f = { .name = STR("requests"), C },
	  .m = { .counter = 3, .exemplar = &exemplar, .counter_created = TS(15, 0) },
	  .want = "# TYPE requests unknown\nrequests 3\n" },
	{ .name = "counter whose name is the suffix",
	  .f = { .name = STR("_total"), C },
	  .m = { .counter = 3 },
	  .want = "# TYPE _total unknown\n_total 3\n" },
	{ .name = "counter with a taken name",
	  .f = { .name = STR("c_total"), .unknown = true, C },
	  .m = { .counter = 3, .exemplar = &exemplar, .counter_created = TS(15, 0) },
	  .want = "# TYPE c_total unknown\nc_total 3\n" },
	{ .name = "counter in UTF-8",
	  .f = { .name = STR("c.d_total"), C },
	  .m = { .counter = 3, .counter_created = TS(15, 1) },
	  .want = "# TYPE \"c.d\" counter\n{\"c.d_total\"} 3\n{\"c.d_created\"} 15.000000001\n" },
	{ .name = "untyped",
	  .f = { .name = STR("u"), .type = METRIC_UNTYPED, OM },
	  .m = { .untyped = -0.0 },
	  .want = "# TYPE u unknown\nu 0\n" },
	{ .name = "unit",
	  .f = { .name = STR("g_seconds"), .type = METRIC_GAUGE, .unit = STR("seconds"), OM },
	  .m = { .gauge = 1 },
	  .want = "# TYPE g_seconds gauge\n# UNIT g_seconds seconds\ng_seconds 1\n" },
	{ .name = "unit of a counter",
	  .f = { .name = STR("c_seconds_total"), .unit = STR("seconds"), C },
	  .m = { .counter = 1 },
	  .want = "# TYPE c_seconds counter\n# UNIT c_seconds seconds\nc_seconds_total 1\n" },
	{ .name = "unit that the name does not have",
	  .f = { .name = STR("gseconds"), .type = METRIC_GAUGE, .unit = STR("seconds"), OM },
	  .m = { .gauge = 1 },
	  .want = "# TYPE gseconds gauge\ngseconds 1\n" },
	{ .name = "histogram",
	  .f = { .name = STR("h"), .type = METRIC_HISTOGRAM, OM },
	  .m = { .histogram = &histogram },
	  .want = "# TYPE h histogram\nh_bucket{le=\"1\"} 1 # {t=\"x\\\"\"} 0.5 1600000000.12\n"
		  "h_bucket{le=\"2\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 2.5\nh_count 3\n"
		  "h_created -0.5\n" },
	{ .name = "summary",
	  .f = { .name = STR("s"), .type = METRIC_SUMMARY, OM },
	  .m = { .summary = &summary },
	  .want = "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.99\"} NaN\n"
		  "s_sum 1e+10\ns_count 4\ns_created 7\n" },
};

START_TEST(sample_is_written)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct metric m = rows[_i].m;
	struct label labels[2] = { rows[_i].labels[0], rows[_i].labels[1] };

	m.labels = labels;
	m.n_labels = rows[_i].n_labels;
	sample_write_header(&out, &rows[_i].f);
	sample_write_metric(&out, &rows[_i].f, &m);
	ck_assert_msg(str_eq(strbuf_str(&out), str_of(rows[_i].want)), "%s:\n%s", rows[_i].name,
		      strbuf_z(&out));
}
END_TEST

/* 128 code points at the most; above, the sample goes without its exemplar. */
START_TEST(exemplar_length)
{
	char text[2 * 128];
	struct label l = { STR("t"), { text, 0 } };
	struct exemplar e = { .labels = &l, .n_labels = 1, .value = 1 };
	struct metric m = { .counter = 1, .exemplar = &e };
	struct sample_family f = { .name = STR("c_total"), C };

	for (int i = 0; i < 128; i++)
		memcpy(text + (size_t)2 * i, "\xc3\xa9", 2);
	for (size_t n = 126; n <= 128; n++) {
		CLEANUP(strbuf_done) struct strbuf out = { 0 };

		l.value.n = 2 * n;
		sample_write_metric(&out, &f, &m);
		ck_assert_msg((strchr(strbuf_z(&out), '#') != NULL) == (n + 1 <= 128), "%zu", n);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sample_write");

	tcase_add_loop_test(tc, sample_is_written, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, exemplar_length);
	return run_cases("sample_write", tc);
}
