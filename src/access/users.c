#include "access/users.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

enum { KEY_BYTES = 32 };

struct cached_password {
	unsigned char digest[WEB_USERS_DIGEST];
	uint64_t used; /* by the cache's clock; 0: empty */
};

struct web_users {
	unsigned char key[KEY_BYTES];
	struct fair_queue queue;
	pthread_t thread;
	bool running;
	atomic_bool stopping;
	struct bcrypt *bcrypt; /* the thread's */

	pthread_mutex_t lock; /* of what follows */
	struct cached_password entries[WEB_USERS_CACHED];
	uint64_t clock;
};

/* ---- the cache ---- */

static bool cache_has(struct web_users *u, const unsigned char digest[WEB_USERS_DIGEST])
{
	size_t found = WEB_USERS_CACHED;

	pthread_mutex_lock(&u->lock);
	for (size_t i = 0; i < WEB_USERS_CACHED; i++)
		if (CRYPTO_memcmp(u->entries[i].digest, digest, WEB_USERS_DIGEST) == 0)
			found = i;
	if (found < WEB_USERS_CACHED && u->entries[found].used == 0)
		found = WEB_USERS_CACHED;
	if (found < WEB_USERS_CACHED)
		u->entries[found].used = ++u->clock;
	pthread_mutex_unlock(&u->lock);
	return found < WEB_USERS_CACHED;
}

static void cache_add(struct web_users *u, const unsigned char digest[WEB_USERS_DIGEST])
{
	struct cached_password *oldest = &u->entries[0];

	pthread_mutex_lock(&u->lock);
	for (size_t i = 1; i < WEB_USERS_CACHED; i++)
		if (u->entries[i].used < oldest->used)
			oldest = &u->entries[i];
	memcpy(oldest->digest, digest, WEB_USERS_DIGEST);
	oldest->used = ++u->clock;
	pthread_mutex_unlock(&u->lock);
}

/* ---- the thread ---- */

static enum web_login verify(struct web_users *u, const struct web_check *c)
{
	struct str password = { c->password, c->password_n };

	if (u->stopping || c->node.given_up)
		return WEB_LOGIN_BUSY;
	/* Several requests of one client may have waited for the first answer. */
	if (c->known && cache_has(u, c->digest))
		return WEB_LOGIN_OK;
	if (!bcrypt_verify(u->bcrypt, c->hash, password) || !c->known)
		return WEB_LOGIN_WRONG;
	cache_add(u, c->digest);
	return WEB_LOGIN_OK;
}

static void *users_main(void *arg)
{
	struct web_users *u = arg;
	struct fair_node *node;

	while ((node = fair_queue_take(&u->queue))) {
		struct web_check *c = (struct web_check *)node;
		enum web_login login = verify(u, c);

		OPENSSL_cleanse(c->password, sizeof(c->password));
		c->done(c, login);
	}
	return NULL;
}

struct web_users *web_users_start(struct err *err)
{
	struct web_users *u = mem_zalloc(sizeof(*u));

	pthread_mutex_init(&u->lock, NULL);
	fair_queue_init(&u->queue, WEB_USERS_WAITING);
	u->bcrypt = bcrypt_new();
	if (RAND_bytes(u->key, sizeof(u->key)) != 1) {
		err_set(err, ERR_SYSTEM, 0, "no random bytes for the keys of the password cache");
	} else if (pthread_create(&u->thread, NULL, users_main, u) != 0) {
		err_set(err, ERR_SYSTEM, 0, "cannot start the thread that checks passwords");
	} else {
		pthread_setname_np(u->thread, "passwords");
		u->running = true;
		return u;
	}
	web_users_free(u);
	return NULL;
}

void web_users_stop(struct web_users *u)
{
	if (!u->running)
		return;
	u->stopping = true;
	fair_queue_close(&u->queue);
	pthread_join(u->thread, NULL);
	u->running = false;
}

void web_users_free(struct web_users *u)
{
	if (!u)
		return;
	bcrypt_free(u->bcrypt);
	fair_queue_done(&u->queue);
	pthread_mutex_destroy(&u->lock);
	OPENSSL_cleanse(u, sizeof(*u));
	free(u);
}

/* ---- a request's credentials ---- */

struct credentials {
	char *text; /* owned: what both slices point into */
	size_t size;
	struct str user, password;
};

static void credentials_done(struct credentials *c)
{
	if (c->text)
		OPENSSL_cleanse(c->text, c->size);
	free(c->text);
}

