/*
 * What is done for one group on the background thread is done in steps, however large the group is:
 * counted here, in series and lines, and not timed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/lint_scan.h"
#include "api/scrape_part.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/run.h"

enum {
	FAMILIES = 40,
	SERIES = 1000,          /* of each family */
	STEP_SERIES = 8 * 1024, /* what one step may do */
};

static struct store *large_group(void)
{
	static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };
	struct store *s = store_new(&unlimited);
	CLEANUP(strbuf_done) struct strbuf body = { 0 };

	for (int f = 0; f < FAMILIES; f++)
		for (int i = 0; i < SERIES; i++)
			strbuf_addf(&body, "family_%d{s=\"%d\"} %d\n", f, i, i);
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/large", strbuf_z(&body), 1);

	store_stage(s, push);
	ck_assert_msg(push->err.reason == ERR_NONE, "%s", push->err.msg);
	store_publish(s);
	return s;
}

static void copy_in_steps(struct scrape_part *part)
{
	uint64_t before = 0, now;
	struct err err = { 0 };
	bool done;

	do {
		/* The time is over, so each call does as little as it can. */
		done = scrape_part_step(part, 0, &err);
		now = store_counts(scrape_part_store(part)).series;
		ck_assert_msg(now - before <= STEP_SERIES, "%llu series in one step",
			      (unsigned long long)(now - before));
		before = now;
	} while (!done);
	ck_assert_int_eq(err.reason, ERR_NONE);
	ck_assert_uint_eq(before, FAMILIES * SERIES + 2);
}

START_TEST(a_group_is_copied_in_steps)
{
	struct store *s = large_group();
	struct params match = { .n = 1 };
	CLEANUP(strbuf_done) struct strbuf whole = { 0 };
	CLEANUP(strbuf_done) struct strbuf copied = { 0 };
	struct scrape_part *part;
	struct err err;

	match.list = &(struct param){ STR("match[]"), STR("{job=\"large\"}") };
	ck_assert_int_eq(scrape_part_new(s, &match, (struct shard){ 0 }, &part, &err), 0);
	copy_in_steps(part);
	exposed_add(s, &whole);
	exposed_add(scrape_part_store(part), &copied);
	ck_assert(str_eq(strbuf_str(&whole), strbuf_str(&copied)));
	scrape_part_free(part);
	store_free(s);
}
END_TEST

/* A scrape holds the pages by reference, and so does whoever looks at a group. */
START_TEST(a_group_is_held_without_copying_its_text)
{
	struct store *s = large_group();
	struct snapshot *snap = exposed_take(s);
	struct held_group held;
	struct arena a;
	uint32_t cursor = 0, shared = 0;

	arena_init(&a, ARENA_MUST);
	ck_assert_int_eq(store_hold_group(s, &cursor, false, &a, &held), 1);
	for (uint32_t i = 0; i < held.copy.n_families; i++)
		for (size_t p = 0; p < snap->n_pages; p++)
			shared += held.copy.families[i].text.p == snap->pages[p].text->p;
	ck_assert_uint_eq(shared, FAMILIES);
	snapshot_free(snap);
	store_free(s);
	/* What is held outlives the store. */
	ck_assert(str_has_prefix(held.copy.families[0].text, STR("family_")));
	held_group_done(&held);
	arena_done(&a);
}
END_TEST

/* However many others there are. */
START_TEST(one_group_is_found_at_once)
{
	enum { GROUPS = 2000 };
	static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };
	struct store *s = store_new(&unlimited);
	struct label labels[] = { { STR("job"), STR("j") }, { STR("n"), STR_NULL } };
	const struct key key = { labels, 2, false };
	char path[32], number[16];
	unsigned steps = 0;
	struct scrape_part *part;
	struct err err = { 0 };

	for (int i = 0; i < GROUPS; i++) {
		snprintf(path, sizeof(path), "/j/n/%d", i);
		CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, path, "a 1\n", 1);

		store_stage(s, push);
		store_publish(s);
	}
	snprintf(number, sizeof(number), "%d", GROUPS - 1);
	labels[1].value = str_of(number);
	part = scrape_part_of_group(s, &key);
	while (!scrape_part_step(part, 0, &err))
		steps++;
	ck_assert_msg(err.reason == ERR_NONE && steps <= 4, "%u steps, %s", steps, err.msg);
	ck_assert_uint_eq(store_counts(scrape_part_store(part)).groups, 1);
	scrape_part_free(part);
	/* It may have gone. */
	CLEANUP(push_freep) struct push *gone = make_push(PUSH_DELETE, path, "", 1);

	store_stage(s, gone);
	store_publish(s);
	part = scrape_part_of_group(s, &key);
	while (!scrape_part_step(part, 0, &err))
		;
	ck_assert_int_eq(err.reason, ERR_NOT_FOUND);
	scrape_part_free(part);
	store_free(s);
}
END_TEST

static void count(void *arg, const struct lint_found *what)
{
	(void)what;
	++*(unsigned *)arg;
}

START_TEST(a_group_is_looked_at_in_steps)
{
	struct store *s = large_group();
	struct group_rules *rules;
	struct lint_scan scan;
	unsigned found = 0, steps = 0;
	struct err err = { 0 };

	ck_assert_int_eq(
		group_rules_parse(STR("rules:\n- match: '{}'\n  lint: warn\n"), &rules, &err), 0);
	lint_scan_init(&scan, s, rules);
	scan.found = count;
	scan.arg = &found;
	while (!lint_scan_step(&scan, &err))
		steps++;
	ck_assert_int_eq(err.reason, ERR_NONE);
	ck_assert_msg(steps > FAMILIES, "%u steps", steps);
	lint_scan_done(&scan);
	store_free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("group_steps");

	tcase_add_test(tc, a_group_is_copied_in_steps);
	tcase_add_test(tc, a_group_is_held_without_copying_its_text);
	tcase_add_test(tc, a_group_is_looked_at_in_steps);
	tcase_add_test(tc, one_group_is_found_at_once);
	return run_cases("group_steps", tc);
}
