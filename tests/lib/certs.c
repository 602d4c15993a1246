#include "lib/certs.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static const long DAY = 24L * 60 * 60;

static char *text_of(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	char *z = strndup(p, (size_t)n);

	BIO_free(bio);
	return z;
}

static void add_extension(const struct cert *c, const struct cert *issuer, int nid,
			  const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	if (!value)
		return;
	X509V3_set_ctx(&ctx, issuer->x509, c->x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(extension);
	X509_add_ext(c->x509, extension, -1);
	X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, const char *common)
{
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1,
				   0);
}

static EVP_PKEY *new_key(int rsa_bits)
{
	return rsa_bits ? EVP_RSA_gen((unsigned)rsa_bits) : EVP_EC_gen("P-256");
}

void cert_make(struct cert *c, const struct cert_spec *spec)
{
	static long serial;
	const struct cert *issuer = spec->issuer ? spec->issuer : c;
	BIO *pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());

	c->key = new_key(spec->rsa_bits);
	c->x509 = X509_new();
	X509_set_version(c->x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c->x509), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(c->x509), -2 * DAY);
	X509_gmtime_adj(X509_getm_notAfter(c->x509), spec->expired ? -DAY : DAY);
	X509_set_pubkey(c->x509, c->key);
	set_name(X509_get_subject_name(c->x509), spec->name);
	X509_set_issuer_name(c->x509, X509_get_subject_name(issuer->x509));
	add_extension(c, issuer, NID_basic_constraints, spec->ca ? "critical,CA:TRUE" : NULL);
	add_extension(c, issuer, NID_subject_alt_name, spec->san);
	add_extension(c, issuer, NID_ext_key_usage, spec->usage);
	assert(X509_sign(c->x509, issuer->key, EVP_sha256()));
	assert(PEM_write_bio_X509(pem, c->x509));
	assert(PEM_write_bio_PrivateKey(key_pem, c->key, NULL, NULL, 0, NULL, NULL));
	c->pem = text_of(pem);
	c->key_pem = text_of(key_pem);
}

void cert_done(struct cert *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->x509);
	free(c->pem);
	free(c->key_pem);
	*c = (struct cert){ 0 };
}

char *cert_encrypted_key(const struct cert *c, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert(PEM_write_bio_PKCS8PrivateKey(bio, c->key, EVP_aes_128_cbc(), passphrase,
					     (int)strlen(passphrase), NULL, NULL));
	return text_of(bio);
}
