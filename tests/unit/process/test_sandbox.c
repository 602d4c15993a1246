#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/temp_dir.h"
#include "process/sandbox.h"

static struct temp_dir top;

/* Where the kernel has none of it, nothing is forbidden; that is what is shown then. */
static void must(bool on, bool done, const char *what)
{
	ck_assert_msg(on ? !done : done, "%s: %s", what, on ? "allowed" : strerrordesc_np(errno));
}

/* Whether a file in the directory can be made, written, cut and renamed. */
static bool can_write(const char *dir)
{
	char path[128], other[128];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/x", dir);
	snprintf(other, sizeof(other), "%s/y", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, "a", 1) == 1 && ftruncate(fd, 0) == 0 && rename(path, other) == 0 &&
	     unlink(other) == 0;
	close(fd);
	return ok;
}

static void *write_inside(void *arg)
{
	return can_write(arg) ? arg : NULL;
}

START_TEST(files_are_written_beside_the_database_only)
{
	struct temp_dir inside, outside;
	char link[128], existing[128];
	struct err err;
	void *done;
	pthread_t t;
	int fd;

	temp_dir_make_inside(&inside, &top);
	temp_dir_make_inside(&outside, &top);
	snprintf(existing, sizeof(existing), "%s/there", outside.path);
	fd = open(existing, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	/* The database may be a link: its files are beside the one that it leads to. */
	snprintf(link, sizeof(link), "%s/link.db", outside.path);
	close(open(inside.db, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(symlink(inside.db, link), 0);

	bool on = sandbox_files(_i ? link : inside.db, &err) == SANDBOX_ON;

	ck_assert(can_write(inside.path));
	must(on, can_write(outside.path), "a new file outside");
	fd = open(existing, O_WRONLY);
	must(on, fd >= 0, "a file that is there");
	if (fd >= 0)
		close(fd);
	snprintf(existing, sizeof(existing), "%s/dir", outside.path);
	must(on, mkdir(existing, 0700) == 0, "a directory");
	snprintf(existing, sizeof(existing), "%s/there", outside.path);
	/* Reading goes on: the web configuration may name other files. */
	fd = open(existing, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	close(fd);
	/* pthread_setname_np() of another thread does the same. */
	snprintf(existing, sizeof(existing), "/proc/self/task/%d/comm", gettid());
	fd = open(existing, O_RDWR);
	ck_assert_int_ge(fd, 0);
	close(fd);
	/* Threads that begin later are no less bound. */
	ck_assert_int_eq(pthread_create(&t, NULL, write_inside, outside.path), 0);
	ck_assert_int_eq(pthread_join(t, &done), 0);
	must(on, done != NULL, "a thread's file");
}
END_TEST

START_TEST(no_database_no_writing)
{
	struct temp_dir outside;
	struct err err;

	temp_dir_make_inside(&outside, &top);
	bool on = sandbox_files("", &err) == SANDBOX_ON;

	must(on, can_write(outside.path), "a file");
}
END_TEST

START_TEST(no_directory_no_sandbox)
{
	struct err err;

	ck_assert_int_eq(sandbox_files("/no/such/directory/x.db", &err), SANDBOX_MISSING);
	ck_assert(can_write(top.path));
}
END_TEST

static bool can_start_a_program(void)
{
	char name[] = "true", *const argv[] = { name, NULL };
	int status = 1;
	pid_t child;

	return posix_spawn(&child, "/bin/true", NULL, NULL, argv, NULL) == 0 &&
	       waitpid(child, &status, 0) == child && status == 0;
}

START_TEST(no_programs_are_started)
{
	struct err err;

	ck_assert(can_start_a_program());
	bool on = sandbox_files("", &err) == SANDBOX_ON;

	must(on, can_start_a_program(), "a program");
}
END_TEST

static void *nothing(void *arg)
{
	return arg;
}

struct other_thread {
	pthread_barrier_t start;
	int socket_errno;
};

/* One that ran before. */
static void *try_socket(void *arg)
{
	struct other_thread *o = arg;
	int fd;

	pthread_barrier_wait(&o->start);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	o->socket_errno = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return NULL;
}

static bool works(int r)
{
	if (r < 0)
		return false;
	close(r);
	return true;
}

static bool fork_works(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

START_TEST(calls)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	struct other_thread other;
	pthread_t t;
	struct err err;

	ck_assert_int_ge(listening, 0);
	pthread_barrier_init(&other.start, NULL, 2);
	ck_assert_int_eq(pthread_create(&t, NULL, try_socket, &other), 0);

	bool on = sandbox_calls(false, &err) == SANDBOX_ON;

	pthread_barrier_wait(&other.start);
	pthread_join(t, NULL);
	ck_assert_int_eq(other.socket_errno, on ? EPERM : 0);
	must(on, works(socket(AF_INET, SOCK_STREAM, 0)), "a socket");
	must(on, bind(listening, (struct sockaddr *)&to, sizeof(to)) == 0, "bind()");
	must(on, listen(listening, 1) == 0, "listen()");
	must(on, fork_works(), "a process");
	must(on,
	     mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		     MAP_FAILED,
	     "code");
	must(on, setgid(getgid()) == 0, "setgid()");

	/* What a gateway does goes on. */
	ck_assert(works(socket(AF_UNIX, SOCK_DGRAM, 0)));
	ck_assert(works(open("/proc/self/stat", O_RDONLY)));
	ck_assert_int_eq(pthread_create(&t, NULL, nothing, NULL), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	/* A sanitizer's look for leaks is what is forbidden. */
	fflush(NULL);
	_exit(0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sandbox");
	int failed;

	temp_dir_make(&top);
	tcase_add_loop_test(tc, files_are_written_beside_the_database_only, 0, 2);
	tcase_add_test(tc, no_database_no_writing);
	tcase_add_test(tc, no_directory_no_sandbox);
	tcase_add_test(tc, no_programs_are_started);
	tcase_add_test(tc, calls);
	failed = run_cases("sandbox", tc);
	temp_dir_remove(&top);
	return failed;
}
