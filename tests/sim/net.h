/*
 * Sockets in memory: what readv(), recv(), sendmsg(), shutdown(), close() and ioctl() of src/http
 * get to see of clients that the simulation plays. Bytes that a client has sent arrive when it says
 * so. Also eventfd(). One thread.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { NET_FIRST_FD = 1 << 21, NET_SOCKETS = 32 };

struct net_socket {
	bool used;            /* by the gateway: it has not closed it */
	struct strbuf sent;   /* by the client */
	size_t arrived, read; /* of it */
	bool ended;           /* the client has, behind what it has sent */
	bool gone;            /* it is not there any more: writing fails */
	struct strbuf got;    /* by the client */
	size_t window;        /* so many more bytes of replies are taken now */
	bool shut;            /* the gateway sends no more */
	bool is_event;
	uint64_t count; /* of an eventfd */
};

/* A connection; returns its descriptor. */
int net_connect(void);
/* NULL: none of ours. */
struct net_socket *net_socket_of(int fd);
bool net_is_readable(int fd);
bool net_is_writable(int fd);
/* Sockets that the gateway has not closed. */
unsigned net_open(void);
/* Forgets what the client has of a socket that the gateway has closed. */
void net_forget(int fd);

#endif
