/* Certificates that a test makes itself, since those in a repository would expire. */
#ifndef TESTS_LIB_CERTS_H
#define TESTS_LIB_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>

struct cert {
	EVP_PKEY *key;
	X509 *x509;
	char *pem, *key_pem; /* owned C strings */
};

struct cert_spec {
	const char *name;          /* common name */
	const struct cert *issuer; /* NULL: signed by itself */
	const char *san;           /* as in openssl.cnf: "DNS:a,IP:127.0.0.1"; NULL: none */
	const char *usage;         /* extended key usage: "serverAuth"; NULL: any */
	bool ca;
	bool expired;
	int rsa_bits; /* 0: an ECDSA key on P-256 */
};

void cert_make(struct cert *c, const struct cert_spec *spec);
void cert_done(struct cert *c);
/* The key as PEM that needs a passphrase; the caller frees it. */
char *cert_encrypted_key(const struct cert *c, const char *passphrase);

#endif
