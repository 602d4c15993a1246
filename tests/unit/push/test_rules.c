/*
 * What one push alone can do wrong, and the labels that the grouping key makes of those pushed.
 * Metrics are written down as a protobuf body could bring them: the text parser refuses many of
 * these before.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/text/write.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "push/rules.h"

#define L(name, value)                           \
	{                                        \
		{ name, sizeof(name) - 1 },      \
		{                                \
			value, sizeof(value) - 1 \
		}                                \
	}
#define MAX_LABELS 5

/* `path` is the grouping key, `want` the labels exposed. */
static const struct {
	const char *name, *path;
	struct label labels[MAX_LABELS];
	const char *want;
} keys[] = {
	{ "nothing pushed", "/x", { L("", "") }, "{instance=\"\",job=\"x\"}" },
	{ "one label", "/x", { L("z", "1") }, "{instance=\"\",job=\"x\",z=\"1\"}" },
	{ "job is overridden", "/x", { L("job", "q") }, "{instance=\"\",job=\"x\"}" },
	{ "instance is kept", "/x", { L("instance", "i") }, "{instance=\"i\",job=\"x\"}" },
	{ "instance of the key",
	  "/x/instance/k",
	  { L("instance", "i") },
	  "{instance=\"k\",job=\"x\"}" },
	{ "empty instance of the key",
	  "/x/instance/",
	  { L("instance", "i") },
	  "{instance=\"\",job=\"x\"}" },
	{ "any label of the key",
	  "/x/b/2/a/1",
	  { L("b", "9"), L("c", "3") },
	  "{a=\"1\",b=\"2\",c=\"3\",instance=\"\",job=\"x\"}" },
	{ "bytewise order",
	  "/x",
	  { L("a", "3"), L("_", "2"), L("A", "1"), L("aa", "4") },
	  "{A=\"1\",_=\"2\",a=\"3\",aa=\"4\",instance=\"\",job=\"x\"}" },
	{ "empty value", "/x", { L("b", "") }, "{b=\"\",instance=\"\",job=\"x\"}" },
	{ "only the first of two is overridden",
	  "/x",
	  { L("job", "q"), L("job", "r") },
	  "{instance=\"\",job=\"x\",job=\"r\"}" },
	{ "escaped values",
	  "/x",
	  { L("b", "\"\\\n") },
	  "{b=\"\\\"\\\\\\n\",instance=\"\",job=\"x\"}" },
};

static uint32_t count_labels(const struct label *l)
{
	uint32_t n = 0;

	while (n < MAX_LABELS && l[n].name.p && (l[n].name.n || l[n].value.n))
		n++;
	return n;
}

START_TEST(key_row)
{
	static const struct key_limits lim = { 100, 100, 100, false };
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct metric m = { .labels = (struct label *)keys[_i].labels,
			    .n_labels = count_labels(keys[_i].labels) };
	struct err err;
	struct key key;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(key_parse(str_of(keys[_i].path), &lim, &a, &key, NULL, &err), 0);
	ck_assert_int_eq(rules_apply_key(&m, &key, &a), 0);
	text_write_labels(&got, m.labels, m.n_labels, false);
	ck_assert_msg(strcmp(strbuf_z(&got), keys[_i].want) == 0, "%s: got %s", keys[_i].name,
		      strbuf_z(&got));
	/* What was applied once may be applied again: that is what a restart does. */
	ck_assert_int_eq(rules_apply_key(&m, &key, &a), 0);
	got.n = 0;
	text_write_labels(&got, m.labels, m.n_labels, false);
	ck_assert_str_eq(strbuf_z(&got), keys[_i].want);
}
END_TEST

START_TEST(key_without_memory)
{
	struct label label = { STR("job"), STR("x") };
	struct key key = { &label, 1, true };
	CLEANUP(arena_done) struct arena a;
	struct metric m = { 0 };

	arena_init(&a, 1);
	ck_assert_int_eq(rules_apply_key(&m, &key, &a), -1);
}
END_TEST

static struct summary a_summary;
static struct histogram a_histogram;

#define ALL (HAS_GAUGE | HAS_COUNTER | HAS_UNTYPED | HAS_SUMMARY | HAS_HISTOGRAM)
#define DUMP(labels) \
	"{ " labels "label:{name:\"instance\" value:\"\"} label:{name:\"job\" value:\"x\"} } "

