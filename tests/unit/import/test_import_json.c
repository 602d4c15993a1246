/*
 * What /api/v1/metrics answers becomes rows, completed by a scrape. Documents are written with '
 * for
 * ", and without the envelope around the list of groups.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "format/protobuf/decode.h"
#include "format/protobuf/encode.h"
#include "format/text/parse.h"
#include "import/json.h"
#include "import/json_metric.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/run.h"

#define TIME "'time_stamp':'1970-01-01T00:00:05Z'"
#define JOB "'labels':{'instance':'','job':'j'}"
#define ONE(type, name, metric) \
	"'" name "':{" TIME ",'type':'" type "','metrics':[{" JOB "," metric "}]}"
#define TIMES(pushed, failed)                                     \
	ONE("GAUGE", "push_time_seconds", "'value':'" pushed "'") \
	"," ONE("GAUGE", "push_failure_time_seconds", "'value':'" failed "'")
#define GROUP(families) "{" families ",'labels':{'job':'j'},'last_push_successful':true}"

#define AJ "{instance=\"\",job=\"j\"}"
#define WANT_TIMES(pushed, failed)                                                             \
	"# HELP push_failure_time_seconds Last Unix time when changing this group in the "     \
	"Pushgateway failed.\n# TYPE push_failure_time_seconds "                               \
	"gauge\npush_failure_time_seconds" AJ " " failed "\n"                                  \
	"# HELP push_time_seconds Last Unix time when changing this group in the Pushgateway " \
	"succeeded.\n# TYPE push_time_seconds gauge\npush_time_seconds" AJ " " pushed "\n"

struct scenario {
	const char *name, *groups;
	const char *scrape; /* text, made a protobuf scrape; NULL: none */
	const char *left_out, *want;
};

