/*
 * What is stored and what is refused, as scenarios: each is run push by push, as one batch, and
 * once more through the rows of a database.
 */
#include <check.h>
#include <stdlib.h>

#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/run.h"

struct step {
	enum push_mode mode;
	const char *path, *body;
	const char *refused; /* part of the message; NULL: accepted */
};

struct scenario {
	const char *name;
	struct step steps[6]; /* up to the first without a path */
	const char *want;     /* the exposition without the time metrics */
};

#define SAME "was collected before with the same name and label values"
#define AJ "{instance=\"\",job=\"j\"}"
#define AK "{instance=\"\",job=\"k\"}"

static const struct scenario merges[] = {
	{ "PUT", { { PUSH_PUT, "/j", "a 1\n", NULL } }, "# TYPE a untyped\na" AJ " 1\n" },
	{ "PUT replaces the group",
	  { { PUSH_PUT, "/j", "a 1\nb 2\n", NULL }, { PUSH_PUT, "/j", "c 3\n", NULL } },
	  "# TYPE c untyped\nc" AJ " 3\n" },
	{ "PUT leaves other groups alone",
	  { { PUSH_PUT, "/j", "a 1\n", NULL }, { PUSH_PUT, "/k", "a 2\n", NULL } },
	  "# TYPE a untyped\na" AJ " 1\na" AK " 2\n" },
	{ "POST keeps other families",
	  { { PUSH_PUT, "/j", "a 1\nb 2\n", NULL }, { PUSH_POST, "/j", "b 3\nc 4\n", NULL } },
	  "# TYPE a untyped\na" AJ " 1\n# TYPE b untyped\nb" AJ " 3\n"
	  "# TYPE c untyped\nc" AJ " 4\n" },
	{ "POST replaces a whole family",
	  { { PUSH_POST, "/j", "b{x=\"1\"} 1\nb{x=\"2\"} 2\n", NULL },
	    { PUSH_POST, "/j", "b 3\n", NULL } },
	  "# TYPE b untyped\nb" AJ " 3\n" },
	{ "POST replaces help and type",
	  { { PUSH_POST, "/j", "# HELP b old\n# TYPE b counter\nb 1\n", NULL },
	    { PUSH_POST, "/j", "# HELP b new\n# TYPE b gauge\nb 2\n", NULL } },
	  "# HELP b new\n# TYPE b gauge\nb" AJ " 2\n" },
	{ "empty PUT empties the group",
	  { { PUSH_PUT, "/j", "a 1\n", NULL }, { PUSH_PUT, "/j", "", NULL } },
	  "" },
	{ "empty POST changes nothing",
	  { { PUSH_PUT, "/j", "a 1\n", NULL }, { PUSH_POST, "/j", "", NULL } },
	  "# TYPE a untyped\na" AJ " 1\n" },
	{ "a family without samples counts for nothing",
	  { { PUSH_PUT, "/j", "a 1\n", NULL }, { PUSH_POST, "/j", "# TYPE a gauge\n", NULL } },
	  "# TYPE a untyped\na" AJ " 1\n" },
	{ "DELETE",
	  { { PUSH_PUT, "/j", "a 1\n", NULL },
	    { PUSH_PUT, "/k", "a 1\n", NULL },
	    { PUSH_DELETE, "/j", "", NULL } },
	  "# TYPE a untyped\na" AK " 1\n" },
	{ "DELETE of nothing", { { PUSH_DELETE, "/j", "", NULL } }, "" },
	{ "DELETE takes the exact key",
	  { { PUSH_PUT, "/j", "a 1\n", NULL }, { PUSH_DELETE, "/j/instance/i", "", NULL } },
	  "# TYPE a untyped\na" AJ " 1\n" },
	{ "DELETE in any order of labels",
	  { { PUSH_PUT, "/j/x/1/y/2", "a 1\n", NULL }, { PUSH_DELETE, "/j/y/2/x/1", "", NULL } },
	  "" },
	{ "DELETE, then the same again",
	  { { PUSH_PUT, "/j", "a 1\nb 1\n", NULL },
	    { PUSH_DELETE, "/j", "", NULL },
	    { PUSH_POST, "/j", "b 2\n", NULL } },
	  "# TYPE b untyped\nb" AJ " 2\n" },
	{ "other types after a DELETE",
	  { { PUSH_PUT, "/j", "# TYPE a counter\na 1\n", NULL },
	    { PUSH_DELETE, "/j", "", NULL },
	    { PUSH_PUT, "/k", "# TYPE a gauge\na 1\n", NULL } },
	  "# TYPE a gauge\na" AK " 1\n" },
	{ "families are in the order of their names",
	  { { PUSH_PUT, "/j", "b 1\na 1\n_c 1\nB 1\n", NULL }, { PUSH_PUT, "/k", "aa 1\n", NULL } },
	  "# TYPE B untyped\nB" AJ " 1\n# TYPE _c untyped\n_c" AJ " 1\n"
	  "# TYPE a untyped\na" AJ " 1\n# TYPE aa untyped\naa" AK " 1\n"
	  "# TYPE b untyped\nb" AJ " 1\n" },
	{ "the newest help is shown",
	  { { PUSH_PUT, "/j", "# HELP a one\na 1\n", NULL },
	    { PUSH_PUT, "/k", "# HELP a two\na 2\n", NULL },
	    { PUSH_PUT, "/l", "a 3\n", NULL } },
	  "# HELP a two\n# TYPE a untyped\na" AJ " 1\na" AK " 2\n"
	  "a{instance=\"\",job=\"l\"} 3\n" },
	{ "time metrics that are pushed are dropped",
	  { { PUSH_PUT, "/j",
	      "# TYPE push_time_seconds counter\npush_time_seconds 1\n"
	      "# TYPE push_failure_time_seconds histogram\npush_failure_time_seconds_count 1\na "
	      "1\n",
	      NULL } },
	  "# TYPE a untyped\na" AJ " 1\n" },
};

