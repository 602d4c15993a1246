/*
 * Summed groups in the store: steps as tables, each a batch of its own. After each step the log is
 * loaded as it is, as it comes out when it is applied in order, and as it is written anew from
 * memory: all show the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/compare.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/exposed.h"
#include "lib/gateway.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "store/internal.h"
#include "store/summed.h"

#define SECOND INT64_C(1000000000)

enum { MAX_STEPS = 8 };

/*
 * "[400 ][plain ][PUT |DELETE ]PATH[|METRIC; METRIC]": a push, POST to a summed group if nothing
 * else is said, which is refused for the number in front. Names that begin with g are gauges; those
 * with h, s and x say their type; others are counters. "/j/pid/1|c 5" is the push of source 1.
 */
struct summed_step {
	enum err_reason reason;
	bool plain;
	enum push_mode mode;
	char path[128];
	struct strbuf body;
};

static bool skip(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static void add_metrics(struct strbuf *body, const char *text)
{
	CLEANUP(freep) char *copy = mem_strdup(text);
	char *save, last[64] = "";

	for (char *m = strtok_r(copy, ";", &save); m; m = strtok_r(NULL, ";", &save)) {
		char name[64];

		m += strspn(m, " ");
		if (*m == '#') {
			(void)sscanf(m, "# TYPE %63s", last); /* NOLINT(cert-err34-c) */
			strbuf_addf(body, "%s\n", m);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(m, " {"), m);
		if (strcmp(name, last) != 0 && !strchr("hsx", *name))
			strbuf_addf(body, "# TYPE %s %s\n", name,
				    *name == 'g' ? "gauge" : "counter");
		snprintf(last, sizeof(last), "%s", name);
		strbuf_addf(body, "%s\n", m);
	}
}

static void parse_step(const char *text, struct summed_step *ret)
{
	static const struct {
		const char *word;
		enum err_reason reason;
	} reasons[] = { { "400 ", ERR_INVALID },
			{ "409 ", ERR_CONFLICT },
			{ "507 rule ", ERR_RULE_FULL },
			{ "507 ", ERR_STORE_FULL } };

	*ret = (struct summed_step){ .mode = PUSH_POST };
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (skip(&text, reasons[i].word))
			ret->reason = reasons[i].reason;
	ret->plain = skip(&text, "plain ");
	if (skip(&text, "PUT "))
		ret->mode = PUSH_PUT;
	else if (skip(&text, "DELETE "))
		ret->mode = PUSH_DELETE;
	snprintf(ret->path, sizeof(ret->path), "%.*s", (int)strcspn(text, "|"), text);
	text += strcspn(text, "|");
	add_metrics(&ret->body, *text ? text + 1 : text);
}

static struct push *push_of(const struct summed_step *step, double now)
{
	struct strbuf body = step->body;
	const char *text = step->mode == PUSH_DELETE ? NULL : strbuf_z(&body);
	struct err err = { 0 };
	struct push *push;

	if (step->plain)
		return make_push(step->mode, step->path, text ? text : "", now);
	push = make_sum_push(step->mode, step->path, text, now, &err);
	ck_assert_msg(push != NULL, "%s: %s", step->path, err.msg);
	return push;
}

static void stage(struct gateway *g, const char *text)
{
	struct summed_step step;
	struct push *push;

	parse_step(text, &step);
	push = push_of(&step, g->now++);
	ck_assert_uint_lt(g->n, GATEWAY_PUSHES);
	g->pushes[g->n++] = push;
	store_stage(g->store, push);
	ck_assert_msg(push->err.reason == step.reason, "%s: %d %s", text, push->err.reason,
		      push->err.msg);
	strbuf_done(&step.body);
}

/* ---- what is shown ---- */

static char *all_of(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

static void check_loads(struct gateway *g, struct mem_storage *rows, const char *how,
			const char *step, bool same_log)
{
	CLEANUP(freep) char *want = all_of(g->store);
	struct store *again = store_new_like(g->store, NULL);
	struct err err = { 0 };

	ck_assert_msg(load_store(&rows->base, again, &err) == STORAGE_LOADED, "%s: %s: %s", step,
		      how, err.msg);
	CLEANUP(freep) char *got = all_of(again);

	ck_assert_msg(strcmp(got, want) == 0, "%s: %s: got\n%swanted\n%s", step, how, got, want);
	ck_assert_msg(compare_stores(g->store, again, &err), "%s: %s: %s", step, how, err.msg);
	if (same_log) {
		ck_assert_uint_eq(again->log.bytes, g->store->log.bytes);
		ck_assert_uint_eq(again->log.live_bytes, g->store->log.live_bytes);
		ck_assert_uint_eq(again->documents.n, g->store->documents.n);
	}
	store_free(again);
}

static void check_log(struct gateway *g, const char *step)
{
	struct mem_storage other;
	struct err err = { 0 };

	check_loads(g, &g->rows, "as it is", step, true);
	mem_storage_init(&other);
	rows_apply_in_order(g->rows.rows, g->rows.n_rows, &other);
	check_loads(g, &other, "in order", step, false);
	mem_storage_done(&other);
	mem_storage_init(&other);
	ck_assert_msg(rewrite_store(g->store, &other.base, &err) == 0, "%s: %s", step, err.msg);
	check_loads(g, &other, "written anew", step, false);
	mem_storage_done(&other);
}

static void check_shows(struct gateway *g, const char *name, const char *want)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };

	sum_exposed(g->store, &got);
	for (const char *p = want; *p; p += strspn(p, "; ")) {
		size_t n = strcspn(p, ";");

		strbuf_add(&lines, p, n);
		strbuf_addc(&lines, '\n');
		p += n;
	}
	ck_assert_msg(strcmp(strbuf_z(&got), strbuf_z(&lines)) == 0, "%s: got\n%s\nwanted\n%s",
		      name, strbuf_z(&got), strbuf_z(&lines));
}

