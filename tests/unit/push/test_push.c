/*
 * A push as a value: what is exposed of it in which order, what is kept beside the text; and that
 * building it again of what the database stores gives the same.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "format/protobuf/decode.h"
#include "lib/make_push.h"
#include "lib/run.h"
#include "metrics/series.h"

/*
 * For each family "NAME TYPE SERIES LINES", then "lossy" and "help=..." where it is so, then its
 * lines. Or, beginning with '!', a part of the message of a 400.
 */
struct row {
	const char *name, *path, *body, *want;
};

#define IJ "instance=\"\",job=\"p\""

static const struct row rows[] = {
	{ "nothing", "/p", "", "" },
	{ "comments only", "/p", "# HELP a b\n# TYPE c gauge\n# d\n", "" },
	{ "one sample", "/p", "a 1\n", "a untyped 1 1\na{" IJ "} 1\n" },
	{ "help and type", "/p", "# HELP a b \\\\ \\n c\n# TYPE a counter\na 1\n",
	  "a counter 1 1 help=\"b \\\\ \\n c\"\na{" IJ "} 1\n" },
	{ "families by name", "/p", "b 1\nB 1\n_ 1\na 1\nab 1\n",
	  "B untyped 1 1\nB{" IJ "} 1\n_ untyped 1 1\n_{" IJ "} 1\na untyped 1 1\na{" IJ
	  "} 1\nab untyped 1 1\nab{" IJ "} 1\nb untyped 1 1\nb{" IJ "} 1\n" },
	{ "families by exposed name", "/p", "{\"a.c\"} 1\n{\"a\"} 1\na_b 1\n{\"a-d\"} 1\n",
	  "a untyped 1 1\na{" IJ "} 1\na_b untyped 1 1\na_b{" IJ
	  "} 1\na.c untyped 1 1 lossy\na_c{" IJ "} 1\na-d untyped 1 1 lossy\na_d{" IJ "} 1\n" },
	{ "series by values as text", "/p", "c{z=\"2\"} 1\nc{z=\"10\"} 1\nc{z=\"\"} 1\n",
	  "c untyped 3 3\nc{" IJ ",z=\"\"} 1\nc{" IJ ",z=\"10\"} 1\nc{" IJ ",z=\"2\"} 1\n" },
	{ "names do not count in the order", "/p", "c{a=\"1\"} 1\nc{y=\"0\"} 1\n",
	  "c untyped 2 2\nc{" IJ ",y=\"0\"} 1\nc{a=\"1\"," IJ "} 1\n" },
	{ "fewer labels first", "/p", "c{a=\"1\",b=\"1\"} 1\nc{a=\"2\"} 1\nc 1\n",
	  "c untyped 3 3\nc{" IJ "} 1\nc{a=\"2\"," IJ "} 1\nc{a=\"1\",b=\"1\"," IJ "} 1\n" },
	{ "a pushed instance", "/p", "c{instance=\"i\"} 1\n",
	  "c untyped 1 1\nc{instance=\"i\",job=\"p\"} 1\n" },
	{ "labels of the key", "/p/instance/i/a/b", "c{a=\"x\",job=\"y\",d=\"z\"} 1\n",
	  "c untyped 1 1\nc{a=\"b\",d=\"z\",instance=\"i\",job=\"p\"} 1\n" },
	{ "escapes in the key", "/p/l@base64/ImEKXCI=", "c 1\n",
	  "c untyped 1 1\nc{instance=\"\",job=\"p\",l=\"\\\"a\\n\\\\\\\"\"} 1\n" },
	{ "an empty value is a label", "/p", "c{x=\"\"} 1\nc 2\n",
	  "c untyped 2 2\nc{" IJ "} 2\nc{" IJ ",x=\"\"} 1\n" },
	{ "summary", "/p",
	  "# TYPE s summary\ns{quantile=\"0.9\"} 2\ns{quantile=\"0.5\"} 1\ns_sum 3\n",
	  "s summary 1 4 lossy\ns{" IJ ",quantile=\"0.9\"} 2\ns{" IJ
	  ",quantile=\"0.5\"} 1\ns_sum{" IJ "} 3\ns_count{" IJ "} 0\n" },
	{ "histogram", "/p",
	  "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
	  "h histogram 1 4 lossy\nh_bucket{" IJ ",le=\"1\"} 1\nh_bucket{" IJ
	  ",le=\"+Inf\"} 2\nh_sum{" IJ "} 3\nh_count{" IJ "} 2\n" },
	{ "histogram without +Inf", "/p", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 4\n",
	  "h histogram 1 4 lossy\nh_bucket{" IJ ",le=\"1\"} 1\nh_bucket{" IJ
	  ",le=\"+Inf\"} 4\nh_sum{" IJ "} 0\nh_count{" IJ "} 4\n" },
	{ "two histograms", "/p", "# TYPE h histogram\nh_count{x=\"2\"} 1\nh_count{x=\"1\"} 2\n",
	  "h histogram 2 6 lossy\nh_bucket{" IJ ",x=\"1\",le=\"+Inf\"} 2\nh_sum{" IJ
	  ",x=\"1\"} 0\nh_count{" IJ ",x=\"1\"} 2\nh_bucket{" IJ
	  ",x=\"2\",le=\"+Inf\"} 1\nh_sum{" IJ ",x=\"2\"} 0\nh_count{" IJ ",x=\"2\"} 1\n" },
	{ "values", "/p", "a 1e6\nb +Inf\nc NaN\nd 0\ne -0.5\n",
	  "a untyped 1 1\na{" IJ "} 1e+06\nb untyped 1 1\nb{" IJ "} +Inf\nc untyped 1 1\nc{" IJ
	  "} NaN\nd untyped 1 1\nd{" IJ "} 0\ne untyped 1 1\ne{" IJ "} -0.5\n" },
	{ "the text has one zero only", "/p", "# TYPE a gauge\na -0\n",
	  "a gauge 1 1 lossy\na{" IJ "} 0\n" },
	{ "the same among many, of each type", "/p",
	  "# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} -0\nb 0\nb{x=\"1\"} -0\n",
	  "a counter 2 2 lossy\na{" IJ ",x=\"1\"} 1\na{" IJ
	  ",x=\"2\"} 0\nb untyped 2 2 lossy\nb{" IJ "} 0\nb{" IJ ",x=\"1\"} 0\n" },
	{ "a label name that is not classic", "/p", "a{\"b.c\"=\"1\"} 1\n",
	  "a untyped 1 1 lossy\na{b_c=\"1\"," IJ "} 1\n" },
	{ "labels of several families", "/p",
	  "a{x=\"1\"} 1\na{x=\"2\"} 2\nb{x=\"1\"} 3\nb{x=\"2\"} 4\nc{x=\"2\"} 5\nc{x=\"1\"} 6\nd "
	  "7\n"
	  "d{x=\"1\"} 8\n",
	  "a untyped 2 2\na{" IJ ",x=\"1\"} 1\na{" IJ ",x=\"2\"} 2\nb untyped 2 2\nb{" IJ
	  ",x=\"1\"} 3\nb{" IJ ",x=\"2\"} 4\nc untyped 2 2\nc{" IJ ",x=\"1\"} 6\nc{" IJ
	  ",x=\"2\"} 5\nd untyped 2 2\nd{" IJ "} 7\nd{" IJ ",x=\"1\"} 8\n" },
	{ "labels that begin alike", "/p",
	  "a{x=\"1\"} 1\nb{x=\"1\" } 2\nc{x=\"1\",} 3\nd{x=\"1\"}4\n",
	  "a untyped 1 1\na{" IJ ",x=\"1\"} 1\nb untyped 1 1\nb{" IJ
	  ",x=\"1\"} 2\nc untyped 1 1\nc{" IJ ",x=\"1\"} 3\nd untyped 1 1\nd{" IJ ",x=\"1\"} 4\n" },
	{ "no labels, with braces and without", "/p", "a{} 1\nb 2\nc{} 3\n",
	  "a untyped 1 1\na{" IJ "} 1\nb untyped 1 1\nb{" IJ "} 2\nc untyped 1 1\nc{" IJ "} 3\n" },
	{ "escaped labels of two families", "/p",
	  "a{\"x.y\"=\"\\n\\\"\"} 1\nb{\"x.y\"=\"\\n\\\"\"} 2\n",
	  "a untyped 1 1 lossy\na{" IJ ",x_y=\"\\n\\\"\"} 1\nb untyped 1 1 lossy\nb{" IJ
	  ",x_y=\"\\n\\\"\"} 2\n" },
	{ "le of a gauge and of histograms", "/p",
	  "a{le=\"1\"} 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nb{le=\"1\"} 3\n",
	  "a untyped 1 1\na{" IJ ",le=\"1\"} 1\nb untyped 1 1\nb{" IJ
	  ",le=\"1\"} 3\nh histogram 1 4 lossy\nh_bucket{" IJ ",le=\"1\"} 2\nh_bucket{" IJ
	  ",le=\"+Inf\"} 0\nh_sum{" IJ "} 0\nh_count{" IJ "} 0\n" },
	{ "a summary between others", "/p",
	  "# TYPE s summary\ns_sum 3\na 1\n# TYPE t summary\nt_sum 4\nb 2\n",
	  "a untyped 1 1\na{" IJ "} 1\nb untyped 1 1\nb{" IJ "} 2\ns summary 1 2 lossy\ns_sum{" IJ
	  "} 3\ns_count{" IJ "} 0\nt summary 1 2 lossy\nt_sum{" IJ "} 4\nt_count{" IJ "} 0\n" },
	{ "time metrics are left out", "/p",
	  "push_time_seconds 1\na 1\n# TYPE push_failure_time_seconds counter\n"
	  "push_failure_time_seconds 1\n",
	  "a untyped 1 1\na{" IJ "} 1\n" },
	{ "so are duplicates of them", "/p",
	  "push_time_seconds{job=\"a\"} 1\npush_time_seconds{job=\"b\"} 1\n", "" },
	{ "names near them are not", "/p", "push_time_seconds_count 1\npush_time_second 1\n",
	  "push_time_second untyped 1 1\npush_time_second{" IJ "} 1\n"
	  "push_time_seconds_count untyped 1 1\npush_time_seconds_count{" IJ "} 1\n" },
	{ "a series twice", "/p", "a 1\na 2\n",
	  "!collected metric \"a\" { label:{name:\"instance\" value:\"\"} label:{name:\"job\" "
	  "value:\"p\"} } was collected before with the same name and label values (line 2)" },
	{ "made one by the key", "/p", "a{job=\"q\"} 1\nb 1\na{job=\"r\"} 2\n",
	  "!was collected before with the same name and label values (line 3)" },
	{ "made one by the added instance", "/p", "a 1\na{instance=\"\"} 2\n",
	  "!collected before" },
	{ "with the labels of another family", "/p", "a{b=\"1\"} 1\nc{b=\"1\"} 1\nc{b=\"1\"} 1\n",
	  "!collected metric \"c\"" },
	{ "far apart", "/p", "a{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"3\"} 1\na{b=\"1\"} 1\n",
	  "!collected before" },
	{ "timestamp", "/p", "a 1\nb 1 1\n", "!pushed metrics must not have timestamps" },
	{ "timestamp of zero", "/p", "a 1 0\n", "!pushed metrics must not have timestamps" },
	{ "timestamp before all else", "/p", "a 1\na 2\nb 1 1\n",
	  "!pushed metrics must not have timestamps" },
	{ "timestamp of a time metric", "/p", "push_time_seconds 1 1\n",
	  "!pushed metrics must not have timestamps" },
	{ "quantile in the key of a summary", "/p/quantile/1", "# TYPE s summary\ns_sum 3\n",
	  "!must not have an explicit \"quantile\" label" },
	{ "le in the key of a histogram", "/p/le/1", "# TYPE s histogram\ns_sum 3\n",
	  "!must not have an explicit \"le\" label" },
	{ "le in the key, after others", "/p/le/1", "a 1\n# TYPE h histogram\nh_sum 3\n",
	  "!must not have an explicit \"le\" label" },
	{ "quantile in the key, after others", "/p/quantile/1", "a 1\n# TYPE h summary\nh_sum 3\n",
	  "!must not have an explicit \"quantile\" label" },
	{ "both in the key of others", "/p/le/1/quantile/2", "a 1\n",
	  "a untyped 1 1\na{" IJ ",le=\"1\",quantile=\"2\"} 1\n" },
};

