/* What the files of src/http share: the server and its workers. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <event2/event.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "http/parse.h"
#include "http/peers.h"
#include "http/server.h"

struct conn;

/* Bytes that one call reads at most, beside the room in the connection's own buffer. */
enum { SCRATCH = 64 * 1024 };

/* How long ready connections are handled before sockets are looked at again, and new ones. */
enum { ROUND_NS = 2 * 1000 * 1000 };

struct http_worker {
	struct http_server *server;
	pthread_t thread;
	bool started;
	struct event_base *base;
	struct evconnlistener **listeners;
	size_t n_listeners;
	struct event *wake, *tick, *go_on, *later, *deadline;
	int wake_fd;
	void *state; /* the handler's */

	struct conn *conns; /* newest first */
	struct conn *ready, **ready_tail;
	bool turns_due;     /* go_on is active, because some of these wait for their turn */
	uint32_t round;     /* of turns, the last one that has begun */
	int64_t at_once_ns; /* that new connections have taken since then, without a turn */
	struct conn *newest_extra, *oldest_extra; /* see extra.h */
	size_t n_extra;
	bool stopping;
	bool accepting; /* the listeners are enabled */
	bool paused;    /* no connection is accepted before the next tick */
	bool held;      /* no connection is accepted before http_server_accept() */
	char *scratch;  /* SCRATCH bytes, for one call */

	pthread_mutex_t inbox_lock;
	struct http_task *inbox, **inbox_tail;
	bool stop_asked, accept_asked;
	atomic_bool woken;            /* since the inbox was emptied last; also without the lock */
	bool wake_due;                /* another thread has it in its list `due` (worker.c) */
	struct http_worker *next_due; /* the next in that list */

	struct http_task *deferred, **deferred_tail;

	time_t date_at; /* the second that `date` tells */
	char date[32];  /* RFC 9110 section 5.6.7 */
};

/* The question that http_server_beats() asks a worker. */
struct beat {
	struct http_task task;
	atomic_bool due; /* the worker has not answered yet */
};

struct http_server {
	struct http_settings settings;
	struct http_handler handler;
	struct parse_limits limits;
	struct peers peers;
	struct http_worker *workers;
	struct beat *beats; /* one for each worker */
	unsigned n_workers;
	struct ssl_ctx_st *tls_refusing; /* NULL: plain */
	pthread_mutex_t
		starting; /* held until all threads have been started, or one could not be */
	bool complete;    /* all have been started; under the lock */
	atomic_ullong connections, refused, timed_out, malformed, crowded, tls_failures;
	atomic_ullong replies_cut;
	atomic_ullong receiving;         /* bytes of all requests being read or answered */
	_Atomic(struct conn *) favoured; /* see count.c */
};

/* ---- worker.c ---- */

int worker_init(struct http_worker *w, struct http_server *s, struct err *err);
int worker_listen(struct http_worker *w, int fd, struct err *err);
int worker_start(struct http_worker *w, struct err *err);
void worker_ask_accept(struct http_worker *w);
void worker_ask_stop(struct http_worker *w);
void worker_done(struct http_worker *w);
/* After the number of connections has changed: listeners stop at the limit, and start below it. */
void worker_check_load(struct http_worker *w);
/* Ends the loop when there is nothing left to answer. */
void worker_check_stopped(struct http_worker *w);
/* The Date of now. */
struct str worker_date(struct http_worker *w);

/*
 * listen.c: opens one socket for each worker on the address, fds[n]. *ret_bound gets the address
 * with its real port, for the log.
 */
int listen_open(const char *address, int *fds, unsigned n, char *ret_bound, size_t size,
		struct err *err);
/*
 * The same for a socket that another process has opened: fds[n] are duplicates of it. -1: HTTP
 * cannot be served on it.
 */
int listen_passed(int fd, int *fds, unsigned n, char *ret_bound, size_t size, struct err *err);

#endif
