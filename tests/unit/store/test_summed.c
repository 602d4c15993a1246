/*
 * Summed groups in the store: steps as tables, each a batch of its own. After each step the log is
 * loaded as it is, as it comes out when it is applied in order, and as it is written anew from
 * memory: all show the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "lib/exposed.h"
#include "lib/gateway.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/sum_push.h"
#include "store/internal.h"
#include "store/summed.h"

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

/* Sample lines without times, and without the labels of job j. */
static char *shown(struct store *s)
{
	CLEANUP(freep) char *all = exposed_pushed(s);
	struct strbuf out = { 0 };
	char *save;

	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *labels = strstr(line, "instance=\"\",job=\"j\"");

		if (*line == '#')
			continue;
		if (!labels) {
			strbuf_addf(&out, "%s; ", line);
			continue;
		}
		const char *rest = labels + strlen("instance=\"\",job=\"j\"");
		bool alone = labels[-1] == '{' && *rest == '}';

		strbuf_add(&out, line, (size_t)(labels - line) - alone);
		strbuf_addf(&out, "%s; ", rest + (alone || *rest == ','));
	}
	if (out.n >= 2)
		out.n -= 2;
	strbuf_z(&out);
	return out.p;
}

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
	ck_assert_msg(rewrite_same(g->store, again, &err), "%s: %s: %s", step, how, err.msg);
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
	CLEANUP(freep) char *got = shown(g->store);

	ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%s\nwanted\n%s", name, got, want);
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

int main(void)
{
	TCase *tc = tcase_create("summed");

	tcase_add_loop_test(tc, table_of_steps, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, batches_come_to_nothing, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, one_batch, 0, (int)ARRAY_LEN(rows));
	return run_cases("summed", tc);
}
