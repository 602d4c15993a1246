/* Counts by job, of which a hundred have a place of their own. */
#include <stdio.h>
#include <stdlib.h>

#include "expose/job_counts.h"
#include "lib/run.h"

static void add(void *arg, struct str job, uint64_t n)
{
	strbuf_addf(arg, "%.*s=%llu ", STR_ARG(job), (unsigned long long)n);
}

START_TEST(by_job)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct job_counts c;

	job_counts_init(&c);
	job_counts_each(&c, add, &got);
	ck_assert_uint_eq(got.n, 0);
	job_counts_add(&c, STR("b"));
	job_counts_add(&c, STR("a"));
	job_counts_add(&c, STR("b"));
	job_counts_each(&c, add, &got);
	ck_assert_str_eq(strbuf_z(&got), "b=2 a=1 ");
	job_counts_done(&c);
}
END_TEST

static void sum(void *arg, struct str job, uint64_t n)
{
	uint64_t *counts = arg;

	counts[job.n == 0] += n;
}

START_TEST(the_rest_is_one)
{
	uint64_t counts[2] = { 0 };
	struct job_counts c;

	job_counts_init(&c);
	for (int i = 0; i < 2 * JOB_COUNTS_MAX; i++) {
		char job[16];

		snprintf(job, sizeof(job), "j%d", i);
		job_counts_add(&c, str_of(job));
	}
	job_counts_add(&c, STR("j0"));
	job_counts_each(&c, sum, counts);
	ck_assert_uint_eq(counts[0], JOB_COUNTS_MAX + 1);
	ck_assert_uint_eq(counts[1], JOB_COUNTS_MAX);
	job_counts_done(&c);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("job_counts");

	tcase_add_test(tc, by_job);
	tcase_add_test(tc, the_rest_is_one);
	return run_cases("job_counts", tc);
}
