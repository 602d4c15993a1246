/* A handshake in memory between a TLS server's context and a client. */
#ifndef TESTS_LIB_TLS_MEET_H
#define TESTS_LIB_TLS_MEET_H

#include <openssl/ssl.h>

#include "base/str.h"
#include "lib/certs.h"

/* Members that are 0 or NULL stand for the library's default. */
struct client {
	int min_version, max_version;
	const char *ciphers, *groups;
	const struct cert *cert;
	const struct cert *trusted;
	struct str alpn; /* as on the wire */
	SSL_SESSION *session;
};

struct met {
	SSL *server, *client;
	bool ok; /* for the server: in TLS 1.3 the client learns of a refusal later */
};

struct met meet(SSL_CTX *ctx, const struct client *c);
void part(struct met *m);
bool accepts(SSL_CTX *ctx, const struct client *c);

#endif
