/*
 * HTTP/1.1 (RFC 9110, RFC 9112) on libevent's loop: N worker threads, each with its own event base
 * and listening sockets (SO_REUSEPORT). It knows nothing of metrics. A request belongs to the
 * worker that read it: everything about it happens on that thread, from the handler's call to the
 * reply.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct http_server;
struct http_worker;
struct ssl_ctx_st;
struct ssl_st; /* openssl/ssl.h */
struct http_request;

struct http_settings {
	char **addresses; /* "host:port", ":port", "[v6]:port"; port 0 picks one */
	size_t n_addresses;
	/* Called for each address with its real port, during http_server_start(); may be NULL. */
	void (*listening)(void *arg, const char *bound);
	void *listening_arg;
	/*
	 * Listening TCP and Unix sockets that another process has opened; borrowed until
	 * http_server_start() returns. All workers accept from each.
	 */
	const int *fds;
	size_t n_fds;
	/* Clients may connect at once, but wait for http_server_accept(); a second at most. */
	bool hold;
	unsigned threads;         /* 0: one for each core */
	uint64_t max_connections; /* more are answered 503 */
	/*
	 * The same for each client's address; 0: no such limit. Connections of proxies are not
	 * limited. is_proxy may be NULL; it is called on any worker's thread, with IPv4 addresses
	 * as IPv4-mapped ones.
	 */
	uint64_t max_connections_per_client;
	bool (*is_proxy)(void *arg, const uint8_t address[16]);
	void *is_proxy_arg;
	uint64_t max_header_size, max_body_size; /* bytes */
	/* Bytes of all requests that are being read or answered. Beyond it, requests of more than
	 * 64 KiB are refused, except for the one that became so large first (count.c).
	 */
	uint64_t max_receiving;
	/* While more bytes are detached (base/bytes.h), clients that read less than 64 KiB in 5 s
	 * are disconnected. */
	uint64_t max_reply_bytes;
	int64_t idle_timeout_ns; /* of a connection without a request, and of a client that stops
				    reading */
	int64_t read_timeout_ns; /* from the first byte of a request to its last: 408; and of a TLS
				    handshake */
	int64_t shutdown_timeout_ns;
	/*
	 * NULL: plain HTTP. Called on a worker for each connection, which owns the reference that
	 * it returns. If it returns NULL, the handshake fails with an internal error.
	 */
	struct ssl_ctx_st *(*tls_context)(void *arg);
	void *tls_arg;
};

enum http_method {
	HTTP_GET,
	HTTP_PUT,
	HTTP_POST,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_HEAD,
	HTTP_OTHER,
};

/* A request that no handler sees: malformed, over a limit, or too slow. Valid during the call. */
struct http_refused {
	int status;
	enum http_method method; /* HTTP_OTHER: not known */
	const char *why;         /* what the client was told; no LF */
	const char *peer;        /* as http_request_peer() */
	struct str request_line; /* as far as it is known; may be cut short; without CR and LF */
};

struct http_handler {
	void *arg;
	/* Each worker's own state; called before it serves, freed after it has ended. */
	void *(*worker_new)(void *arg, struct http_worker *worker);
	void (*worker_free)(void *state);
	/*
	 * The head of a request, on its worker's thread: nothing of its body has been asked for,
	 * and http_request_body() is empty. Admits the request with http_request_admit(), or
	 * answers it with http_reply(), at once or later on the same thread (http_worker_post());
	 * the body waits in the socket meanwhile. NULL: all requests are admitted.
	 */
	void (*admit)(void *state, struct http_request *req);
	/*
	 * Whether a request is admitted though there are too many connections; only its head is
	 * known. NULL: none is.
	 */
	bool (*always)(void *state, const struct http_request *req);
	/* Handles a complete request that was admitted: answers it, at once or later. */
	void (*handle)(void *state, struct http_request *req);
	/*
	 * Called for each reply to a request with a tag, as it is sent, on the worker's thread. May
	 * be NULL.
	 */
	void (*answered)(void *state, const struct http_request *req, unsigned tag, int status);
	/*
	 * Called for each request that the server has answered by itself, on its worker's thread.
	 */
	void (*refused)(void *state, const struct http_refused *what);
};

struct http_stats {
	uint64_t connections;         /* open now */
	uint64_t connections_refused; /* over max_connections, or over the limit for a client */
	uint64_t requests_timed_out;  /* 408 */
	uint64_t requests_malformed;  /* refused before a handler saw them: 400, 413, 431 ... */
	uint64_t requests_crowded;    /* refused because of max_receiving: 503 */
	uint64_t receiving;           /* bytes, now */
	uint64_t replies_cut;         /* because of max_reply_bytes */
	uint64_t tls_handshake_failures;
};

