/* Which clients a context lets in: certificates of all sorts, and sessions that are resumed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/tls.h"
#include "base/mem.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "lib/tls_meet.h"

static struct temp_dir dir;
static struct cert root, middle, other_root, server;

enum { NONE, SIGNED, BY_MIDDLE, OTHER, OWN, EXPIRED, FOR_SERVERS, N_SHOWN };

static struct cert shown[N_SHOWN];

static void make_certs(void)
{
	cert_make(&root, &(struct cert_spec){ .name = "root", .ca = true });
	cert_make(&middle, &(struct cert_spec){ .name = "middle", .ca = true, .issuer = &root });
	cert_make(&other_root, &(struct cert_spec){ .name = "root", .ca = true });
	cert_make(&server, &(struct cert_spec){ .name = "localhost" });
	cert_make(&shown[SIGNED], &(struct cert_spec){ .name = "signed", .issuer = &root });
	cert_make(&shown[BY_MIDDLE], &(struct cert_spec){ .name = "middle's", .issuer = &middle });
	cert_make(&shown[OTHER], &(struct cert_spec){ .name = "other", .issuer = &other_root });
	cert_make(&shown[OWN], &(struct cert_spec){ .name = "self-signed" });
	cert_make(&shown[EXPIRED],
		  &(struct cert_spec){ .name = "expired", .issuer = &root, .expired = true });
	cert_make(&shown[FOR_SERVERS],
		  &(struct cert_spec){ .name = "server", .issuer = &root, .usage = "serverAuth" });
}

static SSL_CTX *context_of(struct web_tls tls)
{
	struct err err = { 0 };
	SSL_CTX *ctx = NULL;

	tls.cert = server.pem;
	tls.key = server.key_pem;
	tls.min_version = TLS1_2_VERSION;
	tls.max_version = TLS1_3_VERSION;
	ck_assert_msg(web_tls_context(&tls, CONFIG_FILE_ANY, &ctx, &err) == 0, "%s", err.msg);
	return ctx;
}

static const struct {
	enum web_client_auth auth;
	bool accepted[N_SHOWN];
} policies[] = {
	{ WEB_NO_CLIENT_CERT, { true, true, true, true, true, true, true } },
	{ WEB_REQUEST_CLIENT_CERT, { true, true, true, true, true, true, true } },
	{ WEB_REQUIRE_ANY_CLIENT_CERT, { false, true, true, true, true, true, true } },
	{ WEB_VERIFY_CLIENT_CERT_IF_GIVEN, { true, true, false, false, false, false, false } },
	{ WEB_REQUIRE_AND_VERIFY_CLIENT_CERT, { false, true, false, false, false, false, false } },
};

static const int both_versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(policy_row)
{
	SSL_CTX *ctx = context_of((struct web_tls){
		.client_auth = policies[_i].auth,
		.client_ca = policies[_i].auth == WEB_NO_CLIENT_CERT ? NULL : root.pem });

	for (int i = 0; i < N_SHOWN; i++)
		for (size_t v = 0; v < ARRAY_LEN(both_versions); v++) {
			struct client c = { .min_version = both_versions[v],
					    .max_version = both_versions[v],
					    .cert = i == NONE ? NULL : &shown[i] };

			ck_assert_msg(accepts(ctx, &c) == policies[_i].accepted[i],
				      "certificate %d, version %x", i, both_versions[v]);
		}
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(an_authority_need_not_be_a_root)
{
	char *path, *text;
	SSL_CTX *ctx;
	FILE *f;

	ck_assert(asprintf(&path, "%s/ca.pem", dir.path) >= 0);
	ck_assert(asprintf(&text, "%s%s", other_root.pem, middle.pem) >= 0);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	ctx = context_of((struct web_tls){ .client_auth = WEB_REQUIRE_AND_VERIFY_CLIENT_CERT,
					   .client_ca_file = path });
	free(path);
	free(text);
	ck_assert(accepts(ctx, &(struct client){ .cert = &shown[BY_MIDDLE] }));
	ck_assert(accepts(ctx, &(struct client){ .cert = &shown[OTHER] }));
	ck_assert(!accepts(ctx, &(struct client){ .cert = &shown[SIGNED] }));
	SSL_CTX_free(ctx);
}
END_TEST

/* Without CAs those of the system count, and none of them has signed ours. */
START_TEST(without_authorities_nobody_of_ours_is_verified)
{
	SSL_CTX *ctx = context_of(
		(struct web_tls){ .client_auth = WEB_REQUIRE_AND_VERIFY_CLIENT_CERT });

	ck_assert(!accepts(ctx, &(struct client){ .cert = &shown[SIGNED] }));
	SSL_CTX_free(ctx);
}
END_TEST

