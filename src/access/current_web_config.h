/*
 * The web configuration in force. The file is looked at with each request and each TLS connection,
 * and so are the certificates, keys and CAs that it names; what has changed is read again. A change
 * that cannot be used is refused as a whole, and what was in force stays.
 *
 * A thread of its own looks and reads, for requests of the same quarter of a millisecond together.
 * Who asks waits for it for a second at the most; where that was too short, nobody waits again
 * until that look is done, nor for ten seconds. So a file system that hangs holds up no event loop
 * for longer, and what was in force stays meanwhile.
 *
 * Fixed at start, as in the Go gateway: whether TLS is spoken, and the rate limit.
 *
 * What would let in whom the files so far keep out - the last user is gone, client certificates are
 * not asked for as strictly, other names or authorities are allowed, an older TLS version or
 * another cipher is - counts as a whole only when the files have not changed for a tenth of a
 * second since we first saw them so: whoever writes one may just have emptied it, or have written
 * half of it.
 *
 * If one of the files is not a regular one (a pipe), all are read once, at start: none is looked at
 * again, certificates no more than the configuration. Where such a file takes the place of a
 * regular one later, it is a change that cannot be used; it is not read, as that might block.
 */
#ifndef ACCESS_CURRENT_WEB_CONFIG_H
#define ACCESS_CURRENT_WEB_CONFIG_H

#include <stdatomic.h>

#include "access/web_config.h"
#include "base/err.h"

struct ssl_ctx_st; /* openssl/ssl.h */

/* One configuration; immutable and counted. */
struct web_state {
	atomic_uint refs;
	struct web_config *config;
	struct ssl_ctx_st *tls; /* NULL: plain HTTP */
};

enum web_change {
	WEB_CHANGE_TAKEN,
	WEB_CHANGE_REFUSED,       /* why says what is wrong; said once for each change */
	WEB_CHANGE_NEEDS_RESTART, /* taken, but why says what of it waits for a restart */
	WEB_CHANGE_SLOW_HASH, /* at start or with a change: why says whose password takes long */
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
/* When no other thread uses it any more. NULL is fine. */
void current_web_config_close(struct current_web_config *cur);

/*
 * Any thread. What is in force at this moment, after a look at the file: the caller's reference.
 */
struct web_state *current_web_config_get(struct current_web_config *cur);
void web_state_unref(struct web_state *s); /* NULL is fine */
DEFINE_CLEANUP(struct web_state *, web_state_unref)

/*
 * For http_settings.tls_context, `current` being a struct current_web_config. Any thread. A
 * reference for a new connection, after a look at all files; NULL when the configuration has no
 * TLS.
 */
struct ssl_ctx_st *current_web_config_tls_context(void *current);

#endif
