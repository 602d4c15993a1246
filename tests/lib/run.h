/*
 * The main() of a unit test: runs test cases as one suite, and reports the result.
 *
 *     int main(void)
 *     {
 *             TCase *tc = tcase_create("arena");
 *
 *             tcase_add_test(tc, pieces_are_apart);
 *             return run_cases("arena", tc);
 *     }
 *
 * Check runs each test in a process of its own, kills it after a minute if tcase_set_timeout() does
 * not say otherwise, and obeys CK_RUN_CASE and CK_FORK in the environment.
 */
#ifndef TESTS_LIB_RUN_H
#define TESTS_LIB_RUN_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Check's own 4 s are too few on a busy machine. tcase_create() reads it. */
__attribute__((constructor)) static void let_tests_take_a_minute(void)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before main() there are no threads. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

static inline int run_case_list(const char *name, bool fork, TCase *const cases[], size_t n)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet. */
	if (!fork && !getenv("CK_FORK"))
		srunner_set_fork_status(runner, CK_NOFORK);
	for (size_t i = 0; i < n; i++)
		suite_add_tcase(suite, cases[i]);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

/* Runs one or more TCases and frees them. The exit status of the program: 0 if all tests passed. */
#define run_cases(name, ...)                                       \
	run_case_list(name, true, (TCase *const[]){ __VA_ARGS__ }, \
		      sizeof((TCase *const[]){ __VA_ARGS__ }) / sizeof(TCase *))

/*
 * The same in one process, for hundreds of tests that leave nothing behind: with sanitizers,
 * starting and ending a process takes longer than most of them. With CK_FORK=yes in the environment
 * each test has its own process, and the name of a test that crashes is shown.
 */
#define run_cases_in_one_process(name, ...)                         \
	run_case_list(name, false, (TCase *const[]){ __VA_ARGS__ }, \
		      sizeof((TCase *const[]){ __VA_ARGS__ }) / sizeof(TCase *))

#endif
