/* A server of http/ at an address that the kernel chooses. */
#ifndef LIB_HTTP_SERVE_H
#define LIB_HTTP_SERVE_H

#include <netinet/in.h>
#include <sys/un.h>

#include "http/server.h"

struct http_unix_address {
	struct sockaddr_un name;
	socklen_t length;
};

/*
 * http_serve() listens on 127.0.0.1. Settings that are 0 get values that no test reaches: 100
 * connections, bodies of 10 MiB, a minute for reading and for doing nothing, a second for a stop;
 * one thread. receive_room: bytes that the kernel keeps for each connection until they are read; 0:
 * as many as it wants.
 */
struct http_server *http_serve(struct http_settings settings, const struct http_handler *handler,
			       int receive_room, struct sockaddr_in *ret_address);
/* On a Unix socket, whose buffers take a few hundred writes, while those of TCP grow. */
struct http_server *http_serve_unix(struct http_settings settings,
				    const struct http_handler *handler,
				    struct http_unix_address *ret_address);
/* Returns a connected socket. */
int http_serve_connect(const struct http_unix_address *address);

void http_serve_end(struct http_server *s);

/* For handlers whose workers have no state of their own: the state is http_handler.arg. */
void *http_serve_worker_new(void *arg, struct http_worker *worker);
void http_serve_worker_free(void *state);

#endif
