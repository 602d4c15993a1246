/* Refusals are there to cost less than pushes, and one lock is held for each of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/refusals.h"
#include "lib/run.h"
#include "lib/work.h"

/* The work of many refusals of so many jobs, none of which is logged. */
static uint64_t cost_of(int jobs)
{
	enum { TIMES = 30 * 1000 };
	struct refusals *r = refusals_new();
	char target[64];
	uint64_t before = work_done(), did;

	for (int i = 0; i < TIMES; i++) {
		snprintf(target, sizeof(target), "/metrics/job/%06d", i % jobs);
		refusals_note(r,
			      &(struct refused_request){
				      .reason = "busy",
				      .level = LOG_DEBUG,
				      .why = "because",
				      .method = "PUT",
				      .target = str_of(target),
				      .source = "192.0.2.1:80",
			      },
			      0);
	}
	did = work_done() - before;
	refusals_free(r);
	return did;
}

START_TEST(many_jobs_cost_hardly_more_than_one)
{
	uint64_t one = cost_of(1), many = cost_of(3000);

	ck_assert_uint_gt(one, 0);
	ck_assert_msg(many < 2 * one, "%ju for many jobs, %ju for one", (uintmax_t)many,
		      (uintmax_t)one);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("refusals_cost");

	log_init(LOG_INFO, LOG_LOGFMT);
	tcase_add_test(tc, many_jobs_cost_hardly_more_than_one);
	return run_cases("refusals_cost", tc);
}
