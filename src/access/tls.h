/*
 * Makes a TLS context from the web configuration: certificate, versions, ciphers, curves, and which
 * clients must show a certificate (exporter-toolkit, tls_server_config).
 */
#ifndef ACCESS_TLS_H
#define ACCESS_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "access/web_config.h"
#include "base/err.h"

/*
 * The caller owns a reference (SSL_CTX_free()); connections keep their own. Files are read now.
 * -1: *err says which file or key is wrong. Any thread.
 */
int web_tls_context(const struct web_tls *tls, enum config_file_kinds which, SSL_CTX **ret,
		    struct err *err);

/*
 * Whether `to` allows an older version, another cipher, or a client that `from` does not. Clients
 * are judged by policy, authorities and allowed names; any further authority counts. Any thread.
 */
bool web_tls_is_weaker(SSL_CTX *from, SSL_CTX *to);

/* A name of cipher_suites, as the IANA and Go write it; the suites of TLS 1.3 too. Any thread. */
bool web_tls_knows_cipher(const char *name);
/* A name of curve_preferences: CurveP256 ... Any thread. */
bool web_tls_knows_curve(const char *name);

#endif
