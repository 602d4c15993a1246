#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/memory.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct temp_dir top;

/* Makes the directories on the way to it, too. */
static void put_file(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1 "31 23 0:27 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory\n"
#define HYBRID "32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
#define OTHER "33 23 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
#define NOT_IT "34 23 0:30 / /sys/fs/cgroup/m rw - cgroup cgroup rw,memoryless\n"
#define BOUND "35 23 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
#define MEMINFO "MemTotal:        2097152 kB\nMemFree:          1000 kB\n"

static const struct {
	const char *name;
	struct {
		const char *path, *text;
	} files[8];
	uint64_t bytes;
	const char *from;
} machines[] = {
	{ "nothing at all", { { NULL, NULL } }, 8 * GIB, "nowhere: /proc is not there" },
	{ "a machine", { { "/proc/meminfo", MEMINFO } }, 2 * GIB, "/proc/meminfo" },
	{ "version 2, a container with a namespace",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/\n" },
	    { "/proc/self/mountinfo", V2 },
	    { "/sys/fs/cgroup/memory.max", "33554432\n" },
	    { "/sys/fs/cgroup/memory.high", "max\n" } },
	  32 * MIB,
	  "/sys/fs/cgroup/memory.max" },
	{ "version 2, a unit whose slice has less",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/system.slice/tallygate.service\n" },
	    { "/proc/self/mountinfo", OTHER V2 },
	    { "/sys/fs/cgroup/system.slice/memory.max", "100000000\n" },
	    { "/sys/fs/cgroup/system.slice/tallygate.service/memory.max", "200000000\n" } },
	  100000000,
	  "/sys/fs/cgroup/system.slice/memory.max" },
	{ "version 2, throttled before it is killed",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/a\n" },
	    { "/proc/self/mountinfo", V2 },
	    { "/sys/fs/cgroup/a/memory.max", "200000000\n" },
	    { "/sys/fs/cgroup/a/memory.high", "150000000\n" } },
	  150000000,
	  "/sys/fs/cgroup/a/memory.high" },
	{ "no limit",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "0::/a\n" },
	    { "/proc/self/mountinfo", V2 },
	    { "/sys/fs/cgroup/a/memory.max", "max\n" } },
	  2 * GIB,
	  "/proc/meminfo" },
	{ "version 1 beside a version 2 without controllers",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "9:name=systemd:/\n4:cpuset,memory:/a/b\n0::/\n" },
	    { "/proc/self/mountinfo", OTHER NOT_IT HYBRID V1 },
	    { "/sys/fs/cgroup/m/memory.limit_in_bytes", "5\n" },
	    { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n" },
	    { "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n" },
	    { "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "67108864\n" } },
	  64 * MIB,
	  "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes" },
	{ "version 1, a container that sees its own group as the root",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "4:memory:/docker/abc\n" },
	    { "/proc/self/mountinfo", BOUND },
	    { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n" } },
	  64 * MIB,
	  "/sys/fs/cgroup/memory/memory.limit_in_bytes" },
	{ "a group that the mount does not show",
	  { { "/proc/meminfo", MEMINFO },
	    { "/proc/self/cgroup", "4:memory:/docker/abcd\n" },
	    { "/proc/self/mountinfo", BOUND },
	    { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n" } },
	  64 * MIB,
	  "/sys/fs/cgroup/memory/memory.limit_in_bytes" },
	{ "lines that are none",
	  { { "/proc/meminfo", "MemTotal: lots\n" },
	    { "/proc/self/cgroup", "\nx\n:\n0:\n" },
	    { "/proc/self/mountinfo", "\n - \n1 2 3 - cgroup2\na - cgroup cgroup\n" V2 } },
	  8 * GIB,
	  "nowhere: /proc is not there" },
};

START_TEST(is_found)
{
	struct config_memory found;
	struct temp_dir root;

	temp_dir_make_inside(&root, &top);
	for (size_t i = 0; machines[_i].files[i].path; i++)
		put_file(root.path, machines[_i].files[i].path, machines[_i].files[i].text);
	memory_find(root.path, &found);
	ck_assert_msg(found.bytes == machines[_i].bytes, "%s: %llu", machines[_i].name,
		      (unsigned long long)found.bytes);
	ck_assert_str_eq(found.from, machines[_i].from);
}
END_TEST

START_TEST(here)
{
	struct config_memory found;

	memory_find("", &found);
	ck_assert_uint_gt(found.bytes, MIB);
	ck_assert_int_eq(found.from[0], '/');
}
END_TEST

static struct config followed(uint64_t bytes, unsigned cores)
{
	struct config c = { 0 };

	memory_follow(&c, &(struct config_memory){ .bytes = bytes }, cores);
	return c;
}

/* What the community chart runs it in by default is no limit; its CI values are 32 MiB. */
START_TEST(limits)
{
	struct config c = followed(32 * MIB, 64);

	ck_assert_uint_eq(c.web_threads, 1);
	ck_assert_uint_eq(c.decode_bytes, 4 * MIB);
	ck_assert_uint_eq(c.web_max_connections, 128);
	ck_assert_uint_eq(c.body_size, MIB);
	ck_assert_uint_eq(c.receiving_bytes, 4 * MIB);
	ck_assert_uint_eq(c.reply_bytes, 4 * MIB);
	ck_assert_uint_eq(c.queue_bytes, 2 * MIB);
	ck_assert_uint_eq(c.series, 32768);
	ck_assert_uint_eq(c.stored_bytes, 8 * MIB);
	ck_assert_uint_eq(c.form_bytes, 2 * MIB);
	c = followed(64 * GIB, 8);
	ck_assert_uint_eq(c.web_threads, 8);
	ck_assert_uint_eq(c.web_max_connections, 10000);
	ck_assert_uint_eq(c.body_size, 64 * MIB);
	ck_assert_uint_eq(c.receiving_bytes, GIB);
	ck_assert_uint_eq(c.reply_bytes, GIB);
	ck_assert_uint_eq(c.queue_bytes, 256 * MIB);
	ck_assert_uint_eq(c.series, 10000000);
	ck_assert_uint_eq(c.stored_bytes, 16 * GIB);
	ck_assert_uint_eq(c.decode_bytes, 2 * GIB);
}
END_TEST

/* Whatever there is: what may be held at the same time leaves a fourth for what is stored. */
START_TEST(limits_fit)
{
	for (uint64_t bytes = 16 * MIB; bytes < 1024 * GIB; bytes += bytes / 7)
		for (unsigned cores = 1; cores <= 256; cores *= 4) {
			struct config c = followed(bytes, cores);
			uint64_t all = c.receiving_bytes + c.reply_bytes + c.queue_bytes +
				       c.form_bytes + c.web_threads * c.decode_bytes;

			ck_assert_msg(all <= bytes / 4 * 3, "%llu of %llu", (unsigned long long)all,
				      (unsigned long long)bytes);
			ck_assert_uint_le(c.stored_bytes, bytes / 4);
			ck_assert_uint_ge(c.receiving_bytes, c.body_size);
			ck_assert_uint_ge(c.queue_bytes, c.body_size);
		}
}
END_TEST

START_TEST(what_is_given_stays)
{
	struct config c = { .web_threads = 3,
			    .body_size = 5,
			    .receiving_bytes = 6,
			    .reply_bytes = 7,
			    .queue_bytes = 8,
			    .web_max_connections = 9,
			    .series = 10 };

	memory_follow(&c, &(struct config_memory){ .bytes = GIB }, 2);
	ck_assert(c.web_threads == 3 && c.body_size == 5 && c.receiving_bytes == 6);
	ck_assert(c.reply_bytes == 7 && c.queue_bytes == 8 && c.web_max_connections == 9);
	ck_assert(c.series == 10);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("memory");
	int failed;

	temp_dir_make(&top);
	tcase_add_loop_test(tc, is_found, 0, sizeof(machines) / sizeof(machines[0]));
	tcase_add_test(tc, here);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, limits_fit);
	tcase_add_test(tc, what_is_given_stays);
	failed = run_cases("memory", tc);
	temp_dir_remove(&top);
	return failed;
}
