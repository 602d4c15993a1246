#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/procstat.h"
#include "lib/run.h"

START_TEST(plausible)
{
	struct procstat ps;

	procstat_read(&ps);
	ck_assert(ps.cpu_seconds >= 0 && ps.cpu_seconds < 3600);
	ck_assert(ps.resident_bytes > 100e3 && ps.virtual_bytes >= ps.resident_bytes);
	ck_assert(ps.received_bytes >= 0 && ps.sent_bytes >= 0);
	/* A tick of 10 ms each way; the clock may be stepped, but hardly while this runs. */
	ck_assert_msg(ps.start_time > clock_wall() - 600 && ps.start_time < clock_wall() + 0.1,
		      "started at %f", ps.start_time);
}
END_TEST

START_TEST(descriptors)
{
	struct procstat before, after;
	int fds[2];

	procstat_read(&before);
	ck_assert(before.open_fds >= 3);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	procstat_read(&after);
	ck_assert(after.open_fds == before.open_fds + 2);
	close(fds[0]);
	close(fds[1]);
	procstat_read(&after);
	ck_assert(after.open_fds == before.open_fds);
}
END_TEST

START_TEST(limits)
{
	struct rlimit rl = { 100, 200 };
	struct procstat ps;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	procstat_read(&ps);
	ck_assert(ps.max_fds == 100);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &rl), 0);
	ck_assert(ps.max_virtual_bytes ==
		  (rl.rlim_cur == RLIM_INFINITY ? 18446744073709551615.0 : (double)rl.rlim_cur));
}
END_TEST

START_TEST(cpu_time_grows)
{
	struct procstat before, after;
	volatile unsigned spin = 0;

	procstat_read(&before);
	/* It is counted in hundredths of a second. */
	for (int64_t end = clock_mono_ns() + INT64_C(60000000000); clock_mono_ns() < end;) {
		spin = spin + 1;
		procstat_read(&after);
		if (after.cpu_seconds > before.cpu_seconds)
			return;
	}
	ck_abort_msg("stays at %f", before.cpu_seconds);
}
END_TEST

/* The process name stands in the same line, and a process may call itself anything. */
static const char *const names[] = { "a) R 1 1 1", "((((", "))))", " ", "a\nb", "" };

START_TEST(odd_process_name)
{
	struct procstat before, after;

	procstat_read(&before);
	ck_assert_int_eq(prctl(PR_SET_NAME, names[_i]), 0);
	procstat_read(&after);
	ck_assert_msg(after.start_time > before.start_time - 1 &&
			      after.start_time < before.start_time + 1 &&
			      after.resident_bytes > 100e3,
		      "\"%s\": started at %f", names[_i], after.start_time);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("procstat");

	tcase_set_timeout(tc, 100);
	tcase_add_test(tc, plausible);
	tcase_add_test(tc, descriptors);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, cpu_time_grows);
	tcase_add_loop_test(tc, odd_process_name, 0, (int)(sizeof(names) / sizeof(names[0])));
	return run_cases("procstat", tc);
}
