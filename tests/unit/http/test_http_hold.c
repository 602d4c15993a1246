/*
 * A server that holds its clients (http_settings.hold) lets them connect and send, and serves them
 * when it is told to, or after a second.
 */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/reply.h"
#include "lib/http_serve.h"
#include "lib/run.h"

static void handle(void *state, struct http_request *req)
{
	(void)state;
	http_reply(req, 200, NULL);
}

static void refused(void *state, const struct http_refused *what)
{
	(void)state;
	ck_abort_msg("%s", what->why);
}

static const struct http_handler handler = {
	.worker_new = http_serve_worker_new,
	.worker_free = http_serve_worker_free,
	.handle = handle,
	.refused = refused,
};

static struct http_server *start(struct sockaddr_in *at)
{
	return http_serve((struct http_settings){ .hold = true, .threads = 2 }, &handler, 0, at);
}

static int ask(const struct sockaddr_in *at)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	ck_assert_int_eq(send(fd, request, strlen(request), 0), (int)strlen(request));
	return fd;
}

static bool is_answered(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char reply[1024];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = recv(fd, reply, sizeof(reply), 0);
	return n > 12 && memcmp(reply, "HTTP/1.1 200", 12) == 0;
}

START_TEST(held_clients_are_served_when_the_server_is_told_to)
{
	struct sockaddr_in at;
	struct http_server *s = start(&at);
	int fd = ask(&at);

	ck_assert(!is_answered(fd, 100));
	http_server_accept(s);
	ck_assert(is_answered(fd, 60000));
	close(fd);
	http_serve_end(s);
}
END_TEST

START_TEST(held_clients_are_served_after_a_second_whatever_happens)
{
	struct sockaddr_in at;
	struct http_server *s = start(&at);
	int fd = ask(&at);

	ck_assert(is_answered(fd, 60000));
	close(fd);
	http_serve_end(s);
}
END_TEST

START_TEST(a_server_that_holds_its_clients_can_be_stopped)
{
	struct sockaddr_in at;
	struct http_server *s = start(&at);
	int fd = ask(&at);

	http_server_stop(s);
	ck_assert(!is_answered(fd, 0));
	http_server_free(s);
	close(fd);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_hold");

	tcase_add_test(tc, held_clients_are_served_when_the_server_is_told_to);
	tcase_add_test(tc, held_clients_are_served_after_a_second_whatever_happens);
	tcase_add_test(tc, a_server_that_holds_its_clients_can_be_stopped);
	return run_cases("http_hold", tc);
}