/* Every row of the log is looked at; what is dead goes. */
static void clean_all(struct gateway *g)
{
	struct err err = { 0 };

	ck_assert_int_eq(storage_clean(&g->rows.base, g->store, UINT64_MAX, &err), 0);
	store_clean_rows(g->store);
	ck_assert_int_eq(g->rows.base.ops->commit(&g->rows.base, store_rows(g->store), &err), 0);
	store_clean_end(g->store, true);
	store_publish(g->store);
}

static void step(struct gateway *g, const char *text)
{
	stage(g, text);
	gateway_publish(g);
	check_log(g, text);
}

/* ---- tables ---- */

static const struct {
	const char *steps[MAX_STEPS], *want;
} rows[] = {
	{ { "/j/pid/1|c 5", "/j/pid/2|c 3", "/j/pid/1|c 5" }, "c 8" },
	{ { "/j/pid/1|c 5", "DELETE /j/pid/1", "/j/pid/2|c 3" }, "c 8" },
	{ { "/j/pid/1/__start__/100|c 5", "DELETE /j/pid/1", "/j/pid/1/__start__/100|c 7" },
	  "c 7" },
	{ { "/j/pid/1/__start__/100|c 5", "/j/pid/1/__start__/200|c 2" }, "c 7" },
	{ { "/j/pid/1/__start__/100|c 5", "/j/pid/1/__start__/100|c 3" }, "c 5" },
	{ { "/j/pid/1/__start__/200|c 5", "/j/pid/1/__start__/100|c 9",
	    "/j/pid/1/__start__/200|c 6" },
	  "c 15" },
	{ { "/j/pid/1|c 5", "/j/pid/1|c 2" }, "c 7" },
	{ { "PUT /j/pid/1|c 5; d 1", "PUT /j/pid/1|d 2", "PUT /j/pid/1|c 6" }, "c 6; d 2" },
	{ { "/j/pid/1|c 0.1", "/j/pid/2|c 0.2", "/j/pid/3|c 0.3" }, "c 0.6" },
	{ { "/j/pid/3|c 0.3", "DELETE /j/pid/3", "/j/pid/2|c 0.2", "DELETE /j/pid/2",
	    "/j/pid/1|c 0.1" },
	  "c 0.6" },
	{ { "/j/pid/1|# TYPE h histogram; h_bucket{le=\"1\"} 10; h_bucket{le=\"+Inf\"} 10; h_sum "
	    "1; "
	    "h_count 10",
	    "/j/pid/2|# TYPE h histogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"+Inf\"} 1; h_sum 1; "
	    "h_count 1" },
	  "h_bucket{le=\"+Inf\"} 11; h_bucket{le=\"2\"} 11; h_count 11; h_sum 2" },
	{ { "/j/pid/1|g_in_progress 2", "/j/pid/2|g_in_progress 3", "DELETE /j/pid/2" },
	  "g_in_progress 2" },
	{ { "/j/pid/1/__final__/1|c 5; g_in_progress 2; g 7" }, "c 5; g 7" },

	/* Other sources are other labels, and what has none is named by its start. */
	{ { "/j/worker/w/instance/i|c 5", "/j/worker/w/instance/k|c 1" }, "c 6" },
	{ { "/j/__source__/a|c 5", "/j/__source__/b|c 1" }, "c 6" },
	/* With __source__ no other label vanishes. */
	{ { "/j/pid/1/__source__/a|c 5", "/j/pid/1/__source__/b|c 1" }, "c{pid=\"1\"} 6" },
	{ { "/j/__start__/100|c 5", "/j/__start__/200|c 1", "/j/__start__/100|c 6" }, "c 7" },
	{ { "/j|c 5; # TYPE process_start_time_seconds gauge; process_start_time_seconds 100",
	    "/j|c 1; # TYPE process_start_time_seconds gauge; process_start_time_seconds 200" },
	  "c 6; process_start_time_seconds 200" },
	{ { "/j/pid/1|c{pid=\"1\",x=\"y\"} 5", "/j/pid/2|c{pid=\"2\",x=\"y\"} 5" },
	  "c{x=\"y\"} 10" },
	{ { "/j/pid/1|c 5", "/k/pid/1|c 3" }, "c 5; c{instance=\"\",job=\"k\"} 3" },
	{ { "/j/a/1/pid/1|c 5", "/j/pid/1|c 3" }, "c{a=\"1\",} 5; c 3" },

	/* A plain group becomes a summed one, and never turns back. */
	{ { "plain /j|c 4", "/j/pid/1|c 5" }, "c 9" },
	{ { "plain /j|c 4; g 3; d 1", "/j/pid/1|c 5" }, "c 9; d 1; g 3" },
	{ { "plain /j|c 4; g 3", "/j/pid/1|c 5; g 2", "DELETE /j/pid/1" }, "c 9; g 2" },
	{ { "plain /j|# HELP h it; # TYPE h histogram; h_bucket{le=\"1\"} 10; "
	    "h_bucket{le=\"+Inf\"} 10; "
	    "h_sum 1; h_count 10",
	    "/j/pid/1|c 1" },
	  "c 1; h_bucket{le=\"+Inf\"} 10; h_bucket{le=\"1\"} 10; h_count 10; h_sum 1" },
	{ { "plain /j|c -4; g 3", "/j/pid/1|d 5" }, "d 5; g 3" },
	{ { "/j/pid/1|c 5", "409 plain /j|c 4", "409 plain PUT /j|c 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "plain DELETE /j", "plain /j|c 4" }, "c 4" },
	{ { "/j/pid/1|c 5", "DELETE /j", "/j/pid/1|c 4" }, "c 4" },
	{ { "plain /j|# TYPE x counter; x 4", "/j/pid/1|# TYPE x gauge; x 5" }, "x 5" },
	/* The plain group of the whole key would be counted twice. */
	{ { "plain /j/pid/1|c 4", "/j/pid/1|c 5" }, "c 5" },
	{ { "plain /j/pid/1|c 4", "plain /j/pid/2|c 3", "/j/pid/1|c 5" }, "c{pid=\"2\"} 3; c 5" },
	{ { "plain /j/pid/1|c 4", "DELETE /j/pid/1" }, "" },
	{ { "plain /j|c 4", "DELETE /j/pid/1" }, "c 4" },
	{ { "plain /j|c 4", "DELETE /j" }, "" },
	{ { "/j/__start__/100|c 5", "409 DELETE /j" }, "c 5" },
	{ { "/j/__start__/100|c 5; g_active 1", "DELETE /j/__start__/100" }, "c 5" },

	/* What is refused changes nothing. */
	{ { "/j/pid/1|c 5", "400 /j/pid/2|c -1; d 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/2|c NaN" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/2|d 1; # TYPE s summary; s_count NaN; s_sum 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/1|# TYPE s summary; s_count -1; s_sum 1" }, "c 5" },
	{ { "/j/pid/1|c 5", "400 /j/pid/1|# TYPE s summary; s_count +Inf; s_sum 1" }, "c 5" },
	/* Sums that no summary can say. */
	{ { "/j/pid/1|# TYPE s summary; s_count 6e18; s_sum 1",
	    "/j/pid/2|# TYPE s summary; s_count 6e18; s_sum 1",
	    "/j/pid/3|# TYPE s summary; s_count 6e18; s_sum 1",
	    "/j/pid/4|# TYPE s summary; s_count 6e18; s_sum 1" },
	  "s_count 1.8446744073709552e+19; s_sum 4" },
	/* Increments are not what a source has counted so far. */
	{ { "/j/pid/1|c 5", "409 /j/__mode__/add|c 3", "/j/pid/1|c 6" }, "c 6" },
	{ { "/j/__mode__/add|c 5", "409 /j/pid/1|c 3", "/j/__mode__/add|c 1" }, "c 6" },
	{ { "/j/__mode__/add|c 5", "DELETE /j/__mode__/add", "/j/pid/1|c 3" }, "c 3" },
	{ { "/j/pid/1|c 5", "400 /j/pid/1|c 6; c 6" }, "c 5" },
	{ { "/j/pid/1|# TYPE x counter; x 5", "400 /j/pid/2|d 1; # TYPE x gauge; x 5" }, "x 5" },
	{ { "plain /k|# TYPE x gauge; x 5", "/j/pid/1|c 5",
	    "400 /j/pid/1|c 6; # TYPE x counter; x 1", "/j/pid/1|c 7" },
	  "c 7; x{instance=\"\",job=\"k\"} 5" },
	{ { "plain /k|# TYPE x gauge; x 5", "400 /j/pid/1|c 6; # TYPE x counter; x 1",
	    "/j/pid/1|c 7" },
	  "c 7; x{instance=\"\",job=\"k\"} 5" },
	{ { "plain /j/instance/|c 5", "400 /j/pid/1|c 6; d 1" }, "c 5" },
	{ { "plain /j|c 4", "400 /j/pid/1|c 5; # TYPE x counter; x -1", "plain /j|c 3" }, "c 3" },
	{ { "/j/pid/1|c 5", "/j/pid/1|c 4", "/j/pid/1|c 3", "/j/pid/1|c 2",
	    "409 /j/pid/1|c 1; d 1" },
	  "c 14" },

	/* Gauge histograms are as they were said last. */
	{ { "/j/pid/1|# TYPE h gaugehistogram; h_bucket{le=\"1\"} 3; h_bucket{le=\"+Inf\"} 4; "
	    "h_sum 7; h_count 4",
	    "/j/pid/2|# TYPE h gaugehistogram; h_bucket{le=\"2\"} 1; h_bucket{le=\"+Inf\"} 1; "
	    "h_sum 1; h_count 1; c 1" },
	  "c 1; h_bucket{le=\"+Inf\"} 1; h_bucket{le=\"2\"} 1; h_count 1; h_sum 1" },

	/* Increments. */
	{ { "/j/__mode__/add|c 5", "/j/__mode__/add|c 3", "/j/pid/1/__mode__/add|c 1" }, "c 9" },
	{ { "/j/__mode__/add|c 5; g_active 2", "PUT /j/__mode__/add|g_active 1" },
	  "c 5; g_active 1" },
	{ { "/j/__mode__/add|c 5", "400 /j/__mode__/add|# TYPE c gauge; c 1" }, "c 5" },
	{ { "/j/__mode__/add|c 5", "DELETE /j/pid/1/__mode__/add" }, "c 5" },
	{ { "/j/__mode__/add|c 5", "DELETE /j/__mode__/add" }, "" },
	{ { "plain /j|c 4", "/j/__mode__/add|c 5" }, "c 9" },
	{ { "/j/__mode__/add|# TYPE h histogram; h_bucket{le=\"1\"} 1; h_bucket{le=\"+Inf\"} 2; "
	    "h_sum 3; h_count 2",
	    "/j/__mode__/add|# TYPE h histogram; h_bucket{le=\"1\"} 1; h_bucket{le=\"+Inf\"} 1; "
	    "h_sum -1; h_count 1" },
	  "h_bucket{le=\"+Inf\"} 3; h_bucket{le=\"1\"} 2; h_count 3; h_sum 2" },
};

START_TEST(table_of_steps)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++)
		step(&g, rows[_i].steps[i]);
	check_shows(&g, rows[_i].steps[0], rows[_i].want);
	gateway_done(&g);
}
END_TEST

/* Each step comes to nothing first, with all that follow, and the log is cleaned in between. */
START_TEST(batches_come_to_nothing)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++) {
		CLEANUP(freep) char *before = all_of(g.store);
		double now = g.now;

		for (int k = i; k < MAX_STEPS && rows[_i].steps[k]; k++)
			stage(&g, rows[_i].steps[k]);
		store_rows(g.store);
		store_rollback(g.store);
		CLEANUP(freep) char *after = all_of(g.store);

		ck_assert_str_eq(after, before);
		check_log(&g, "rolled back");
		g.now = now;
		stage(&g, rows[_i].steps[i]);
		gateway_publish(&g);
		clean_all(&g);
		check_log(&g, rows[_i].steps[i]);
	}
	check_shows(&g, rows[_i].steps[0], rows[_i].want);
	gateway_done(&g);
}
END_TEST

