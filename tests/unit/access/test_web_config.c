#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/web_config.h"
#include "base/utf8.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

static struct temp_dir dir;

#define HASH "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
#define MARSHAL "yaml: unmarshal errors: "

static void add_if(struct strbuf *out, const char *name, const char *value)
{
	if (value)
		strbuf_addf(out, "%s=%s ", name, value);
}

static void add_strings(struct strbuf *out, const char *name, const struct web_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		strbuf_addf(out, "%s=%s ", name, s->v[i]);
}

static void add_pairs(struct strbuf *out, const struct web_pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		strbuf_addf(out, "%s:%s ", p->v[i].name, p->v[i].value);
}

static void show_tls(const struct web_tls *t, struct strbuf *out)
{
	strbuf_addz(out, t->on ? "tls " : "");
	add_if(out, "cert", t->cert);
	add_if(out, "key", t->key);
	add_if(out, "ca", t->client_ca);
	add_if(out, "cert_file", t->cert_file);
	add_if(out, "key_file", t->key_file);
	add_if(out, "ca_file", t->client_ca_file);
	if (t->client_auth)
		strbuf_addf(out, "auth=%d ", t->client_auth);
	if (t->min_version != 0x303 || t->max_version != 0x304)
		strbuf_addf(out, "%x-%x ", (unsigned)t->min_version, (unsigned)t->max_version);
	add_strings(out, "san", &t->client_allowed_sans);
	add_strings(out, "cipher", &t->cipher_suites);
	add_strings(out, "curve", &t->curves);
}

/* What differs from an empty file. */
static void show(const struct web_config *c, struct strbuf *out)
{
	show_tls(&c->tls, out);
	add_pairs(out, &c->headers);
	add_pairs(out, &c->users);
	if (c->rate_interval_ns || c->rate_burst)
		strbuf_addf(out, "rate=%lld/%lld ", (long long)c->rate_interval_ns,
			    (long long)c->rate_burst);
	if (out->n)
		out->n--;
}

#define TLS "tls_server_config:\n"
#define PAIR "  cert_file: c\n  key_file: k\n"
#define HTTP "http_server_config:\n"
#define HEADERS HTTP "  headers:\n"
#define USERS "basic_auth_users:\n"
#define RATE "rate_limit:\n"

