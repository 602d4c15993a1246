/*
 * What rules let groups hold: at each limit and one past it; and random pushes against a count that
 * is made anew each time, whatever is published, rolled back, deleted, wiped or counted again.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/apply.h"
#include "lib/gateway.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "store/internal.h"

#define RULES                                                                    \
	"rules:\n- match: '{job=\"few\"}'\n  limits: {series: 3, families: 2}\n" \
	"- match: '{job=~\"l.*\"}'\n  limits: {label_values: 3}\n"

static const char *last_message(const struct gateway *g)
{
	return g->pushes[g->n - 1]->err.msg;
}

static void says(const struct gateway *g, const char *what)
{
	ck_assert_msg(strstr(last_message(g), what), "%s\nis not in\n%s", what, last_message(g));
}

static void init(struct gateway *g)
{
	gateway_init(g, 1000, 100000);
	gateway_rules(g, RULES);
}

START_TEST(series_and_families)
{
	struct gateway g;

	init(&g);
	gateway_push(&g, PUSH_PUT, "/few", "a{x=\"1\"} 1\na{x=\"2\"} 1\nb 1\n", 0);
	gateway_push(&g, PUSH_POST, "/few", "a{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"3\"} 1\n",
		     ERR_RULE_FULL);
	says(&g, "the group {job=\"few\"} would have 4 series (now it has 3), more than the 3 that "
		 "the rule in line 2 of --config.file allows (limits: {series: 3}): delete");
	gateway_push(&g, PUSH_POST, "/few", "a 1\nb 1\nc 1\nd 1\n", ERR_RULE_TOO_LARGE);
	says(&g, "would have 4 series");
	gateway_push(&g, PUSH_POST, "/few", "a 1\n", 0);
	gateway_push(&g, PUSH_POST, "/few", "c 1\n", ERR_RULE_FULL);
	says(&g, "would have 3 families (now it has 2), more than the 2 that");
	gateway_push(&g, PUSH_PUT, "/few", "a 1\nb 1\nc 1\n", ERR_RULE_TOO_LARGE);
	says(&g, "push fewer");
	gateway_push(&g, PUSH_PUT, "/few", "c 1\nd 1\n", 0);
	/* Each group by itself, and others not at all. */
	gateway_push(&g, PUSH_PUT, "/few/i/2", "c 1\nd 1\n", ERR_NONE);
	gateway_push(&g, PUSH_PUT, "/other", "a 1\nb 1\nc 1\nd 1\n", 0);
	/* Within one batch. */
	gateway_stage(
		&g, &(struct gateway_push){ PUSH_POST, "/few", "c{x=\"1\"} 1\nc{x=\"2\"} 1\n", 0 });
	gateway_stage(&g, &(struct gateway_push){ PUSH_POST, "/few", "d{x=\"1\"} 1\nd{x=\"2\"} 1\n",
						  ERR_RULE_FULL });
	gateway_stage(&g, &(struct gateway_push){ PUSH_DELETE, "/few", "", 0 });
	gateway_stage(
		&g, &(struct gateway_push){ PUSH_POST, "/few", "d{x=\"1\"} 1\nd{x=\"2\"} 1\n", 0 });
	gateway_publish(&g);
	gateway_done(&g);
}
END_TEST

static uint64_t values_of(struct gateway *g, const char *label)
{
	struct group_rules *rules = NULL;
	struct label_use use = { 0 };
	struct err err;

	ck_assert_int_eq(group_rules_parse(STR(RULES), &rules, &err), 0);
	store_use_rules(g->store, rules);
	while (store_count_labels(g->store))
		;
	ck_assert(!store_label_use(g->store, rules, &rules->v[0], &use));
	ck_assert(store_label_use(g->store, rules, &rules->v[1], &use));
	ck_assert_msg(str_eq((struct str){ use.name, use.name_n }, str_of(label)), "%.*s",
		      (int)use.name_n, use.name);
	group_rules_unref(rules);
	return use.values;
}