/* All steps of a table in one batch. */
START_TEST(one_batch)
{
	struct gateway g;

	gateway_init(&g, 100, 1000);
	for (int i = 0; i < MAX_STEPS && rows[_i].steps[i]; i++)
		stage(&g, rows[_i].steps[i]);
	gateway_publish(&g);
	check_shows(&g, rows[_i].steps[0], rows[_i].want);
	check_log(&g, rows[_i].steps[0]);
	gateway_done(&g);
}
END_TEST

/* ---- what rules and flags say ---- */

static void init_with(struct gateway *g, const struct group_options *rule)
{
	gateway_init(g, 100, 1000);
	sum_push_rule(rule);
	clock_hold(1000 * SECOND, 1000 * SECOND);
	g->now = 1000;
}

/* Time passes, and what is due is done. */
static void pass(struct gateway *g, double seconds)
{
	g->now += seconds;
	clock_hold((int64_t)(g->now * 1e9), (int64_t)(g->now * 1e9));
	while (store_next_due(g->store) <= clock_mono_ns()) {
		store_stage_due(g->store, clock_mono_ns(), clock_wall(), 10);
		/* It comes to nothing, and is done again. */
		store_rows(g->store);
		store_rollback(g->store);
		store_stage_due(g->store, clock_mono_ns(), clock_wall(), 10);
		gateway_publish(g);
	}
	check_log(g, "time passed");
}