static const struct scenario types[] = {
	{ "same type in two groups",
	  { { PUSH_PUT, "/j", "# TYPE a gauge\na 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE a gauge\na 1\n", NULL } },
	  "# TYPE a gauge\na" AJ " 1\na" AK " 1\n" },
	{ "another type in another group",
	  { { PUSH_PUT, "/j", "# TYPE a gauge\na 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE a counter\na 1\n",
	      "collected metric \"a\" is not a GAUGE" } },
	  "# TYPE a gauge\na" AJ " 1\n" },
	{ "untyped counts as a type",
	  { { PUSH_PUT, "/j", "# TYPE a gauge\na 1\n", NULL },
	    { PUSH_POST, "/k", "a 1\n", "is not a GAUGE" } },
	  "# TYPE a gauge\na" AJ " 1\n" },
	{ "one group may change a type",
	  { { PUSH_PUT, "/j", "# TYPE a gauge\na 1\n", NULL },
	    { PUSH_POST, "/j", "# TYPE a histogram\na_count 1\n", NULL } },
	  "# TYPE a histogram\na_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\na_count" AJ
	  " 1\na_sum" AJ " 0\n" },
	{ "but not when another has it too",
	  { { PUSH_PUT, "/j", "# TYPE a gauge\na 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE a gauge\na 1\n", NULL },
	    { PUSH_PUT, "/j", "# TYPE a counter\na 2\n", "is not a GAUGE" },
	    { PUSH_DELETE, "/k", "", NULL },
	    { PUSH_PUT, "/j", "# TYPE a counter\na 3\n", NULL } },
	  "# TYPE a counter\na" AJ " 3\n" },
	{ "a refused push changes no family of it",
	  { { PUSH_PUT, "/k", "b 1\n", NULL },
	    { PUSH_PUT, "/j", "a 1\n", NULL },
	    { PUSH_PUT, "/j", "a 2\n# TYPE b gauge\nb 2\nc 2\n", "is not a UNTYPED" } },
	  "# TYPE a untyped\na" AJ " 1\n# TYPE b untyped\nb" AK " 1\n" },
	{ "own metric with its type",
	  { { PUSH_PUT, "/j", "# TYPE own_gauge gauge\nown_gauge 1\n", NULL } },
	  "# TYPE own_gauge gauge\nown_gauge" AJ " 1\n" },
	{ "own metric with another",
	  { { PUSH_PUT, "/j", "own_gauge 1\n",
	      "gathered metric family own_gauge has type UNTYPED but should have GAUGE" } },
	  "" },
	{ "own metric with another, once it is pushed to",
	  { { PUSH_PUT, "/k", "# TYPE own_gauge gauge\nown_gauge 1\n", NULL },
	    { PUSH_PUT, "/j", "own_gauge 1\n", "is not a GAUGE" } },
	  "# TYPE own_gauge gauge\nown_gauge" AK " 1\n" },
	{ "own summary's suffixes are taken",
	  { { PUSH_PUT, "/j", "own_summary_count 1\n",
	      "\"own_summary_count\" collides with previously collected summary named" },
	    { PUSH_PUT, "/j", "own_summary_sum 1\n", "collides" },
	    { PUSH_PUT, "/j", "own_summary_bucket 1\n", NULL } },
	  "# TYPE own_summary_bucket untyped\nown_summary_bucket" AJ " 1\n" },
	{ "own metric is a suffix of a pushed one",
	  { { PUSH_PUT, "/j", "# TYPE own summary\nown_sum 1\n", NULL },
	    { PUSH_PUT, "/j", "# TYPE taken summary\ntaken_count 1\n",
	      "histogram or summary named \"taken\" collides with previously collected metric "
	      "named \"taken_sum\"" } },
	  "# TYPE own summary\nown_count" AJ " 0\nown_sum" AJ " 1\n" },
};

