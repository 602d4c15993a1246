/* Protobuf: limits of what is decoded. */
#include <check.h>

#include "lib/run.h"
#include "unit/format/proto_bodies.h"

static const struct {
	const char *name;
	struct str metric; /* of a family of each type that it has a value for */
	int32_t type;
	unsigned n_metrics;
	struct decode_limits lim; /* the least that passes */
	const char *flag;         /* named once any of them is one less */
} limits[] = {
	{ "labels", STR("\x0a\0\x0a\0\x0a\0"), 1, 1, { 3, 9, 9, 9, 0 }, "labels-per-series" },
	{ "label name", STR("\x0a\x05\x0a\x03xyz"), 1, 1, { 9, 3, 9, 9, 0 }, "label-name-length" },
	{ "label value",
	  STR("\x0a\x05\x12\x03xyz"),
	  1,
	  1,
	  { 9, 9, 3, 9, 0 },
	  "label-value-length" },
	{ "exemplar's labels",
	  STR("\x1a\x06\x12\x04\x0a\0\x0a\0"),
	  0,
	  1,
	  { 2, 9, 9, 9, 0 },
	  "labels-per-series" },
	{ "exemplars of a histogram",
	  STR("\x3a\x05\x82\x01\x02\x0a\0"),
	  4,
	  1,
	  { 1, 9, 9, 9, 0 },
	  "labels-per-series" },
	{ "metrics", STR(GAUGE_ONE), 1, 5, { 9, 9, 9, 5, 0 }, "series-per-push" },
	{ "metrics without value", STR(""), 1, 5, { 9, 9, 9, 5, 0 }, "series-per-push" },
	{ "summaries", STR("\x22\x04\x1a\0\x1a\0"), 2, 2, { 9, 9, 9, 8, 0 }, "series-per-push" },
	{ "summary in a gauge",
	  STR("\x22\x04\x1a\0\x1a\0"),
	  1,
	  2,
	  { 9, 9, 9, 2, 0 },
	  "series-per-push" },
	{ "histograms", STR("\x3a\x04\x1a\0\x1a\0"), 4, 3, { 9, 9, 9, 15, 0 }, "series-per-push" },
	{ "gauge histograms",
	  STR("\x3a\x04\x1a\0\x1a\0"),
	  5,
	  3,
	  { 9, 9, 9, 15, 0 },
	  "series-per-push" },
};

static struct decoded decode_limited(unsigned row, const struct decode_limits *lim)
{
	CLEANUP(strbuf_done) struct strbuf family = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	strbuf_adds(&family, STR("\x0a\x01n\x18"));
	strbuf_addc(&family, (char)limits[row].type);
	for (unsigned i = 0; i < limits[row].n_metrics; i++)
		add_framed(&family, 4, limits[row].metric);
	add_framed(&body, 0, strbuf_str(&family));
	return decode(strbuf_str(&body), lim, 1 << 20);
}

START_TEST(limit_case)
{
	struct decode_limits less = limits[_i].lim;

	CLEANUP(decoded_done) struct decoded at = decode_limited(_i, &less);

	ck_assert_msg(at.r == 0, "%s: %s", limits[_i].name, at.err.msg);
	less.max_labels -= less.max_labels < 9;
	less.max_label_name -= less.max_label_name < 9;
	less.max_label_value -= less.max_label_value < 9;
	less.max_series -= less.max_series != 9;
	CLEANUP(decoded_done) struct decoded past = decode_limited(_i, &less);

	ck_assert_msg(past.r == -1 && past.err.reason == ERR_TOO_LARGE &&
			      strstr(past.err.msg, limits[_i].flag) != NULL,
		      "%s: %d %s", limits[_i].name, past.err.reason, past.err.msg);
}
END_TEST

START_TEST(series_are_counted_over_families)
{
	struct decode_limits lim = roomy;
	struct str body = STR("\x07\x0a\x01n\x22\0\x22\0\x05\x0a\x01m\x22\0");

	lim.max_series = 3;
	CLEANUP(decoded_done) struct decoded at = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(at.r, 0);
	lim.max_series = 2;
	CLEANUP(decoded_done) struct decoded past = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(past.err.reason, ERR_TOO_LARGE);
}
END_TEST

START_TEST(metric_name_is_limited_like_a_label_name)
{
	struct decode_limits lim = roomy;
	struct str body = STR("\x05\x0a\x03xyz");

	lim.max_label_name = 3;
	CLEANUP(decoded_done) struct decoded at = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(at.r, 0);
	lim.max_label_name = 2;
	CLEANUP(decoded_done) struct decoded past = decode(body, &lim, 1 << 20);

	ck_assert_int_eq(past.err.reason, ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(past.err.msg, "--limits.label-name-length=2"));
}
END_TEST

/* A metric of two bytes must not cost a struct first. */
START_TEST(series_limit_comes_before_memory)
{
	CLEANUP(strbuf_done) struct strbuf metrics = { 0 };
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct decode_limits lim = roomy;

	lim.max_series = 5;
	for (unsigned i = 0; i < 1000; i++)
		strbuf_adds(&metrics, STR("\x22\0"));
	frame(&body, FAMILY, strbuf_str(&metrics));
	CLEANUP(decoded_done) struct decoded d = decode(strbuf_str(&body), &lim, 8192);

	ck_assert_int_eq(d.err.reason, ERR_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(d.err.msg, "--limits.series-per-push"));
}
END_TEST

int main(void)
{
	TCase *decode = tcase_create("proto_limits");

	tcase_add_loop_test(decode, limit_case, 0, ARRAY_LEN(limits));
	tcase_add_test(decode, series_are_counted_over_families);
	tcase_add_test(decode, metric_name_is_limited_like_a_label_name);
	tcase_add_test(decode, series_limit_comes_before_memory);
	return run_cases("proto_limits", decode);
}