/* `want` is what show() says, or when it begins with '!' the line and the message. */
static const struct {
	const char *name, *text, *want;
} rows[] = {
	/* The top. */
	{ "nothing", "", "" },
	{ "a comment", "# x\n", "" },
	{ "null", "~\n", "" },
	{ "an empty map", "{}\n", "" },
	{ "sections without anything", TLS HTTP RATE USERS, "" },
	{ "an unknown key", "\n\nfoo: 1\n",
	  "!3 " MARSHAL "line 3: field foo not found in type web.Config" },
	{ "a key that has an end of line", "\"a\\nb\": 1\n",
	  "!1 " MARSHAL "line 1: field \"a\\nb\" not found in type web.Config" },
	{ "null as a key", "~: 1\n", "!1 " MARSHAL "line 1: field ~ not found in type web.Config" },
	{ "a list as a key", "[a]: 1\n",
	  "!1 " MARSHAL "line 1: cannot unmarshal !!seq into string" },
	{ "a section twice", RATE RATE,
	  "!2 " MARSHAL "line 2: field rate_limit already set in type web.Config" },
	{ "a list", "- a\n", "!1 " MARSHAL "line 1: cannot unmarshal !!seq into web.Config" },
	{ "a word", "abc\n", "!1 " MARSHAL "line 1: cannot unmarshal !!str `abc` into web.Config" },
	{ "many words", "hWkNKCp3fvIx3jKnsaBI\nTuEjdwNS8A2vYdFbiKqr\n",
	  "!1 " MARSHAL "line 1: cannot unmarshal !!str `hWkNKCp...` into web.Config" },
	{ "not YAML", "a: b\n c: d\n",
	  "!2 yaml: line 2: mapping values are not allowed in this context" },
	{ "the order of faults is the file's", RATE "  x: 1\n" USERS "  a: b\n",
	  "!2 " MARSHAL "line 2: field x not found in type web.RateLimiterConfig" },

	/* tls_server_config */
	{ "certificate and key", TLS PAIR, "tls cert_file=dir/c key_file=dir/k" },
	{ "absolute names", TLS "  cert_file: /c\n  key_file: ../k\n",
	  "tls cert_file=/c key_file=dir/../k" },
	{ "inline", TLS "  cert: |\n    a\n    b\n  key: k\n", "tls cert=a\nb\n key=k" },
	{ "a file beside inline", TLS PAIR "  cert: x\n",
	  "tls cert=x cert_file=dir/c key_file=dir/k" },
	{ "a number is a name", TLS "  cert_file: 5\n  key_file: 1e3\n",
	  "tls cert_file=dir/5 key_file=dir/1e3" },
	{ "empty is not given", TLS "  cert_file: ''\n  key_file: ~\n  client_auth_type: ''\n",
	  "" },
	{ "no certificate", RATE TLS "  key_file: k\n",
	  "!3 line 3: missing one of cert or cert_file" },
	{ "no key", TLS "  cert_file: c\n", "!2 line 2: missing one of key or key_file" },
	{ "an empty key", TLS "  cert: c\n  key: ''\n",
	  "!2 line 2: missing one of key or key_file" },
	{ "only a policy", TLS "  client_auth_type: NoClientCert\n",
	  "!2 line 2: missing one of cert or cert_file" },
	{ "only a CA", TLS "  client_ca: x\n", "!2 line 2: missing one of cert or cert_file" },
	{ "the certificate first", TLS "  cert_file: ''\n  client_auth_type: x\n",
	  "!2 line 2: missing one of cert or cert_file" },
	{ "no policy", TLS PAIR "  client_auth_type: NoClientCert\n",
	  "tls cert_file=dir/c key_file=dir/k" },
	{ "request", TLS PAIR "  client_auth_type: RequestClientCert\n",
	  "tls cert_file=dir/c key_file=dir/k auth=1" },
	{ "require any", TLS PAIR "  client_auth_type: RequireAnyClientCert\n",
	  "tls cert_file=dir/c key_file=dir/k auth=2" },
	{ "require", TLS PAIR "  client_auth_type: RequireClientCert\n",
	  "tls cert_file=dir/c key_file=dir/k auth=2" },
	{ "verify if given",
	  TLS PAIR "  client_auth_type: VerifyClientCertIfGiven\n  client_ca: x\n",
	  "tls ca=x cert_file=dir/c key_file=dir/k auth=3" },
	{ "require and verify",
	  TLS PAIR "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: x\n",
	  "tls cert_file=dir/c key_file=dir/k ca_file=dir/x auth=4" },
	{ "a policy that is none", TLS PAIR "  client_auth_type: Foo\n",
	  "!4 line 4: invalid ClientAuth: Foo" },
	{ "a list as a policy", TLS PAIR "  client_auth_type: [a]\n",
	  "!4 " MARSHAL "line 4: cannot unmarshal !!seq into string" },
	{ "a CA without a policy", TLS PAIR "  client_ca_file: x\n",
	  "!2 line 2: client CA's have been configured without a Client Auth Policy" },
	{ "names", TLS PAIR "  client_allowed_sans: [a, 'b c']\n",
	  "tls cert_file=dir/c key_file=dir/k san=a san=b c" },
	{ "no names", TLS PAIR "  client_allowed_sans: ~\n", "tls cert_file=dir/c key_file=dir/k" },
	{ "nobody's name", TLS PAIR "  client_allowed_sans: []\n",
	  "!4 line 4: client_allowed_sans is empty" },
	{ "names not in a list", TLS "  client_allowed_sans: a\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `a` into []string" },
	{ "a list of lists", TLS "  client_allowed_sans: [[a]]\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!seq into string" },
	{ "versions", TLS "  min_version: TLS10\n  max_version: TLS11\n", "301-302" },
	{ "the same version", TLS PAIR "  min_version: TLS13\n  max_version: TLS13\n",
	  "tls cert_file=dir/c key_file=dir/k 304-304" },
	{ "null as a version", TLS "  min_version: ~\n", "" },
	{ "an unknown version", TLS "  min_version: TLS14\n",
	  "!2 line 2: unknown TLS version: TLS14" },
	{ "an empty version", TLS "  max_version: ''\n", "!2 line 2: unknown TLS version: " },
	{ "a number as a version", TLS "  max_version: 12\n",
	  "!2 line 2: unknown TLS version: 12" },
	{ "a list as a version", TLS "  max_version: []\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!seq into string" },
	{ "versions the wrong way round", TLS PAIR "  min_version: TLS13\n  max_version: TLS12\n",
	  "!2 line 2: min_version is above max_version" },
	{ "ciphers",
	  TLS "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n",
	  "cipher=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 cipher=TLS_AES_128_GCM_SHA256" },
	{ "an unknown cipher", TLS "  cipher_suites:\n  - TLS_AES_128_GCM_SHA256\n  - FOO\n",
	  "!4 line 4: unknown cipher: FOO" },
	{ "an OpenSSL name of a cipher", TLS "  cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256]\n",
	  "!2 line 2: unknown cipher: ECDHE-RSA-AES128-GCM-SHA256" },
	{ "ciphers not in a list", TLS "  cipher_suites: FOO\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `FOO` into []web.Cipher" },
	{ "curves", TLS "  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n",
	  "curve=CurveP256 curve=CurveP384 curve=CurveP521 curve=X25519" },
	{ "an unknown curve", TLS "  curve_preferences: [CurveP257]\n",
	  "!2 line 2: unknown curve: CurveP257" },
	{ "curves not in a list", TLS "  curve_preferences: X25519\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `X25519` into []web.Curve" },
	{ "the server's order", TLS "  prefer_server_cipher_suites: false\n", "" },
	{ "an order that is none", TLS "  prefer_server_cipher_suites: x\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `x` into bool" },
	{ "unknown keys", TLS "  cert_filse: 1\n  bar: 2\n",
	  "!2 " MARSHAL "line 2: field cert_filse not found in type web.TLSConfig" },
	{ "a NUL", TLS "  cert_file: \"a\\0b\"\n",
	  "!2 line 2: a NUL character in a value: \"a\\x00b\"" },

	/* http_server_config */
	{ "http2", HTTP "  http2: yes\n", "" },
	{ "http2 off", HTTP "  http2: Off\n", "" },
	{ "http2 in quotes", HTTP "  http2: 'true'\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `true` into bool" },
	{ "http2 as a number", HTTP "  http2: 1\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!int `1` into bool" },
	{ "http2 as a list", HTTP "  http2: []\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!seq into bool" },
	{ "another key", HTTP "  foo: 1\n",
	  "!2 " MARSHAL "line 2: field foo not found in type web.HTTPConfig" },
	{ "all headers",
	  HEADERS "    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=3; x\n"
		  "    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n"
		  "    Content-Security-Policy: \"default-src 'self'\"\n",
	  "X-Frame-Options:deny Strict-Transport-Security:max-age=3; x "
	  "X-Content-Type-Options:nosniff X-XSS-Protection:1 "
	  "Content-Security-Policy:default-src 'self'" },
	{ "a value of several lines", HEADERS "    Content-Security-Policy: |\n      a;\n      b\n",
	  "Content-Security-Policy:a; b" },
	{ "an empty value", HEADERS "    Content-Security-Policy:\n", "Content-Security-Policy:" },
	{ "a header that may not be set", HEADERS "    X-XSS-Protection: 1\n    X-Foo: x\n",
	  "!4 line 4: HTTP header \"X-Foo\" can not be configured" },
	{ "in lower case", HEADERS "    x-frame-options: deny\n",
	  "!3 line 3: HTTP header \"x-frame-options\" can not be configured" },
	{ "a value that it may not have", HEADERS "    X-Frame-Options: foo\n",
	  "!3 line 3: invalid value for X-Frame-Options. Expected one of: [\"deny\" "
	  "\"sameorigin\"], but got: \"foo\"" },
	{ "the other one", HEADERS "    X-Frame-Options: sameorigin\n",
	  "X-Frame-Options:sameorigin" },
	{ "a value in upper case", HEADERS "    X-Content-Type-Options: NOSNIFF\n",
	  "!3 line 3: invalid value for X-Content-Type-Options. Expected one of: [\"nosniff\"], "
	  "but got: \"NOSNIFF\"" },
	{ "headers that are no map", HTTP "  headers: x\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `x` into map[string]string" },
	{ "a header twice", HEADERS "    X-XSS-Protection: 0\n    X-XSS-Protection: 1\n",
	  "!4 " MARSHAL "line 4: key \"X-XSS-Protection\" already set in map" },

	/* rate_limit */
	{ "a rate", RATE "  interval: 1m30s\n  burst: 20\n", "rate=90000000000/20" },
	{ "only an interval", RATE "  interval: 1s\n", "rate=1000000000/0" },
	{ "an interval of 0", RATE "  interval: 0\n  burst: 3\n", "rate=0/3" },
	{ "a negative interval", RATE "  interval: -1s\n  burst: -3\n", "rate=0/-3" },
	{ "nanoseconds", RATE "  interval: 5\n  burst: 1e3\n", "rate=5/1000" },
	{ "hexadecimal, with underscores", RATE "  interval: '5s'\n  burst: 0x1_0\n",
	  "rate=5000000000/16" },
	{ "octal and binary", RATE "  interval: 0b101\n  burst: 010\n", "rate=5/8" },
	{ "a fraction is cut", RATE "  interval: 1s\n  burst: 1.5\n", "rate=1000000000/1" },
	{ "nulls", RATE "  interval: ~\n  burst: null\n", "" },
	{ "a word as a number", RATE "  burst: x\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `x` into int" },
	{ "a number in quotes", RATE "  burst: \"3\"\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `3` into int" },
	{ "too large a number", RATE "  burst: 99999999999999999999\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!float `9999999...` into int" },
	{ "a word as a duration", RATE "  interval: 1d\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!str `1d` into time.Duration" },
	{ "a map as a duration", RATE "  interval: {}\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!map into time.Duration" },
	{ "burst twice", RATE "  burst: 5\n  burst: 6\n",
	  "!3 " MARSHAL "line 3: field burst already set in type web.RateLimiterConfig" },
	{ "a number as a rate", "rate_limit: 5\n",
	  "!1 " MARSHAL "line 1: cannot unmarshal !!int `5` into web.RateLimiterConfig" },

	/* basic_auth_users */
	{ "users", USERS "  alice: " HASH "\n  5: " HASH "\n", "alice:" HASH " 5:" HASH },
	{ "an empty name", USERS "  '': " HASH "\n", ":" HASH },
	{ "an alias", USERS "  a: &h " HASH "\n  b: *h\n", "a:" HASH " b:" HASH },
	{ "no hash", USERS "  a: " HASH "\n  john: doe\n",
	  "!3 line 3: crypto/bcrypt: hashedSecret too short to be a bcrypted password" },
	{ "null as a hash", USERS "  a:\n",
	  "!2 line 2: crypto/bcrypt: hashedSecret too short to be a bcrypted password" },
	{ "a user twice", USERS "  a: " HASH "\n  \"a\": " HASH "\n",
	  "!3 " MARSHAL "line 3: key \"a\" already set in map" },
	{ "a list as a hash", USERS "  a: [b]\n",
	  "!2 " MARSHAL "line 2: cannot unmarshal !!seq into config.plain" },
	{ "a list of users", "basic_auth_users: [a]\n",
	  "!1 " MARSHAL "line 1: cannot unmarshal !!seq into map[string]config.Secret" },
	{ "the line of an item after an alias", USERS "  a: &h " HASH "\n  b: *h\n  c: x\n",
	  "!4 line 4: crypto/bcrypt: hashedSecret too short to be a bcrypted password" },
};