START_TEST(series_limit)
{
	struct gateway g;

	init_with(&g, NULL);
	gateway_rules(&g, "rules:\n- match: '{}'\n  limits: {series: 2}\n");
	step(&g, "/j/pid/1|c{x=\"1\"} 5");
	step(&g, "/j/pid/2|c{x=\"2\"} 5");
	step(&g, "507 rule /j/pid/1|c{x=\"1\"} 6; c{x=\"3\"} 5");
	step(&g, "/j/pid/1|c{x=\"1\"} 7");
	check_shows(&g, "series", "c{x=\"1\"} 7; c{x=\"2\"} 5");
	gateway_done(&g);
}
END_TEST

/* A group that a refused push would have made is not there, whatever comes before and after. */
START_TEST(refused_for_room)
{
	const struct source_limits lim = { .max_values = 2 };
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &lim);
	step(&g, "507 /j/pid/1|c 1; d 1; e 1");
	ck_assert_uint_eq(g.store->staged_groups, 0);
	stage(&g, "507 /j/pid/1|c 1; d 1; e 1");
	stage(&g, "/j/pid/1|c 1");
	stage(&g, "507 /k/pid/1|c 1; d 1; e 1");
	stage(&g, "400 /l/pid/1|c -1");
	stage(&g, "507 /l/pid/1|c 1; d 1; e 1");
	gateway_publish(&g);
	check_log(&g, "in one batch");
	check_shows(&g, "in one batch", "c 1");
	ck_assert_uint_eq(g.store->staged_groups, 2);
	gateway_done(&g);
}
END_TEST