static const struct {
	const char *san, *allowed;
	bool accepted;
} sans[] = {
	{ "DNS:a.example", "a.example", true },
	{ "DNS:a.example", "A.example", false },
	{ "DNS:a.example", "example", false },
	{ "DNS:*.example", "a.example", false },
	{ "DNS:b.example,DNS:a.example", "a.example", true },
	{ "email:a@example", "a@example", true },
	{ "URI:spiffe://example/a", "spiffe://example/a", true },
	{ "IP:192.0.2.1", "192.0.2.1", true },
	{ "IP:192.0.2.1", "192.0.2.2", false },
	{ "IP:2001:db8::1", "2001:db8::1", true },
	{ "IP:2001:db8::1", "2001:DB8:0::1", true },
	{ "IP:2001:db8::1", "2001:db8::2", false },
	{ "IP:::ffff:192.0.2.1", "192.0.2.1", true },
	{ "DNS:192.0.2.1", "192.0.2.1", true },
	{ "RID:1.2.3.4", "1.2.3.4", false },
	{ NULL, "client", false }, /* the common name is none */
};

START_TEST(san_row)
{
	char *v[] = { mem_strdup("x"), mem_strdup(sans[_i].allowed) };
	struct cert cert;
	SSL_CTX *ctx = context_of((struct web_tls){ .client_auth = WEB_REQUIRE_ANY_CLIENT_CERT,
						    .client_allowed_sans = { v, ARRAY_LEN(v) } });

	free(v[0]); /* the context outlives the configuration */
	free(v[1]);
	cert_make(&cert, &(struct cert_spec){ .name = "client", .san = sans[_i].san });
	for (size_t i = 0; i < ARRAY_LEN(both_versions); i++)
		ck_assert_int_eq(accepts(ctx, &(struct client){ .cert = &cert,
								.max_version = both_versions[i] }),
				 sans[_i].accepted);
	cert_done(&cert);
	SSL_CTX_free(ctx);
}
END_TEST

/* The Go gateway's handler crashes for a client without a certificate: it is not let in either. */
START_TEST(names_with_each_policy)
{
	static const bool accepted[][3] = {
		/* no certificate, one with the name, the name but not verified */
		[WEB_NO_CLIENT_CERT] = { true, true, true },
		[WEB_REQUEST_CLIENT_CERT] = { false, true, true },
		[WEB_REQUIRE_ANY_CLIENT_CERT] = { false, true, true },
		[WEB_VERIFY_CLIENT_CERT_IF_GIVEN] = { false, true, false },
		[WEB_REQUIRE_AND_VERIFY_CLIENT_CERT] = { false, true, false },
	};
	char name[] = "a.example";
	char *v[] = { name };
	struct cert good, bad;

	cert_make(&good,
		  &(struct cert_spec){ .name = "good", .san = "DNS:a.example", .issuer = &root });
	cert_make(&bad, &(struct cert_spec){
				.name = "bad", .san = "DNS:a.example", .issuer = &other_root });
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		SSL_CTX *ctx = context_of(
			(struct web_tls){ .client_auth = (enum web_client_auth)i,
					  .client_ca = i == WEB_NO_CLIENT_CERT ? NULL : root.pem,
					  .client_allowed_sans = { v, 1 } });

		ck_assert_int_eq(accepts(ctx, &(struct client){ 0 }), accepted[i][0]);
		ck_assert_int_eq(accepts(ctx, &(struct client){ .cert = &good }), accepted[i][1]);
		ck_assert_int_eq(accepts(ctx, &(struct client){ .cert = &bad }), accepted[i][2]);
		ck_assert(!accepts(ctx, &(struct client){ .cert = &shown[SIGNED] }) ||
			  i == WEB_NO_CLIENT_CERT);
		SSL_CTX_free(ctx);
	}
	cert_done(&good);
	cert_done(&bad);
}
END_TEST

