/*
 * The web configuration in force. With each request and each TLS connection, the gateway checks
 * whether the file, or a certificate, key or CA that it names, has changed, and reads the changed
 * ones again. If the new contents cannot be used, all of them are refused, and the old
 * configuration stays in force.
 *
 * A thread of its own checks and reads the files, once for all requests within a quarter of a
 * millisecond. A request waits for it for at most a second. If that was too short, no request waits
 * again until that check is done and ten seconds have passed. So a file system that hangs delays an
 * event loop for no longer, and the old configuration stays in force meanwhile.
 *
 * Whether TLS is used, and the rate limit, are fixed at start, as in the Go gateway.
 *
 * A configuration that would let in clients that the one in force keeps out (the last user is gone;
 * client certificates are asked for less strictly; other names or authorities, an older TLS version
 * or another cipher are allowed) is put in force only after the files have not changed for a tenth
 * of a second: a file may just have been emptied, or be half written.
 *
 * If one of the files is not a regular one (a pipe), all files are read once, at start, and never
 * looked at again. If such a file replaces a regular one later, that change is refused; the file is
 * not read, since that might block.
 */
#ifndef ACCESS_CURRENT_WEB_CONFIG_H
#define ACCESS_CURRENT_WEB_CONFIG_H

#include <stdatomic.h>

#include "access/web_config.h"
#include "base/err.h"

struct ssl_ctx_st; /* openssl/ssl.h */

/* One version of the configuration; immutable, with a count of references. */
struct web_state {
	atomic_uint refs;
	struct web_config *config;
	struct ssl_ctx_st *tls; /* NULL: plain HTTP */
};

enum web_change {
	WEB_CHANGE_TAKEN,
	WEB_CHANGE_REFUSED,       /* why says what is wrong; called once for each change */
	WEB_CHANGE_NEEDS_RESTART, /* in force, but why says which part needs a restart */
	WEB_CHANGE_SLOW_HASH, /* at start or with a change: why says which user's hash takes long to
				 check */
};

/*
 * Called on the watching thread, before the current_web_config_get() returns that asked it to look,
 * or by current_web_config_open(); may only log.
 */
struct web_listener {
	void (*changed)(void *arg, enum web_change change, const char *why);
	void *arg;
};

struct current_web_config;

/* Reads the file and all that it names. NULL: *err says which line, or which file, and why. */
struct current_web_config *current_web_config_open(const char *path,
						   const struct web_listener *listener,
						   struct err *err);
/* No other thread may use it any more. NULL is fine. */
void current_web_config_close(struct current_web_config *cur);

/* Any thread. The configuration in force, after checking the files. The caller owns a reference.
 */
struct web_state *current_web_config_get(struct current_web_config *cur);
void web_state_unref(struct web_state *s); /* NULL is fine */
DEFINE_CLEANUP(struct web_state *, web_state_unref)

/*
 * The function for http_settings.tls_context; `current` is a struct current_web_config. Any thread.
 * Returns a reference for a new connection, after a look at all files; NULL when the configuration
 * has no TLS.
 */
struct ssl_ctx_st *current_web_config_tls_context(void *current);

#endif
