#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "commit/pace.h"
#include "lib/run.h"

/*
 * A queue and a committer without threads: pushes come evenly, a batch of n takes fixed + n * each,
 * and what the limit refuses is gone.
 */
enum { BATCH = 512, QUEUE = 4096 };

static const int64_t MS = 1000000, SECOND = 1000000000;

struct sim {
	struct pace pace;
	int64_t now, next; /* the next push comes */
	int64_t fixed, each, every;
	size_t limit, n;
	int64_t came[QUEUE];          /* those that wait */
	uint64_t refused, done, slow; /* slow: answered after more than bound_ns() */
	bool once;                    /* no more pushes come by themselves */
};

static void come(struct sim *s, int64_t at)
{
	if (s->n >= s->limit || s->n >= QUEUE) {
		s->refused++;
		return;
	}
	s->came[s->n++] = at;
}

static void come_until(struct sim *s, int64_t end)
{
	for (; !s->once && s->next <= end; s->next += s->every)
		come(s, s->next);
}

/* Those that may wait in any case, and the batch before them. */
static int64_t bound_ns(const struct sim *s)
{
	int64_t least = 2 * (s->fixed + PACE_MIN * s->each);

	return least > 10 * MS ? least : 10 * MS;
}

static void batch(struct sim *s, int64_t extra)
{
	size_t n = s->n < BATCH ? s->n : BATCH;
	int64_t took = s->fixed + (int64_t)n * s->each + extra, start = s->now;
	int64_t oldest = s->came[0];

	for (size_t i = 0; i < n; i++)
		s->slow += start + took - s->came[i] > bound_ns(s);
	s->n -= n;
	memmove(s->came, s->came + n, s->n * sizeof(*s->came));
	come_until(s, start + took);
	s->now += took;
	s->done += n;
	s->limit = pace_limit(&s->pace, &(struct pace_batch){ .n = n,
							      .n_waiting = s->n,
							      .waited_ns = start - oldest,
							      .took_ns = took,
							      .refused = s->refused,
							      .now_ns = s->now });
}

static void run(struct sim *s, int64_t ns)
{
	int64_t end = s->now + ns;

	while (s->now < end) {
		come_until(s, s->now);
		if (s->n == 0)
			s->now = s->once ? end : s->next;
		else
			batch(s, 0);
	}
}

static struct sim *sim_new(int64_t fixed_us, int64_t each_us, int64_t rate)
{
	struct sim *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	*s = (struct sim){ .fixed = fixed_us * 1000,
			   .each = each_us * 1000,
			   .every = SECOND / rate,
			   .limit = SIZE_MAX,
			   .now = SECOND,
			   .next = SECOND };
	return s;
}

static const struct {
	const char *name;
	int64_t fixed_us, each_us, rate; /* pushes a second */
	uint64_t capacity;               /* that a second allows in batches of 512 */
} too_much[] = {
	{ "2.4 times", 300, 80, 29000, 12400 },
	{ "ten times", 300, 80, 120000, 12400 },
	{ "a little", 300, 80, 14000, 12400 },
	{ "quick ones", 200, 15, 120000, 65000 },
};

START_TEST(who_is_let_in_is_quick)
{
	struct sim *s = sim_new(too_much[_i].fixed_us, too_much[_i].each_us, too_much[_i].rate);

	run(s, SECOND);
	s->slow = s->done = s->refused = 0;
	run(s, 5 * (int64_t)SECOND);
	ck_assert_msg(s->slow * 100 <= s->done, "%s: %llu of %llu", too_much[_i].name,
		      (unsigned long long)s->slow, (unsigned long long)s->done);
	/* And nothing is given away. */
	ck_assert_msg(s->done >= 5 * too_much[_i].capacity * 9 / 10, "%s: %llu", too_much[_i].name,
		      (unsigned long long)s->done);
	ck_assert_uint_gt(s->refused, 0);
	free(s);
}
END_TEST

static const struct {
	const char *name;
	int64_t fixed_us, each_us, rate;
} enough[] = {
	{ "a quick disk", 300, 80, 10000 },           { "a slow disk", 20000, 20, 8000 },
	{ "a very slow disk", 100000, 20, 3000 },     { "few pushes", 300, 80, 10 },
	{ "few pushes, a slow disk", 20000, 80, 10 },
};

START_TEST(nobody_is_refused_without_need)
{
	struct sim *s = sim_new(enough[_i].fixed_us, enough[_i].each_us, enough[_i].rate);

	run(s, 10 * (int64_t)SECOND);
	ck_assert_msg(s->refused == 0, "%s: %llu", enough[_i].name, (unsigned long long)s->refused);
	free(s);
}
END_TEST

START_TEST(a_burst_is_waited_for)
{
	struct sim *s = sim_new(300, 10, 1000);

	run(s, SECOND);
	for (int i = 0; i < 3000; i++)
		come(s, s->now);
	run(s, SECOND);
	ck_assert_uint_eq(s->refused, 0);
	free(s);
}
END_TEST

START_TEST(a_large_push_is_waited_for)
{
	struct sim *s = sim_new(300, 40, 10000);

	run(s, SECOND);
	batch(s, 300 * MS);
	run(s, SECOND);
	ck_assert_uint_eq(s->refused, 0);
	free(s);
}
END_TEST

/* n clients, each of which pushes when it has been answered: half of them are in each batch. */
static size_t limit_for_clients(size_t n)
{
	struct pace p = { 0 };
	int64_t took = (int64_t)n / 2 * 80000, now = SECOND;
	size_t limit = SIZE_MAX;

	for (; now < 3 * SECOND && limit == SIZE_MAX; now += took)
		limit = pace_limit(&p, &(struct pace_batch){ .n = n / 2,
							     .n_waiting = n - n / 2,
							     .waited_ns = took,
							     .took_ns = took,
							     .now_ns = now });
	return limit;
}

START_TEST(some_hundred_clients_are_waited_for)
{
	ck_assert_uint_eq(limit_for_clients(PACE_CLIENTS), SIZE_MAX);
	ck_assert_uint_lt(limit_for_clients(PACE_CLIENTS + 1), PACE_CLIENTS);
}
END_TEST

START_TEST(it_ends)
{
	struct sim *s = sim_new(300, 80, 29000);

	run(s, 3 * (int64_t)SECOND);
	ck_assert_uint_lt(s->limit, SIZE_MAX);
	s->every = SECOND / 5000;
	run(s, SECOND);
	s->refused = 0;
	run(s, 2 * (int64_t)SECOND);
	ck_assert_uint_eq(s->limit, SIZE_MAX);
	ck_assert_uint_eq(s->refused, 0);
	free(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pace");

	tcase_add_loop_test(tc, who_is_let_in_is_quick, 0, ARRAY_LEN(too_much));
	tcase_add_loop_test(tc, nobody_is_refused_without_need, 0, ARRAY_LEN(enough));
	tcase_add_test(tc, a_burst_is_waited_for);
	tcase_add_test(tc, a_large_push_is_waited_for);
	tcase_add_test(tc, some_hundred_clients_are_waited_for);
	tcase_add_test(tc, it_ends);
	return run_cases("pace", tc);
}
