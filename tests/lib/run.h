/* The main() of a unit test: runs test cases as one suite, and says how it went.
 *
 *     int main(void)
 *     {
 *             TCase *tc = tcase_create("arena");
 *
 *             tcase_add_test(tc, pieces_are_apart);
 *             return run_cases("arena", tc);
 *     }
 *
 * Check runs each test in a process of its own, kills it after 4 s if tcase_set_timeout() does not
 * say otherwise, and obeys CK_RUN_CASE and CK_FORK in the environment.
 */
#ifndef TESTS_LIB_RUN_H
#define TESTS_LIB_RUN_H

#include <check.h>
#include <stddef.h>

static inline int run_case_list(const char *name, TCase *const cases[], size_t n)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < n; i++)
		suite_add_tcase(suite, cases[i]);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

/* Runs one or more TCases and frees them. The exit status of the program: 0 if all tests passed. */
#define run_cases(name, ...)                                 \
	run_case_list(name, (TCase *const[]){ __VA_ARGS__ }, \
		      sizeof((TCase *const[]){ __VA_ARGS__ }) / sizeof(TCase *))

#endif
