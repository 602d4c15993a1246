/*
 * tls_server_config: parses it, and checks all that can be checked without reading the files that
 * it names.
 */
#include <stdlib.h>
#include <string.h>

#include "access/tls.h"
#include "access/web_config_internal.h"
#include "base/mem.h"

/* An empty string counts as not given. */
static int read_given(const struct yaml_node *n, void *to, struct err *err)
{
	char **z = to;

	if (yaml_read_text(n, "string", z, err) < 0)
		return -1;
	if (*z && !**z) {
		free(*z);
		*z = NULL;
	}
	return 0;
}

static const struct {
	struct str name;
	int version;
} versions[] = {
	{ { "TLS10", 5 }, 0x0301 },
	{ { "TLS11", 5 }, 0x0302 },
	{ { "TLS12", 5 }, 0x0303 },
	{ { "TLS13", 5 }, 0x0304 },
};

static int read_version(const struct yaml_node *n, void *to, struct err *err)
{
	if (n->kind != YAML_SCALAR)
		return yaml_wrong_type(n, "string", err);
	if (yaml_is_null(n))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (str_eq(versions[i].name, n->text)) {
			*(int *)to = versions[i].version;
			return 0;
		}
	return yaml_wrong_value(n, "unknown TLS version", err);
}

/* A list, each item of which has to be known. */
static int read_known(const struct yaml_node *n, const char *type, bool (*known)(const char *name),
		      const char *unknown, struct web_strings *to, struct err *err)
{
	const struct yaml_item *item = n->items;

	if (read_strings(n, type, to, err) < 0)
		return -1;
	for (size_t i = 0; i < to->n; i++, item = item->next)
		if (!known(to->v[i]))
			return yaml_wrong_value(item->value, unknown, err);
	return 0;
}

static int read_ciphers(const struct yaml_node *n, void *to, struct err *err)
{
	return read_known(n, "[]web.Cipher", web_tls_knows_cipher, "unknown cipher", to, err);
}

static int read_curves(const struct yaml_node *n, void *to, struct err *err)
{
	return read_known(n, "[]web.Curve", web_tls_knows_curve, "unknown curve", to, err);
}

static int read_sans(const struct yaml_node *n, void *to, struct err *err)
{
	struct web_strings *sans = to;

	if (read_strings(n, "[]string", sans, err) < 0)
		return -1;
	/* The Go gateway would let nobody in; an empty struct web_strings means everybody. */
	if (n->kind == YAML_LIST && sans->n == 0)
		return err_set(err, ERR_CONFIG, n->line, "line %u: client_allowed_sans is empty",
			       n->line);
	return 0;
}

/* Kept for later: other errors are reported first. */
static int keep_node(const struct yaml_node *n, void *to, struct err *err)
{
	(void)err;
	*(const struct yaml_node **)to = n;
	return 0;
}

static int read_ignored(const struct yaml_node *n, void *to, struct err *err)
{
	bool ignored;

	(void)to;
	return yaml_read_bool(n, &ignored, err);
}

struct section {
	struct web_tls tls;
	const struct yaml_node *client_auth;
};

#define AT(member) offsetof(struct section, member)

static const struct yaml_field fields[] = {
	{ "cert", read_given, AT(tls.cert) },
	{ "key", read_given, AT(tls.key) },
	{ "client_ca", read_given, AT(tls.client_ca) },
	{ "cert_file", read_given, AT(tls.cert_file) },
	{ "key_file", read_given, AT(tls.key_file) },
	{ "client_auth_type", keep_node, AT(client_auth) },
	{ "client_ca_file", read_given, AT(tls.client_ca_file) },
	{ "cipher_suites", read_ciphers, AT(tls.cipher_suites) },
	{ "curve_preferences", read_curves, AT(tls.curves) },
	{ "min_version", read_version, AT(tls.min_version) },
	{ "max_version", read_version, AT(tls.max_version) },
	{ "prefer_server_cipher_suites", read_ignored, 0 },
	{ "client_allowed_sans", read_sans, AT(tls.client_allowed_sans) },
};

static const struct yaml_type type = { "web.TLSConfig", fields, ARRAY_LEN(fields) };

static const struct {
	struct str name;
	enum web_client_auth auth;
} policies[] = {
	{ { "", 0 }, WEB_NO_CLIENT_CERT },
	{ { "NoClientCert", 12 }, WEB_NO_CLIENT_CERT },
	{ { "RequestClientCert", 17 }, WEB_REQUEST_CLIENT_CERT },
	{ { "RequireAnyClientCert", 20 }, WEB_REQUIRE_ANY_CLIENT_CERT },
	{ { "RequireClientCert", 17 }, WEB_REQUIRE_ANY_CLIENT_CERT },
	{ { "VerifyClientCertIfGiven", 23 }, WEB_VERIFY_CLIENT_CERT_IF_GIVEN },
	{ { "RequireAndVerifyClientCert", 26 }, WEB_REQUIRE_AND_VERIFY_CLIENT_CERT },
};

static int set_policy(const struct yaml_node *n, enum web_client_auth *to, struct err *err)
{
	for (size_t i = 0; n && i < ARRAY_LEN(policies); i++)
		if (str_eq(policies[i].name, n->text)) {
			*to = policies[i].auth;
			return 0;
		}
	return n ? yaml_wrong_value(n, "invalid ClientAuth", err) : 0;
}

static int refuse(const struct yaml_node *n, const char *why, struct err *err)
{
	return err_set(err, ERR_CONFIG, n->line, "line %u: %s", n->line, why);
}

static int check(const struct yaml_node *n, struct web_tls *tls,
		 const struct yaml_node *client_auth, struct err *err)
{
	const char *ca = tls->client_ca_file ? tls->client_ca_file : tls->client_ca;

	tls->on = tls->cert_file || tls->cert || tls->key_file || tls->key || ca ||
		  (client_auth && client_auth->text.n > 0);
	if (!tls->on)
		return 0;
	if (!tls->cert_file && !tls->cert)
		return refuse(n, "missing one of cert or cert_file", err);
	if (!tls->key_file && !tls->key)
		return refuse(n, "missing one of key or key_file", err);
	if (set_policy(client_auth, &tls->client_auth, err) < 0)
		return -1;
	if (ca && tls->client_auth == WEB_NO_CLIENT_CERT)
		return refuse(n, "client CA's have been configured without a Client Auth Policy",
			      err);
	if (tls->min_version > tls->max_version)
		return refuse(n, "min_version is above max_version", err);
	return 0;
}

int read_tls(const struct yaml_node *n, void *to, struct err *err)
{
	struct web_tls *tls = to;
	struct section s = { .tls = *tls };
	int r = yaml_read_struct(n, &type, &s, err);

	*tls = s.tls;
	if (r < 0)
		return -1;
	if (s.client_auth && s.client_auth->kind != YAML_SCALAR)
		return yaml_wrong_type(s.client_auth, "string", err);
	if (s.client_auth && yaml_is_null(s.client_auth))
		s.client_auth = NULL;
	return check(n, tls, s.client_auth, err);
}

void tls_free(struct web_tls *tls)
{
	if (tls->key)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->cert_file);
	free(tls->key_file);
	free(tls->cert);
	free(tls->key);
	free(tls->client_ca_file);
	free(tls->client_ca);
	strings_free(&tls->client_allowed_sans);
	strings_free(&tls->cipher_suites);
	strings_free(&tls->curves);
}
