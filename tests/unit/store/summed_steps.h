/*
 * Steps of summed groups, written as text, each a batch of its own. After each step the log is
 * loaded as it is, as it comes out when it is applied in order, and as it is written anew from
 * memory: all show the same.
 */
#ifndef TESTS_UNIT_STORE_SUMMED_STEPS_H
#define TESTS_UNIT_STORE_SUMMED_STEPS_H

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
#include "lib/sum_push.h"
#include "store/internal.h"
#include "store/summed.h"

#define SECOND INT64_C(1000000000)

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

static inline bool skip(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static inline void add_metrics(struct strbuf *body, const char *text)
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

static inline void parse_step(const char *text, struct summed_step *ret)
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

static inline struct push *push_of(const struct summed_step *step, double now)
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

static inline void stage(struct gateway *g, const char *text)
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

static inline char *all_of(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

static inline void check_loads(struct gateway *g, struct mem_storage *rows, const char *how,
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

static inline void check_log(struct gateway *g, const char *step)
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

static inline void check_shows(struct gateway *g, const char *name, const char *want)
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
static inline void clean_all(struct gateway *g)
{
	struct err err = { 0 };

	ck_assert_int_eq(storage_clean(&g->rows.base, g->store, UINT64_MAX, &err), 0);
	store_clean_rows(g->store);
	ck_assert_int_eq(g->rows.base.ops->commit(&g->rows.base, store_rows(g->store), &err), 0);
	store_clean_end(g->store, true);
	store_publish(g->store);
}

static inline void step(struct gateway *g, const char *text)
{
	stage(g, text);
	gateway_publish(g);
	check_log(g, text);
}

static inline void init_with(struct gateway *g, const struct group_options *rule)
{
	gateway_init(g, 100, 1000);
	sum_push_rule(rule);
	clock_hold(1000 * SECOND, 1000 * SECOND);
	g->now = 1000;
}

/* Time passes, and what is due is done. */
static inline void pass(struct gateway *g, double seconds)
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

#endif
