/* PEM from files or from the configuration itself. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "access/tls_internal.h"

enum { FILE_MAX = 1024 * 1024 };

int pem_text(const char *path, const char *text, enum config_file_kinds which, struct strbuf *ret,
	     struct err *err)
{
	if (path && config_file_read(path, which, FILE_MAX, ret, err) < 0)
		return -1;
	if (path && ret->n > FILE_MAX)
		return err_set(err, ERR_SYSTEM, 0, "read %s: larger than 1 MiB", path);
	if (!path && text)
		strbuf_addz(ret, text);
	return 0;
}

/* Gives no passphrase, since there is nobody to ask for one. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The last call failed only because the text has no more blocks. */
static bool at_end(void)
{
	unsigned long e = ERR_peek_last_error();
	bool end = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return end;
}

enum pem_result pem_certificates(struct str text, STACK_OF(X509) * *ret)
{
	BIO *bio = BIO_new_mem_buf(text.p ? text.p : "", (int)text.n);
	X509 *cert;

	ERR_clear_error();
	*ret = sk_X509_new_null();
	while ((cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		sk_X509_push(*ret, cert);
	BIO_free(bio);
	if (!at_end())
		return PEM_BAD;
	return sk_X509_num(*ret) > 0 ? PEM_OK : PEM_NONE;
}

bool pem_has(struct str text, struct str part)
{
	return text.n && memmem(text.p, text.n, part.p, part.n) != NULL;
}

enum pem_result pem_key(struct str text, EVP_PKEY **ret)
{
	BIO *bio = BIO_new_mem_buf(text.p ? text.p : "", (int)text.n);

	*ret = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (*ret)
		return PEM_OK;
	return pem_has(text, STR("PRIVATE KEY-----")) ? PEM_BAD : PEM_NONE;
}

const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason ? reason : "unknown error";
}
