/*
 * Who waits for whom on an event loop, counted in requests: a probe does not wait for all pushes
 * that can be read, however many there are.
 */
#include <check.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/http_serve.h"
#include "lib/run.h"

enum { PUSHERS = 20, PAUSE_MS = 10 };

static sem_t held, go_on;

/* What was done, a letter for each: a probe, a push, one that held up all, one that is answered
 * later, its answer. */
static char order[100];
static size_t n_handled;

static void note(char what)
{
	ck_assert_uint_lt(n_handled, sizeof(order) - 1);
	order[n_handled++] = what;
	order[n_handled] = '\0';
}

/* The request that is answered later, by a task that another thread posts. */
static struct later {
	struct http_task task;
	struct http_request *req;
} later;

static void answer(struct http_task *task)
{
	struct later *l = (struct later *)task;

	note('a');
	http_reply_add(l->req, STR("here\n"));
	http_reply(l->req, 200, "text/plain");
}

/* Their one thread. */
static void handle(void *state, struct http_request *req)
{
	struct str target = http_request_target(req);

	(void)state;
	note(target.p[1]);
	if (str_eq(target, STR("/later"))) {
		later = (struct later){ .task = { .run = answer }, .req = req };
		return;
	}
	if (str_eq(target, STR("/hold"))) {
		sem_post(&held);
		while (sem_wait(&go_on) != 0)
			;
	}
	http_reply_add(req, STR("here\n"));
	http_reply(req, 200, "text/plain");
}

static struct http_worker *one;

static void *keep_worker(void *arg, struct http_worker *worker)
{
	one = worker;
	return http_serve_worker_new(arg, worker);
}

static const struct http_handler handler = { .worker_new = keep_worker,
					     .worker_free = http_serve_worker_free,
					     .handle = handle };
static struct http_server *server;
static struct http_unix_address address;

static void start(void)
{
	log_init(LOG_ERROR, LOG_LOGFMT);
	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	server = http_serve_unix((struct http_settings){ 0 }, &handler, &address);
}

static void stop(void)
{
	http_serve_end(server);
}

