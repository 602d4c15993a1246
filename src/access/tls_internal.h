/* What the files that make a TLS context share. */
#ifndef ACCESS_TLS_INTERNAL_H
#define ACCESS_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "access/web_config.h"
#include "base/err.h"
#include "base/str.h"

/*
 * tls_pem.c. PEM text is from `path`, or else from `text`; NULL is none. -1: the message is that
 * of the file system, as Go words it.
 */
int pem_text(const char *path, const char *text, enum config_file_kinds which, struct strbuf *ret,
	     struct err *err);
enum pem_result {
	PEM_OK,
	PEM_NONE, /* the text has no block of that kind */
	PEM_BAD,  /* a block cannot be read */
};
/* All certificates in the order of the text; the caller frees *ret. */
enum pem_result pem_certificates(struct str text, STACK_OF(X509) * *ret);
/* The first private key; one with a passphrase is PEM_BAD. */
enum pem_result pem_key(struct str text, EVP_PKEY **ret);
bool pem_has(struct str text, struct str part);
/* Why OpenSSL's last call on this thread failed; empties its list of errors. */
const char *openssl_reason(void);

static inline void free_certificates(STACK_OF(X509) * *certs)
{
	sk_X509_pop_free(*certs, X509_free);
}

/*
 * tls_client.c: sets which certificates clients must show, by client_auth and the keys that go with
 * it.
 */
int client_policy(const struct web_tls *tls, enum config_file_kinds which, SSL_CTX *ctx,
		  struct err *err);
/* Whether certificates that clients show on connections with this context are verified. */
bool client_policy_verifies(SSL_CTX *ctx);
/* Whether `to` lets in a client, with or without a certificate, that `from` may refuse. */
bool client_policy_is_weaker(SSL_CTX *from, SSL_CTX *to);

#endif
