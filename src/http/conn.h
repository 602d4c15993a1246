/* A connection and its current request: two structs, because a later protocol may have several
 * requests on one connection. Only the worker's thread uses them, except where it says otherwise.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <event2/event_struct.h>
#include <netinet/in.h>

#include "http/fault.h"
#include "http/internal.h"
#include "http/peers.h"
#include "http/reply.h"

/*
 * The states of a connection. Each has one timer (sweep.c), and in each either the client or the
 * layer above has to act next.
 *
 *   HANDSHAKE -> IDLE -> READING -> ADMITTING -> READING -> HANDLING -> REPLYING -> IDLE
 *                           |           |                                  |
 *                           +-----------+--- refused: REPLYING ---> SKIPPING -> IDLE
 *                                                                   DRAINING -> CLOSED
 */
enum conn_state {
	CONN_HANDSHAKE, /* TLS: no request can be there yet */
	CONN_IDLE,      /* between requests */
	CONN_READING,   /* some bytes of a request are there, or of its first TLS record */
	CONN_ADMITTING, /* the handler has its head */
	CONN_HANDLING,  /* the handler has all of it */
	CONN_REPLYING,  /* the reply is being written */
	CONN_SKIPPING,  /* the rest of a request that was answered without it */
	CONN_DRAINING,  /* the last reply is written; the client may have yet to read it */
	CONN_CLOSED,    /* the socket is closed; freed when nothing of it is on the stack */
};

/* Bytes that have arrived: those from start to end are not yet used. */
struct inbuf {
	char *p;
	size_t start, end, cap;
};

/* The current request; its bytes are in the connection's buffer, from inbuf.start on. */
struct http_request {
	struct conn *conn;
	struct parse parse;
	struct reply reply;
	unsigned tag;   /* for answered(); 0: none */
	void *attached; /* NULL: nothing */
	void (*attached_free)(void *p);
	bool close;  /* the connection, after the reply */
	bool unread; /* it was answered with some of it yet to come */
};

struct conn_tls;

struct conn {
	struct conn *prev, *next; /* of the worker */
	struct conn *next_ready;  /* see conn_ready() */
	struct http_worker *worker;
	int fd;
	struct conn_tls *tls; /* NULL: plain */
	struct event readable, writable;
	bool watched;  /* readable is added */
	bool waiting;  /* writable is */
	bool is_ready; /* in the worker's list */
	bool paused;   /* for a while no bytes are read, before the request */
	bool patient;  /* it is read after other connections that can be read */
	bool known;    /* whether it is patient has been decided */
	bool running;  /* conn_run() is on the stack */
	bool extra;    /* over a limit: see extra.h */
	bool ended;    /* the client has ended its side */
	bool broken;   /* the connection is broken: nothing can be sent either */
	bool last;     /* the connection is closed after this reply */
	bool more;     /* the client may still send something then */
	struct conn *older_extra, *newer_extra; /* of the worker */
	struct peer *client;                    /* NULL: not limited */
	enum conn_state state;
	int64_t since_ns; /* see sweep.c */
	uint32_t round;   /* of the worker's turns, when it became ready */
	int64_t drained;  /* when DRAINING ends at the latest */
	uint64_t counted; /* bytes of the request in the server's receiving */
	uint64_t passed;  /* bytes thrown away in DRAINING */
	uint64_t skip;    /* bytes yet to come that belong to an answered request */
	int unsent;       /* bytes of a reply that the kernel had not sent at the last sweep */
	uint64_t given;   /* bytes of the reply that the kernel has got */
	int64_t taken;    /* how many of them the client had taken at taken_ns, see sweep.c */
	int64_t taken_ns;
	struct inbuf in;
	struct http_request req;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	char peer[64]; /* see http_request_peer(); empty: not yet written */
};

/* ---- request.c ---- */

/* The request is over. */
void request_detach(struct http_request *req);

/* ---- conn.c ---- */

/* Owns the socket from now on. */
void conn_new(struct http_worker *w, int fd, const struct sockaddr *address, int length);
/* Goes on as far as the bytes that are there allow. c may be freed afterwards. */
void conn_run(struct conn *c);
/* The same, once others have had their turn. */
void conn_ready(struct conn *c);
/*
 * Makes a readable connection wait until all others that are readable now have been read. This is
 * for connections that push, and those that hardly pause between two requests: their work may take
 * long, and clients that ask now and then, as probes and scrapers do, should not wait for it.
 */