/* A family of one metric; `want` is the message behind the prefix, NULL: accepted. */
static const struct row {
	const char *name, *family;
	int32_t type;
	uint8_t has;
	struct label labels[MAX_LABELS];
	const char *want;
} rows[] = {
	{ "counter", "a", METRIC_COUNTER, HAS_COUNTER, { L("", "") }, NULL },
	{ "gauge", "a", METRIC_GAUGE, HAS_GAUGE, { L("", "") }, NULL },
	{ "summary", "a", METRIC_SUMMARY, HAS_SUMMARY, { L("", "") }, NULL },
	{ "untyped", "a", METRIC_UNTYPED, HAS_UNTYPED, { L("", "") }, NULL },
	{ "histogram", "a", METRIC_HISTOGRAM, HAS_HISTOGRAM, { L("", "") }, NULL },
	{ "gauge histogram", "a", METRIC_GAUGE_HISTOGRAM, HAS_HISTOGRAM, { L("", "") }, NULL },
	{ "all kinds at once", "a", METRIC_GAUGE, ALL, { L("", "") }, NULL },
	{ "not a counter",
	  "a",
	  METRIC_COUNTER,
	  ALL & ~HAS_COUNTER,
	  { L("", "") },
	  "collected metric \"a\" " DUMP("") "is not a COUNTER" },
	{ "not a gauge",
	  "a",
	  METRIC_GAUGE,
	  ALL & ~HAS_GAUGE,
	  { L("b", "1") },
	  "collected metric \"a\" " DUMP("label:{name:\"b\" value:\"1\"} ") "is not a GAUGE" },
	{ "not a summary",
	  "a",
	  METRIC_SUMMARY,
	  ALL & ~HAS_SUMMARY,
	  { L("", "") },
	  "collected metric \"a\" " DUMP("") "is not a SUMMARY" },
	{ "not untyped",
	  "a",
	  METRIC_UNTYPED,
	  ALL & ~HAS_UNTYPED,
	  { L("", "") },
	  "collected metric \"a\" " DUMP("") "is not a UNTYPED" },
	{ "not a histogram",
	  "a",
	  METRIC_HISTOGRAM,
	  ALL & ~HAS_HISTOGRAM,
	  { L("", "") },
	  "collected metric \"a\" " DUMP("") "is not a HISTOGRAM" },
	{ "gauge histogram with a gauge",
	  "a",
	  METRIC_GAUGE_HISTOGRAM,
	  HAS_GAUGE,
	  { L("", "") },
	  "collected metric \"a\" " DUMP("") "is not a GAUGE_HISTOGRAM" },
	{ "no value at all",
	  "a",
	  METRIC_GAUGE,
	  0,
	  { L("", "") },
	  "collected metric \"a\" " DUMP("") "is not a GAUGE" },
	{ "no name", "", METRIC_GAUGE, HAS_GAUGE, { L("", "") }, "a metric family has no name" },
	{ "unknown type", "a", 77, ALL, { L("", "") }, "metric family \"a\" has unknown type 77" },
	{ "the next type there may be",
	  "a",
	  6,
	  ALL,
	  { L("", "") },
	  "metric family \"a\" has unknown type 6" },
	{ "negative type",
	  "a\n",
	  -1,
	  ALL,
	  { L("", "") },
	  "metric family \"a\\n\" has unknown type -1" },
	{ "label twice",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b", "1"), L("c", "2"), L("b", "3") },
	  "collected metric \"a\" " DUMP(
		  "label:{name:\"b\" value:\"1\"} label:{name:\"b\" value:\"3\"} "
		  "label:{name:\"c\" value:\"2\"} ") "has two or more labels with the same name: "
						     "b" },
	{ "grouping label twice",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("job", "1"), L("job", "x") },
	  "collected metric \"a\" { label:{name:\"instance\" value:\"\"} label:{name:\"job\" "
	  "value:\"x\"} label:{name:\"job\" value:\"x\"} } has two or more labels with the same "
	  "name: job" },
	{ "label without a name",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("", "1") },
	  "has a label with an empty name" },
	{ "reserved label name",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("__x", "1") },
	  "collected metric \"a\" " DUMP("label:{name:\"__x\" value:\"1\"} ") "has a label with "
									      "an invalid "
									      "name: __x" },
	{ "__name__", "a", METRIC_GAUGE, HAS_GAUGE, { L("__name__", "1") }, "invalid name: __n" },
	{ "one underscore", "a", METRIC_GAUGE, HAS_GAUGE, { L("_x", "1") }, NULL },
	{ "label name not UTF-8",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b\xFF", "1") },
	  "has a label with an invalid name: b\\xff" },
	{ "label value not UTF-8",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b", "\xFF") },
	  "collected metric \"a\" " DUMP("label:{name:\"b\" value:\"\\xff\"} ") "has a label "
										"named \"b\" "
										"whose value is "
										"not utf8: "
										"\"\\xff\"" },
	{ "value cut within a code point",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b", "x\xE2\x82") },
	  "whose value is not utf8: \"x\\xe2\\x82\"" },
	{ "invalid value of a label that is there twice",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b", "\xFF"), L("b", "") },
	  "has a label named \"b\" whose value is not utf8: \"\\xff\"" },
	{ "invalid value of a second label of that name",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b", ""), L("b", "\xFF") },
	  "has two or more labels with the same name: b" },
	{ "quantile that is not UTF-8",
	  "a",
	  METRIC_SUMMARY,
	  HAS_SUMMARY,
	  { L("quantile", "\xFF") },
	  "must not have an explicit \"quantile\" label" },
	{ "invalid value that the key replaces",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("job", "\xFF") },
	  NULL },
	{ "label name that is not classic",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("a-b.c", "1") },
	  NULL },
	{ "label names that are exposed as one",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b.c", "1"), L("b_c", "1") },
	  "has two or more labels that are exposed as the same name: \"b.c\" and \"b_c\"" },
	{ "the same, both escaped",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b.c", "1"), L("b-c", "1") },
	  "that are exposed as the same name: \"b-c\" and \"b.c\"" },
	{ "exposed as a grouping label",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("a.b", "1"), L("jo.b", "1"),
	    L("j\xC3\xB6"
	      "b",
	      "1") },
	  NULL },
	{ "quantile on a summary",
	  "s",
	  METRIC_SUMMARY,
	  HAS_SUMMARY,
	  { L("quantile", "0.5") },
	  "must not have an explicit \"quantile\" label" },
	{ "quantile elsewhere",
	  "s",
	  METRIC_HISTOGRAM,
	  HAS_HISTOGRAM,
	  { L("quantile", "1") },
	  NULL },
	{ "le on a histogram",
	  "h",
	  METRIC_HISTOGRAM,
	  HAS_HISTOGRAM,
	  { L("le", "5") },
	  "must not have an explicit \"le\" label" },
	{ "le on a gauge histogram",
	  "h",
	  METRIC_GAUGE_HISTOGRAM,
	  HAS_HISTOGRAM,
	  { L("le", "5") },
	  "must not have an explicit \"le\" label" },
	{ "le elsewhere", "h", METRIC_SUMMARY, HAS_SUMMARY, { L("le", "5") }, NULL },
	{ "name that is not UTF-8",
	  "a\xFF",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("", "") },
	  "metric name \"a\\xff\" is not valid UTF-8: send it as UTF-8" },
	{ "colon in a label name",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b:c", "1") },
	  "has a label whose name \"b:c\" holds a colon" },
	{ "NUL in a label name",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b\0c", "1") },
	  "has a label whose name \"b\\x00c\" holds a NUL" },
	{ "exposed as __name__",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("._name__", "1") },
	  "has a label whose name \"._name__\" is exposed as __name__" },
	{ "exposed as one in dots",
	  "a",
	  METRIC_GAUGE,
	  HAS_GAUGE,
	  { L("b.c", "1"), L("b_dot_c", "1") },
	  "that are exposed as the same name: \"b.c\" and \"b_dot_c\"" },
	{ "line feed in a message",
	  "a\nb",
	  METRIC_GAUGE,
	  0,
	  { L("c\nd", "e\nf") },
	  "collected metric \"a\\nb\" " DUMP(
		  "label:{name:\"c\\nd\" value:\"e\\nf\"} ") "is not a GAUGE" },
};