static const struct scenario scenarios[] = {
	{ "nothing", "", NULL, "", "" },
	{ "simple values",
	  GROUP(ONE("COUNTER", "c", "'value':'1e+10'") "," ONE(
		  "GAUGE", "g", "'value':'-0'") "," ONE("UNTYPED", "u",
							"'value':'NaN'") "," TIMES("5.25", "3.5")),
	  NULL, "",
	  "# TYPE c counter\nc" AJ " 1e+10\n# TYPE g gauge\ng" AJ
	  " 0\n" WANT_TIMES("5.25", "3.5") "# TYPE u untyped\nu" AJ " NaN\n" },
	{ "help",
	  GROUP("'h':{" TIME ",'type':'GAUGE','help':'a \\u00fc\\n','metrics':[{" JOB
		",'value':'1'}]}," TIMES("5", "0")),
	  NULL, "", "# HELP h a \xC3\xBC\\n\n# TYPE h gauge\nh" AJ " 1\n" WANT_TIMES("5", "0") },
	{ "a histogram, its buckets in the order of text",
	  GROUP(ONE("HISTOGRAM", "h",
		    "'buckets':{'+Inf':'18446744073709551615','10':'2','2':'1'},"
		    "'count':'18446744073709551615','sum':'2.5'") "," TIMES("5", "0")),
	  NULL, "",
	  "# TYPE h histogram\nh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} "
	  "1.8446744073709552e+19\nh_bucket{instance=\"\",job=\"j\",le=\"10\"} 2\n"
	  "h_bucket{instance=\"\",job=\"j\",le=\"2\"} 1\nh_count" AJ
	  " 1.8446744073709552e+19\nh_sum" AJ " 2.5\n" WANT_TIMES("5", "0") },
	{ "a summary",
	  GROUP(ONE(
		  "SUMMARY", "s",
		  "'count':'4','quantiles':{'0.5':'1','0.99':'NaN'},'sum':'1e+10'") "," TIMES("5",
											      "0")),
	  NULL, "",
	  WANT_TIMES("5", "0") "# TYPE s summary\ns_count" AJ " 4\ns_sum" AJ
			       " 1e+10\ns{instance=\"\",job=\"j\",quantile=\"0.5\"} 1\n"
			       "s{instance=\"\",job=\"j\",quantile=\"0.99\"} NaN\n" },
	{ "only failures", GROUP(TIMES("0", "7")), NULL, "", WANT_TIMES("0", "7") },
	{ "a family in place of the grouping key",
	  "{'labels':{" TIME ",'type':'GAUGE','metrics':[{" JOB
	  ",'value':'1'}]}," TIMES("5", "0") "}",
	  NULL, "", "# TYPE labels gauge\nlabels" AJ " 1\n" WANT_TIMES("5", "0") },
	{ "a family in place of last_push_successful",
	  "{'labels':{'job':'j'}," ONE("GAUGE", "last_push_successful",
				       "'value':'1'") "," TIMES("5", "0") "}",
	  NULL, "",
	  "# TYPE last_push_successful gauge\nlast_push_successful" AJ
	  " 1\n" WANT_TIMES("5", "0") },
	{ "labels called as what a family has",
	  "{'labels':{'job':'j','metrics':'m','type':'t'},'a':{" TIME
	  ",'type':'GAUGE','metrics':[{'labels':{'instance':'','job':'j','metrics':'m','type':'t'},"
	  "'value':'1'}]}}",
	  NULL, "",
	  "# TYPE a gauge\na{instance=\"\",job=\"j\",metrics=\"m\",type=\"t\"} 1\n"
	  "# HELP push_failure_time_seconds Last Unix time when changing this group in the "
	  "Pushgateway failed.\n# TYPE push_failure_time_seconds gauge\n"
	  "push_failure_time_seconds{instance=\"\",job=\"j\",metrics=\"m\",type=\"t\"} 0\n"
	  "# HELP push_time_seconds Last Unix time when changing this group in the Pushgateway "
	  "succeeded.\n# TYPE push_time_seconds gauge\n"
	  "push_time_seconds{instance=\"\",job=\"j\",metrics=\"m\",type=\"t\"} 5\n" },
	{ "what JSON does not show",
	  GROUP(ONE("HISTOGRAM", "n", "'buckets':[[0,'1','2','3']],'count':'3','sum':'1'") "," ONE(
		  "GAUGE_HISTOGRAM", "gh",
		  "'value':'0'") "," ONE("77", "t",
					 "'value':'0'") "," ONE("GAUGE", "v",
								"'value':1") "," ONE("COUNTER", "w",
										     "'value':"
										     "'1x'") "," TIMES("5",
												       "0")),
	  NULL,
	  "{job=\"j\"} n: a native histogram, which only the scrape shows in full\n"
	  "{job=\"j\"} gh: a gauge histogram, which only the scrape shows\n"
	  "{job=\"j\"} t: of a type that does not exist\n"
	  "{job=\"j\"} v: its value is not as a Pushgateway shows one\n"
	  "{job=\"j\"} w: its value is not as a Pushgateway shows one\n",
	  WANT_TIMES("5", "0") },
	{ "what breaks a rule of ours",
	  GROUP(ONE("GAUGE", "own", "'value':'1'") "," TIMES("5", "0")), NULL,
	  "{job=\"j\"} own: gathered metric family own has type GAUGE but should have COUNTER\n",
	  WANT_TIMES("5", "0") },
	{ "the scrape is newer and more exact, by series",
	  GROUP("'g':{" TIME ",'type':'GAUGE','metrics':[{" JOB
		",'value':'1'},{'labels':{'instance':'',"
		"'job':'j','x':'y'},'value':'2'}]}," ONE("GAUGE", "k",
							 "'value':'1'") "," TIMES("5", "0")),
	  "# TYPE g gauge\ng{job=\"j\",instance=\"\"} 10\ng{job=\"k\",instance=\"\"} 11\n"
	  "# TYPE k counter\nk{job=\"j\",instance=\"\"} 12\n",
	  "",
	  "# TYPE g gauge\ng{instance=\"\",job=\"j\",x=\"y\"} 2\ng" AJ " 10\n# TYPE k gauge\nk" AJ
	  " 1\n" WANT_TIMES("5", "0") },
};

/* In the scrape: the text parser would not see one. */
static const struct scenario empty_help = {
	"an empty help, which JSON leaves out",
	GROUP(ONE("GAUGE", "h", "'value':'1'") "," TIMES("5", "0")),
	"# TYPE h gauge\nh{job=\"j\",instance=\"\"} 1\n",
	"",
	"# HELP h \n# TYPE h gauge\nh" AJ " 1\n" WANT_TIMES("5", "0"),
};

/* ---- running them ---- */

struct world {
	struct store *store;
	struct mem_storage rows;
	struct strbuf left_out;
	struct strbuf scrape_body;
	struct source_scrape *scrape;
	struct import *im;
};

static void note(void *arg, const char *group, struct str family, const char *why)
{
	strbuf_addf(arg, "%s %.*s: %s\n", group, STR_ARG(family), why);
}

static struct store *new_store(void)
{
	struct store *s = store_new(&(struct store_limits){ UINT64_MAX, UINT64_MAX });

