#include "access/tls.h"

#include <openssl/err.h>
#include <pthread.h>

#include "access/tls_internal.h"

/* ---- names ---- */

enum { MAX_CIPHERS = 128 };

/* Points into OpenSSL's own tables: nothing here is freed. */
static struct {
	const SSL_CIPHER *v[MAX_CIPHERS];
	int n;
} ciphers;

/* Lists the ciphers that work with a certificate, and need no other parameters or keys, for which
 * the configuration has no place.
 */
static void list_ciphers(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	STACK_OF(SSL_CIPHER) * all;

	if (!ctx)
		return;
	SSL_CTX_set_cipher_list(ctx, "kECDHE:kRSA:!aNULL:!eNULL:!PSK");
	all = SSL_CTX_get_ciphers(ctx);
	for (int i = 0; i < sk_SSL_CIPHER_num(all) && ciphers.n < MAX_CIPHERS; i++)
		ciphers.v[ciphers.n++] = sk_SSL_CIPHER_value(all, i);
	SSL_CTX_free(ctx);
}

static const SSL_CIPHER *find_cipher(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, list_ciphers);
	for (int i = 0; i < ciphers.n; i++)
		if (strcmp(SSL_CIPHER_standard_name(ciphers.v[i]), name) == 0)
			return ciphers.v[i];
	return NULL;
}

bool web_tls_knows_cipher(const char *name)
{
	return find_cipher(name) != NULL;
}

static const struct {
	const char *name, *openssl;
} curves[] = {
	{ "CurveP256", "P-256" },
	{ "CurveP384", "P-384" },
	{ "CurveP521", "P-521" },
	{ "X25519", "X25519" },
};

static const char *find_curve(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (strcmp(curves[i].name, name) == 0)
			return curves[i].openssl;
	return NULL;
}

bool web_tls_knows_curve(const char *name)
{
	return find_curve(name) != NULL;
}

/* ---- versions, ciphers and curves ---- */

static void add_to_list(struct strbuf *list, const char *name)
{
	if (list->n)
		strbuf_addc(list, ':');
	strbuf_addz(list, name);
}

static int set_versions(const struct web_tls *tls, SSL_CTX *ctx, struct err *err)
{
	/* Their handshakes are signed with SHA-1, which Debian's default level forbids. */
	if (tls->min_version < TLS1_2_VERSION)
		SSL_CTX_set_security_level(ctx, 0);
	if (!SSL_CTX_set_min_proto_version(ctx, tls->min_version) ||
	    !SSL_CTX_set_max_proto_version(ctx, tls->max_version))
		return err_set(err, ERR_SYSTEM, 0, "cannot set min_version and max_version: %s",
			       openssl_reason());
	return 0;
}

static int set_ciphers(const struct web_tls *tls, SSL_CTX *ctx, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf list = { 0 };

	if (!tls->cipher_suites.n)
		return 0;
	for (size_t i = 0; i < tls->cipher_suites.n; i++) {
		const SSL_CIPHER *c = find_cipher(tls->cipher_suites.v[i]);

		if (!c)
			return err_set(err, ERR_SYSTEM, 0, "unknown cipher: %s",
				       tls->cipher_suites.v[i]);
		if (SSL_CIPHER_get_protocol_id(c) >> 8 != 0x13) /* not one of TLS 1.3's */
			add_to_list(&list, SSL_CIPHER_get_name(c));
	}
	/* No cipher is left for versions before 1.3, so these are not offered. */
	if (!list.n)
		SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	else if (!SSL_CTX_set_cipher_list(ctx, strbuf_z(&list)))
		return err_set(err, ERR_SYSTEM, 0, "cannot set cipher_suites: %s",
			       openssl_reason());
	return 0;
}

static int set_curves(const struct web_tls *tls, SSL_CTX *ctx, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf list = { 0 };

	if (!tls->curves.n)
		return 0;
	for (size_t i = 0; i < tls->curves.n; i++) {
		const char *name = find_curve(tls->curves.v[i]);

		if (!name)
			return err_set(err, ERR_SYSTEM, 0, "unknown curve: %s", tls->curves.v[i]);
		add_to_list(&list, name);
	}
	if (!SSL_CTX_set1_groups_list(ctx, strbuf_z(&list)))
		return err_set(err, ERR_SYSTEM, 0, "cannot set curve_preferences: %s",
			       openssl_reason());
	return 0;
}

/* Selects HTTP/1.1. If the client does not ask for it, the connection goes on without ALPN. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *n,
			   const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *selected;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&selected, n, ours, sizeof(ours) - 1, in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

/*
 * A resumed session brings no certificate. Where certificates count, each connection has to show it
 * again. Elsewhere a ticket is valid only with the context that made it.
 */