START_TEST(web_file_is_read)
{
	CLEANUP(web_config_freep) struct web_config *c = NULL;
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct err err = { 0 };

	if (web_config_parse(str_of(rows[_i].text), STR("dir/"), &c, &err) < 0)
		strbuf_addf(&got, "!%u %s", err.line, err.msg);
	else
		show(c, &got);
	ck_assert_msg(strcmp(strbuf_z(&got), rows[_i].want) == 0, "%s: %s", rows[_i].name,
		      strbuf_z(&got));
	ck_assert(!strchr(err.msg, '\n') && utf8_valid(str_of(err.msg)));
}
END_TEST

/* ---- files ---- */

static void in_dir(struct strbuf *path, const char *name)
{
	strbuf_addf(path, "%s/%s", dir.path, name);
}

static void expect_unread(const char *path, const char *verb, const char *why)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	struct web_config *c = NULL;
	struct err err;

	strbuf_addf(&want, "%s %s: %s", verb, path, why);
	ck_assert_int_eq(web_config_read(path, CONFIG_FILE_ANY, &c, &err), -1);
	ck_assert_str_eq(err.msg, strbuf_z(&want));
	ck_assert_ptr_null(c);
}

START_TEST(files_that_cannot_be_read)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };

	in_dir(&path, "none");
	expect_unread(strbuf_z(&path), "open", "no such file or directory");
	expect_unread(dir.path, "read", "is a directory");
}
END_TEST