	store_add_own(s, STR("own"), METRIC_COUNTER);
	return s;
}

static void setup(struct world *w)
{
	const struct import_listener listener = { note, &w->left_out };

	*w = (struct world){ .store = new_store() };
	mem_storage_init(&w->rows);
	w->im = import_new(w->store, &listener);
}

static void teardown(struct world *w)
{
	import_free(w->im);
	store_free(w->store);
	mem_storage_done(&w->rows);
	scrape_free(w->scrape);
	strbuf_done(&w->scrape_body);
	strbuf_done(&w->left_out);
}

static void make_scrape(struct world *w, const char *text, bool with_help)
{
	static const struct decode_limits lim = { 100, 100, 100, 100, true };
	CLEANUP(arena_done) struct arena a;
	struct family *f;
	struct err err;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(text_parse(str_of(text), &lim, &a, &f, &err), 0);
	for (; f; f = f->next) {
		f->has_help |= with_help;
		proto_encode_family(f, &w->scrape_body);
	}
	ck_assert_int_eq(scrape_read(strbuf_str(&w->scrape_body), &w->scrape, &err), 0);
}

/* ' becomes "; the caller frees it. */
static char *quoted(const char *before, const char *doc, const char *after)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addf(&b, "%s%s%s", before, doc, after);
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = b.p[i] == '\'' ? '"' : b.p[i];
	return strdup(strbuf_z(&b));
}

/* Exactly as many bytes as there are, for the address sanitizer. */
static int import_text(struct world *w, const char *text, struct err *err)
{
	size_t n = strlen(text);
	CLEANUP(freep) char *bytes = malloc(n ? n : 1);

	memcpy(bytes, text, n);
	return import_json((struct str){ bytes, n }, w->scrape, w->im, err);
}

