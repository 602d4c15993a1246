/* Prometheus's naming rules: each with a name that breaks it, and one that nearly does. */
#include <stdlib.h>

#include "base/arena.h"
#include "format/text/parse.h"
#include "lib/run.h"
#include "push/lint.h"

#define HELP(name) "# HELP " name " x\n"
#define OF(name, type) HELP(name) "# TYPE " name " " type "\n"
#define BASE(base, unit) "use base unit \"" base "\" instead of \"" unit "\";"
#define ABBREVIATED "metric names should not contain abbreviated units;"

static const struct {
	const char *text, *want; /* problems in the order of enum lint_problem */
} cases[] = {
	{ OF("a_seconds", "gauge") "a_seconds 1\n", "" },
	{ "a 1\n", "no help text;" },
	{ "# HELP a \na 1\n", "no help text;" },
	{ OF("a_total", "counter") "a_total 1\n", "" },
	{ OF("a", "counter") "a 1\n", "counter metrics should have \"_total\" suffix;" },
	{ OF("a_total", "gauge") "a_total 1\n",
	  "non-counter metrics should not have \"_total\" suffix;" },
	{ HELP("a_total") "a_total 1\n", "" },
	{ OF("a_totals", "gauge") "a_totals 1\n", "" },
	{ OF("a_timestamp_seconds", "gauge") "a_timestamp_seconds 1\n", "" },
	{ OF("a_timestamp_seconds", "summary") "a_timestamp_seconds_sum 1\n",
	  "non-gauge metrics should not have \"_timestamp_seconds\" suffix;" },
	{ OF("a_bucket", "gauge") "a_bucket 1\n",
	  "non-histogram metrics should not have \"_bucket\" suffix;" },
	{ OF("a_count", "gauge") "a_count 1\n",
	  "non-histogram and non-summary metrics should not have \"_count\" suffix;" },
	{ OF("a_sum", "gauge") "a_sum 1\n",
	  "non-histogram and non-summary metrics should not have \"_sum\" suffix;" },
	{ HELP("a_bucket") "a_bucket{le=\"1\",quantile=\"1\"} 1\n", "" },
	{ OF("a", "gauge") "a{le=\"1\"} 1\n",
	  "non-histogram metrics should not have \"le\" label;" },
	{ OF("a", "gauge") "a{x=\"1\"} 1\na{quantile=\"1\"} 1\n",
	  "non-summary metrics should not have \"quantile\" label;" },
	{ OF("h", "histogram") "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", "" },
	{ OF("s", "summary") "s{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n", "" },
	{ OF("a_gauge", "gauge") "a_gauge 1\n", "metric name should not include type 'gauge';" },
	{ OF("a_Gauge_x", "gauge") "a_Gauge_x 1\n",
	  "metric name should not include type 'gauge';" },
	{ OF("gauge_a", "gauge") "gauge_a 1\n", "" },
	{ OF("a_counter", "gauge") "a_counter 1\n", "" },
	{ HELP("a_gauge") "a_gauge 1\n", "" },
	{ OF("a:b", "gauge") "a:b 1\n", "metric names should not contain ':';" },
	{ OF("aB", "gauge") "aB 1\n",
	  "metric names should be written in 'snake_case' not 'camelCase';" },
	{ OF("AB_C", "gauge") "AB_C 1\n", "" },
	{ OF("a", "gauge") "a{xY=\"1\"} 1\n",
	  "label names should be written in 'snake_case' not 'camelCase';" },
	{ OF("a_ms", "gauge") "a_ms 1\n", ABBREVIATED },
	{ OF("a_KB_b", "gauge") "a_KB_b 1\n", ABBREVIATED },
	{ OF("ms_a", "gauge") "ms_a 1\n", "" },
	{ OF("ms", "gauge") "ms 1\n", "" },
	{ OF("a__m", "gauge") "a__m 1\n", ABBREVIATED },
	{ OF("a_days", "gauge") "a_days 1\n", BASE("seconds", "days") },
	{ OF("days_a", "gauge") "days_a 1\n", BASE("seconds", "days") },
	{ OF("a_kilobytes", "gauge") "a_kilobytes 1\n", BASE("bytes", "kilobytes") },
	{ OF("a_millivolts", "gauge") "a_millivolts 1\n", BASE("volts", "millivolts") },
	{ OF("a_seconds_hours", "gauge") "a_seconds_hours 1\n", "" },
	{ OF("a_hours_seconds", "gauge") "a_hours_seconds 1\n", BASE("seconds", "hours") },
	{ OF("thermometers", "gauge") "thermometers 1\n", "" },
	{ OF("a_Days", "gauge") "a_Days 1\n", "" },
	{ OF("a", "gauge") "a{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"1\"} 1\n", "metric not unique;" },
	{ OF("jobGauge_ms_gauge", "gauge") "jobGauge_ms_gauge 1\n",
	  "metric name should not include type 'gauge';metric names should be written in "
	  "'snake_case' not 'camelCase';" ABBREVIATED },
};

START_TEST(problems)
{
	const struct decode_limits lim = DECODE_UNLIMITED;
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct family *f;
	struct err err;
	unsigned bits;

	arena_init(&a, 1 << 20);
	ck_assert_msg(text_parse(str_of(cases[_i].text), &lim, &a, &f, &err) == 0, "%s", err.msg);
	ck_assert_ptr_null(f->next);
	bits = lint_family(f);
	for (int p = 0; p < N_LINT_PROBLEMS; p++)
		if (bits >> p & 1) {
			lint_add_text((enum lint_problem)p, f->name, f->type, &got);
			strbuf_addc(&got, ';');
		}
	ck_assert_str_eq(strbuf_z(&got), cases[_i].want);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("lint");

	tcase_add_loop_test(tc, problems, 0, ARRAY_LEN(cases));
	return run_cases("lint", tc);
}