/* In the server's socket, at once. */
static void put_there(int fd, const char *request)
{
	size_t n = strlen(request);

	ck_assert_int_eq(send(fd, request, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void expect_ok(int fd)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\n";
	char buf[4096];

	ck_assert(recv(fd, buf, sizeof(buf), 0) > (ssize_t)sizeof(ok) &&
		  memcmp(buf, ok, sizeof(ok) - 1) == 0);
}

static void ask(int fd, const char *request)
{
	put_there(fd, request);
	expect_ok(fd);
}

/* Time itself is what this is about: nothing is waited for. */
static void pass_time(int ms)
{
	struct timespec left = { 0, ms * 1000000L };

	while (nanosleep(&left, &left) != 0)
		;
}

#define PUSH(target) "PUT " target " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1\n"
#define PROBE "GET /get HTTP/1.1\r\nHost: x\r\n\r\n"

struct crowd {
	int pushers[PUSHERS], probe;
};

/* Known by what they have done: some have pushed, one asks now and then. */
static void crowd_come(struct crowd *c)
{
	c->probe = http_serve_connect(&address);
	for (int i = 0; i < PUSHERS; i++) {
		c->pushers[i] = http_serve_connect(&address);
		ask(c->pushers[i], PUSH("/first"));
	}
	for (int i = 0; i < 2; i++) {
		pass_time(PAUSE_MS);
		ask(c->probe, PROBE);
	}
	pass_time(PAUSE_MS);
	n_handled = 0;
}

static void crowd_go(struct crowd *c)
{
	for (int i = 0; i < PUSHERS; i++) {
		expect_ok(c->pushers[i]);
		close(c->pushers[i]);
	}
	expect_ok(c->probe);
	close(c->probe);
	stop();
}

/* All of them have asked when the loop looks at its sockets. */
START_TEST(a_probe_passes_pushes)
{
	struct crowd c;
	int other;

	start();
	other = http_serve_connect(&address);
	crowd_come(&c);
	put_there(other, PUSH("/hold"));
	while (sem_wait(&held) != 0)
		;
	for (int i = 0; i < PUSHERS; i++)
		put_there(c.pushers[i], PUSH("/push"));
	put_there(c.probe, PROBE);
	sem_post(&go_on);
	expect_ok(other);
	crowd_go(&c);
	ck_assert_str_eq(order, "hgpppppppppppppppppppp");
	close(other);
}
END_TEST

/* As clients that push once connect for each push. */
START_TEST(probes_pass_new_connections_that_push)
{
	struct crowd c;
	int other, new_probe, pushers[PUSHERS];

	start();
	other = http_serve_connect(&address);
	crowd_come(&c);
	put_there(other, PUSH("/hold"));
	while (sem_wait(&held) != 0)
		;
	for (int i = 0; i < PUSHERS; i++) {
		pushers[i] = http_serve_connect(&address);
		put_there(pushers[i], PUSH("/push"));
		put_there(c.pushers[i], PUSH("/kept"));
	}
	new_probe = http_serve_connect(&address);
	put_there(new_probe, PROBE);
	put_there(c.probe, PROBE);
	sem_post(&go_on);
	expect_ok(other);
	for (int i = 0; i < PUSHERS; i++) {
		expect_ok(pushers[i]);
		close(pushers[i]);
	}
	expect_ok(new_probe);
	crowd_go(&c);
	ck_assert_msg(memcmp(order, "hgg", 3) == 0, "%s", order);
	ck_assert_uint_eq(n_handled, 3 + 2 * PUSHERS);
	close(new_probe);
	close(other);
}
END_TEST

/* It comes when the pushes have been read for so long that sockets are looked at again. */
START_TEST(a_probe_need_not_be_there_first)
{
	struct crowd c;
	int other;

	start();
	other = http_serve_connect(&address);
	crowd_come(&c);
	put_there(other, PUSH("/hold"));
	while (sem_wait(&held) != 0)
		;
	put_there(c.pushers[0], PUSH("/hold"));
	for (int i = 1; i < PUSHERS; i++)
		put_there(c.pushers[i], PUSH("/push"));
	sem_post(&go_on);
	expect_ok(other);
	while (sem_wait(&held) != 0)
		;
	put_there(c.probe, PROBE);
	pass_time(PAUSE_MS);
	sem_post(&go_on);
	crowd_go(&c);
	ck_assert_str_eq(order, "hhgppppppppppppppppppp");
	close(other);
}
END_TEST

/* Pushes that can be read do not keep an answer waiting. Time stands still, so that they are one
 * round. */
START_TEST(an_answer_passes_pushes)
{
	int pushers[PUSHERS], other;

	clock_hold(1, 1);
	start();
	other = http_serve_connect(&address);
	ask(other, PUSH("/first"));
	for (int i = 0; i < PUSHERS; i++) {
		pushers[i] = http_serve_connect(&address);
		ask(pushers[i], PUSH("/first"));
	}
	n_handled = 0;
	put_there(other, PUSH("/hold"));
	while (sem_wait(&held) != 0)
		;
	put_there(pushers[0], PUSH("/later"));
	put_there(pushers[1], PUSH("/hold"));
	for (int i = 2; i < PUSHERS; i++)
		put_there(pushers[i], PUSH("/push"));
	sem_post(&go_on);
	while (sem_wait(&held) != 0)
		;
	http_worker_post(one, &later.task);
	http_wake_workers();
	sem_post(&go_on);
	expect_ok(other);
	for (int i = 0; i < PUSHERS; i++) {
		expect_ok(pushers[i]);
		close(pushers[i]);
	}
	close(other);
	stop();
	ck_assert_str_eq(order, "hlhapppppppppppppppppp");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("turns");

	tcase_add_test(tc, a_probe_passes_pushes);
	tcase_add_test(tc, probes_pass_new_connections_that_push);
	tcase_add_test(tc, a_probe_need_not_be_there_first);
	tcase_add_test(tc, an_answer_passes_pushes);
	return run_cases("http_turns", tc);
}