/* Binds all addresses and starts the workers. NULL: *err says which address and what to do. */
struct http_server *http_server_start(const struct http_settings *settings,
				      const struct http_handler *handler, struct err *err);

/* Ends http_settings.hold: clients that have connected meanwhile are served. Once. */
void http_server_accept(struct http_server *s);

/*
 * Stops accepting, waits until requests that have begun are answered, and ends the threads, at the
 * latest after shutdown_timeout_ns. Threads that answer requests later must still run.
 */
void http_server_stop(struct http_server *s);

/* After http_server_stop(), and after everybody who could still post to a worker has ended. */
void http_server_free(struct http_server *s);

struct http_stats http_server_stats(struct http_server *s);

/* For a watchdog: whether the loop of each worker has answered since the last call; asks them
 * again. Between start and stop, always from the same thread.
 */
bool http_server_beats(struct http_server *s);

/* Something to be done on a worker's thread: embed it, run() may free it. */
struct http_task {
	struct http_task *next;
	void (*run)(struct http_task *task);
};

/*
 * Any thread but the worker's. The worker learns of it when the same thread calls
 * http_wake_workers(), once for all that it has posted. After the worker has ended, tasks run in
 * http_server_free().
 */
void http_worker_post(struct http_worker *w, struct http_task *task);
void http_wake_workers(void);

/* The worker's thread: runs the task after all events that are ready now. */
void http_worker_defer(struct http_worker *w, struct http_task *task);

/*
 * Admits a request: its body is read, and handle() is called. Strings that http_request_*() has
 * returned before may move; reply headers that are set stay.
 */
void http_request_admit(struct http_request *req);

/* Length of the body as its head says; UINT64_MAX: not known, because it comes in chunks. */
uint64_t http_request_announced(const struct http_request *req);

/*
 * The parts of a request, valid until the reply. Once the request is complete, its bytes do not
 * move until then: another thread may read them while the worker waits for it.
 */
enum http_method http_request_method(const struct http_request *req);
struct str http_request_target(const struct http_request *req); /* as sent */
struct str http_request_body(const struct http_request *req);
/* The first header of that name, case-insensitive; .p is NULL when there is none. */
struct str http_request_header(const struct http_request *req, const char *name);
/*
 * The last header of that name in front of a place, which becomes its own. With SIZE_MAX, and then
 * what this function has left there, all are found, in time proportional to the head's size.
 */
struct str http_request_header_before(const struct http_request *req, const char *name,
				      size_t *place);
/* "host:port" of the peer, "@" over a Unix socket. */
const char *http_request_peer(const struct http_request *req);
/* "HTTP/1.1" */
const char *http_request_protocol(const struct http_request *req);
/* Bytes of all header names and values but Host's, plus Host's value. */
size_t http_request_header_bytes(const struct http_request *req);

/* Sets the tag for answered(), before the reply; the last one counts. 0: none. */
void http_request_tag(struct http_request *req, unsigned tag);

/*
 * Attaches something of the layer above to the request: free_fn(p) is called on the worker's thread
 * when the request has been answered or its connection has ended. At most once for each request.
 */
void http_request_attach(struct http_request *req, void *p, void (*free_fn)(void *p));
void *http_request_attached(const struct http_request *req); /* NULL: nothing */
/* The TLS session of its connection, borrowed; NULL: plain HTTP. On the worker's thread. */
struct ssl_st *http_request_tls(const struct http_request *req);

/*
 * Sets a header of the reply, in place of one with that name. The value is copied; it must have no
 * CR or LF.
 */
void http_reply_header(struct http_request *req, const char *name, const char *value);
/* Adds to the reply's body by reference; free_fn(arg) is called when it is sent or given up. */
void http_reply_ref(struct http_request *req, struct str bytes, void (*free_fn)(void *arg),
		    void *arg);
/* Ends the reply's body with the first n bytes of a file, as reply_file() does. */
void http_reply_file(struct http_request *req, int fd, uint64_t n);
/* Adds a copy. */
void http_reply_add(struct http_request *req, struct str bytes);
/*
 * Sends and ends the request: req is gone. content_type NULL: none. The reply to a HEAD request is
 * the same without its body. The body of a request that was not admitted is read and dropped if it
 * is short and the client does not wait for a 100 Continue; otherwise the connection is closed.
 */
void http_reply(struct http_request *req, int status, const char *content_type);
/* The connection is closed after the reply. */
void http_reply_close(struct http_request *req);

#endif