/* ---- resumption ---- */

static SSL_SESSION *session_from(SSL_CTX *ctx, struct client c)
{
	struct met m = meet(ctx, &c);
	SSL_SESSION *session = SSL_get1_session(m.client);

	ck_assert(m.ok);
	part(&m);
	return session;
}

static bool resumes(SSL_CTX *ctx, struct client c, SSL_SESSION *session)
{
	bool reused;

	c.session = session;
	struct met m = meet(ctx, &c);

	reused = m.ok && SSL_session_reused(m.server);
	part(&m);
	return reused;
}

START_TEST(tickets_are_for_one_context)
{
	struct client c = { .max_version = both_versions[_i] };
	SSL_CTX *ctx = context_of((struct web_tls){ 0 }), *next = context_of((struct web_tls){ 0 });
	SSL_CTX *strict = context_of((struct web_tls){
		.client_auth = WEB_REQUIRE_AND_VERIFY_CLIENT_CERT, .client_ca = root.pem });
	SSL_SESSION *session = session_from(ctx, c);

	ck_assert(resumes(ctx, c, session));
	ck_assert(!resumes(next, c, session));
	c.session = session;
	ck_assert(accepts(next, &c));
	ck_assert(!accepts(strict, &c));
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
	SSL_CTX_free(next);
	SSL_CTX_free(strict);
}
END_TEST

START_TEST(who_must_show_a_certificate_shows_it_each_time)
{
	struct client c = { .max_version = both_versions[_i], .cert = &shown[SIGNED] };
	SSL_CTX *ctx = context_of((struct web_tls){ .client_auth = WEB_VERIFY_CLIENT_CERT_IF_GIVEN,
						    .client_ca = root.pem });
	SSL_SESSION *session = session_from(ctx, c);

	ck_assert(!resumes(ctx, c, session));
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
}
END_TEST

/* ---- what is weaker ---- */

