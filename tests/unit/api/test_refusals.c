#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/refusals.h"
#include "lib/run.h"

#define SECOND INT64_C(1000000000)

static char text[1 << 20];
static int reader;

/* stderr is a pipe; a line fits into it without a reader. */
static void setup(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
	reader = fds[0];
	log_init(LOG_INFO, LOG_LOGFMT);
}

/* What has been logged since the last call. */
static const char *logged(void)
{
	ssize_t n;

	ck_assert_int_eq(write(STDERR_FILENO, "\n", 1), 1);
	n = read(reader, text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n - 1] = '\0';
	return text;
}

static size_t lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void refuse(struct refusals *r, const char *target, const char *reason, int64_t at)
{
	refusals_note(r,
		      &(struct refused_request){
			      .reason = reason,
			      .msg = "push refused",
			      .level = LOG_WARN,
			      .status = 400,
			      .why = "because",
			      .method = "PUT",
			      .target = str_of(target),
			      .group = STR("{job=\"a\"}"),
			      .source = "192.0.2.1:80",
		      },
		      at);
}

START_TEST(the_first_at_once_the_others_in_a_line_a_minute)
{
	struct refusals *r = refusals_new();
	const char *got;

	refuse(r, "/metrics/job/a", "body", 0);
	got = logged();
	ck_assert_uint_eq(lines(got), 1);
	ck_assert_ptr_nonnull(strstr(got, "level=warn "));
	ck_assert_ptr_nonnull(strstr(got, "msg=\"push refused\" method=PUT "
					  "logged_source=192.0.2.1:80 path=/metrics/job/a "
					  "group=\"{job=\\\"a\\\"}\" reason=body status=400 "
					  "times=1 err=because\n"));
	for (int i = 1; i <= 40; i++)
		refuse(r, i % 2 ? "/metrics/job/a" : "/metrics/job/a/instance/b?x", "body",
		       i * SECOND);
	refusals_tick(r, 59 * SECOND);
	ck_assert_str_eq(logged(), "");
	refusals_tick(r, 60 * SECOND);
	got = logged();
	ck_assert_uint_eq(lines(got), 1);
	ck_assert_ptr_nonnull(strstr(got, " path=/metrics/job/a/instance/b?x "));
	ck_assert_ptr_nonnull(strstr(got, " times=40 "));
	/* A quiet minute is no line, and the next refusal a first one again. */
	refusals_tick(r, 120 * SECOND);
	ck_assert_str_eq(logged(), "");
	refuse(r, "/metrics/job/a", "body", 121 * SECOND);
	ck_assert_ptr_nonnull(strstr(logged(), " times=1 "));
	refusals_free(r);
}
END_TEST

START_TEST(without_a_tick)
{
	struct refusals *r = refusals_new();

	refuse(r, "/metrics/job/a", "body", 0);
	refuse(r, "/metrics/job/a", "body", SECOND);
	refuse(r, "/metrics/job/a", "body", 2 * SECOND);
	ck_assert_uint_eq(lines(logged()), 1);
	refuse(r, "/metrics/job/a", "body", 90 * SECOND);
	ck_assert_ptr_nonnull(strstr(logged(), " times=3 "));
	refuse(r, "/metrics/job/a", "body", 91 * SECOND);
	ck_assert_str_eq(logged(), "");
	/* At the end nothing stays unsaid. */
	refusals_free(r);
	ck_assert_ptr_nonnull(strstr(logged(), " times=1 "));
}
END_TEST

START_TEST(each_job_and_each_reason)
{
	static const char *const targets[] = {
		"/metrics/job/a",
		"/metrics/job/b",
		"/prefix/metrics/job/c/x/y",
		"/metrics/job@base64/YQ",
		"/metrics/job@base64/Yg/x/y",
		"/metrics/job/",
		"/other",
		"",
	};
	struct refusals *r = refusals_new();

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
			refuse(r, targets[i], "body", round);
			refuse(r, targets[i], "limit", round);
		}
	ck_assert_uint_eq(lines(logged()), 2 * ARRAY_LEN(targets));
	refusals_free(r);
}
END_TEST

/* Also where they differ far behind what a line has room for. */
START_TEST(long_names)
{
	struct refusals *r = refusals_new();
	char target[1000];

	for (int i = 0; i < 10; i++) {
		snprintf(target, sizeof(target), "/metrics/job/%0900d", i);
		refuse(r, target, "body", 0);
	}
	ck_assert_uint_eq(lines(logged()), 10);
	refusals_free(r);
}
END_TEST

/* Names that a stranger makes up cost a bounded number of lines and no memory without end. */
START_TEST(jobs_without_end)
{
	struct refusals *r = refusals_new();
	size_t n = 0;

	for (int i = 0; i < 5000; i++) {
		char target[64];

		snprintf(target, sizeof(target), "/metrics/job/j%d", i);
		refuse(r, target, "body", 0);
		n += lines(logged());
	}
	ck_assert_uint_ge(n, 1000);
	ck_assert_uint_le(n, 1024);
	refusals_tick(r, 60 * SECOND);
	ck_assert_ptr_nonnull(strstr(logged(), " path=/metrics/job/j4999 "));
	/* A minute later there is room for others. */
	refusals_tick(r, 120 * SECOND);
	refuse(r, "/metrics/job/new", "body", 121 * SECOND);
	ck_assert_ptr_nonnull(strstr(logged(), " path=/metrics/job/new "));
	refusals_free(r);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("refusals");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, the_first_at_once_the_others_in_a_line_a_minute);
	tcase_add_test(tc, without_a_tick);
	tcase_add_test(tc, each_job_and_each_reason);
	tcase_add_test(tc, long_names);
	tcase_add_test(tc, jobs_without_end);
	return run_cases("refusals", tc);
}
