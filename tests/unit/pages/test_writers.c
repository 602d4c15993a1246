/* Who pushed last, and groups that several addresses push to in turn: examples, then a model. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "lib/make_push.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "pages/writers.h"
#include "store/internal.h"

static struct store *store;

static void setup(void)
{
	const struct store_limits lim = { 100000, 1000000 };

	store = store_new(&lim);
}

static void teardown(void)
{
	store_free(store);
}

static struct push *made(enum push_mode mode, const char *path, const char *peer, double now)
{
	struct push *push = make_push(mode, path, mode == PUSH_DELETE ? "" : "a 1\n", now);

	push->peer = str_of(peer);
	push->user = STR("");
	store_stage(store, push);
	ck_assert_msg(push->err.reason == ERR_NONE, "%s", push->err.msg);
	return push;
}

/* Whether the pusher is warned. */
static bool push(const char *path, const char *peer, double now)
{
	struct push *p = made(PUSH_PUT, path, peer, now);
	bool warned;

	store_publish(store);
	ck_assert((p->warnings & ~(unsigned)PUSH_WRITERS_CONFLICT) == 0);
	warned = p->warnings != 0;
	push_free(p);
	return warned;
}

static void end(const char *path)
{
	struct push *p = made(PUSH_DELETE, path, "x", 0);

	store_publish(store);
	push_free(p);
}

static size_t conflicts(void)
{
	return store->pages.writers.n_conflicts;
}

START_TEST(in_turn)
{
	ck_assert(!push("/j", "A", 100));
	ck_assert(!push("/j", "A", 101));
	ck_assert(!push("/j", "B", 110));
	ck_assert(!push("/j", "B", 111));
	ck_assert(push("/j", "A", 120));
	ck_assert(!push("/j", "A", 121));
	ck_assert(push("/j", "B", 130));
	ck_assert_uint_eq(conflicts(), 1);
	/* Another group of theirs has nothing to do with it. */
	ck_assert(!push("/k", "A", 131));
	ck_assert(!push("/k", "B", 132));
	ck_assert_uint_eq(conflicts(), 1);
}
END_TEST

START_TEST(not_in_turn)
{
	/* A fleet of pods, each with an address of its own; a job that has moved; slow ones. */
	for (int i = 0; i < 20; i++) {
		char peer[16];

		snprintf(peer, sizeof(peer), "10.0.0.%d", i);
		ck_assert(!push("/pods", peer, 100 + i));
	}
	ck_assert(!push("/slow", "A", 200));
	ck_assert(!push("/slow", "B", 230));
	ck_assert(!push("/slow", "A", 261));
	ck_assert(!push("/slow", "B", 1000));
	ck_assert(!push("/slow", "A", 1060));
	ck_assert_uint_eq(conflicts(), 0);
	ck_assert(push("/slow", "B", 1060));
}
END_TEST

START_TEST(several)
{
	static const char *const peers[] = { "A", "B", "C", "D", "E" };

	for (int i = 0; i < 12; i++)
		ck_assert_int_eq(push("/four", peers[i % 4], 100 + i), i >= 4);
	/* More than are remembered. */
	for (int i = 0; i < 15; i++)
		ck_assert(!push("/five", peers[i % 5], 100 + i));
}
END_TEST

START_TEST(in_one_batch)
{
	static const char *const peers[] = { "A", "B", "A" };
	struct push *list[3];

	for (int i = 0; i < 3; i++)
		list[i] = made(PUSH_PUT, "/j", peers[i], 100 + i);
	store_publish(store);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(list[i]->warnings, i == 2 ? PUSH_WRITERS_CONFLICT : 0);
		push_free(list[i]);
	}
	/* What is not stored says nothing. */
	list[0] = made(PUSH_PUT, "/k", "A", 100);
	store_rollback(store);
	push_free(list[0]);
	ck_assert(!push("/k", "B", 101));
	ck_assert(!push("/k", "A", 102));
}
END_TEST

START_TEST(ends)
{
	push("/j", "A", 100);
	push("/j", "B", 101);
	ck_assert(push("/j", "A", 102));
	push("/k", "A", 200);
	push("/k", "B", 201);
	ck_assert(push("/k", "A", 202));
	writers_expire(&store->pages.writers, 102 + CONFLICT_SHOWN_S - 1);
	ck_assert_uint_eq(conflicts(), 2);
	writers_expire(&store->pages.writers, 102 + CONFLICT_SHOWN_S);
	ck_assert_uint_eq(conflicts(), 1);
	end("/k");
	ck_assert_uint_eq(conflicts(), 0);
	ck_assert(!push("/k", "B", 203));
	/* It goes on: the one that was over begins anew. */
	ck_assert(push("/j", "B", 150));
	ck_assert_uint_eq(conflicts(), 1);
	store_wipe_rows(store, 1);
	store_wipe(store);
	ck_assert_uint_eq(conflicts(), 0);
	ck_assert_ptr_null(store->pages.writers.oldest);
	ck_assert(!push("/j", "A", 151));
}
END_TEST

