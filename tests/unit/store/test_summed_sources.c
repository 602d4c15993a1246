/* Sources of summed groups over time: silence, folding, zeros of what is new, and how they are
 * shown. */
#include <stdlib.h>

#include "base/clock.h"
#include "journal/load.h"
#include "lib/gateway.h"
#include "lib/run.h"
#include "store/internal.h"
#include "store/summed.h"
#include "unit/store/summed_steps.h"

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

/* A step of the system's time between the last push and a database that is read back. */
START_TEST(silence_after_the_database_was_read_back)
{
	struct gateway g;
	struct err err;

	init_with(&g, NULL);
	step(&g, "/j/pid/1/__ttl__/100s|g_active 2");
	pass(&g, 50);
	for (int ahead = -400; ahead <= 400; ahead += 800) {
		struct store *loaded = store_new_like(g.store, NULL);

		ck_assert_int_eq(load_store(&g.rows.base, loaded, &err), STORAGE_LOADED);
		store_take_over(g.store, loaded, g.now + ahead);
		pass(&g, 20);
		check_shows(&g, "live", "g_active 2");
	}
	pass(&g, 10);
	check_shows(&g, "silent", "");
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

/* A gateway starts with what the log holds, and does what is due. */
static void restart(struct gateway *g)
{
	struct store *again = store_new_like(g->store, NULL);
	struct err err;

	ck_assert_int_eq(load_store(&g->rows.base, again, &err), STORAGE_LOADED);
	store_begin_waiting(again, clock_mono_ns(), clock_wall(), 0);
	store_free(g->store);
	g->store = again;
	pass(g, 0);
}

static const struct group_options half_a_minute = { .has_zero_first = true,
						    .zero_first_ns = 30 * SECOND };

/* Nor do they when the clock is set back, and the rows that were written since are gone. */
START_TEST(counts_do_not_become_zeros_again)
{
	struct gateway g;

	init_with(&g, &half_a_minute);
	step(&g, "/j/pid/1|c{x=\"1\"} 5");
	pass(&g, 10);
	step(&g, "/j/pid/1|c{x=\"1\"} 6; c{x=\"2\"} 2");
	pass(&g, 22);
	check_shows(&g, "one is over", "c{x=\"1\"} 6; c{x=\"2\"} 0");
	g.now = 500;
	pass(&g, 0);
	restart(&g);
	check_shows(&g, "by an earlier clock", "c{x=\"1\"} 6; c{x=\"2\"} 0");
	for (int i = 0; i < 3; i++) {
		step(&g, "/j/pid/2|c{x=\"1\"} 1");
		clean_all(&g);
	}
	restart(&g);
	check_shows(&g, "of newer rows", "c{x=\"1\"} 7; c{x=\"2\"} 0");
	g.now = 2000;
	pass(&g, 0);
	restart(&g);
	check_shows(&g, "after a long time", "c{x=\"1\"} 7; c{x=\"2\"} 2");
	gateway_done(&g);
}
END_TEST

/* Nor do zeros last for longer, if the clock is set back meanwhile. */
START_TEST(zeros_end_by_a_clock_that_was_set_back)
{
	struct gateway g;

	init_with(&g, &half_a_minute);
	step(&g, "/j/pid/1|c 5");
	for (int t = 1; t <= 31; t++) {
		clock_hold((500 + t) * SECOND, (1000 + t) * SECOND);
		if (t == 29)
			check_shows(&g, "not yet", "c 0");
		store_stage_due(g.store, clock_mono_ns(), clock_wall(), 10);
		gateway_publish(&g);
	}
	check_shows(&g, "over", "c 5");
	check_log(&g, "over");
	gateway_done(&g);
}
END_TEST

/*
 * A group that ended had zeros, too: the next one is in its place, and may be in its memory, which
 * the simulation has met (SEED=140000000519).
 */
START_TEST(zeros_of_another_life)
{
	const struct showing_zeros *waiting;
	struct gateway g;

	init_with(&g, &half_a_minute);
	step(&g, "/j/pid/1|c 5");
	/* The system's time stands still meanwhile. */
	clock_hold(1000 * SECOND, 1010 * SECOND);
	step(&g, "DELETE /j");
	step(&g, "/j/pid/1|c 7");
	waiting = g.store->zeros.waiting.v;
	ck_assert_uint_eq(g.store->zeros.waiting.n, 2);
	ck_assert_uint_eq(waiting[0].slot, waiting[1].slot);
	ck_assert_uint_ne(waiting[0].number, waiting[1].number);
	for (int t = 1011; t <= 1041; t++) {
		clock_hold(1000 * SECOND, t * SECOND);
		store_stage_due(g.store, clock_mono_ns(), clock_wall(), 10);
		gateway_publish(&g);
		if (t == 1039)
			check_shows(&g, "not yet", "c 0");
	}
	check_shows(&g, "over", "c 7");
	gateway_done(&g);
}
END_TEST

/* What was shown before the group had zero_first, or when it was shorter, goes on. */
START_TEST(counts_stay_when_zeros_last_longer)
{
	const struct group_options minutes = { .has_zero_first = true,
					       .zero_first_ns = 300 * SECOND };
	struct gateway g;

	init_with(&g, NULL);
	step(&g, "/j/pid/1|c{x=\"1\"} 5");
	check_shows(&g, "at once", "c{x=\"1\"} 5");
	sum_push_rule(&half_a_minute);
	pass(&g, 5);
	step(&g, "/j/pid/1|c{x=\"1\"} 6; c{x=\"2\"} 2");
	check_shows(&g, "zeros from now on", "c{x=\"1\"} 6; c{x=\"2\"} 0");
	pass(&g, 40);
	check_shows(&g, "they are over", "c{x=\"1\"} 6; c{x=\"2\"} 2");
	sum_push_rule(&minutes);
	pass(&g, 5);
	step(&g, "/j/pid/1|c{x=\"1\"} 7; c{x=\"2\"} 2; c{x=\"3\"} 1");
	check_shows(&g, "longer zeros", "c{x=\"1\"} 7; c{x=\"2\"} 2; c{x=\"3\"} 0");
	restart(&g);
	check_shows(&g, "loaded", "c{x=\"1\"} 7; c{x=\"2\"} 2; c{x=\"3\"} 0");
	gateway_done(&g);
}
END_TEST

/* A log that is written anew says what the store shows, not what is due: the disk may have refused
 * that. */
START_TEST(zeros_that_are_over_are_written_anew)
{
	struct gateway g;

	init_with(&g, &half_a_minute);
	step(&g, "/j/pid/1|c 1");
	step(&g, "/k/pid/1|d 1");
	g.now = 1100;
	step(&g, "/j/pid/1|c 2");
	check_shows(&g, "one has been pushed to", "c 2; d{instance=\"\",job=\"k\"} 0");
	pass(&g, 0);
	check_shows(&g, "what was due", "c 2; d{instance=\"\",job=\"k\"} 1");
	gateway_done(&g);
}
END_TEST

START_TEST(counts_of_a_plain_group_stay)
{
	struct gateway g;

	init_with(&g, &half_a_minute);
	step(&g, "plain /j|c 5");
	pass(&g, 5);
	step(&g, "/j/pid/1|c 7");
	check_shows(&g, "summed", "c 12");
	pass(&g, 5);
	step(&g, "/j/pid/1|c 7; d 3");
	check_shows(&g, "a new one", "c 12; d 0");
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
	TCase *tc = tcase_create("summed_sources");

	tcase_add_test(tc, silence_and_folding);
	tcase_add_test(tc, grace_after_a_restart);
	tcase_add_test(tc, silence_after_the_database_was_read_back);
	tcase_add_test(tc, zero_first);
	tcase_add_test(tc, counts_do_not_become_zeros_again);
	tcase_add_test(tc, zeros_end_by_a_clock_that_was_set_back);
	tcase_add_test(tc, zeros_of_another_life);
	tcase_add_test(tc, counts_stay_when_zeros_last_longer);
	tcase_add_test(tc, zeros_that_are_over_are_written_anew);
	tcase_add_test(tc, counts_of_a_plain_group_stay);
	tcase_add_test(tc, sources);
	return run_cases("summed_sources", tc);
}