START_TEST(label_values)
{
	struct gateway g;

	init(&g);
	gateway_push(&g, PUSH_PUT, "/l", "a{u=\"1\"} 1\na{u=\"2\"} 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/l/i/1", "a{u=\"1\"} 1\nb{u=\"3\"} 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/l/i/2", "b{u=\"4\"} 1\n", ERR_RULE_FULL);
	says(&g,
	     "with this push to the group {i=\"2\",job=\"l\"} the label \"u\" would have 4 values "
	     "(now it has 3), more than the 3 that the rule in line 4 of --config.file allows in "
	     "all of its groups (limits: {label_values: 3}): leave the label out");
	ck_assert_uint_eq(values_of(&g, "u"), 3);
	/* Values that are there; those of the same names in other groups are no matter. */
	gateway_push(&g, PUSH_PUT, "/l/i/2", "b{u=\"2\"} 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/other", "c{u=\"4\"} 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/l/i/2",
		     "b{v=\"1\"} 1\nb{v=\"2\"} 1\nb{v=\"3\"} 1\nb{v=\"4\"} 1\n",
		     ERR_RULE_TOO_LARGE);
	says(&g, "the label \"v\" would have 4 values (now it has 0)");
	/* One that goes makes room for another, in the same push and later. */
	gateway_push(&g, PUSH_PUT, "/l/i/1", "a{u=\"1\"} 1\nb{u=\"5\"} 1\n", 0);
	gateway_push(&g, PUSH_DELETE, "/l/i/1", "", 0);
	gateway_push(&g, PUSH_POST, "/l", "b{u=\"6\"} 1\n", 0);
	gateway_push(&g, PUSH_POST, "/l", "c{u=\"7\"} 1\n", ERR_RULE_FULL);
	/* Of the key, too: the group is not made. */
	gateway_push(&g, PUSH_PUT, "/l/i/3", "", 0);
	gateway_push(&g, PUSH_PUT, "/l/i/4", "", 0);
	gateway_push(&g, PUSH_PUT, "/l/i/5", "", ERR_RULE_FULL);
	says(&g, "the label \"i\" would have 4 values");
	ck_assert(!store_group_id(g.store, STR("i\xff"
					       "5\xffjob\xffl\xff")));
	store_wipe(g.store);
	while (store_count_labels(g.store))
		;
	gateway_push(&g, PUSH_PUT, "/l/i/5", "b{u=\"8\"} 1\n", 0);
	gateway_done(&g);
}
END_TEST

/* Bounds and quantiles are what a metric is made of; an empty value is no label. */
START_TEST(what_is_no_label)
{
	struct gateway g;

	init(&g);
	gateway_push(&g, PUSH_PUT, "/l",
		     "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 1\n"
		     "h_bucket{le=\"3\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"
		     "# TYPE s summary\ns{quantile=\"0.1\"} 1\ns{quantile=\"0.2\"} 1\n"
		     "s{quantile=\"0.3\"} 1\ns{quantile=\"0.4\"} 1\n"
		     "a{u=\"1\"} 1\na{u=\"2\"} 1\na{u=\"3\"} 1\na{u=\"\"} 1\n",
		     0);
	gateway_push(&g, PUSH_POST, "/l", "b{u=\"4\"} 1\n", ERR_RULE_FULL);
	gateway_done(&g);
}
END_TEST

/* What is there when a limit is lowered stays, and may not grow. */
START_TEST(lowered)
{
	struct gateway g;

	gateway_init(&g, 1000, 100000);
	gateway_push(&g, PUSH_PUT, "/l",
		     "a{u=\"1\"} 1\na{u=\"2\"} 1\na{u=\"3\"} 1\na{u=\"4\"} 1\na{u=\"5\"} 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/few", "a 1\nb 1\nc 1\nd 1\n", 0);
	gateway_rules(&g, RULES);
	gateway_push(&g, PUSH_PUT, "/l",
		     "a{u=\"1\"} 1\na{u=\"2\"} 1\na{u=\"3\"} 1\na{u=\"4\"} 1\na{u=\"6\"} 1\n", 0);
	gateway_push(&g, PUSH_PUT, "/few", "a 1\nb 1\nc 1\nd 2\n", 0);
	gateway_push(&g, PUSH_POST, "/l", "b{u=\"5\"} 1\n", ERR_RULE_FULL);
	gateway_push(&g, PUSH_POST, "/few", "e 1\n", ERR_RULE_FULL);
	gateway_push(&g, PUSH_PUT, "/l", "a{u=\"1\"} 1\na{u=\"2\"} 1\na{u=\"3\"} 1\na{u=\"4\"} 1\n",
		     0);
	ck_assert_uint_eq(values_of(&g, "u"), 4);
	/* No rule has limits any more. */
	gateway_rules(&g, "rules:\n- match: '{}'\n");
	gateway_push(&g, PUSH_POST, "/l", "b{u=\"5\"} 1\n", 0);
	gateway_push(&g, PUSH_POST, "/few", "e 1\n", 0);
	gateway_done(&g);
}
END_TEST