static void describe(const struct push *push, struct strbuf *out)
{
	static const char *const types[] = { "counter", "gauge",     "summary",
					     "untyped", "histogram", "gaugehistogram" };

	for (uint32_t i = 0; i < push->n_families; i++) {
		const struct push_family *f = &push->families[i];

		strbuf_adds(out, f->name);
		strbuf_addf(out, " %s %u %u", types[f->type], f->n_series, f->n_lines);
		if (f->lossy)
			strbuf_addz(out, " lossy");
		if (f->has_help) {
			strbuf_addz(out, " help=");
			strbuf_add_quoted(out, f->help);
		}
		strbuf_addc(out, '\n');
		strbuf_adds(out, f->text);
	}
}

/* Every hash names a series that the text holds, and no two are equal. */
static void check_hashes(const struct push_family *f, const char *name)
{
	ck_assert_msg(f->hash == hash_bytes(f->exposed), "%s: hash of the name", name);
	for (uint32_t i = 0; i < f->n_series; i++) {
		CLEANUP(strbuf_done) struct strbuf id = { 0 };

		ck_assert_msg(series_find(f->text, f->exposed, f->hashes[i], &id), "%s: series %u",
			      name, i);
		ck_assert(hash_bytes(strbuf_str(&id)) == f->hashes[i]);
		for (uint32_t j = 0; j < i; j++)
			ck_assert_msg(f->hashes[i] != f->hashes[j], "%s: %u, %u", name, i, j);
	}
}

