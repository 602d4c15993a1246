/* What the files of src/http share. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <time.h>

#include "base/table.h"
#include "http/server.h"

enum conn_state {
	CONN_IDLE,      /* between requests */
	CONN_WAITING,   /* the same, but bytes have arrived while the last one was answered */
	CONN_READING,   /* some bytes of a request are there, or of its first TLS record */
	CONN_HANDLING,  /* the handler has it */
	CONN_REPLYING,  /* the reply is being written */
	CONN_HANDSHAKE, /* TLS: no request can be there yet */
};

struct conn_tls;

struct conn {
	struct conn *prev, *next; /* of the worker */
	struct http_worker *worker;
	struct bufferevent *bev;
	struct conn_tls *tls;            /* NULL: plain */
	struct evhttp_connection *evcon; /* NULL until conn_bind() */
	enum conn_state state;
	bool refused;      /* over the limit: the first request is answered 503 */
	bool to_fix;       /* in the worker's list: evhttp has written an error page of its own */
	bool overfull;     /* or more has arrived than any request may have */
	bool crowded;      /* or than there is room for beside others */
	bool lost;         /* there was no memory for TLS: closed before anything is read */
	int64_t since_ns;  /* when the state became CONN_READING or CONN_HANDSHAKE; when the client
			      last took some of a reply */
	uint64_t received; /* bytes of the request being read or answered */
	uint64_t counted;  /* of these in the server's receiving */
	int unsent;        /* what the kernel had when is_cut() looked, of a reply */
	struct conn *next_fix;
	char line[192]; /* of the request being read, as far as it fits; for http_refused */
	bool line_known;
};

struct http_worker {
	struct http_server *server;
	pthread_t thread;
	bool started;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener **listeners;
	size_t n_listeners;
	struct event *wake, *tick, *fix, *later, *deadline;
	int wake_fd;
	void *state; /* the handler's */

	struct conn *conns; /* newest first */
	struct table by_bev;
	struct conn *fixes;
	bool stopping, paused;

	pthread_mutex_t inbox_lock;
	struct http_task *inbox, **inbox_tail;
	bool stop_asked;
	bool wake_due;                /* by the thread that has it in its list */
	struct http_worker *next_due; /* of that list */

	struct http_task *deferred, **deferred_tail;

	time_t date_at; /* the second that `date` tells */
	char date[32];  /* RFC 9110 §5.6.7 */
};

/* What http_server_beats() has asked of a worker. */
struct beat {
	struct http_task task;
	atomic_bool due; /* the worker has not come to it yet */
};

struct http_server {
	struct http_settings settings;
	struct http_handler handler;
	struct http_worker *workers;
	struct beat *beats; /* one for each worker */
	unsigned n_workers;
	struct ssl_ctx_st *tls_refusing; /* NULL: plain */
	pthread_mutex_t starting;        /* held until it is known whether all threads are there */
	bool complete;                   /* they are; under the lock */
	atomic_ullong connections, refused, timed_out, malformed, crowded, tls_failures;
	atomic_ullong replies_cut;
	atomic_ullong receiving; /* bytes of all requests being read or answered */
};

/* conn.c. The worker's thread. */
struct bufferevent *conn_new(struct event_base *base, void *worker);
struct conn *conn_of(struct http_worker *w, struct evhttp_connection *evcon);
/*
 * The last words on a connection that is about to be closed in the middle of a request. Only once,
 * and only as far as the socket takes them: a client that is gone loses nothing.
 */
void conn_say(struct conn *c, const char *status, const char *text);
/* Tells the handler, if it wants to know, what the client is told. */
void conn_refused(struct conn *c, int status, const char *why);
void conn_sweep(struct http_worker *w);
void conn_close_idle(struct http_worker *w);
void conn_handling(struct conn *c);
void conn_stop_reading(struct bufferevent *bev);
void conn_write_now(struct conn *c);
void conn_replied(struct conn *c);
void conn_free_all(struct http_worker *w);

/* conn_fix.c. The worker's thread. */
/* Not inside the callbacks of a buffer, but before anything is written or read again. */
void conn_fix_later(struct conn *c);
void conn_fix_errors(struct http_worker *w);

/* conn_tls.c. The worker's thread, but for the first two. */
int conn_tls_init(struct http_server *s, struct err *err);
void conn_tls_done(struct http_server *s);
/* NULL: out of memory; c->tls is NULL then. */
struct bufferevent *conn_tls_new(struct conn *c, struct event_base *base);
/* Before the connection is closed and its bufferevent freed. */
void conn_tls_close(struct conn *c);
/* As much as the socket takes of a few bytes, at once. */
void conn_tls_send(struct conn *c, const char *p, size_t n);
/* The client has said that it sends nothing more. */
bool conn_tls_ended(const struct conn *c);
/* A record has been read in part, or some of its content is not yet in the buffers. */
bool conn_tls_in_record(const struct conn *c);
/* recv(MSG_PEEK) of one byte that need not be of a request: 0 when the client has ended. */
ssize_t conn_tls_peek(const struct conn *c);
/* Writes a small reply at once; what is larger is left to the loop. */
void conn_tls_write_now(struct conn *c);
/* The same with an interim reply. */
void conn_tls_write_interim(struct conn *c);
/* True: it had only paused for others, and goes on. */
bool conn_tls_resume(struct conn *c);

/* request.c: evhttp's callback for every request. */
void request_received(struct evhttp_request *ev, void *worker);
void request_peer(struct evhttp_connection *evcon, char *out, size_t size);

/* worker.c */
int worker_init(struct http_worker *w, struct http_server *s, struct err *err);
int worker_listen(struct http_worker *w, int fd, struct err *err);
int worker_start(struct http_worker *w, struct err *err);
void worker_ask_stop(struct http_worker *w);
void worker_done(struct http_worker *w);
/* Ends the loop when there is nothing left to answer. */
void worker_check_stopped(struct http_worker *w);
/* Listeners stop and start with the number of connections. */
void worker_check_load(struct http_worker *w);

/*
 * listen.c: opens one socket for each worker on the address, fds[n]. *ret_bound gets the address
 * with its real port, for the log.
 */
int listen_open(const char *address, int *fds, unsigned n, char *ret_bound, size_t size,
		struct err *err);
/*
 * The same with a socket that somebody else has opened: fds[n] are duplicates of it. -1: it is no
 * socket to serve HTTP on.
 */
int listen_passed(int fd, int *fds, unsigned n, char *ret_bound, size_t size, struct err *err);

#endif
