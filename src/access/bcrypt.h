/*
 * bcrypt hashes of passwords, on libcrypt: $2a$, $2b$ and $2y$, which mean the same here as in the
 * Go gateway. A hash costs 2^cost rounds: some 60 ms for cost 10, twice as much for each step.
 */
#ifndef ACCESS_BCRYPT_H
#define ACCESS_BCRYPT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum {
	BCRYPT_HASH = 60,      /* bytes of a hash */
	BCRYPT_PASSWORD = 72,  /* bytes of a password that count */
	BCRYPT_COST_SLOW = 14, /* a check takes a second */
	BCRYPT_COST_MAX = 17, /* higher costs are refused, because stopping waits for the check that
				 is going on */
};

/* -1: it is not a hash; *err says why in the Go library's words. Any thread. */
int bcrypt_check_hash(struct str hash, struct err *err);

/* The hash has passed bcrypt_check_hash(). */
int bcrypt_cost(const char *hash);

struct bcrypt; /* working memory, of one thread at a time */

struct bcrypt *bcrypt_new(void);
void bcrypt_free(struct bcrypt *b);

/*
 * Whether the hash is that of the password; takes equally long for both answers. The hash has
 * passed bcrypt_check_hash(). False for a password with a NUL, which libcrypt would cut there.
 */
bool bcrypt_verify(struct bcrypt *b, const char hash[BCRYPT_HASH], struct str password);

#endif