/* ---- the model ---- */

enum { GROUPS = 6, FAMILIES = 4, LABELS = 8, STEPS = 900, BATCH = 5 };
enum { MAX_SERIES = 6, MAX_FAMILIES = 3, MAX_VALUES = 5 };
#define MODEL_RULES "rules:\n- match: '{}'\n  limits: {series: 6, families: 3, label_values: 5}\n"

/* Which values of `u` the family has, a bit for each; 0: it is not there. */
struct naive_group {
	bool there;
	unsigned families[FAMILIES];
};

struct model {
	uint64_t rng;
	struct naive_group shown[GROUPS], staged[GROUPS];
};

static unsigned count_bits(unsigned bits)
{
	return (unsigned)__builtin_popcount(bits);
}

static unsigned series_of(const struct naive_group *g)
{
	unsigned n = 0;

	for (int f = 0; f < FAMILIES; f++)
		n += count_bits(g->families[f]);
	return n;
}

static unsigned families_of(const struct naive_group *g)
{
	unsigned n = 0;

	for (int f = 0; f < FAMILIES; f++)
		n += g->families[f] != 0;
	return n;
}

static unsigned values_in(const struct naive_group groups[GROUPS])
{
	unsigned bits = 0;

	for (int i = 0; i < GROUPS; i++)
		for (int f = 0; f < FAMILIES; f++)
			bits |= groups[i].families[f];
	return count_bits(bits);
}

static unsigned groups_in(const struct naive_group groups[GROUPS])
{
	unsigned n = 0;

	for (int i = 0; i < GROUPS; i++)
		n += groups[i].there;
	return n;
}

static void body_of(const struct naive_group *g, struct strbuf *out)
{
	for (int f = 0; f < FAMILIES; f++)
		for (int u = 0; u < LABELS; u++)
			if (g->families[f] >> u & 1)
				strbuf_addf(out, "f%d{u=\"%d\"} 1\n", f, u);
}

/* Whether the push is to be taken, which changes m->staged then. */
static bool take(struct model *m, int i, bool put, const struct naive_group *pushed)
{
	struct naive_group after[GROUPS], *g = &after[i];
	unsigned before = values_in(m->staged);

	memcpy(after, m->staged, sizeof(after));
	if (!g->there && groups_in(after) == MAX_VALUES)
		return false;
	g->there = true;
	for (int f = 0; f < FAMILIES; f++)
		if (put || pushed->families[f])
			g->families[f] = pushed->families[f];
	if ((series_of(g) > MAX_SERIES && series_of(g) > series_of(&m->staged[i])) ||
	    (families_of(g) > MAX_FAMILIES && families_of(g) > families_of(&m->staged[i])) ||
	    (values_in(after) > MAX_VALUES && values_in(after) > before))
		return false;
	memcpy(m->staged, after, sizeof(after));
	return true;
}

