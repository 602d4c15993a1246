#include "lib/http_serve.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static int listening(int receive_room, struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	/* Connections inherit it. */
	if (receive_room)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_room, sizeof(receive_room));
	if (bind(fd, (struct sockaddr *)ret, len) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret, &len) < 0) {
		perror("a port of 127.0.0.1");
		abort();
	}
	return fd;
}

#define DEFAULT(member, value)                     \
	do {                                       \
		if (!settings.member)              \
			settings.member = (value); \
	} while (0)

static struct http_server *serve(int fd, struct http_settings settings,
				 const struct http_handler *handler)
{
	struct err err = { 0 };
	struct http_server *s;

	settings.fds = &fd;
	settings.n_fds = 1;
	DEFAULT(threads, 1);
	DEFAULT(max_connections, 100);
	DEFAULT(max_header_size, 65536);
	DEFAULT(max_body_size, 10 << 20);
	DEFAULT(max_receiving, 1 << 30);
	DEFAULT(max_reply_bytes, 1 << 30);
	DEFAULT(idle_timeout_ns, 60 * SECOND);
	DEFAULT(read_timeout_ns, 60 * SECOND);
	DEFAULT(shutdown_timeout_ns, SECOND);
	s = http_server_start(&settings, handler, &err);
	if (!s) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	close(fd);
	return s;
}

struct http_server *http_serve(struct http_settings settings, const struct http_handler *handler,
			       int receive_room, struct sockaddr_in *ret_address)
{
	return serve(listening(receive_room, ret_address), settings, handler);
}

struct http_server *http_serve_unix(struct http_settings settings,
				    const struct http_handler *handler,
				    struct http_unix_address *ret_address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr *name = (struct sockaddr *)&ret_address->name;

	ret_address->name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	ret_address->length = sizeof(ret_address->name);
	/* The kernel finds a name. */
	if (bind(fd, name, sizeof(sa_family_t)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, name, &ret_address->length) < 0) {
		perror("a Unix socket");
		abort();
	}
	return serve(fd, settings, handler);
}

int http_serve_connect(const struct http_unix_address *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&address->name, address->length) < 0) {
		perror("connecting to a Unix socket");
		abort();
	}
	return fd;
}

void http_serve_end(struct http_server *s)
{
	http_server_stop(s);
	http_server_free(s);
}

void *http_serve_worker_new(void *arg, struct http_worker *worker)
{
	(void)worker;
	return arg;
}

void http_serve_worker_free(void *state)
{
	(void)state;
}