static void set_resumption(const struct web_tls *tls, SSL_CTX *ctx)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (tls->client_auth != WEB_NO_CLIENT_CERT) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
}

/* ---- certificate and key ---- */

static int bad_pair(struct err *err, const char *why)
{
	return err_set(err, ERR_SYSTEM, 0, "failed to load X509KeyPair: %s", why);
}

static int use_pair(SSL_CTX *ctx, const STACK_OF(X509) * chain, EVP_PKEY *key, struct err *err)
{
	X509 *leaf = sk_X509_value(chain, 0);

	ERR_clear_error();
	if (X509_check_private_key(leaf, key) != 1) {
		bool type = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;

		ERR_clear_error();
		return bad_pair(err, type ? "tls: private key type does not match public key type"
					  : "tls: private key does not match public key");
	}
	if (SSL_CTX_use_certificate(ctx, leaf) != 1)
		return bad_pair(err, openssl_reason());
	for (int i = 1; i < sk_X509_num(chain); i++)
		if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(chain, i)) != 1)
			return bad_pair(err, openssl_reason());
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		return bad_pair(err, openssl_reason());
	return 0;
}

static int parse_pair(SSL_CTX *ctx, struct str cert, struct str key, struct err *err)
{
	CLEANUP(free_certificates) STACK_OF(X509) *chain = NULL;
	EVP_PKEY *pkey = NULL;
	int r;

	switch (pem_certificates(cert, &chain)) {
	case PEM_NONE:
		return bad_pair(err, pem_has(cert, STR("PRIVATE KEY-----"))
					     ? "tls: failed to find certificate PEM data in "
					       "certificate input, but did find a private key; PEM "
					       "inputs may have been switched"
					     : "tls: failed to find any PEM data in certificate "
					       "input");
	case PEM_BAD:
		return bad_pair(err, "x509: malformed certificate");
	case PEM_OK:
		break;
	}
	switch (pem_key(key, &pkey)) {
	case PEM_NONE:
		return bad_pair(err, pem_has(key, STR("-----BEGIN CERTIFICATE-----"))
					     ? "tls: found a certificate rather than a key in the "
					       "PEM for the private key"
					     : "tls: failed to find any PEM data in key input");
	case PEM_BAD:
		return bad_pair(err, "tls: failed to parse private key");
	case PEM_OK:
		break;
	}
	r = use_pair(ctx, chain, pkey, err);
	EVP_PKEY_free(pkey);
	return r;
}

static int read_part(const char *key, const char *path, const char *text,
		     enum config_file_kinds which, struct strbuf *ret, struct err *err)
{
	char prefix[ERR_MSG_SIZE];

	if (pem_text(path, text, which, ret, err) == 0)
		return 0;
	snprintf(prefix, sizeof(prefix), "failed to read %s (%s): ", key, path);
	err_prefix(err, prefix);
	return -1;
}

static int set_pair(const struct web_tls *tls, enum config_file_kinds which, SSL_CTX *ctx,
		    struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf cert = { 0 };
	CLEANUP(strbuf_done) struct strbuf key = { 0 };
	int r;

	if (read_part("cert_file", tls->cert_file, tls->cert, which, &cert, err) < 0 ||
	    read_part("key_file", tls->key_file, tls->key, which, &key, err) < 0)
		return -1;
	r = parse_pair(ctx, strbuf_str(&cert), strbuf_str(&key), err);
	OPENSSL_cleanse(key.p, key.n);
	return r;
}

int web_tls_context(const struct web_tls *tls, enum config_file_kinds which, SSL_CTX **ret,
		    struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		return err_set(err, ERR_SYSTEM, 0, "cannot set up TLS: %s", openssl_reason());
	if (set_versions(tls, ctx, err) < 0 || set_ciphers(tls, ctx, err) < 0 ||
	    set_curves(tls, ctx, err) < 0 || set_pair(tls, which, ctx, err) < 0 ||
	    client_policy(tls, which, ctx, err) < 0) {
		SSL_CTX_free(ctx);
		return -1;
	}
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
	set_resumption(tls, ctx);
	*ret = ctx;
	return 0;
}

/* ---- comparing two contexts ---- */

static bool has_cipher(SSL_CTX *ctx, const SSL_CIPHER *cipher)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (sk_SSL_CIPHER_value(all, i) == cipher)
			return true;
	return false;
}

bool web_tls_is_weaker(SSL_CTX *from, SSL_CTX *to)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(to);

	if (SSL_CTX_get_min_proto_version(to) < SSL_CTX_get_min_proto_version(from))
		return true;
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (!has_cipher(from, sk_SSL_CIPHER_value(all, i)))
			return true;
	return client_policy_is_weaker(from, to);
}
