#include "access/certificate_names.h"

#include <openssl/x509v3.h>

#include "access/tls_internal.h"
#include "base/array.h"

/* False for a name with a NUL or a control character, which may be made to look like another. */
static bool is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			return false;
	return s.n > 0;
}

static bool add(struct str prefix, struct str name, struct arena *a, struct str *ret)
{
	char *p = is_clean(name) ? arena_alloc(a, prefix.n + name.n) : NULL;

	if (!p)
		return false;
	copy_bytes(p, prefix.p, prefix.n);
	copy_bytes(p + prefix.n, name.p, name.n);
	*ret = (struct str){ p, prefix.n + name.n };
	return true;
}

/* Of several common names the last is the most specific one (RFC 4514 section 2.1). */
static bool add_common_name(X509 *cert, struct arena *a, struct str *ret)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = -1, last = -1;
	unsigned char *utf8 = NULL;
	bool added = false;
	int n;

	while ((at = X509_NAME_get_index_by_NID((X509_NAME *)subject, NID_commonName, at)) >= 0)
		last = at;
	if (last < 0)
		return false;
	n = ASN1_STRING_to_UTF8(&utf8,
				X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	if (n > 0)
		added = add(STR("cn:"), (struct str){ (char *)utf8, (size_t)n }, a, ret);
	OPENSSL_free(utf8);
	return added;
}

static bool add_host(const GENERAL_NAME *name, struct arena *a, struct str *ret)
{
	const ASN1_STRING *s;

	if (name->type != GEN_DNS)
		return false;
	s = name->d.dNSName;
	if (!add(STR("dns:"),
		 (struct str){ (const char *)ASN1_STRING_get0_data(s),
			       (size_t)ASN1_STRING_length(s) },
		 a, ret))
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (ret->p[i] >= 'A' && ret->p[i] <= 'Z')
			((char *)ret->p)[i] |= 0x20;
	return true;
}

uint32_t certificate_names(SSL *ssl, struct arena *a, struct str ret[CERTIFICATE_NAMES_MAX])
{
	X509 *cert = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
	GENERAL_NAMES *hosts;
	uint32_t n = 0;

	if (!cert || !client_policy_verifies(SSL_get_SSL_CTX(ssl)) ||
	    SSL_get_verify_result(ssl) != X509_V_OK)
		return 0;
	n += add_common_name(cert, a, &ret[n]);
	hosts = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(hosts) && n < CERTIFICATE_NAMES_MAX; i++)
		n += add_host(sk_GENERAL_NAME_value(hosts, i), a, &ret[n]);
	GENERAL_NAMES_free(hosts);
	return n;
}