static void random_push(struct gateway *g, struct model *m, struct push **ret)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	struct naive_group pushed = { 0 };
	int i = (int)rng_below(&m->rng, GROUPS);
	bool put = rng_below(&m->rng, 2), taken;
	char path[32];

	snprintf(path, sizeof(path), "/j/i/%d", i);
	if (rng_below(&m->rng, 6) == 0) {
		*ret = make_push(PUSH_DELETE, path, "", g->now++);
		store_stage(g->store, *ret);
		m->staged[i] = (struct naive_group){ 0 };
		return;
	}
	for (int f = 0; f < FAMILIES; f++)
		if (rng_below(&m->rng, 2)) {
			pushed.families[f] = 1u << rng_below(&m->rng, LABELS);
			pushed.families[f] |= 1u << rng_below(&m->rng, LABELS);
		}
	body_of(&pushed, &body);
	*ret = make_push(put ? PUSH_PUT : PUSH_POST, path, strbuf_z(&body), g->now++);
	store_stage(g->store, *ret);
	taken = take(m, i, put, &pushed);
	ck_assert_msg(taken == ((*ret)->err.reason == 0), "%s %s: %s\n%s", put ? "PUT" : "POST",
		      path, (*ret)->err.msg, strbuf_z(&body));
}

/* What has been counted on the way is what somebody else would count now. */
static void check_counts(struct gateway *g, const struct model *m)
{
	struct group_rules *rules = NULL;
	struct label_use use;
	unsigned values = values_in(m->shown), groups = groups_in(m->shown);
	struct err err;

	ck_assert_int_eq(group_rules_parse(STR(MODEL_RULES), &rules, &err), 0);
	store_use_rules(g->store, rules);
	while (store_count_labels(g->store))
		;
	ck_assert(store_label_use(g->store, rules, rules->v, &use));
	ck_assert_uint_eq(use.values, values > groups ? values : groups);
	group_rules_unref(rules);
}

START_TEST(model)
{
	struct model m = { .rng = (uint64_t)_i + 1 };
	struct gateway g;

	gateway_init(&g, 1000, 100000);
	gateway_rules(&g, MODEL_RULES);
	for (int step = 0; step < STEPS; step++) {
		struct push *pushes[BATCH];
		uint64_t n = 1 + rng_below(&m.rng, BATCH);

		memcpy(m.staged, m.shown, sizeof(m.staged));
		for (uint64_t k = 0; k < n; k++)
			random_push(&g, &m, &pushes[k]);
		if (rng_below(&m.rng, 4) == 0) {
			store_rollback(g.store);
		} else {
			gateway_publish(&g);
			memcpy(m.shown, m.staged, sizeof(m.shown));
		}
		for (uint64_t k = 0; k < n; k++)
			push_free(pushes[k]);
		if (rng_below(&m.rng, 10) == 0)
			check_counts(&g, &m);
		if (rng_below(&m.rng, 100) == 0) {
			store_wipe(g.store);
			memset(m.shown, 0, sizeof(m.shown));
		}
	}
	gateway_done(&g);
}
END_TEST

/* What another gateway has taken, whose rules may be others, is there. */
START_TEST(others_rows)
{
	static const char *const paths[] = { "/l1", "/l2", "/l3", "/l4", "/l5" };
	struct gateway writer, g;
	struct err err = { 0 };

	gateway_init(&writer, 1000, 100000);
	init(&g);
	struct applier *a = applier_new(g.store);

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		gateway_push(&writer, PUSH_PUT, paths[i], "a 1\nb 1\n", 0);
	const struct rows rows = { .list = writer.rows.rows, .n = writer.rows.n_rows };

	ck_assert_int_eq(g.rows.base.ops->commit(&g.rows.base, &rows, &err), STORAGE_COMMITTED);
	for (size_t i = 0; i < writer.rows.n_rows; i++)
		ck_assert_int_eq(applier_row(a, &writer.rows.rows[i], &err), 0);
	ck_assert_msg(applier_end(a, 10, 1000, false, &err) == 0, "%s", err.msg);
	gateway_check_counts(&g, 5, 20);
	gateway_push(&g, PUSH_PUT, "/l6", "a 1\n", ERR_RULE_FULL);
	gateway_push(&g, PUSH_PUT, "/l5", "a 2\nb 1\n", 0);
	applier_free(a);
	gateway_done(&writer);
	gateway_done(&g);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("limits of rules");

	tcase_add_test(tc, series_and_families);
	tcase_add_test(tc, label_values);
	tcase_add_test(tc, what_is_no_label);
	tcase_add_test(tc, lowered);
	tcase_add_test(tc, others_rows);
	tcase_add_loop_test(tc, model, 0, 4);
	return run_cases("limits of rules", tc);
}
