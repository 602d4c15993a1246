/* Contexts made from good and bad material, and what they do in handshakes in memory. */
#include <check.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/tls.h"
#include "base/mem.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "lib/tls_meet.h"

static struct temp_dir dir;
static struct cert root, middle, server, rsa;

static void make_certs(void)
{
	cert_make(&root, &(struct cert_spec){ .name = "root", .ca = true });
	cert_make(&middle, &(struct cert_spec){ .name = "middle", .ca = true, .issuer = &root });
	cert_make(&server, &(struct cert_spec){ .name = "localhost",
						.san = "DNS:localhost",
						.issuer = &middle });
	cert_make(&rsa, &(struct cert_spec){ .name = "rsa", .issuer = &root, .rsa_bits = 2048 });
}

/* What the configuration has where a test says nothing else. */
static struct web_tls with_defaults(struct web_tls tls)
{
	if (!tls.cert_file && !tls.cert)
		tls.cert = server.pem;
	if (!tls.key_file && !tls.key)
		tls.key = server.key_pem;
	if (!tls.min_version)
		tls.min_version = TLS1_2_VERSION;
	if (!tls.max_version)
		tls.max_version = TLS1_3_VERSION;
	return tls;
}

static SSL_CTX *context_of(struct web_tls tls)
{
	struct err err = { 0 };
	SSL_CTX *ctx = NULL;

	tls = with_defaults(tls);
	ck_assert_msg(web_tls_context(&tls, CONFIG_FILE_ANY, &ctx, &err) == 0, "%s", err.msg);
	return ctx;
}

/* ---- material ---- */

static char *joined(const char *a, const char *b)
{
	char *z;

	ck_assert(asprintf(&z, "%s%s", a, b) >= 0);
	return z;
}

static char *file_with(const char *name, const char *text)
{
	char *path;
	FILE *f;

	ck_assert(asprintf(&path, "%s/%s", dir.path, name) >= 0);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	return path;
}

