/*
 * HTTP basic authentication (RFC 7617) against bcrypt hashes.
 *
 * A hash takes long, so one thread of its own computes all hashes, with a bounded queue: event
 * loops never wait for it, and password guessing costs one core at the most. Clients take turns on
 * it, so that one that guesses delays another by no more than a check or two. Right passwords are
 * cached, so that a client with a right password waits once.
 *
 * The cache has at most 100 entries, each only a digest of (user, hash, password) under a key drawn
 * at start: nothing in it can be read, and a changed hash makes its entries worthless. Only right
 * passwords are cached, so guessing cannot push out entries of others; and a user has one entry,
 * however the password is written, since only the bytes that bcrypt looks at count. When there are
 * more than 100 users, the entry unused for longest goes.
 *
 * What a client can measure: a right password is fast from the second time on. A wrong one costs a
 * hash every time, and so does an unknown user: it is checked against the hash of some user, always
 * the same for one name, and refused. Lookups compare everything in constant time.
 */
#ifndef ACCESS_USERS_H
#define ACCESS_USERS_H

#include "access/bcrypt.h"
#include "access/fair_queue.h"
#include "access/web_config.h"
#include "base/err.h"
#include "base/str.h"

enum {
	WEB_USERS_CACHED = 100,
	WEB_USERS_WAITING = 256, /* passwords to check; more are refused */
	WEB_USERS_DIGEST = 32,
};

enum web_login {
	WEB_LOGIN_OK,
	WEB_LOGIN_WRONG, /* no credentials, or wrong ones */
	WEB_LOGIN_BUSY,  /* too many passwords of this client wait, or the gateway stops */
	WEB_LOGIN_LATER, /* done() will be called */
};

/* A password to check. The caller embeds it, sets done, and keeps it until done() is called. */
struct web_check {
	struct fair_node node; /* first; node.client is the caller's to set */
	/* Called on the checking thread, with OK, WRONG or BUSY. The caller owns the check again.
	 */
	void (*done)(struct web_check *check, enum web_login login);

	/* access/users.c only. */
	unsigned char digest[WEB_USERS_DIGEST];
	char hash[BCRYPT_HASH];
	char password[BCRYPT_PASSWORD];
	size_t password_n;
	bool known;
};

struct web_users;

/* Starts the thread. NULL: *err. */
struct web_users *web_users_start(struct err *err);
/* All waiting and later checks give BUSY. Returns when the thread has ended. */
void web_users_stop(struct web_users *u);
/* After web_users_stop(), when nobody calls web_users_check() any more. NULL is fine. */
void web_users_free(struct web_users *u);

/*
 * Any thread; does not wait. `users` (at least one) is only read during the call; `authorization`
 * is the header's value, .p NULL if there is none. Unless the answer is LATER, the check remains
 * the caller's.
 */
enum web_login web_users_check(struct web_users *u, const struct web_pairs *users,
			       struct str authorization, struct web_check *check);

/*
 * Copies the user's name in such a header to `user`, cut short, with a NUL; empty when there is
 * none. The password is not checked.
 */
void web_users_name(struct str authorization, char *user, size_t size);

#endif