/* Sources that are done make room, of this group and of others. */
START_TEST(room_for_values)
{
	const struct source_limits lim = { .max_values = 4 };
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &lim);
	step(&g, "/j/pid/1/__start__/1|c 1; d 1");
	step(&g, "507 /k/pid/1/__start__/1|c 1; d 1; e 1");
	step(&g, "DELETE /j/pid/1");
	step(&g, "/k/pid/1/__start__/1|c 1; d 1; e 1");
	ck_assert_uint_eq(g.store->folded.n, 1);
	/* Its own earlier start. */
	step(&g, "/k/pid/1/__start__/2|c 1; d 1; e 1");
	ck_assert_uint_eq(g.store->folded.n, 2);
	step(&g, "507 /k/pid/2/__start__/1|c 1; d 1; e 1");
	step(&g, "/k/pid/1/__start__/2|c 2; d 1; e 1");
	/* Who comes back goes on where it was. */
	step(&g, "DELETE /k/pid/1");
	step(&g, "/j/pid/1/__start__/1|c 1; d 1");
	step(&g, "/j/pid/1/__start__/1|c 2; d 1");
	check_shows(&g, "values",
		    "c 2; c{instance=\"\",job=\"k\"} 3; d 1; d{instance=\"\",job=\"k\"} 2; "
		    "e{instance=\"\",job=\"k\"} 2");
	gateway_done(&g);
}
END_TEST