START_TEST(rule_row)
{
	const struct row *r = &rows[_i];
	struct metric m = { .labels = (struct label *)r->labels,
			    .n_labels = count_labels(r->labels),
			    .has = r->has,
			    .summary = &a_summary,
			    .histogram = &a_histogram };
	struct family f;
	struct push *push = make_push_of(PUSH_PUT, "/x", make_family(&f, r->family, r->type, &m),
					 1);

	if (!r->want) {
		ck_assert_msg(push->err.reason == ERR_NONE && push->n_families == 1, "%s: %d %s",
			      r->name, push->err.reason, push->err.msg);
	} else {
		ck_assert_msg(push->err.reason == ERR_INVALID && strstr(push->err.msg, r->want) &&
				      strstr(push->err.msg, PUSH_INVALID_PREFIX) == push->err.msg,
			      "%s: %d %s", r->name, push->err.reason, push->err.msg);
		ck_assert(push->n_families == 0 && !strchr(push->err.msg, '\n'));
	}
	push_free(push);
}
END_TEST

/* The reason stands at the end, however much of the metric is shown before it. */
START_TEST(long_labels)
{
	static char long_value[60000];
	struct label labels[50];
	struct metric m = { .labels = labels, .n_labels = ARRAY_LEN(labels), .line = 7 };
	struct family f;
	char names[50][8];
	struct push *push;

	memset(long_value, 'v', sizeof(long_value));
	for (unsigned i = 0; i < ARRAY_LEN(labels); i++) {
		snprintf(names[i], sizeof(names[i]), "l%02u", i);
		labels[i] = (struct label){ str_of(names[i]), STR("some value") };
	}
	push = make_push_of(PUSH_PUT, "/x", make_family(&f, "a", METRIC_GAUGE, &m), 1);
	ck_assert_msg(strstr(push->err.msg, "is not a GAUGE (line 7)"), "%s", push->err.msg);
	ck_assert_uint_eq(push->err.line, 7);
	push_free(push);
	m.labels = labels;
	m.n_labels = 1;
	labels[0].value = (struct str){ long_value, sizeof(long_value) };
	push = make_push_of(PUSH_PUT, "/x", make_family(&f, "a", METRIC_GAUGE, &m), 1);
	ck_assert_int_eq(push->err.reason, ERR_INVALID);
	ck_assert_msg(strstr(push->err.msg, "is not a GAUGE (line 7)"), "%s", push->err.msg);
	push_free(push);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rules");

	tcase_add_loop_test(tc, key_row, 0, (int)ARRAY_LEN(keys));
	tcase_add_test(tc, key_without_memory);
	tcase_add_loop_test(tc, rule_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, long_labels);
	return run_cases("rules", tc);
}