static bool same_push(const struct push *a, const struct push *b)
{
	CLEANUP(strbuf_done) struct strbuf da = { 0 };
	CLEANUP(strbuf_done) struct strbuf db = { 0 };

	describe(a, &da);
	describe(b, &db);
	for (uint32_t i = 0; i < a->n_families && a->n_families == b->n_families; i++)
		if (!str_eq(a->families[i].proto, b->families[i].proto) ||
		    memcmp(a->families[i].hashes, b->families[i].hashes,
			   a->families[i].n_series * sizeof(uint64_t)) != 0)
			return false;
	return str_eq(strbuf_str(&da), strbuf_str(&db)) && str_eq(a->key, b->key) &&
	       str_eq(a->labels, b->labels);
}

/* All messages, as they lie in the push: what the database gets. */
static struct str body_of(const struct push *push)
{
	struct str body = { push->families[0].proto.p, 0 };

	for (uint32_t i = 0; i < push->n_families; i++) {
		if (push->families[i].proto.p < body.p)
			body.p = push->families[i].proto.p;
		body.n += push->families[i].proto.n;
	}
	return body;
}

static void check_restart(const struct push *push, const char *path, const char *name)
{
	static const struct decode_limits lim = { 100, 1024, 65536, 1000000, true };
	struct str body = push->n_families ? body_of(push) : STR_NULL;
	CLEANUP(freep) char *copy = mem_dup(body.p, body.n);
	CLEANUP(arena_done) struct arena a;
	struct family *families;
	struct err err = { 0 };
	struct push *again;

	arena_init(&a, 1 << 24);
	ck_assert_msg(proto_decode((struct str){ copy, body.n }, &lim, &a, &families, &err) == 0,
		      "%s: %s", name, err.msg);
	again = make_push_of(PUSH_POST, path, families, 1);
	ck_assert_msg(same_push(push, again), "%s: another push after a restart", name);
	push_free(again);
}