static void expose_again(struct world *w, struct strbuf *out)
{
	struct store *again = new_store();
	struct err err = { 0 };

	ck_assert_msg(load_store(&w->rows.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	exposed_add(again, out);
	store_free(again);
}

static void check(const struct scenario *sc)
{
	CLEANUP(freep) char *doc = quoted("{'status':'success','data':[", sc->groups, "]}");
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct err err = { 0 };
	struct world w;

	setup(&w);
	if (sc->scrape)
		make_scrape(&w, sc->scrape, sc == &empty_help);
	ck_assert_msg(import_text(&w, doc, &err) == 0, "%s: %s", sc->name, err.msg);
	ck_assert_int_eq(import_commit(w.im, &w.rows.base, &err), 0);
	expose_again(&w, &got);
	ck_assert_msg(strcmp(strbuf_z(&got), sc->want) == 0, "%s: got\n%swant\n%s", sc->name,
		      strbuf_z(&got), sc->want);
	ck_assert_msg(strcmp(strbuf_z(&w.left_out), sc->left_out) == 0, "%s: left out\n%swant\n%s",
		      sc->name, strbuf_z(&w.left_out), sc->left_out);
	teardown(&w);
}

START_TEST(scenario_is_imported)
{
	check(&scenarios[_i]);
}
END_TEST

START_TEST(an_empty_help)
{
	check(&empty_help);
}
END_TEST

static const struct {
	const char *doc, *why;
} refused[] = {
	{ "", "no JSON, or cut short" },
	{ "<html>", "no JSON, or cut short" },
	{ "{'data':[{'labels':{'job':'j'}}", "no JSON, or cut short" },
	{ "{'data':[]}{", "no JSON, or cut short" },
	{ "{'data':[{'a\\\nb'", "no JSON, or cut short" },
	{ "{'data':[],'data':[]}", "no JSON, or cut short: line 1, byte 17: duplicate object key" },
	{ "[]", "not what a Pushgateway answers: no list called data" },
	{ "{'status':'error','error':'x'}", "not what a Pushgateway answers: no list called data" },
	{ "{'data':[1]}", "not what a Pushgateway answers: a group without labels" },
	{ "{'data':[{}]}", "not what a Pushgateway answers: a group without labels" },
	{ "{'data':[{'labels':{'job':1}}]}",
	  "not what a Pushgateway answers: a group without labels" },
	{ "{'data':[{'labels':{" TIME ",'metrics':[]}}]}",
	  "not what a Pushgateway answers: a group without labels" },
	{ "{'data':[{'labels':{'job':'j'},'a':{'type':'GAUGE','metrics':[]}}]}",
	  "not what a Pushgateway answers: a family without time_stamp" },
	{ "{'data':[{'labels':{'job':'j'},'a':{'time_stamp':'yesterday','metrics':[]}}]}",
	  "not what a Pushgateway answers: a family without time_stamp" },
};

START_TEST(document_is_refused)
{
	CLEANUP(freep) char *doc = quoted("", refused[_i].doc, "");
	struct err err = { 0 };
	struct world w;

	setup(&w);
	ck_assert_int_eq(import_text(&w, doc, &err), -1);
	ck_assert_msg(strstr(err.msg, refused[_i].why) == err.msg, "%s: %s", doc, err.msg);
	ck_assert_ptr_null(strchr(err.msg, '\n'));
	teardown(&w);
}
END_TEST

static const struct {
	const char *text;
	double seconds; /* NaN: refused */
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "0001-01-01T00:00:00Z", 0 },
	{ "2026-11-22T08:57:52.773380396Z", 1795337872.773380396 },
	{ "2026-11-22T09:57:52.7+01:00", 1795337872.7 },
	{ "2026-11-21T19:27:52-13:30", 1795337872 },
	{ "2026-11-22T08:57:52", NAN },
	{ "2026-11-22T08:57:52.1", NAN },
	{ "2026-11-22T08:57:52+1", NAN },
	{ "2026-11-22T08:57:52Zz", NAN },
	{ "2026-11-22T08:57:52+01:00x", NAN },
	{ "2026-11-22 08:57:52Z", NAN },
	{ "", NAN },
};

START_TEST(time_is_read)
{
	json_t *v = json_string(times[_i].text);
	double got;
	bool ok = json_time(v, &got);

	ck_assert_msg(ok == !isnan(times[_i].seconds), "%s", times[_i].text);
	if (ok)
		ck_assert_double_eq(got, times[_i].seconds);
	json_decref(v);
}
END_TEST

/* ---- the scrape ---- */

START_TEST(scrape_is_refused)
{
	static const struct str bodies[] = {
		{ "\x05\x0A", 2 },
		{ "\xFF", 1 },
		{ "# TYPE a gauge\na 1\n", 19 },
		{ "\x02\x0A\x05", 3 },
		{ "\x01\x0F", 2 },
		{ "\x03\x22\x01\x0A", 4 },
		{ "\x05\x22\x03\x0A\x01\x0A", 6 },
	};
	struct source_scrape *s = NULL;
	struct err err;

	ck_assert_int_eq(scrape_read(bodies[_i], &s, &err), -1);
	ck_assert_ptr_null(s);
}
END_TEST

/* Fields that we do not know and a unit come along; labels may stand in any order. */
START_TEST(series_are_found)
{
	static const struct str body = STR("\x23" /* 35 bytes */
					   "\x0A\x01"
					   "a"        /* name */
					   "\x12\x00" /* help: empty */
					   "\x18\x01" /* type: GAUGE */
					   "\x22\x17" /* metric: 23 bytes */
					   "\x0A\x06\x0A\x01"
					   "y\x12\x01"
					   "2"
					   "\x0A\x06\x0A\x01"
					   "x\x12\x01"
					   "1"
					   "\x9A\x06\x04"
					   "abcd" /* field 99 */
					   "\x2A\x01"
					   "s"); /* unit */
	const struct label labels[] = { { STR("x"), STR("1") }, { STR("y"), STR("2") } };
	struct source_scrape *s;
	struct scraped got;
	struct err err;

	ck_assert_int_eq(scrape_read(body, &s, &err), 0);
	got = scrape_find(s, STR("a"), labels, 2);
	ck_assert_ptr_nonnull(got.metric.p);
	ck_assert_uint_eq(got.metric.n, 25);
	ck_assert(str_eq(got.unit, STR("s")) && got.empty_help && got.type == METRIC_GAUGE);
	ck_assert_ptr_null(scrape_find(s, STR("a"), labels, 1).metric.p);
	ck_assert_ptr_null(scrape_find(s, STR("b"), labels, 2).metric.p);
	ck_assert_ptr_null(scrape_find(NULL, STR("a"), labels, 2).metric.p);
	scrape_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("import_json");

	tcase_add_loop_test(tc, scenario_is_imported, 0, (int)ARRAY_LEN(scenarios));
	tcase_add_test(tc, an_empty_help);
	tcase_add_loop_test(tc, document_is_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_loop_test(tc, time_is_read, 0, (int)ARRAY_LEN(times));
	tcase_add_loop_test(tc, scrape_is_refused, 0, 7);
	tcase_add_test(tc, series_are_found);
	return run_cases("import_json", tc);
}
