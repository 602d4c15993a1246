#include <check.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/current_web_config.h"
#include "base/clock.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "unit/access/web_config_dir.h"

/* As one that writes over the old bytes. */
static void overwrite(const char *name, const char *text)
{
	CLEANUP(freep) char *path = in_dir(name);

	write_to(path, 0, text);
}

static void expect_unopened(const char *text, const char *message)
{
	const struct web_listener listener = { on_change, &said };
	CLEANUP(freep) char *path = in_dir("web.yml");
	struct err err = { 0 };

	replace("web.yml", text);
	ck_assert_ptr_null(current_web_config_open(path, &listener, &err));
	ck_assert_msg(strstr(err.msg, message) != NULL, "%s", err.msg);
}

START_TEST(a_new_file)
{
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	expect("X-Frame-Options", 1);
	expect_said("");
	replace("web.yml", XSS USERS);
	expect("X-XSS-Protection", 1);
	expect_said("taken\n");
	expect("X-XSS-Protection", 1);
	expect_said("");
}
END_TEST

/* So fast that the file system's clock has not moved on, and as long as before. */
START_TEST(many_changes_in_a_moment)
{
	open_config(DENY);
	for (int i = 0; i < 200; i++) {
		overwrite("web.yml", i % 2 ? DENY : XSS);
		expect(i % 2 ? "X-Frame-Options" : "X-XSS-Protection", 0);
	}
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	replace("web.yml", XSS "foo: 1\n");
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	expect_said("refused yaml: unmarshal errors: line 4: field foo not found in type "
		    "web.Config\n");
	replace("web.yml", XSS "bar: 1\n");
	expect("X-Frame-Options", 1);
	expect_said("refused yaml: unmarshal errors: line 4: field bar not found in type "
		    "web.Config\n");
	replace("web.yml", XSS USERS);
	expect("X-XSS-Protection", 1);
	expect_said("taken\n");
}
END_TEST

START_TEST(a_file_that_is_gone)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(freep) char *path = in_dir("web.yml");

	open_config(DENY USERS);
	ck_assert_int_eq(unlink(path), 0);
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	strbuf_addf(&want, "refused open %s: no such file or directory\n", path);
	expect_said(strbuf_z(&want));
	replace("web.yml", DENY USERS);
	expect("X-Frame-Options", 1);
	expect_said("taken\n");
}
END_TEST

static size_t count_users(void)
{
	CLEANUP(web_state_unrefp) struct web_state *s = look();

	return s->config->users.n;
}

/* A file that lets everybody in counts a tenth of a second after it was first seen, not sooner. */
static void expect_users_to_go(void)
{
	int64_t begin = clock_mono_ns();

	ck_assert_uint_eq(count_users(), 1); /* seen now */
	while (count_users() > 0 && clock_mono_ns() - begin < INT64_C(30000000000))
		nap();
	ck_assert_int_ge(clock_mono_ns() - begin, 100000000);
	expect("", 0);
}

/* Whoever writes has emptied it, and may be about to go on. */
START_TEST(an_emptied_file)
{
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	replace("web.yml", "");
	expect_users_to_go();
	expect_said("taken\n");
	/* The way back is not delayed. */
	replace("web.yml", USERS);
	expect("", 1);
	expect_said("taken\n");
}
END_TEST

/* What is old was not seen before: its writer may still be about to go on. */
START_TEST(an_old_file_in_its_place)
{
	CLEANUP(freep) char *path = in_dir("web.yml");
	CLEANUP(freep) char *empty = in_dir("empty");
	CLEANUP(freep) char *link = in_dir("link");
	int64_t begin;

	replace("empty", "");
	begin = clock_mono_ns();
	while (clock_mono_ns() - begin < 150000000)
		nap();
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	ck_assert_int_eq(symlink(empty, link), 0);
	ck_assert_int_eq(rename(link, path), 0);
	expect_users_to_go();
	expect_said("taken\n");
}
END_TEST

START_TEST(a_pipe_in_its_place)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(freep) char *path = in_dir("web.yml");
	CLEANUP(freep) char *fifo = in_dir("pipe");

	open_config(DENY USERS);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(rename(fifo, path), 0);
	alarm(20);
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	strbuf_addf(&want, "refused open %s: not a regular file\n", path);
	expect_said(strbuf_z(&want));
	replace("web.yml", XSS USERS);
	expect("X-XSS-Protection", 1);
	expect_said("taken\n");
	alarm(0);
}
END_TEST

#define SLOW(name, cost) \
	"  " name ": $2y$" cost "$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n"