START_TEST(push_row)
{
	const struct row *r = &rows[_i];
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, r->path, r->body, 12.5);

	ck_assert(push->mode == PUSH_PUT && push->now == 12.5);
	ck_assert(push->key_hash == hash_bytes(push->key) && push->key.n > 0);
	ck_assert(push->labels.p[0] == '{' && push->labels.p[push->labels.n - 1] == '}');
	ck_assert_uint_ge(push->node.bytes, sizeof(*push));
	if (r->want[0] == '!') {
		ck_assert_msg(push->err.reason == ERR_INVALID &&
				      strstr(push->err.msg, r->want + 1) &&
				      strstr(push->err.msg, PUSH_INVALID_PREFIX) == push->err.msg,
			      "%s: %d %s", r->name, push->err.reason, push->err.msg);
		ck_assert_uint_eq(push->n_families, 0);
		return;
	}
	describe(push, &got);
	ck_assert_msg(push->err.reason == ERR_NONE && strcmp(strbuf_z(&got), r->want) == 0,
		      "%s: %s\n%s", r->name, push->err.msg, strbuf_z(&got));
	for (uint32_t i = 0; i < push->n_families; i++)
		check_hashes(&push->families[i], r->name);
	check_restart(push, r->path, r->name);
}
END_TEST

START_TEST(delete_has_no_families)
{
	CLEANUP(push_freep) struct push *push = make_push_of(PUSH_DELETE, "/p/a/b", NULL, 3);

	ck_assert(push->err.reason == ERR_NONE && push->n_families == 0 &&
		  push->mode == PUSH_DELETE);
	ck_assert(str_eq(push->key, STR("a\xFF"
					"b\xFFjob\xFFp\xFF")));
	ck_assert(str_eq(push->labels, STR("{a=\"b\",instance=\"\",job=\"p\"}")));
}
END_TEST