/* RFC 4648 section 4: padded, nothing else in between. Returns the length, or -1. */
static int decode_base64(struct str in, char *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int padding = 0;

	while (padding < 2 && in.n > (size_t)padding && in.p[in.n - 1 - (size_t)padding] == '=')
		padding++;
	for (size_t i = 0; i + (size_t)padding < in.n; i++)
		if (!in.p[i] || !strchr(alphabet, in.p[i]))
			return -1;
	/* It decodes padding as zeros. */
	int n = in.n % 4 ? -1
			 : EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)in.p,
					   (int)in.n);

	return n < 0 ? -1 : n - padding;
}

/* "Basic dXNlcjpwYXNz", the scheme in any case. */
static bool parse_basic(struct str header, struct credentials *ret)
{
	const struct str scheme = STR("Basic ");
	const char *colon;
	int n;

	if (header.n <= scheme.n || header.n > INT32_MAX ||
	    !str_eq_nocase((struct str){ header.p, scheme.n }, scheme))
		return false;
	header = (struct str){ header.p + scheme.n, header.n - scheme.n };
	ret->size = header.n + 1;
	ret->text = mem_alloc(ret->size);
	n = decode_base64(header, ret->text);
	colon = n > 0 ? memchr(ret->text, ':', (size_t)n) : NULL;
	if (!colon)
		return false;
	ret->user = (struct str){ ret->text, (size_t)(colon - ret->text) };
	ret->password = (struct str){ colon + 1, (size_t)n - ret->user.n - 1 };
	return true;
}

/* Includes the lengths of the parts, so that no two triples give the same bytes. */
static void make_digest(const struct web_users *u, struct str user, struct str hash,
			struct str password, unsigned char ret[WEB_USERS_DIGEST])
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_add(&b, &user.n, sizeof(user.n));
	strbuf_adds(&b, user);
	strbuf_add(&b, &hash.n, sizeof(hash.n));
	strbuf_adds(&b, hash);
	strbuf_adds(&b, password);
	HMAC(EVP_sha256(), u->key, KEY_BYTES, (const unsigned char *)b.p, b.n, ret, NULL);
	OPENSSL_cleanse(b.p, b.n);
}

/* The user of that name. If there is none, another user, always the same one for a name, so that a
 * check takes as long. */
static const struct web_pair *find_user(const struct web_users *u, const struct web_pairs *users,
					struct str name, bool *ret_known)
{
	unsigned char digest[WEB_USERS_DIGEST];
	size_t found = users->n;
	uint64_t some;

	for (size_t i = 0; i < users->n; i++)
		if (strlen(users->v[i].name) == name.n &&
		    CRYPTO_memcmp(users->v[i].name, name.p, name.n) == 0)
			found = i;
	make_digest(u, name, STR(""), STR(""), digest);
	assert(users->n > 0);
	memcpy(&some, digest, sizeof(some));
	*ret_known = found < users->n;
	return &users->v[*ret_known ? found : some % users->n];
}

static void fill(struct web_users *u, const struct web_pairs *users, const struct credentials *c,
		 struct web_check *check)
{
	const struct web_pair *user = find_user(u, users, c->user, &check->known);
	struct str password = c->password;

	if (password.n > BCRYPT_PASSWORD)
		password.n = BCRYPT_PASSWORD;
	memcpy(check->hash, user->value, BCRYPT_HASH);
	copy_bytes(check->password, password.p, password.n);
	check->password_n = password.n;
	make_digest(u, c->user, (struct str){ check->hash, BCRYPT_HASH }, password, check->digest);
}

enum web_login web_users_check(struct web_users *u, const struct web_pairs *users,
			       struct str authorization, struct web_check *check)
{
	CLEANUP(credentials_done) struct credentials c = { 0 };
	enum web_login login = WEB_LOGIN_BUSY;

	if (!authorization.p || !parse_basic(authorization, &c))
		return WEB_LOGIN_WRONG;
	fill(u, users, &c, check);
	/* For an unknown name the hash is another user's: a match must not count.
	 */
	if (cache_has(u, check->digest) && check->known)
		login = WEB_LOGIN_OK;
	else if (fair_queue_push(&u->queue, &check->node))
		login = WEB_LOGIN_LATER;
	if (login != WEB_LOGIN_LATER)
		OPENSSL_cleanse(check->password, sizeof(check->password));
	return login;
}

void web_users_name(struct str authorization, char *user, size_t size)
{
	CLEANUP(credentials_done) struct credentials c = { 0 };

	user[0] = '\0';
	if (authorization.p && parse_basic(authorization, &c))
		snprintf(user, size, "%.*s", STR_ARG(c.user));
}
