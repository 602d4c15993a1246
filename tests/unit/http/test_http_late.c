/*
 * Whatever is there of a request when --web.read-timeout is over, its connection is answered 408,
 * or closed, once, and the others are served as before.
 */
#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/http_serve.h"
#include "lib/run.h"

enum { TIMEOUT_MS = 60000 };

static void handle(void *state, struct http_request *req)
{
	(void)state;
	http_reply(req, 200, NULL);
}

static const struct http_handler handler = { .worker_new = http_serve_worker_new,
					     .worker_free = http_serve_worker_free,
					     .handle = handle };

static int connected(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	return fd;
}

static void put_there(int fd, const char *p, size_t n)
{
	ck_assert_int_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* All that comes until the server ends. */
static size_t receive_all(int fd, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	for (;;) {
		ssize_t got;

		ck_assert_int_gt(poll(&p, 1, TIMEOUT_MS), 0);
		got = recv(fd, buf + n, size - 1 - n, 0);
		ck_assert_int_ge(got, 0);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	buf[n] = '\0';
	return n;
}

static void expect_late(int fd, const char *of, size_t sent)
{
	char reply[2000];

	receive_all(fd, reply, sizeof(reply));
	ck_assert_msg(strstr(reply, "HTTP/1.1 408 ") != NULL, "after %zu bytes of %s: %s", sent, of,
		      reply);
	close(fd);
}

#define PUT(fields, rest) "PUT / HTTP/1.1\r\nHost: x\r\n" fields "\r\n" rest

static const char *const requests[] = {
	PUT("Content-Length: 3\r\n", "abc"),
	PUT("Connection: close\r\nContent-Length: 3\r\n", "abc"),
	PUT("Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
	PUT("Connection: close\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
	PUT("Connection: close\r\nContent-Length: 100000\r\n", "abc"),
	"PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
	"PUT / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
};

struct part {
	const char *request;
	size_t n;
	int fd;
};

/* All places behind the head, and some in it. */
static bool is_looked_at(const char *request, size_t n)
{
	enum { OF_HEAD = 16 };
	size_t head = (size_t)(strstr(request, "\r\n\r\n") - request) + 4;

	return n >= head || n % OF_HEAD == 1;
}

static size_t send_parts(const struct sockaddr_in *at, struct part *parts, size_t max)
{
	size_t n_parts = 0;

	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		for (size_t n = 1; n < strlen(requests[i]); n++) {
			if (!is_looked_at(requests[i], n))
				continue;
			ck_assert_uint_lt(n_parts, max);
			parts[n_parts] = (struct part){ requests[i], n, connected(at) };
			put_there(parts[n_parts].fd, requests[i], n);
			n_parts++;
		}
	return n_parts;
}

START_TEST(a_part_of_a_request_is_answered_when_its_time_is_over)
{
	const struct http_settings settings = { .read_timeout_ns = 1, .max_connections = 1000 };
	struct sockaddr_in at;
	struct http_server *s = http_serve(settings, &handler, 0, &at);
	struct part parts[200];
	size_t n = send_parts(&at, parts, ARRAY_LEN(parts));

	for (size_t i = 0; i < n; i++)
		expect_late(parts[i].fd, parts[i].request, parts[i].n);
	ck_assert_uint_eq(http_server_stats(s).requests_timed_out, n);
	ck_assert_uint_eq(http_server_stats(s).receiving, 0);
	http_serve_end(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_late");

	log_init(LOG_ERROR, LOG_LOGFMT);
	tcase_add_test(tc, a_part_of_a_request_is_answered_when_its_time_is_over);
	return run_cases("http_late", tc);
}