static const struct scenario suffixes[] = {
	{ "_count beside a histogram",
	  { { PUSH_PUT, "/j", "# TYPE h histogram\nh_count 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE h_count counter\nh_count 1\n",
	      "collected metric named \"h_count\" collides with previously collected histogram "
	      "named \"h\"" },
	    { PUSH_PUT, "/k", "h_sum 1\n", "named \"h_sum\" collides" },
	    { PUSH_PUT, "/k", "h_bucket 1\n", "named \"h_bucket\" collides" },
	    { PUSH_PUT, "/k", "h_counts 1\n", NULL } },
	  "# TYPE h histogram\nh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\nh_count" AJ
	  " 1\nh_sum" AJ " 0\n# TYPE h_counts untyped\nh_counts" AK " 1\n" },
	{ "_bucket beside a summary",
	  { { PUSH_PUT, "/j", "# TYPE s summary\ns_count 1\n", NULL },
	    { PUSH_PUT, "/k", "s_count 1\n", "collected summary named \"s\"" },
	    { PUSH_PUT, "/k", "s_sum 1\n", "collides" },
	    { PUSH_PUT, "/k", "s_bucket 1\n", NULL } },
	  "# TYPE s summary\ns_count" AJ " 1\ns_sum" AJ " 0\n# TYPE s_bucket untyped\ns_bucket" AK
	  " 1\n" },
	{ "histogram beside its _bucket",
	  { { PUSH_PUT, "/j", "h_bucket 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE h histogram\nh_count 1\n",
	      "collected histogram named \"h\" collides with previously collected metric named "
	      "\"h_bucket\"" } },
	  "# TYPE h_bucket untyped\nh_bucket" AJ " 1\n" },
	{ "histogram beside its _sum",
	  { { PUSH_PUT, "/j", "h_sum 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE h histogram\nh_count 1\n",
	      "collected histogram or summary named \"h\" collides" } },
	  "# TYPE h_sum untyped\nh_sum" AJ " 1\n" },
	{ "summary beside its _count",
	  { { PUSH_PUT, "/j", "s_count 1\n", NULL },
	    { PUSH_PUT, "/k", "# TYPE s summary\ns{quantile=\"1\"} 1\n", "collides" } },
	  "# TYPE s_count untyped\ns_count" AJ " 1\n" },
	{ "both in one push",
	  { { PUSH_PUT, "/j", "h_sum 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n", "collides" } },
	  "" },
	{ "the group's own old family does not count for a PUT",
	  { { PUSH_PUT, "/j", "h_sum 1\n", NULL },
	    { PUSH_PUT, "/j", "# TYPE h histogram\nh_count 1\n", NULL } },
	  "# TYPE h histogram\nh_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 1\nh_count" AJ
	  " 1\nh_sum" AJ " 0\n" },
	{ "for a POST it does",
	  { { PUSH_PUT, "/j", "h_sum 1\n", NULL },
	    { PUSH_POST, "/j", "# TYPE h histogram\nh_count 1\n", "collides" } },
	  "# TYPE h_sum untyped\nh_sum" AJ " 1\n" },
	{ "a gauge becomes a histogram",
	  { { PUSH_PUT, "/j", "h 1\n", NULL },
	    { PUSH_PUT, "/k", "h_count 1\n", NULL },
	    { PUSH_PUT, "/j", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n", "collides" } },
	  "# TYPE h untyped\nh" AJ " 1\n# TYPE h_count untyped\nh_count" AK " 1\n" },
	{ "free again once the histogram is gone",
	  { { PUSH_PUT, "/j", "# TYPE h histogram\nh_count 1\n", NULL },
	    { PUSH_PUT, "/j", "", NULL },
	    { PUSH_PUT, "/k", "# TYPE h_count gauge\nh_count 1\n", NULL } },
	  "# TYPE h_count gauge\nh_count" AK " 1\n" },
	{ "nothing before the suffix",
	  { { PUSH_PUT, "/j", "_count 1\n_sum 1\n_bucket 1\n", NULL } },
	  "# TYPE _bucket untyped\n_bucket" AJ " 1\n# TYPE _count untyped\n_count" AJ
	  " 1\n# TYPE _sum untyped\n_sum" AJ " 1\n" },
};

static const struct scenario twins[] = {
	{ "no instance and an empty one",
	  { { PUSH_PUT, "/j", "a 1\n", NULL },
	    { PUSH_PUT, "/j/instance/", "b 1\n", "differs only by an empty instance" },
	    { PUSH_DELETE, "/j", "", NULL },
	    { PUSH_PUT, "/j/instance/", "b 2\n", NULL },
	    { PUSH_POST, "/j", "a 2\n", "\"push_time_seconds\" " AJ " " SAME } },
	  "# TYPE b untyped\nb" AJ " 2\n" },
	{ "the other way round",
	  { { PUSH_PUT, "/j/instance/", "a 1\n", NULL }, { PUSH_PUT, "/j", "a 1\n", SAME } },
	  "# TYPE a untyped\na" AJ " 1\n" },
	{ "a refused push leaves no twin either",
	  { { PUSH_PUT, "/j", "a 1\n", NULL },
	    { PUSH_PUT, "/j/instance/", "a 1 1000\n", "must not have timestamps" } },
	  "# TYPE a untyped\na" AJ " 1\n" },
	{ "series with the labels of another group",
	  { { PUSH_PUT, "/j/instance/i", "a 1\n", NULL },
	    { PUSH_PUT, "/j", "a{instance=\"i\"} 2\n",
	      "collected metric \"a\" {instance=\"i\",job=\"j\"} " SAME } },
	  "# TYPE a untyped\na{instance=\"i\",job=\"j\"} 1\n" },
	{ "histogram with the labels of another group",
	  { { PUSH_PUT, "/j/instance/i", "# TYPE a histogram\na_count 1\n", NULL },
	    { PUSH_PUT, "/j", "# TYPE a histogram\na_count{instance=\"i\"} 2\n", SAME } },
	  "# TYPE a histogram\na_bucket{instance=\"i\",job=\"j\",le=\"+Inf\"} 1\n"
	  "a_count{instance=\"i\",job=\"j\"} 1\na_sum{instance=\"i\",job=\"j\"} 0\n" },
	{ "one of many series",
	  { { PUSH_PUT, "/j/b/1", "a{c=\"1\"} 1\na{c=\"2\"} 1\n", NULL },
	    { PUSH_PUT, "/j", "a{b=\"1\"} 1\na{b=\"1\",c=\"2\"} 2\n", SAME },
	    { PUSH_PUT, "/j/b/1", "a{c=\"1\"} 1\n", NULL },
	    { PUSH_PUT, "/j", "a{b=\"1\",c=\"2\"} 2\n", NULL } },
	  "# TYPE a untyped\na{b=\"1\",c=\"1\",instance=\"\",job=\"j\"} 1\n"
	  "a{b=\"1\",c=\"2\",instance=\"\",job=\"j\"} 2\n" },
	{ "other name, same labels",
	  { { PUSH_PUT, "/j/instance/i", "a 1\n", NULL },
	    { PUSH_PUT, "/j", "b{instance=\"i\"} 2\n", NULL } },
	  "# TYPE a untyped\na{instance=\"i\",job=\"j\"} 1\n"
	  "# TYPE b untyped\nb{instance=\"i\",job=\"j\"} 2\n" },
	{ "names that are exposed as one, two groups",
	  { { PUSH_PUT, "/j", "{\"a.b\"} 1\n", NULL },
	    { PUSH_PUT, "/k", "a_b 1\n",
	      "metric name \"a_b\" is exposed as the same name as \"a.b\"" },
	    { PUSH_PUT, "/k", "{\"a-b\"} 1\n", "\"a-b\" is exposed as the same name" },
	    { PUSH_PUT, "/k", "{\"a.b\"} 1\n", NULL } },
	  "# TYPE a_b untyped\na_b" AJ " 1\na_b" AK " 1\n" },
	{ "names that are exposed as one, one push",
	  { { PUSH_PUT, "/j", "{\"a.b\"} 1\na_b 1\n", "exposed as the same name" } },
	  "" },
	{ "names that are exposed as one, PUT",
	  { { PUSH_PUT, "/j", "{\"a.b\"} 1\n", NULL }, { PUSH_PUT, "/j", "a_b 2\n", NULL } },
	  "# TYPE a_b untyped\na_b" AJ " 2\n" },
	{ "names that are exposed as one, POST",
	  { { PUSH_PUT, "/j", "{\"a.b\"} 1\n", NULL },
	    { PUSH_POST, "/j", "a_b 2\n", "exposed as the same name" } },
	  "# TYPE a_b untyped\na_b" AJ " 1\n" },
	{ "exposed as the suffix of a histogram",
	  { { PUSH_PUT, "/j", "# TYPE h histogram\nh_count 1\n", NULL },
	    { PUSH_PUT, "/k", "{\"h.count\"} 1\n", "\"h.count\" collides" } },
	  NULL },
	{ "exposed as one of ours",
	  { { PUSH_PUT, "/j", "{\"own.gauge\"} 1\n", "exposed as the same name" },
	    { PUSH_PUT, "/j", "{\"push.time.seconds\"} 1\n", "exposed as the same name" } },
	  "" },
};

struct world {
	struct store *store;
	struct mem_storage rows;
};

static struct store *new_store(void)
{
	struct store *s = store_new(&(struct store_limits){ 1000, 100000 });

	store_add_own(s, STR("own_gauge"), METRIC_GAUGE);
	store_add_own(s, STR("own_summary"), METRIC_SUMMARY);
	store_add_own(s, STR("taken_sum"), METRIC_COUNTER);
	return s;
}

static void finish_batch(struct world *w)
{
	struct err err;

	ck_assert_int_eq(w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err), 0);
	store_publish(w->store);
}

static void check_step(const struct scenario *sc, size_t i, const struct push *push)
{
	const char *refused = sc->steps[i].refused;

	if (!refused)
		ck_assert_msg(push->err.reason == ERR_NONE, "%s, step %zu: %s", sc->name, i,
			      push->err.msg);
	else
		ck_assert_msg(push->err.reason == ERR_INVALID && strstr(push->err.msg, refused) &&
				      strncmp(push->err.msg, PUSH_INVALID_PREFIX,
					      strlen(PUSH_INVALID_PREFIX)) == 0,
			      "%s, step %zu: %d %s", sc->name, i, push->err.reason, push->err.msg);
}

static void check_exposed(const struct scenario *sc, struct store *s, const char *when)
{
	CLEANUP(freep) char *got = exposed_pushed(s);

	if (sc->want)
		ck_assert_msg(strcmp(got, sc->want) == 0, "%s, %s:\n%s", sc->name, when, got);
}

static void check_reloaded(const struct scenario *sc, struct world *w)
{
	struct store *again = new_store();
	struct err err = { 0 };

	ck_assert_msg(load_store(&w->rows.base, again, &err) == STORAGE_LOADED, "%s: %s", sc->name,
		      err.msg);
	check_exposed(sc, again, "reloaded");
	store_free(again);
}

static void run_scenario(const struct scenario *sc, bool one_batch)
{
	struct push *pushes[ARRAY_LEN(sc->steps)] = { NULL };
	struct world w = { .store = new_store() };

	mem_storage_init(&w.rows);
	for (size_t i = 0; i < ARRAY_LEN(pushes) && sc->steps[i].path; i++) {
		const struct step *st = &sc->steps[i];

		pushes[i] = make_push(st->mode, st->path, st->body, 1000.5 + (double)i);
		store_stage(w.store, pushes[i]);
		check_step(sc, i, pushes[i]);
		if (!one_batch)
			finish_batch(&w);
	}
	if (one_batch)
		finish_batch(&w);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++)
		push_free(pushes[i]);
	check_exposed(sc, w.store, one_batch ? "one batch" : "step by step");
	check_reloaded(sc, &w);
	store_free(w.store);
	mem_storage_done(&w.rows);
}

#define SCENARIO_TEST(table)                       \
	START_TEST(table##_row)                    \
	{                                          \
		run_scenario(&(table)[_i], false); \
		run_scenario(&(table)[_i], true);  \
	}                                          \
	END_TEST

SCENARIO_TEST(merges)
SCENARIO_TEST(types)
SCENARIO_TEST(suffixes)
SCENARIO_TEST(twins)

int main(void)
{
	TCase *tc = tcase_create("scenarios");

	tcase_add_loop_test(tc, merges_row, 0, (int)ARRAY_LEN(merges));
	tcase_add_loop_test(tc, types_row, 0, (int)ARRAY_LEN(types));
	tcase_add_loop_test(tc, suffixes_row, 0, (int)ARRAY_LEN(suffixes));
	tcase_add_loop_test(tc, twins_row, 0, (int)ARRAY_LEN(twins));
	return run_cases("store", tc);
}
