/*
 * What --web.config.file puts in front of every endpoint, /-/healthy and redirects included: rate
 * limit, response headers, authentication, in this order, as the Go gateway does (behaviour 9).
 * There is none without that flag.
 */
#ifndef API_GATE_H
#define API_GATE_H

#include "api/api.h"

struct gate;

/* Reads the file and starts the thread that checks passwords. NULL: *err says what is wrong. */
struct gate *gate_open(const char *path, struct err *err);
/* Sets what the server needs to speak TLS, if it is to; the gate outlives the server. */
void gate_set_tls(struct gate *g, struct http_settings *settings);
/* After http_server_stop(): whoever still waits for a password to be checked is answered 503. */
void gate_stop(struct gate *g);
/* After gate_stop() and http_server_free(). NULL is fine, here and in gate_stop(). */
void gate_free(struct gate *g);

/*
 * On a worker: refuses the request, or hands it on to `next`, at once or after its password has
 * been checked.
 */
typedef void (*gate_next_fn)(struct api_worker *w, struct http_request *req);
void gate_pass(struct gate *g, struct api_worker *w, struct http_request *req, gate_next_fn next);

/* Any thread: every reply has this header, as the file says. */
bool gate_sets_header(struct gate *g, const char *name);

#endif