static void check_refused(struct web_tls tls, const char *message)
{
	struct err err = { 0 };
	SSL_CTX *ctx = NULL;

	tls = with_defaults(tls);
	ck_assert_int_eq(web_tls_context(&tls, CONFIG_FILE_ANY, &ctx, &err), -1);
	ck_assert_str_eq(err.msg, message);
	ck_assert_ptr_null(ctx);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

/* Words of the Go gateway, observed, but for those about a certificate that is no ASN.1. */
START_TEST(bad_material_is_refused)
{
	static const char not_asn1[] =
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	static const char not_a_key[] =
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
	CLEANUP(freep) char *cut = joined(server.pem, "-----BEGIN CERTIFICATE-----\nMIIB");
	CLEANUP(freep) char *sealed = cert_encrypted_key(&server, "secret");
	static const char pair[] = "failed to load X509KeyPair: ";
	const struct {
		const char *cert, *key, *message;
	} rows[] = {
		{ server.pem, root.key_pem, "tls: private key does not match public key" },
		{ server.pem, rsa.key_pem, "tls: private key type does not match public key type" },
		{ "x\n", server.key_pem, "tls: failed to find any PEM data in certificate input" },
		{ "", server.key_pem, "tls: failed to find any PEM data in certificate input" },
		{ server.key_pem, server.key_pem,
		  "tls: failed to find certificate PEM data in certificate input, but did find a "
		  "private key; PEM inputs may have been switched" },
		{ not_asn1, server.key_pem, "x509: malformed certificate" },
		{ cut, server.key_pem, "x509: malformed certificate" },
		{ server.pem, "x\n", "tls: failed to find any PEM data in key input" },
		{ server.pem, server.pem,
		  "tls: found a certificate rather than a key in the PEM for the private key" },
		{ server.pem, not_a_key, "tls: failed to parse private key" },
		{ server.pem, sealed, "tls: failed to parse private key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(freep) char *message = joined(pair, rows[i].message);

		check_refused((struct web_tls){ .cert = (char *)rows[i].cert,
						.key = (char *)rows[i].key },
			      message);
	}
}
END_TEST

START_TEST(files_that_cannot_be_read_are_named)
{
	CLEANUP(freep) char *cert = file_with("cert.pem", server.pem);
	char nowhere[] = "/nowhere/x.pem";

	check_refused((struct web_tls){ .cert_file = nowhere },
		      "failed to read cert_file (/nowhere/x.pem): open /nowhere/x.pem: no such "
		      "file or directory");
	check_refused((struct web_tls){ .cert_file = cert, .key_file = nowhere },
		      "failed to read key_file (/nowhere/x.pem): open /nowhere/x.pem: no such "
		      "file or directory");
	check_refused((struct web_tls){ .client_ca_file = nowhere,
					.client_auth = WEB_REQUEST_CLIENT_CERT },
		      "open /nowhere/x.pem: no such file or directory");
	check_refused((struct web_tls){ .client_ca = server.key_pem,
					.client_auth = WEB_REQUEST_CLIENT_CERT },
		      "client_ca : no certificate in it");
}
END_TEST

START_TEST(a_directory_and_a_huge_file_are_no_certificates)
{
	CLEANUP(freep) char *spaces = mem_alloc((1 << 20) + 2);
	CLEANUP(freep) char *huge = NULL, *message = NULL, *is_directory = NULL;

	memset(spaces, ' ', (1 << 20) + 1);
	spaces[(1 << 20) + 1] = '\0';
	huge = file_with("huge.pem", spaces);
	ck_assert(asprintf(&message, "failed to read cert_file (%s): read %s: larger than 1 MiB",
			   huge, huge) >= 0);
	check_refused((struct web_tls){ .cert_file = huge }, message);
	ck_assert(asprintf(&is_directory, "failed to read cert_file (%s): read %s: is a directory",
			   dir.path, dir.path) >= 0);
	check_refused((struct web_tls){ .cert_file = dir.path }, is_directory);
}
END_TEST

static bool verified_by_root(SSL_CTX *ctx)
{
	struct met m = meet(ctx, &(struct client){ .trusted = &root });
	long r = SSL_get_verify_result(m.client);

	ck_assert(m.ok);
	part(&m);
	return r == X509_V_OK;
}

START_TEST(the_chain_is_sent_from_files_and_inline)
{
	CLEANUP(freep) char *chain = joined(server.pem, middle.pem);
	CLEANUP(freep) char *chain_file = file_with("chain.pem", chain);
	CLEANUP(freep) char *key_file = file_with("key.pem", server.key_pem);
	char not_used[] = "not used";
	SSL_CTX *inline_ = context_of((struct web_tls){ .cert = chain });
	SSL_CTX *files = context_of((struct web_tls){
		.cert_file = chain_file, .key_file = key_file, .cert = not_used, .key = not_used });
	SSL_CTX *leaf = context_of((struct web_tls){ 0 });

	ck_assert(verified_by_root(inline_));
	ck_assert(verified_by_root(files));
	ck_assert(!verified_by_root(leaf));
	SSL_CTX_free(inline_);
	SSL_CTX_free(files);
	SSL_CTX_free(leaf);
}
END_TEST

START_TEST(an_rsa_certificate_works)
{
	SSL_CTX *ctx = context_of((struct web_tls){ .cert = rsa.pem, .key = rsa.key_pem });

	ck_assert(verified_by_root(ctx));
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(a_weak_key_is_for_old_versions_only)
{
	struct web_tls tls;
	struct cert weak;

	cert_make(&weak, &(struct cert_spec){ .name = "weak", .rsa_bits = 1024 });
	tls = (struct web_tls){ .cert = weak.pem, .key = weak.key_pem };
	check_refused(tls, "failed to load X509KeyPair: ee key too small");
	tls.min_version = TLS1_1_VERSION;
	SSL_CTX_free(context_of(tls));
	cert_done(&weak);
}
END_TEST

/* ---- what is spoken ---- */

static const struct {
	int min, max, client_min, client_max, spoken; /* 0: the default; nothing */
} versions[] = {
	{ 0, 0, 0, 0, TLS1_3_VERSION },
	{ 0, 0, 0, TLS1_2_VERSION, TLS1_2_VERSION },
	{ 0, 0, 0, TLS1_1_VERSION, 0 },
	{ TLS1_VERSION, 0, 0, TLS1_VERSION, TLS1_VERSION },
	{ TLS1_1_VERSION, 0, 0, TLS1_1_VERSION, TLS1_1_VERSION },
	{ TLS1_1_VERSION, 0, 0, TLS1_VERSION, 0 },
	{ TLS1_VERSION, TLS1_1_VERSION, 0, 0, TLS1_1_VERSION },
	{ 0, TLS1_2_VERSION, 0, 0, TLS1_2_VERSION },
	{ 0, TLS1_2_VERSION, TLS1_3_VERSION, 0, 0 },
	{ TLS1_3_VERSION, 0, 0, TLS1_2_VERSION, 0 },
	{ TLS1_3_VERSION, 0, 0, 0, TLS1_3_VERSION },
};

START_TEST(version_row)
{
	SSL_CTX *ctx = context_of((struct web_tls){ .min_version = versions[_i].min,
						    .max_version = versions[_i].max });
	struct met m = meet(ctx, &(struct client){ .min_version = versions[_i].client_min,
						   .max_version = versions[_i].client_max });

	ck_assert_int_eq(m.ok, versions[_i].spoken != 0);
	if (m.ok)
		ck_assert_int_eq(SSL_version(m.server), versions[_i].spoken);
	part(&m);
	SSL_CTX_free(ctx);
}
END_TEST

static char aes128[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
static char aes256[] = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
static char of_rsa[] = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
static char of_13[] = "TLS_AES_128_GCM_SHA256";

static const struct {
	char *v[2];
	size_t n;
	int client_max;
	const char *client, *spoken; /* NULL: nothing */
} suites[] = {
	{ { aes128 }, 1, TLS1_2_VERSION, NULL, aes128 },
	{ { aes256 }, 1, TLS1_2_VERSION, NULL, aes256 },
	{ { aes128, aes256 }, 2, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", aes256 },
	{ { aes128 }, 1, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", NULL },
	{ { of_rsa }, 1, TLS1_2_VERSION, NULL, NULL }, /* not with our certificate */
	{ { aes128 }, 1, TLS1_3_VERSION, NULL, "TLS_AES_256_GCM_SHA384" },
	{ { of_13, aes128 }, 2, TLS1_2_VERSION, NULL, aes128 },
	{ { of_13 }, 1, TLS1_2_VERSION, NULL, NULL },
	{ { of_13 }, 1, TLS1_3_VERSION, NULL, "TLS_AES_256_GCM_SHA384" },
};

START_TEST(cipher_row)
{
	SSL_CTX *ctx = context_of(
		(struct web_tls){ .cipher_suites = { (char **)suites[_i].v, suites[_i].n } });
	struct met m = meet(ctx, &(struct client){ .max_version = suites[_i].client_max,
						   .ciphers = suites[_i].client });

	ck_assert_int_eq(m.ok, suites[_i].spoken != NULL);
	if (m.ok)
		ck_assert_str_eq(SSL_CIPHER_standard_name(SSL_get_current_cipher(m.server)),
				 suites[_i].spoken);
	part(&m);
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(curves_are_those_that_are_asked_for)
{
	char p384[] = "CurveP384", x25519[] = "X25519";
	char *v[] = { p384, x25519 };
	SSL_CTX *ctx = context_of((struct web_tls){ .curves = { v, 2 } });
	struct met m = meet(ctx, &(struct client){ .groups = "P-256:P-384" });

	ck_assert(m.ok);
	ck_assert_int_eq(SSL_get_negotiated_group(m.server), NID_secp384r1);
	part(&m);
	ck_assert(accepts(ctx, &(struct client){ .groups = "X25519" }));
	ck_assert(!accepts(ctx, &(struct client){ .groups = "P-256:P-521" }));
	ck_assert(!accepts(ctx,
			   &(struct client){ .groups = "P-256", .max_version = TLS1_2_VERSION }));
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(names_are_known)
{
	static const char *const known[] = {
		aes128,
		aes256,
		of_rsa,
		of_13,
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
		"TLS_CHACHA20_POLY1305_SHA256",
	};
	static const char *const unknown[] = {
		"",
		"FOO",
		"ECDHE-ECDSA-AES128-GCM-SHA256",
		"TLS_RSA_WITH_NULL_SHA",
		"TLS_DH_anon_WITH_AES_128_GCM_SHA256",
		"TLS_PSK_WITH_AES_128_GCM_SHA256",
		"tls_aes_128_gcm_sha256",
	};
	static const char *const curves[] = { "CurveP256", "CurveP384", "CurveP521", "X25519" };
	char foo[] = "FOO";
	char *v[] = { foo };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		ck_assert_msg(web_tls_knows_cipher(known[i]), "%s", known[i]);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		ck_assert_msg(!web_tls_knows_cipher(unknown[i]), "%s", unknown[i]);
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		char *curve[] = { (char *)curves[i] };

		ck_assert(web_tls_knows_curve(curves[i]));
		SSL_CTX_free(context_of((struct web_tls){ .curves = { curve, 1 } }));
	}
	ck_assert(!web_tls_knows_curve("P-256"));
	check_refused((struct web_tls){ .cipher_suites = { v, 1 } }, "unknown cipher: FOO");
	check_refused((struct web_tls){ .curves = { v, 1 } }, "unknown curve: FOO");
}
END_TEST

static const struct {
	struct str offered;
	const char *selected; /* NULL: the answer has none */
} protocols[] = {
	{ { "\x08http/1.1", 9 }, "http/1.1" },
	{ { "\x02h2\x08http/1.1", 12 }, "http/1.1" },
	{ { "\x02h2", 3 }, NULL },
	{ { NULL, 0 }, NULL },
};

START_TEST(protocol_row)
{
	SSL_CTX *ctx = context_of((struct web_tls){ 0 });
	struct met m = meet(ctx, &(struct client){ .alpn = protocols[_i].offered });
	const unsigned char *p;
	unsigned n;

	ck_assert(m.ok);
	SSL_get0_alpn_selected(m.client, &p, &n);
	ck_assert(str_eq((struct str){ (const char *)p, n },
			 protocols[_i].selected ? str_of(protocols[_i].selected) : STR_NULL));
	part(&m);
	SSL_CTX_free(ctx);
}
END_TEST

static TCase *cases(void)
{
	TCase *tc = tcase_create("tls");

	tcase_add_test(tc, bad_material_is_refused);
	tcase_add_test(tc, files_that_cannot_be_read_are_named);
	tcase_add_test(tc, a_directory_and_a_huge_file_are_no_certificates);
	tcase_add_test(tc, the_chain_is_sent_from_files_and_inline);
	tcase_add_test(tc, an_rsa_certificate_works);
	tcase_add_test(tc, a_weak_key_is_for_old_versions_only);
	tcase_add_loop_test(tc, version_row, 0, (int)ARRAY_LEN(versions));
	tcase_add_loop_test(tc, cipher_row, 0, (int)ARRAY_LEN(suites));
	tcase_add_test(tc, curves_are_those_that_are_asked_for);
	tcase_add_test(tc, names_are_known);
	tcase_add_loop_test(tc, protocol_row, 0, (int)ARRAY_LEN(protocols));
	return tc;
}

int main(void)
{
	int failed;

	temp_dir_make(&dir);
	make_certs();
	failed = run_cases("tls", cases());
	cert_done(&root);
	cert_done(&middle);
	cert_done(&server);
	cert_done(&rsa);
	temp_dir_remove(&dir);
	return failed;
}