/* What only protobuf can say, and the text does not. */
static struct exemplar an_exemplar;
static struct summary a_summary;
static struct histogram a_histogram = { .count = 5, .count_float = 2.5, .sum = -0.0 };

static const struct {
	const char *name;
	int32_t type;
	struct metric m;
	struct str help;
	bool has_help;
	const char *want;
} protos[] = {
	{ "plain",
	  METRIC_GAUGE,
	  { .has = HAS_GAUGE, .gauge = 1 },
	  STR_NULL,
	  false,
	  "m gauge 1 1\nm{" IJ "} 1\n" },
	{ "empty help",
	  METRIC_GAUGE,
	  { .has = HAS_GAUGE },
	  STR_NULL,
	  true,
	  "m gauge 1 1 help=\"\"\nm{" IJ "} 0\n" },
	{ "help that is not UTF-8",
	  METRIC_GAUGE,
	  { .has = HAS_GAUGE },
	  { "a\xFF\xFE"
	    "b\xE2\x82",
	    6 },
	  true,
	  "m gauge 1 1 help=\"a\xEF\xBF\xBD\xEF\xBF\xBD"
	  "b\xEF\xBF\xBD\xEF\xBF\xBD\"\nm{" IJ "} 0\n" },
	{ "exemplar",
	  METRIC_COUNTER,
	  { .has = HAS_COUNTER, .exemplar = &an_exemplar },
	  STR_NULL,
	  false,
	  "m counter 1 1 lossy\nm{" IJ "} 0\n" },
	{ "created",
	  METRIC_COUNTER,
	  { .has = HAS_COUNTER, .counter_created = { true, 0, 0 } },
	  STR_NULL,
	  false,
	  "m counter 1 1 lossy\nm{" IJ "} 0\n" },
	{ "the type's value of several",
	  METRIC_COUNTER,
	  { .has = HAS_COUNTER | HAS_GAUGE, .counter = 3, .gauge = -0.0 },
	  STR_NULL,
	  false,
	  "m counter 1 1\nm{" IJ "} 3\n" },
	{ "bare summary",
	  METRIC_SUMMARY,
	  { .has = HAS_SUMMARY, .summary = &a_summary },
	  STR_NULL,
	  false,
	  "m summary 1 2 lossy\nm_sum{" IJ "} 0\nm_count{" IJ "} 0\n" },
	{ "float gauge histogram",
	  METRIC_GAUGE_HISTOGRAM,
	  { .has = HAS_HISTOGRAM, .histogram = &a_histogram },
	  STR_NULL,
	  false,
	  "m gaugehistogram 1 3 lossy\nm_bucket{" IJ ",le=\"+Inf\"} 2.5\nm_sum{" IJ
	  "} 0\nm_count{" IJ "} 2.5\n" },
};

START_TEST(proto_row)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct metric m = protos[_i].m;
	struct family f;
	struct push *push;

	make_family(&f, "m", protos[_i].type, &m);
	f.help = protos[_i].help;
	f.has_help = protos[_i].has_help;
	push = make_push_of(PUSH_PUT, "/p", &f, 1);
	describe(push, &got);
	/* Help is shown with escapes where it is not printable; U+FFFD is. */
	ck_assert_msg(push->err.reason == ERR_NONE && strcmp(strbuf_z(&got), protos[_i].want) == 0,
		      "%s: %s\n%s", protos[_i].name, push->err.msg, strbuf_z(&got));
	check_restart(push, "/p", protos[_i].name);
	push_free(push);
}
END_TEST

START_TEST(family_without_metrics)
{
	struct family f;
	CLEANUP(push_freep)
	struct push *push = make_push_of(PUSH_POST, "/p",
					 make_family(&f, "m", METRIC_HISTOGRAM, NULL), 1);

	ck_assert(push->err.reason == ERR_NONE && push->n_families == 1);
	ck_assert(push->families[0].n_series == 0 && push->families[0].text.n == 0);
	check_restart(push, "/p", "no metrics");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("push");

	tcase_add_loop_test(tc, push_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, delete_has_no_families);
	tcase_add_loop_test(tc, proto_row, 0, (int)ARRAY_LEN(protos));
	tcase_add_test(tc, family_without_metrics);
	return run_cases("push", tc);
}