/* Who is folded first: who has ended, who was followed by another start, who is silent longest. */
START_TEST(sources_limit)
{
	const struct group_options rule = { .has_max_sources = true, .max_sources = 3 };
	struct gateway g;

	init_with(&g, &rule);
	step(&g, "/j/pid/1/__start__/1|c 1");
	step(&g, "/j/pid/2/__start__/1|c 10");
	step(&g, "/j/pid/3/__start__/1|c 100");
	step(&g, "/j/pid/2/__start__/2|c 1000");
	ck_assert_uint_eq(g.store->folded.n, 1);
	/* pid 2, start 1 is in the base: this is not new. */
	step(&g, "/j/pid/2/__start__/1|c 12");
	check_shows(&g, "comes back", "c 1111");
	step(&g, "/j/pid/2/__start__/1|c 15");
	check_shows(&g, "goes on", "c 1114");
	step(&g, "DELETE /j/pid/3");
	step(&g, "/j/pid/9|c 10000");
	check_shows(&g, "ended first", "c 11114");
	step(&g, "/j/pid/3/__start__/1|c 101");
	check_shows(&g, "it was pid 3", "c 11114");
	clean_all(&g);
	check_log(&g, "cleaned");
	gateway_done(&g);
}
END_TEST

START_TEST(values_limit)
{
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &(struct source_limits){ .max_values = 3 });
	step(&g, "/j/pid/1|c 1; d 1");
	step(&g, "/j/pid/2|c 10");
	step(&g, "507 /j/pid/3|c 100");
	step(&g, "507 /k/pid/3|c 100");
	step(&g, "/j/pid/2|c 11");
	pass(&g, 901);
	/* Now these are silent. */
	step(&g, "/j/pid/3|c 100");
	check_shows(&g, "folded", "c 112; d 1");
	ck_assert_uint_eq(g.store->source_values, 1);
	step(&g, "/j/pid/1|c 2");
	check_shows(&g, "comes back", "c 112; d 1");
	gateway_done(&g);
}
END_TEST

START_TEST(limits_of_sources_outlive_a_wipe)
{
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &(struct source_limits){ .max_values = 1 });
	ck_assert_int_eq(g.rows.base.ops->commit(&g.rows.base, store_wipe_rows(g.store, 1),
						 &(struct err){ 0 }),
			 STORAGE_COMMITTED);
	store_wipe(g.store);
	step(&g, "/j/pid/1|c 1");
	step(&g, "507 /j/pid/2|c 10");
	gateway_done(&g);
}
END_TEST

START_TEST(silence_and_folding)
{
	struct gateway g;

	init_with(&g, NULL);
	store_limit_sources(g.store, &(struct source_limits){ .fold_after_ns = 2000 * SECOND });
	step(&g, "/j/pid/1/__ttl__/10s|c 1; g_active 2");
	step(&g, "/j/pid/2|c 10; g_active 3");
	pass(&g, 5);
	check_shows(&g, "live", "c 11; g_active 5");
	pass(&g, 5);
	check_shows(&g, "silent", "c 11; g_active 3");
	step(&g, "/j/pid/1/__ttl__/10s|c 2; g_active 1");
	check_shows(&g, "back", "c 12; g_active 4");
	pass(&g, 1990);
	check_shows(&g, "all silent", "c 12");
	ck_assert_uint_eq(g.store->folded.n, 1);
	pass(&g, 10);
	ck_assert_uint_eq(g.store->folded.n, 2);
	step(&g, "/j/pid/2|c 11");
	check_shows(&g, "folded, and back", "c 12");
	step(&g, "/j/pid/2|c 12");
	check_shows(&g, "folded, and goes on", "c 13");
	gateway_done(&g);
}
END_TEST