START_TEST(a_file)
{
	CLEANUP(web_config_freep) struct web_config *c = NULL;
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	CLEANUP(strbuf_done) struct strbuf cert = { 0 };
	struct err err = { 0 };
	FILE *f;

	in_dir(&path, "web.yml");
	in_dir(&cert, "c");
	f = fopen(strbuf_z(&path), "w");
	ck_assert_ptr_nonnull(f);
	fputs(TLS PAIR, f);
	fclose(f);
	ck_assert_msg(web_config_read(strbuf_z(&path), CONFIG_FILE_ANY, &c, &err) == 0, "%s",
		      err.msg);
	ck_assert_str_eq(c->tls.cert_file, strbuf_z(&cert));
}
END_TEST

START_TEST(names_beside_a_file_in_the_working_directory)
{
	CLEANUP(web_config_freep) struct web_config *c = NULL;
	struct err err;

	ck_assert_int_eq(web_config_parse(STR(TLS PAIR), STR(""), &c, &err), 0);
	ck_assert_str_eq(c->tls.cert_file, "c");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("web_config");
	int failed;

	temp_dir_make(&dir);
	tcase_add_loop_test(tc, web_file_is_read, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, files_that_cannot_be_read);
	tcase_add_test(tc, a_file);
	tcase_add_test(tc, names_beside_a_file_in_the_working_directory);
	failed = run_cases("web_config", tc);
	temp_dir_remove(&dir);
	return failed;
}
