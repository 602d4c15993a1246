#include "lib/tls_meet.h"

#include <assert.h>
#include <openssl/err.h>

static SSL_CTX *client_context(const struct client *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, c->min_version ? c->min_version : TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, c->max_version ? c->max_version : TLS1_3_VERSION);
	if (c->ciphers)
		assert(SSL_CTX_set_cipher_list(ctx, c->ciphers));
	if (c->groups)
		assert(SSL_CTX_set1_groups_list(ctx, c->groups));
	if (c->cert) {
		assert(SSL_CTX_use_certificate(ctx, c->cert->x509));
		assert(SSL_CTX_use_PrivateKey(ctx, c->cert->key));
	}
	if (c->trusted)
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), c->trusted->x509);
	return ctx;
}

/* One side takes its turn; false: it has failed. */
static bool step(SSL *ssl, bool *done)
{
	int r = SSL_do_handshake(ssl);

	*done = r == 1;
	if (r != 1 && SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
		return false;
	ERR_clear_error();
	return true;
}

struct met meet(SSL_CTX *ctx, const struct client *c)
{
	SSL_CTX *cctx = client_context(c);
	struct met m = { .server = SSL_new(ctx), .client = SSL_new(cctx) };
	bool server_done = false, client_done = false;
	BIO *a, *b;
	char byte;

	BIO_new_bio_pair(&a, 0, &b, 0);
	SSL_set_bio(m.server, a, a);
	SSL_set_bio(m.client, b, b);
	SSL_set_accept_state(m.server);
	SSL_set_connect_state(m.client);
	if (c->alpn.n)
		SSL_set_alpn_protos(m.client, (const unsigned char *)c->alpn.p,
				    (unsigned)c->alpn.n);
	if (c->session)
		SSL_set_session(m.client, c->session);
	while (!server_done || !client_done)
		if (!step(m.client, &client_done) || !step(m.server, &server_done))
			break;
	m.ok = server_done;
	SSL_read(m.client, &byte, 1); /* takes the tickets that came last */
	ERR_clear_error();
	SSL_CTX_free(cctx);
	return m;
}

void part(struct met *m)
{
	/* Without this the session would count as broken. */
	SSL_set_shutdown(m->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(m->server);
	SSL_free(m->client);
}

bool accepts(SSL_CTX *ctx, const struct client *c)
{
	struct met m = meet(ctx, c);

	part(&m);
	return m.ok;
}