/* A restart waits for as long as the gateway was down, and the log says until when it ran. */
START_TEST(grace_after_a_restart)
{
	struct gateway g;
	struct err err;

	init_with(&g, NULL);
	step(&g, "/j/pid/1/__ttl__/100s|g_active 2");
	pass(&g, 50);
	ck_assert_int_eq(
		g.rows.base.ops->commit(&g.rows.base, store_beat_rows(g.store, clock_wall()), &err),
		STORAGE_COMMITTED);
	store_publish(g.store);
	check_log(&g, "a beat");
	/* It is down for 60 seconds. */
	g.now += 60;
	clock_hold((int64_t)(g.now * 1e9), (int64_t)(g.now * 1e9));
	struct store *again = store_new_like(g.store, NULL);

	ck_assert_int_eq(load_store(&g.rows.base, again, &err), STORAGE_LOADED);
	store_begin_waiting(again, clock_mono_ns(), clock_wall(), 300 * SECOND);
	store_free(g.store);
	g.store = again;
	pass(&g, 59);
	check_shows(&g, "its pusher had no chance", "g_active 2");
	pass(&g, 1);
	check_shows(&g, "silent", "");
	clean_all(&g);
	check_log(&g, "cleaned");
	gateway_done(&g);
}
END_TEST

START_TEST(zero_first)
{
	const struct group_options rule = { .has_zero_first = true, .zero_first_ns = 30 * SECOND };
	struct gateway g;

	init_with(&g, &rule);
	step(&g, "/j/pid/1|c{x=\"1\"} 5; g 3");
	check_shows(&g, "new", "c{x=\"1\"} 0; g 3");
	pass(&g, 10);
	step(&g, "/j/pid/2|c{x=\"1\"} 1; c{x=\"2\"} 2");
	pass(&g, 15);
	check_shows(&g, "still", "c{x=\"1\"} 0; c{x=\"2\"} 0; g 3");
	pass(&g, 5);
	check_shows(&g, "one is over", "c{x=\"1\"} 6; c{x=\"2\"} 0; g 3");
	pass(&g, 11);
	check_shows(&g, "both are", "c{x=\"1\"} 6; c{x=\"2\"} 2; g 3");
	ck_assert(store_next_due(g.store) > clock_mono_ns() + 100 * SECOND);
	gateway_done(&g);
}
END_TEST

START_TEST(ids_of_pushes)
{
	struct gateway g;

	init_with(&g, NULL);
	step(&g, "/j/__mode__/add/__push_id__/a|c 5");
	step(&g, "/j/__mode__/add/__push_id__/a|c 5");
	step(&g, "/j/__mode__/add/__push_id__/b|c 1");
	step(&g, "/k/__mode__/add/__push_id__/a|c 1");
	check_shows(&g, "once each", "c 6; c{instance=\"\",job=\"k\"} 1");
	clean_all(&g);
	check_log(&g, "cleaned");
	step(&g, "DELETE /j/__mode__/add");
	step(&g, "/j/__mode__/add/__push_id__/a|c 2");
	check_shows(&g, "another group", "c 2; c{instance=\"\",job=\"k\"} 1");
	gateway_done(&g);
}
END_TEST

static unsigned warnings_of(struct gateway *g, const char *text)
{
	step(g, text);
	return g->pushes[g->n - 1]->warnings;
}

START_TEST(warnings)
{
	struct gateway g;

	init_with(&g, NULL);
	ck_assert_uint_eq(warnings_of(&g, "/j/pid/1|c 5"), 0);
	ck_assert_uint_eq(warnings_of(&g, "/j/pid/1|c 2"), PUSH_RESET_ASSUMED);
	ck_assert_uint_eq(warnings_of(&g, "/j/pid/1/__start__/9|# TYPE d_total counter; d_total 2; "
					  "# TYPE d_created gauge; d_created 1"),
			  PUSH_INHERITED_COUNTS);
	ck_assert_uint_eq(warnings_of(&g, "/a/__mode__/add/__start__/9|c 2"), 0);
	ck_assert_uint_eq(warnings_of(&g, "/a/__mode__/add/__start__/8|c 2"), 0);
	ck_assert_uint_eq(warnings_of(&g, "/a/__mode__/add/__start__/9|c 2"), PUSH_ADD_REPEATED);
	gateway_done(&g);
}
END_TEST

