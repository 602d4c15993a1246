/*
 * Sockets in memory, between src/http, which calls readv(), recv(), sendmsg(), shutdown(), close()
 * and ioctl() on them, and clients that the simulation plays. Bytes that a client has sent arrive
 * when the simulation says so. Also eventfd(). For one thread.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { NET_FIRST_FD = 1 << 21, NET_SOCKETS = 32 };

struct net_socket {
	bool used;            /* the gateway has not closed it */
	struct strbuf sent;   /* bytes that the client has sent */
	size_t arrived, read; /* how many bytes of `sent` have arrived, and have been read */
	bool ended;           /* the client has ended its side, behind what it has sent */
	bool gone;            /* the client is not there any more: writing fails */
	struct strbuf got;    /* bytes that the client has got */
	size_t window;        /* how many more bytes of replies the client takes now */
	bool shut;            /* the gateway sends no more */
	bool is_event;
	uint64_t count; /* of an eventfd */
};

/* Opens a connection; returns its descriptor. */
int net_connect(void);
/* NULL: not a descriptor of these sockets. */
struct net_socket *net_socket_of(int fd);
bool net_is_readable(int fd);
bool net_is_writable(int fd);
/* How many sockets the gateway has not closed. */
unsigned net_open(void);
/* Frees the client's side of a socket that the gateway has closed. */
void net_forget(int fd);

#endif
