#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "lib/run.h"

enum { LINES = 20000 };
#define SECOND INT64_C(1000000000)

/* stderr is a pipe from here on, until the test's process ends. Returns the end to read. */
static int pipe_stderr(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
	return fds[0];
}

/* What is in the pipe until its last writer, which is stderr, is closed. */
static void read_all(int fd, struct strbuf *b)
{
	char buf[65536];
	ssize_t r;

	while ((r = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(b, buf, (size_t)r);
	close(fd);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	return n;
}

struct reader {
	int fd;
	struct strbuf text;
};

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	read_all(r->fd, &r->text);
	return NULL;
}

/* Nobody reads: who logs goes on. Somebody does: each line is there, or counted in one that is. */
START_TEST(a_full_pipe_blocks_nobody)
{
	struct reader r = { .fd = pipe_stderr() };
	unsigned long long dropped;
	pthread_t thread;
	const char *said;

	log_init(LOG_DEBUG, LOG_LOGFMT);
	ck_assert_int_eq(log_start(), 0);
	for (int i = 0; i < LINES; i++)
		log_debug("a line", NULL);
	ck_assert(!log_flush(SECOND / 100));
	ck_assert_uint_gt(log_lost(), 0);
	ck_assert_uint_lt(log_lost(), LINES);

	ck_assert_int_eq(pthread_create(&thread, NULL, reader_main, &r), 0);
	log_stop(60 * SECOND);
	close(STDERR_FILENO);
	pthread_join(thread, NULL);
	said = strstr(strbuf_z(&r.text), "msg=\"log lines were dropped");
	ck_assert_ptr_nonnull(said);
	dropped = strtoull(strstr(said, " lines=") + strlen(" lines="), NULL, 10);
	ck_assert_uint_eq(dropped, log_lost());
	ck_assert_uint_eq(count(strbuf_z(&r.text), " msg=\"a line\"\n") + dropped, LINES);
	strbuf_done(&r.text);
}
END_TEST

/* The end does not wait for ever either. */
START_TEST(a_full_pipe_keeps_nobody_from_ending)
{
	pipe_stderr();
	log_init(LOG_DEBUG, LOG_LOGFMT);
	ck_assert_int_eq(log_start(), 0);
	for (int i = 0; i < LINES; i++)
		log_debug("a line", NULL);
	log_stop(SECOND / 100);
}
END_TEST

static void one_kind(const char *msg)
{
	log_warn(msg, "k", "v", NULL);
}

START_TEST(each_kind_is_bounded)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct reader r = { .fd = pipe_stderr() };

	log_init(LOG_DEBUG, LOG_JSON);
	ck_assert_int_eq(log_start(), 0);
	for (int i = 0; i < LOG_WINDOW_LINES + 50; i++) {
		one_kind("too many");
		log_debug("asked for", NULL);
	}
	for (int i = 0; i < LOG_WINDOW_LINES; i++)
		log_warn("another kind", NULL);
	log_stop(60 * SECOND);
	close(STDERR_FILENO);
	read_all(r.fd, &text);
	ck_assert_uint_eq(log_lost(), 50);
	ck_assert_uint_eq(count(strbuf_z(&text), "\"msg\":\"too many\""), LOG_WINDOW_LINES);
	ck_assert_uint_eq(count(strbuf_z(&text), "\"msg\":\"asked for\""), LOG_WINDOW_LINES + 50);
	ck_assert_uint_eq(count(strbuf_z(&text), "\"msg\":\"another kind\""), LOG_WINDOW_LINES);
	ck_assert_ptr_nonnull(strstr(strbuf_z(&text),
				     "\"msg\":\"further lines of this kind were left out\","
				     "\"kind\":\"too many\",\"lines\":50}\n"));
}
END_TEST

enum { THREADS = 4, EACH = 2000, ALL = THREADS * EACH };

static void *log_many(void *arg)
{
	for (int i = 0; i < EACH; i++)
		log_debug(arg, "and", "a value", NULL);
	return NULL;
}

/* Lines of several threads stay whole, and those of one stay in order. */
START_TEST(threads_beside_one_another)
{
	static const char *const names[THREADS] = { "one", "two", "three", "four" };
	struct reader r = { .fd = pipe_stderr() };
	pthread_t reader, threads[THREADS];
	size_t n = 0;

	log_init(LOG_DEBUG, LOG_LOGFMT);
	ck_assert_int_eq(log_start(), 0);
	ck_assert_int_eq(pthread_create(&reader, NULL, reader_main, &r), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many, (void *)names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_stop(60 * SECOND);
	close(STDERR_FILENO);
	pthread_join(reader, NULL);
	for (int i = 0; i < THREADS; i++) {
		CLEANUP(strbuf_done) struct strbuf line = { 0 };

		strbuf_addf(&line, " msg=%s and=\"a value\"\n", names[i]);
		n += count(strbuf_z(&r.text), strbuf_z(&line));
	}
	ck_assert_uint_eq(n + log_lost(), ALL);
	strbuf_done(&r.text);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("log_out");

	tcase_add_test(tc, a_full_pipe_blocks_nobody);
	tcase_add_test(tc, a_full_pipe_keeps_nobody_from_ending);
	tcase_add_test(tc, each_kind_is_bounded);
	tcase_add_test(tc, threads_beside_one_another);
	return run_cases("log_out", tc);
}