static bool shows_line(struct gateway *g, const char *line)
{
	CLEANUP(freep) char *all = all_of(g->store);

	return strstr(all, line) != NULL;
}

#define FAILING "pushgateway_group_failing_sources{instance=\"\",job=\"j\"} "

/* The group of that job, in brief. */
static struct group_brief brief_of(struct gateway *g, const char *key)
{
	struct group_list list = { 0 };
	struct group_brief found = { 0 };
	uint32_t cursor = 0;

	while (store_list_groups(g->store, &cursor, &list))
		for (uint32_t i = 0; i < list.n; i++)
			if (str_eq(group_list_key(&list, &list.list[i]), str_of(key)))
				found = list.list[i];
	group_list_done(&list);
	return found;
}

START_TEST(sources)
{
	CLEANUP(arena_done) struct arena a;
	struct group_brief j, k;
	struct sources_copy copy;
	struct gateway g;

	arena_init(&a, 1 << 20);
	init_with(&g, NULL);
	step(&g, "plain /a|c 1");
	step(&g, "/j/pid/1|c 5; d 1");
	step(&g, "/j/pid/2/__start__/7|c 5");
	step(&g, "/j/pid/3|c 5");
	step(&g, "/k/__mode__/add|c 5");
	step(&g, "400 /j/pid/1|c -1");
	ck_assert(shows_line(&g, FAILING "1"));
	j = brief_of(&g, "job\xffj\xff");
	k = brief_of(&g, "job\xffk\xff");
	ck_assert_uint_eq(j.summed.n_sources, 3);
	ck_assert_int_eq(store_copy_sources(g.store, &j, 0, 2, &a, &copy), 1);
	ck_assert_uint_eq(copy.n, 2);
	ck_assert(str_eq(copy.list[0].name, STR("pid\xff"
						"1\xff")));
	ck_assert(copy.list[0].failing && copy.list[0].live && !copy.list[0].has_start);
	ck_assert_uint_eq(copy.list[0].n_series, 2);
	ck_assert_ptr_nonnull(memmem(copy.list[0].failed_why.p, copy.list[0].failed_why.n,
				     "can be neither negative", 23));
	ck_assert(copy.list[1].has_start && copy.list[1].start == 7);
	ck_assert_int_eq(store_copy_sources(g.store, &j, copy.list[1].id, 2, &a, &copy), 1);
	ck_assert_uint_eq(copy.n, 1);
	ck_assert_int_eq(store_copy_sources(g.store, &j, copy.list[0].id, 2, &a, &copy), 1);
	ck_assert_uint_eq(copy.n, 0);
	ck_assert_int_eq(store_copy_sources(g.store, &k, 0, 2, &a, &copy), 1);
	ck_assert(copy.n == 0 && copy.mode == GROUP_ADD && k.summed.n_sources == 0);
	step(&g, "/j/pid/1|c 6");
	ck_assert(shows_line(&g, FAILING "0"));
	step(&g, "400 /j/pid/3|c -1");
	ck_assert(shows_line(&g, FAILING "1"));
	step(&g, "DELETE /j/pid/3");
	ck_assert(shows_line(&g, FAILING "0"));
	ck_assert_int_eq(store_copy_sources(g.store, &j, 0, 9, &a, &copy), 1);
	ck_assert(copy.n == 2 && brief_of(&g, "job\xffj\xff").summed.n_sources == 2);
	step(&g, "DELETE /j");
	ck_assert_int_eq(store_copy_sources(g.store, &j, 0, 9, &a, &copy), 0);
	ck_assert(!shows_line(&g, FAILING));
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("summed");

	tcase_add_loop_test(tc, table_of_steps, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, batches_come_to_nothing, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, one_batch, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, series_limit);
	tcase_add_test(tc, refused_for_room);
	tcase_add_test(tc, room_for_values);
	tcase_add_test(tc, sources_limit);
	tcase_add_test(tc, values_limit);
	tcase_add_test(tc, limits_of_sources_outlive_a_wipe);
	tcase_add_test(tc, silence_and_folding);
	tcase_add_test(tc, grace_after_a_restart);
	tcase_add_test(tc, zero_first);
	tcase_add_test(tc, ids_of_pushes);
	tcase_add_test(tc, warnings);
	tcase_add_test(tc, sources);
	return run_cases("summed", tc);
}
