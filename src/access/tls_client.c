/*
 * Which certificates clients must show: Go's five policies on OpenSSL's two flags, and names of
 * which a certificate must have one.
 */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <pthread.h>

#include "access/tls_internal.h"
#include "base/mem.h"

/* Freed with its context, which may outlive the configuration. */
struct policy {
	bool verify;                  /* the chain too, not only the names */
	STACK_OF(X509) * authorities; /* NULL: those of the system */
	struct web_strings sans;
};

static void policy_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct policy *p = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	if (!p)
		return;
	for (size_t i = 0; i < p->sans.n; i++)
		free(p->sans.v[i]);
	free(p->sans.v);
	sk_X509_pop_free(p->authorities, X509_free);
	free(p);
}

static int policy_index;

static void make_index(void)
{
	policy_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, policy_free);
}

static struct policy *policy_new(const struct web_tls *tls)
{
	struct policy *p = mem_zalloc(sizeof(*p));

	p->verify = tls->client_auth == WEB_VERIFY_CLIENT_CERT_IF_GIVEN ||
		    tls->client_auth == WEB_REQUIRE_AND_VERIFY_CLIENT_CERT;
	p->sans.n = tls->client_allowed_sans.n;
	p->sans.v = mem_zalloc((p->sans.n + 1) * sizeof(char *));
	for (size_t i = 0; i < p->sans.n; i++)
		p->sans.v[i] = mem_strdup(tls->client_allowed_sans.v[i]);
	return p;
}

/* ---- names ---- */

/* Compares addresses as numbers, as one can be written in several ways. */
static bool is_address(const char *san, const ASN1_OCTET_STRING *address)
{
	static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	const unsigned char *p = ASN1_STRING_get0_data(address);
	int n = ASN1_STRING_length(address);
	struct in6_addr six;
	struct in_addr four;

	if (n == 16 && memcmp(p, mapped, sizeof(mapped)) == 0) {
		p += 12;
		n = 4;
	}
	if (n == 4)
		return inet_pton(AF_INET, san, &four) == 1 && memcmp(&four, p, 4) == 0;
	return n == 16 && inet_pton(AF_INET6, san, &six) == 1 && memcmp(&six, p, 16) == 0;
}

static bool is_name(const char *san, const GENERAL_NAME *name)
{
	const ASN1_STRING *s;

	switch (name->type) {
	case GEN_DNS:
	case GEN_EMAIL:
	case GEN_URI:
		s = name->d.ia5;
		return str_eq(str_of(san), (struct str){ (const char *)ASN1_STRING_get0_data(s),
							 (size_t)ASN1_STRING_length(s) });
	case GEN_IPADD:
		return is_address(san, name->d.iPAddress);
	default:
		return false;
	}
}

static bool has_allowed_name(X509 *cert, const struct web_strings *sans)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
		for (size_t k = 0; k < sans->n && !found; k++)
			found = is_name(sans->v[k], sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return found;
}

/* ---- the policy ---- */

/* OpenSSL calls this in the handshake, when the client has shown a certificate. 1: accepted. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	const struct policy *p = arg;

	if (p->verify && X509_verify_cert(store) != 1)
		return 0;
	if (p->sans.n && !has_allowed_name(X509_STORE_CTX_get0_cert(store), &p->sans)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	return 1;
}

static int add_authorities(SSL_CTX *ctx, const STACK_OF(X509) * certs, struct err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);

	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);

		/* The names are sent to the client, which may choose its certificate by them. */
		if (X509_STORE_add_cert(store, cert) != 1 || SSL_CTX_add_client_CA(ctx, cert) != 1)
			return err_set(err, ERR_SYSTEM, 0, "failed to use client CAs: %s",
				       openssl_reason());
	}
	/* As in Go, each one is a trust anchor, not only self-signed ones. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

static int load_authorities(const struct web_tls *tls, enum config_file_kinds which, SSL_CTX *ctx,
			    struct policy *p, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const char *path = tls->client_ca_file;

	if (pem_text(path, tls->client_ca, which, &text, err) < 0)
		return -1;
	switch (pem_certificates(strbuf_str(&text), &p->authorities)) {
	case PEM_OK:
		return add_authorities(ctx, p->authorities, err);
	case PEM_NONE:
		return err_set(err, ERR_SYSTEM, 0, "%s %s: no certificate in it",
			       path ? "client_ca_file" : "client_ca", path ? path : "");
	case PEM_BAD:
		break;
	}
	return err_set(err, ERR_SYSTEM, 0, "%s %s: a certificate in it cannot be read",
		       path ? "client_ca_file" : "client_ca", path ? path : "");
}

static int mode_of(const struct web_tls *tls)
{
	switch (tls->client_auth) {
	case WEB_NO_CLIENT_CERT:
		return SSL_VERIFY_NONE;
	case WEB_REQUEST_CLIENT_CERT:
	case WEB_VERIFY_CLIENT_CERT_IF_GIVEN:
		/* A client without a certificate has none of the names. */
		if (!tls->client_allowed_sans.n)
			return SSL_VERIFY_PEER;
		break;
	case WEB_REQUIRE_ANY_CLIENT_CERT:
	case WEB_REQUIRE_AND_VERIFY_CLIENT_CERT:
		break;
	}
	return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

int client_policy(const struct web_tls *tls, enum config_file_kinds which, SSL_CTX *ctx,
		  struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	bool authorities = tls->client_ca_file || tls->client_ca;
	struct policy *p;

	pthread_once(&once, make_index);
	p = policy_new(tls);
	SSL_CTX_set_ex_data(ctx, policy_index, p);
	if (authorities && load_authorities(tls, which, ctx, p, err) < 0)
		return -1;
	if (p->verify && !authorities)
		SSL_CTX_set_default_verify_paths(ctx); /* of the system, as in Go */
	SSL_CTX_set_verify(ctx, mode_of(tls), NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, p);
	return 0;
}

bool client_policy_verifies(SSL_CTX *ctx)
{
	const struct policy *p = SSL_CTX_get_ex_data(ctx, policy_index);

	return p && p->verify;
}

/* ---- comparing two contexts ---- */

static bool has_authority(const struct policy *p, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(p->authorities); i++)
		if (X509_cmp(sk_X509_value(p->authorities, i), cert) == 0)
			return true;
	return false;
}

static bool trusts_others(const struct policy *from, const struct policy *to)
{
	if (!from->authorities || !to->authorities)
		return from->authorities || to->authorities;
	for (int i = 0; i < sk_X509_num(to->authorities); i++)
		if (!has_authority(from, sk_X509_value(to->authorities, i)))
			return true;
	return false;
}

static bool has_san(const struct policy *p, const char *san)
{
	for (size_t i = 0; i < p->sans.n; i++)
		if (strcmp(p->sans.v[i], san) == 0)
			return true;
	return false;
}

static bool allows_others(const struct policy *from, const struct policy *to)
{
	if (!from->sans.n)
		return false;
	for (size_t i = 0; i < to->sans.n; i++)
		if (!has_san(from, to->sans.v[i]))
			return true;
	return to->sans.n == 0;
}

static bool requires_one(SSL_CTX *ctx)
{
	return SSL_CTX_get_verify_mode(ctx) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

bool client_policy_is_weaker(SSL_CTX *from, SSL_CTX *to)
{
	const struct policy *was = SSL_CTX_get_ex_data(from, policy_index);
	const struct policy *is = SSL_CTX_get_ex_data(to, policy_index);

	if (requires_one(from) && !requires_one(to))
		return true;
	if (was->verify && (!is->verify || trusts_others(was, is)))
		return true;
	return allows_others(was, is);
}