/* As where pushes have their times of a database's server. */
START_TEST(clock_of_another_machine)
{
	const int64_t second = 1000000000;
	const double theirs = 10000;

	clock_hold(5000 * second, 1000 * second);
	push("/j", "A", theirs);
	push("/j", "B", theirs);
	ck_assert(push("/j", "A", theirs));
	ck_assert_uint_eq(store_counts(store).conflict, 1);
	clock_hold(90000 * second, (1000 + CONFLICT_SHOWN_S - 1) * second);
	ck_assert_uint_eq(store_counts(store).conflict, 1);
	clock_hold(5000 * second, (1000 + CONFLICT_SHOWN_S + 1) * second);
	ck_assert_uint_eq(store_counts(store).conflict, 0);
}
END_TEST

START_TEST(jobs_are_bounded)
{
	const struct conflict_job *jobs = store->pages.writers.jobs;
	uint64_t n, all = 0;
	size_t at = 0, named = 0;
	char path[32], *job;

	for (int i = 0; i < CONFLICT_JOBS_MAX + 50; i++) {
		snprintf(path, sizeof(path), "/job%d", i);
		push(path, "A", clock_wall());
		push(path, "B", clock_wall());
		ck_assert(push(path, "A", clock_wall()));
	}
	while (store_conflicts(store, &at, &job, &n)) {
		named += *job != '\0';
		all += n;
		free(job);
	}
	ck_assert_uint_eq(named, CONFLICT_JOBS_MAX);
	ck_assert_uint_eq(all, CONFLICT_JOBS_MAX + 50);
	ck_assert_uint_eq(jobs[CONFLICT_JOBS_MAX].n, 50);
	ck_assert_uint_eq(store_counts(store).conflict, CONFLICT_JOBS_MAX + 50);
	/* A place that is free is taken. */
	end("/job7");
	push("/new", "A", clock_wall());
	push("/new", "B", clock_wall());
	push("/new", "A", clock_wall());
	ck_assert_str_eq(jobs[7].job, "new");
}
END_TEST

/* The addresses of a group, the one that pushed last in front. */
struct history {
	int peer[4];
	double at[4];
	int n;
};

static bool expect(struct history *h, int peer, double now)
{
	int at = 0;
	bool conflict;

	while (at < h->n && h->peer[at] != peer)
		at++;
	conflict = at > 0 && at < h->n && now - h->at[at] <= CONFLICT_WITHIN_S;
	if (at == h->n)
		at = h->n < 4 ? h->n++ : 3;
	for (; at > 0; at--) {
		h->peer[at] = h->peer[at - 1];
		h->at[at] = h->at[at - 1];
	}
	h->peer[0] = peer;
	h->at[0] = now;
	return conflict;
}

START_TEST(as_the_model)
{
	struct history groups[5] = { 0 };
	uint64_t rng = (uint64_t)_i;
	double now = 1000;
	char path[8], peer[8];

	for (int i = 0; i < 3000; i++) {
		unsigned g = rng_below(&rng, 5), who = rng_below(&rng, 6);

		now += rng_below(&rng, 10) ? rng_below(&rng, 12) : rng_below(&rng, 90);
		snprintf(path, sizeof(path), "/g%u", g);
		snprintf(peer, sizeof(peer), "p%u", who);
		if (rng_below(&rng, 100) == 0) {
			end(path);
			groups[g] = (struct history){ 0 };
			continue;
		}
		ck_assert_int_eq(push(path, peer, now), expect(&groups[g], (int)who, now));
		if (rng_below(&rng, 20) == 0)
			writers_expire(&store->pages.writers, now);
	}
	for (unsigned g = 0; g < 5; g++) {
		snprintf(path, sizeof(path), "/g%u", g);
		end(path);
	}
	ck_assert_uint_eq(conflicts(), 0);
	ck_assert_uint_eq(store->pages.writers.known.n, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("writers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, in_turn);
	tcase_add_test(tc, not_in_turn);
	tcase_add_test(tc, several);
	tcase_add_test(tc, in_one_batch);
	tcase_add_test(tc, ends);
	tcase_add_test(tc, clock_of_another_machine);
	tcase_add_test(tc, jobs_are_bounded);
	tcase_add_loop_test(tc, as_the_model, 0, 4);
	return run_cases("writers", tc);
}
