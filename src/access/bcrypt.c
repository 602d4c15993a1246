#include "access/bcrypt.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

/* "$2y$10$", 22 characters of salt, 31 of the digest. */
enum { COST_AT = 4, SALT_AT = 7, DIGEST_AT = 29, SHORTEST = 59, MIN_COST = 4, MAX_COST = 31 };

struct bcrypt {
	struct crypt_data data;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int bcrypt_cost(const char *hash)
{
	return (hash[COST_AT] - '0') * 10 + hash[COST_AT + 1] - '0';
}

static int check_cost(struct str hash, struct err *err)
{
	const char *c = hash.p + COST_AT;
	char quoted[16];
	int cost;

	if (!is_digit(c[0]) || !is_digit(c[1]))
		return err_set(err, ERR_CONFIG, 0, "crypto/bcrypt: cost %s is not a number",
			       str_quote((struct str){ c, 2 }, quoted, sizeof(quoted)));
	cost = bcrypt_cost(hash.p);
	if (cost < MIN_COST || cost > MAX_COST)
		return err_set(err, ERR_CONFIG, 0,
			       "crypto/bcrypt: cost %d is outside allowed inclusive range %d..%d",
			       cost, MIN_COST, MAX_COST);
	if (cost > BCRYPT_COST_MAX)
		return err_set(err, ERR_CONFIG, 0,
			       "crypto/bcrypt: cost %d is above %d: one check would take more than "
			       "ten seconds",
			       cost, BCRYPT_COST_MAX);
	return 0;
}

int bcrypt_check_hash(struct str hash, struct err *err)
{
	static const char alphabet[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char quoted[16];

	if (hash.n < SHORTEST)
		return err_set(err, ERR_CONFIG, 0,
			       "crypto/bcrypt: hashedSecret too short to be a bcrypted password");
	if (hash.p[0] != '$' || hash.p[1] != '2' || hash.p[3] != '$' || !strchr("aby", hash.p[2]))
		return err_set(err, ERR_CONFIG, 0,
			       "crypto/bcrypt: a hash begins with $2a$, $2b$ or $2y$, but "
			       "hashedSecret with %s",
			       str_quote((struct str){ hash.p, COST_AT }, quoted, sizeof(quoted)));
	if (check_cost(hash, err) < 0)
		return -1;
	if (hash.n != BCRYPT_HASH || hash.p[SALT_AT - 1] != '$')
		return err_set(err, ERR_CONFIG, 0,
			       "crypto/bcrypt: hashedSecret is not a bcrypted password");
	for (size_t i = SALT_AT; i < hash.n; i++)
		if (!hash.p[i] || !strchr(alphabet, hash.p[i]))
			return err_set(err, ERR_CONFIG, 0,
				       "crypto/bcrypt: illegal character in hashedSecret");
	return 0;
}

struct bcrypt *bcrypt_new(void)
{
	return mem_zalloc(sizeof(struct bcrypt));
}

void bcrypt_free(struct bcrypt *b)
{
	if (!b)
		return;
	OPENSSL_cleanse(b, sizeof(*b));
	free(b);
}

bool bcrypt_verify(struct bcrypt *b, const char hash[BCRYPT_HASH], struct str password)
{
	char setting[BCRYPT_HASH + 1], phrase[BCRYPT_PASSWORD + 1];
	size_t n = password.n < BCRYPT_PASSWORD ? password.n : BCRYPT_PASSWORD;
	const char *got;
	bool same;

	memcpy(setting, hash, BCRYPT_HASH);
	setting[BCRYPT_HASH] = '\0';
	/* For $2a$ libcrypt deviates from all others with some passwords that are not ASCII. */
	setting[2] = 'y';
	copy_bytes(phrase, password.p, n);
	phrase[n] = '\0';
	got = crypt_rn(phrase, setting, &b->data, sizeof(b->data));
	/* Compares only the digest, because not all bits of the salt's last character count. */
	same = got && strlen(got) == BCRYPT_HASH &&
	       CRYPTO_memcmp(got + DIGEST_AT, hash + DIGEST_AT, BCRYPT_HASH - DIGEST_AT) == 0;
	OPENSSL_cleanse(phrase, sizeof(phrase));
	return same && !memchr(password.p, '\0', n);
}
