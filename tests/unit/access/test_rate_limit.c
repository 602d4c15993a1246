#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "access/rate_limit.h"
#include "base/cleanup.h"
#include "lib/run.h"

#define SECOND INT64_C(1000000000)

/* Requests at these times, ended by -1, and which of them get through. */
static const struct {
	const char *name;
	int64_t interval_ns, burst;
	int64_t at[12];
	const char *want;
} rows[] = {
	{ "a full bucket first", SECOND, 3, { 0, 0, 0, 0, -1 }, "+++-" },
	{ "one token an interval",
	  SECOND,
	  1,
	  { 0, SECOND - 1, SECOND, SECOND, 2 * SECOND, -1 },
	  "+-+-+" },
	{ "what is refused costs nothing",
	  SECOND,
	  1,
	  { 0, SECOND / 4, SECOND / 2, SECOND * 3 / 4, SECOND, -1 },
	  "+---+" },
	{ "tokens gather, up to the burst",
	  SECOND,
	  2,
	  { 0, 0, 0, 100 * SECOND, 100 * SECOND, 100 * SECOND, -1 },
	  "++-++-" },
	{ "parts of tokens count",
	  SECOND,
	  2,
	  { 0, 0, SECOND / 2, SECOND, SECOND * 3 / 2, SECOND * 2, -1 },
	  "++-+-+" },
	{ "a burst of 0", SECOND, 0, { 0, 10 * SECOND, -1 }, "--" },
	{ "a negative burst", SECOND, -3, { 0, 10 * SECOND, -1 }, "--" },
	{ "the largest burst", SECOND, INT64_MAX, { 0, 0, 0, -1 }, "+++" },
	{ "the longest interval", INT64_MAX, 1, { 0, INT64_MAX / 2, -1 }, "+-" },
	{ "a time before the last",
	  SECOND,
	  2,
	  { 5 * SECOND, 0, 5 * SECOND, 6 * SECOND, -1 },
	  "++-+" },
};

START_TEST(requests_let_through)
{
	struct rate_limit r;
	char got[16];
	int n = 0;

	rate_limit_init(&r, rows[_i].interval_ns, rows[_i].burst, 0);
	for (; rows[_i].at[n] >= 0; n++)
		got[n] = rate_limit_allow(&r, rows[_i].at[n]) ? '+' : '-';
	got[n] = '\0';
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s: %s", rows[_i].name, got);
	rate_limit_done(&r);
}
END_TEST

enum { THREADS = 4, EACH = 10000 };

struct asker {
	struct rate_limit *r;
	pthread_t thread;
	unsigned allowed;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	for (int i = 0; i < EACH; i++)
		a->allowed += rate_limit_allow(a->r, i);
	return NULL;
}

/* Too few tokens for all, and too little time for another one. */
START_TEST(many_threads)
{
	struct asker askers[THREADS] = { 0 };
	unsigned allowed = 0;
	struct rate_limit r;

	rate_limit_init(&r, SECOND, EACH + 7, 0);
	for (int i = 0; i < THREADS; i++) {
		askers[i].r = &r;
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(askers[i].thread, NULL);
		allowed += askers[i].allowed;
	}
	ck_assert_uint_eq(allowed, EACH + 7);
	rate_limit_done(&r);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rate_limit");

	tcase_add_loop_test(tc, requests_let_through, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, many_threads);
	return run_cases("rate_limit", tc);
}