static char san_a[] = "a", san_b[] = "b";
static char *both_sans[] = { san_a, san_b };
static char chacha[] = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
static char aes[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
static char *suites[] = { chacha, aes };

enum { NO_CA, ROOT, OTHER_ROOT, BOTH };

struct setting {
	enum web_client_auth auth;
	int ca;
	struct web_strings sans, ciphers;
	int min_version;
};

#define STRICT WEB_REQUIRE_AND_VERIFY_CLIENT_CERT

static const struct {
	const char *name;
	struct setting from, to;
	bool weaker, back_weaker;
} weaker_rows[] = {
	{ "the same",
	  { .auth = STRICT, .ca = ROOT },
	  { .auth = STRICT, .ca = ROOT },
	  false,
	  false },
	{ "nothing is asked for", { .auth = STRICT, .ca = ROOT }, { 0 }, true, false },
	{ "it is enough to ask",
	  { .auth = WEB_REQUIRE_ANY_CLIENT_CERT },
	  { .auth = WEB_REQUEST_CLIENT_CERT },
	  true,
	  false },
	{ "asked or not", { .auth = WEB_REQUEST_CLIENT_CERT }, { 0 }, false, false },
	{ "not verified",
	  { .auth = STRICT, .ca = ROOT },
	  { .auth = WEB_REQUIRE_ANY_CLIENT_CERT, .ca = ROOT },
	  true,
	  false },
	{ "each lets in whom the other does not",
	  { .auth = WEB_VERIFY_CLIENT_CERT_IF_GIVEN, .ca = ROOT },
	  { .auth = WEB_REQUIRE_ANY_CLIENT_CERT },
	  true,
	  true },
	{ "another CA",
	  { .auth = STRICT, .ca = ROOT },
	  { .auth = STRICT, .ca = OTHER_ROOT },
	  true,
	  true },
	{ "one more", { .auth = STRICT, .ca = ROOT }, { .auth = STRICT, .ca = BOTH }, true, false },
	{ "those of the system", { .auth = STRICT, .ca = ROOT }, { .auth = STRICT }, true, true },
	{ "another CA that does not count",
	  { .auth = WEB_REQUIRE_ANY_CLIENT_CERT, .ca = ROOT },
	  { .auth = WEB_REQUIRE_ANY_CLIENT_CERT, .ca = OTHER_ROOT },
	  false,
	  false },
	{ "no names",
	  { .auth = STRICT, .sans = { both_sans, 1 } },
	  { .auth = STRICT },
	  true,
	  false },
	{ "one more name",
	  { .auth = STRICT, .sans = { both_sans, 1 } },
	  { .auth = STRICT, .sans = { both_sans, 2 } },
	  true,
	  false },
	{ "another name",
	  { .auth = STRICT, .sans = { both_sans, 1 } },
	  { .auth = STRICT, .sans = { both_sans + 1, 1 } },
	  true,
	  true },
	{ "an older version", { .min_version = TLS1_3_VERSION }, { 0 }, true, false },
	{ "one more cipher",
	  { .ciphers = { suites, 1 } },
	  { .ciphers = { suites, 2 } },
	  true,
	  false },
	{ "all ciphers", { .ciphers = { suites, 1 } }, { 0 }, true, false },
};

static SSL_CTX *context_for(const struct setting *s)
{
	CLEANUP(strbuf_done) struct strbuf ca = { 0 };
	struct web_tls tls = { .cert = server.pem, .key = server.key_pem };
	SSL_CTX *ctx = NULL;
	struct err err;

	if (s->ca == ROOT || s->ca == BOTH)
		strbuf_addz(&ca, root.pem);
	if (s->ca == OTHER_ROOT || s->ca == BOTH)
		strbuf_addz(&ca, other_root.pem);
	tls.client_ca = ca.n ? (char *)strbuf_z(&ca) : NULL;
	tls.client_auth = s->auth;
	tls.client_allowed_sans = s->sans;
	tls.cipher_suites = s->ciphers;
	tls.min_version = s->min_version ? s->min_version : TLS1_2_VERSION;
	tls.max_version = TLS1_3_VERSION;
	ck_assert_msg(web_tls_context(&tls, CONFIG_FILE_ANY, &ctx, &err) == 0, "%s", err.msg);
	return ctx;
}

START_TEST(weaker_row)
{
	SSL_CTX *from = context_for(&weaker_rows[_i].from);
	SSL_CTX *to = context_for(&weaker_rows[_i].to);

	ck_assert_msg(web_tls_is_weaker(from, to) == weaker_rows[_i].weaker, "%s",
		      weaker_rows[_i].name);
	ck_assert_msg(web_tls_is_weaker(to, from) == weaker_rows[_i].back_weaker, "back: %s",
		      weaker_rows[_i].name);
	SSL_CTX_free(from);
	SSL_CTX_free(to);
}
END_TEST

static TCase *cases(void)
{
	TCase *tc = tcase_create("tls_client");
	int both = (int)ARRAY_LEN(both_versions);

	tcase_add_loop_test(tc, policy_row, 0, (int)ARRAY_LEN(policies));
	tcase_add_test(tc, an_authority_need_not_be_a_root);
	tcase_add_test(tc, without_authorities_nobody_of_ours_is_verified);
	tcase_add_loop_test(tc, san_row, 0, (int)ARRAY_LEN(sans));
	tcase_add_test(tc, names_with_each_policy);
	tcase_add_loop_test(tc, tickets_are_for_one_context, 0, both);
	tcase_add_loop_test(tc, who_must_show_a_certificate_shows_it_each_time, 0, both);
	tcase_add_loop_test(tc, weaker_row, 0, (int)ARRAY_LEN(weaker_rows));
	return tc;
}

int main(void)
{
	int failed;

	temp_dir_make(&dir);
	make_certs();
	failed = run_cases("tls_client", cases());
	for (int i = SIGNED; i < N_SHOWN; i++)
		cert_done(&shown[i]);
	cert_done(&root);
	cert_done(&middle);
	cert_done(&other_root);
	cert_done(&server);
	temp_dir_remove(&dir);
	return failed;
}
