/*
 * Applies --web.config.file in front of every endpoint, /-/healthy and redirects included: rate
 * limit, response headers, authentication, in this order, as the Go gateway does. Without that flag
 * there is no struct admission.
 */
#ifndef API_ADMISSION_H
#define API_ADMISSION_H

#include "api/api.h"
#include "config/access_rules.h"

struct admission;

/* Reads the file and starts the thread that checks passwords. NULL: *err says what is wrong. */
struct admission *admission_open(const char *path, struct err *err);
/* Sets what the server needs for TLS, if TLS is on. Outlives the server. */
void admission_set_tls(struct admission *a, struct http_settings *settings);
/* After http_server_stop(): answers 503 to requests whose password is still being checked. */
void admission_stop(struct admission *a);
/* After admission_stop() and http_server_free(). NULL is fine, here and in admission_stop(). */
void admission_free(struct admission *a);

/*
 * On a worker, with the head of a request: refuses it, or hands it on to `next`, at once or after
 * its password has been checked. Its body is not read until then.
 */
typedef void (*admitted_fn)(struct api_worker *w, struct http_request *req);
void admission_pass(struct admission *a, struct api_worker *w, struct http_request *req,
		    admitted_fn next);

/*
 * On a worker, for a gateway whose web configuration has no users: if `access:` is in force,
 * refuses a request with a password, since no password can be right. True: it has been refused.
 */
bool admission_refuse_credentials(struct api_worker *w, struct http_request *req);

/*
 * Any thread. -1: the rules name a user that the web configuration does not have. a: NULL without
 * --web.config.file.
 */
int admission_check_names(struct admission *a, const struct access_rules *rules, struct err *err);

/* Any thread: connections are encrypted. */
bool admission_uses_tls(struct admission *a);
/* Any thread: whether the file sets this header for every reply. */
bool admission_sets_header(struct admission *a, const char *name);

/* Any thread: whether every request needs a user with the right password. */
bool admission_has_users(struct admission *a);

#endif
