#include "base/procstat.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static double boot_time(void)
{
	return (double)(clock_wall_ns() - clock_boot_ns()) / 1e9;
}

/* Fields of proc_pid_stat(5), counted from the state, which follows the name in parentheses. */
static void read_stat(struct procstat *ps)
{
	enum { STATE, UTIME = 11, STIME = 12, STARTTIME = 19, VSIZE = 20, RSS = 21, N_FIELDS = 22 };
	double fields[N_FIELDS] = { 0 };
	double ticks = (double)sysconf(_SC_CLK_TCK);
	char buf[1024];
	FILE *f = fopen("/proc/self/stat", "re");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = '\0';
	char *p = strrchr(buf, ')');

	if (!p || !p[1] || !p[2])
		return;
	p += 3;
	for (int i = STATE + 1; i < N_FIELDS; i++)
		fields[i] = strtod(p, &p);
	ps->cpu_seconds = (fields[UTIME] + fields[STIME]) / ticks;
	ps->start_time = boot_time() + fields[STARTTIME] / ticks;
	ps->virtual_bytes = fields[VSIZE];
	ps->resident_bytes = fields[RSS] * (double)sysconf(_SC_PAGESIZE);
}

/* Since Linux 6.2 the directory's size says how many there are: to read the names of 10,000 takes
 * as long as ten scrapes. */
static double count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct stat st;
	double n = 0;

	if (!d)
		return NAN;
	if (fstat(dirfd(d), &st) == 0 && st.st_size > 0)
		n = (double)st.st_size + 2;
	else
		while (readdir(d)) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
			n++;
	closedir(d);
	return n - 3; /* ".", ".." and the directory itself */
}

static double limit_of(__rlimit_resource_t what)
{
	struct rlimit rl;

	if (getrlimit(what, &rl) != 0)
		return NAN;
	return rl.rlim_cur == RLIM_INFINITY ? 18446744073709551615.0 : (double)rl.rlim_cur;
}

/* The IpExt lines of /proc/self/net/netstat: names, then values. */
static void read_net(struct procstat *ps)
{
	char names[4096], values[4096];
	FILE *f = fopen("/proc/self/net/netstat", "re");

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *name_at, *value_at;
		char *name = strtok_r(names, " \n", &name_at);
		char *value = strtok_r(values, " \n", &value_at);

		if (!name || !value || strcmp(name, "IpExt:") != 0)
			continue;
		while ((name = strtok_r(NULL, " \n", &name_at)) &&
		       (value = strtok_r(NULL, " \n", &value_at))) {
			if (strcmp(name, "InOctets") == 0)
				ps->received_bytes = strtod(value, NULL);
			else if (strcmp(name, "OutOctets") == 0)
				ps->sent_bytes = strtod(value, NULL);
		}
	}
	if (f)
		fclose(f);
}

void procstat_read(struct procstat *ps)
{
	*ps = (struct procstat){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
	read_stat(ps);
	read_net(ps);
	ps->open_fds = count_fds();
	ps->max_fds = limit_of(RLIMIT_NOFILE);
	ps->max_virtual_bytes = limit_of(RLIMIT_AS);
}