void conn_wait_for_turn(struct conn *c);
void conn_go_on(struct conn *c);
/* More than 0 when the kernel has bytes that are not yet read, 0 at the client's end. */
ssize_t conn_peek(const struct conn *c);
void conn_free_all(struct http_worker *w);

/* Stops waiting for bytes. */
void conn_unwatch(struct conn *c);

/* ---- exchange.c ---- */

/* Takes the connection from its state to the next. False: it has to wait. */
bool exchange_step(struct conn *c);
/*
 * The reply is complete. The request's bytes no longer count from now on, before the client sees
 * the reply, since its next request may need their room.
 */
void conn_answered(struct conn *c);
/* The reply is written: the next request may begin. */
void conn_replied(struct conn *c);
/* A part of a TLS record has arrived, which begins a request, too. */
void conn_begin_with_record(struct conn *c);

/* ---- close.c ---- */

/* Closes the connection at once, in any state; conn_run() frees it. */
void conn_close(struct conn *c);
/* After the last reply is written. more: the client may still send bytes, so that closing at once
 * could lose the reply (close.c): they are read and dropped for a while. */
void conn_finish(struct conn *c, bool more);
/* The same, whether or not there was a reply. */
void conn_drain_begin(struct conn *c);
void conn_drain(struct conn *c);

/* ---- input.c ---- */

enum filled {
	FILL_SOME,   /* bytes have arrived, and there may be more */
	FILL_AGAIN,  /* all that was there has been read */
	FILL_FULL,   /* there is no room without moving what the handler looks at */
	FILL_MEMORY, /* there is no memory for more */
	FILL_ENDED,  /* the client has ended, or the connection broke: see c->ended, c->broken */
};

/* Reads what has arrived. `fixed`: the buffer may not move. */
enum filled input_fill(struct conn *c, bool fixed);
/* Reads and drops the bytes. */
enum filled input_drain(struct conn *c);
/* Takes n bytes away from the front. */
void input_drop(struct conn *c, size_t n);
void input_done(struct conn *c);

/* ---- count.c ---- */

/* Counts n bytes for the current request; false: there is no room for them (FAULT_CROWDED). */
bool count_received(struct conn *c, uint64_t n);
void count_ended(struct conn *c);

/* ---- output.c ---- */

/* Writes as much of the reply as the socket takes. True: all of it. */
bool output_write(struct conn *c);

/* ---- refuse.c ---- */

/* Answers a request that has not come to the handler, and closes the connection after it. */
void conn_refuse(struct conn *c, enum http_fault fault);

/* ---- sweep.c ---- */

/* At each tick: handles connections whose timer is over. */
void sweep(struct http_worker *w);
/* When the server stops: closes connections without a request. */
void sweep_idle(struct http_worker *w);

/* ---- conn_tls.c; the first two not on the worker's thread ---- */

int conn_tls_init(struct http_server *s, struct err *err);
void conn_tls_done(struct http_server *s);
/* -1: out of memory. */
int conn_tls_new(struct conn *c);
void conn_tls_free(struct conn *c);
/* Reports why the handshake failed, if that is of interest. */
void conn_tls_failed(struct conn *c);
/* Sends close_notify. */
void conn_tls_end(struct conn *c);
/* 1: done; 0: waits for the client, or to write if *ret_write; -1: failed. */
int conn_tls_handshake(struct conn *c, bool *ret_write);
/* Like recv() and writev(): EAGAIN when nothing can be read or written now. */
ssize_t conn_tls_read(struct conn *c, void *p, size_t n);
ssize_t conn_tls_write(struct conn *c, const struct iovec *iov, int n);
/*
 * After a read that returned n bytes: whether the socket had nothing more, so that another read
 * would wait.
 */
bool conn_tls_drained(const struct conn *c, size_t n);
/* Before a read: n bytes of a body are still to come. */
void conn_tls_expect(struct conn *c, size_t n);
struct ssl_st *conn_tls_ssl(const struct conn *c);
/* Frees the buffers that OpenSSL keeps from request to request. */
void conn_tls_rest(struct conn *c);
/* Whether bytes have been read from the socket that conn_tls_read() has not returned yet. */
bool conn_tls_in_record(const struct conn *c);
/*
 * Whether the last read needs the socket to take bytes first, such as the answer to a change of
 * keys. Until it does, the socket stays readable, and nothing is read.
 */
bool conn_tls_is_stuck(const struct conn *c);

#endif