START_TEST(slow_hashes)
{
	open_config(USERS SLOW("bob", "15") SLOW("carol", "16"));
	expect_said("slow bcrypt cost 16 of user carol\n");
	replace("web.yml", USERS SLOW("bob", "14"));
	expect("", 2);
	expect_said("taken\n");
	replace("web.yml", USERS SLOW("bob", "17"));
	expect("", 2);
	expect_said("slow bcrypt cost 17 of user bob\ntaken\n");
	replace("web.yml", USERS SLOW("bob", "18"));
	expect("", 2);
	expect_said("refused line 3: crypto/bcrypt: cost 18 is above 17: one check would take more "
		    "than ten seconds\n");
}
END_TEST

START_TEST(what_waits_for_a_restart)
{
	open_config("rate_limit: {interval: 1s, burst: 1}\n" DENY);
	replace("web.yml", "rate_limit: {interval: 1s, burst: 2}\n" XSS);
	expect("X-XSS-Protection", 0);
	expect_said("restart the rate limit changes with a restart\n");
	replace("web.yml", TLS DENY);
	expect("X-Frame-Options", 0);
	expect_said("restart TLS begins with a restart\n");
	ck_assert_ptr_null(current_web_config_tls_context(current));
	replace("web.yml", "rate_limit: {interval: 1s, burst: 1}\n" DENY);
	expect("X-Frame-Options", 0);
	expect_said("taken\n");
}
END_TEST

static void *write_pipe(void *path)
{
	write_to(path, 0, DENY USERS);
	return NULL;
}

START_TEST(a_pipe_is_read_once)
{
	const struct web_listener listener = { on_change, &said };
	CLEANUP(freep) char *path = in_dir("pipe");
	pthread_t writer;
	struct err err;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_pipe, path), 0);
	current = current_web_config_open(path, &listener, &err);
	pthread_join(writer, NULL);
	ck_assert_ptr_nonnull(current);
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	expect_said("");
}
END_TEST

START_TEST(a_bad_file_at_start)
{
	expect_unopened("a: b: c\n",
			"yaml: line 1: mapping values are not allowed in this context");
	expect_unopened(TLS, "failed to read cert_file (");
	expect_said("");
}
END_TEST

static pthread_mutex_t hang_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hang_changed = PTHREAD_COND_INITIALIZER;
static bool hangs, somebody_hangs;

static void let_hang(bool on)
{
	pthread_mutex_lock(&hang_lock);
	hangs = on;
	pthread_cond_broadcast(&hang_changed);
	pthread_mutex_unlock(&hang_lock);
}

/* In place of libc's. */
int stat(const char *restrict path, struct stat *restrict st)
{
	pthread_mutex_lock(&hang_lock);
	while (hangs) {
		somebody_hangs = true;
		pthread_cond_broadcast(&hang_changed);
		pthread_cond_wait(&hang_changed, &hang_lock);
	}
	pthread_mutex_unlock(&hang_lock);
	return fstatat(AT_FDCWD, path, st, 0);
}

START_TEST(a_file_system_that_hangs)
{
	int64_t begin;

	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	let_hang(true);
	replace("web.yml", XSS);
	begin = clock_mono_ns();
	/* What was in force stays, for one who waits a moment and for many who do not. */
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(count_users(), 1);
	ck_assert_int_lt(clock_mono_ns() - begin, INT64_C(60000000000));
	pthread_mutex_lock(&hang_lock);
	ck_assert(somebody_hangs);
	pthread_mutex_unlock(&hang_lock);
	let_hang(false);
	expect("X-XSS-Protection", 0);
	expect_said("taken\n");
}
END_TEST

START_TEST(an_end_while_it_hangs)
{
	open_config(DENY);
	let_hang(true);
	web_state_unref(look());
	current_web_config_close(current);
	current = NULL;
	/* The thread that could not be ended still uses it: no sanitizer may look for leaks. */
	fflush(NULL);
	_exit(0);
}
END_TEST

int main(void)
{
	TCase *files = tcase_create("current_web_config");
	int failed;

	temp_dir_make(&top);
	tcase_set_timeout(files, 120);
	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, a_new_file);
	tcase_add_test(files, many_changes_in_a_moment);
	tcase_add_test(files, a_bad_file_changes_nothing);
	tcase_add_test(files, a_file_that_is_gone);
	tcase_add_test(files, an_emptied_file);
	tcase_add_test(files, an_old_file_in_its_place);
	tcase_add_test(files, a_pipe_in_its_place);
	tcase_add_test(files, slow_hashes);
	tcase_add_test(files, what_waits_for_a_restart);
	tcase_add_test(files, a_pipe_is_read_once);
	tcase_add_test(files, a_bad_file_at_start);
	tcase_add_test(files, a_file_system_that_hangs);
	tcase_add_test(files, an_end_while_it_hangs);
	failed = run_cases("current_web_config", files);
	temp_dir_remove(&top);
	return failed;
}
