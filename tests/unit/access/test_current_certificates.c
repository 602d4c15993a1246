/* Certificates and keys that are replaced while the gateway runs, and while many threads use them.
 */
#include <check.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/current_web_config.h"
#include "base/clock.h"
#include "lib/certs.h"
#include "lib/run.h"
#include "lib/temp_dir.h"
#include "unit/access/web_config_dir.h"

static struct cert first, second;

static void make_certs(void)
{
	const struct cert_spec spec = { .name = "localhost", .san = "DNS:localhost" };

	set_up();
	cert_make(&first, &spec);
	cert_make(&second, &spec);
}

static void free_certs(void)
{
	tear_down();
	cert_done(&first);
	cert_done(&second);
}

static void install(const struct cert *c)
{
	replace("cert.pem", c->pem);
	replace("key.pem", c->key_pem);
}

static bool has_cert(const struct cert *want)
{
	SSL_CTX *ctx;
	bool has;

	nap();
	ctx = current_web_config_tls_context(current);
	has = ctx && X509_cmp(SSL_CTX_get0_certificate(ctx), want->x509) == 0;
	SSL_CTX_free(ctx);
	return has;
}

static void expect_cert(const struct cert *want)
{
	EVENTUALLY(has_cert(want));

	SSL_CTX *ctx = current_web_config_tls_context(current);

	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_eq(X509_cmp(SSL_CTX_get0_certificate(ctx), want->x509), 0);
	SSL_CTX_free(ctx);
}

START_TEST(a_new_certificate)
{
	install(&first);
	open_config(TLS DENY);
	expect_cert(&first);
	expect_cert(&first);
	expect_said("");
	install(&second);
	expect_cert(&second);
	expect_said("taken\n");
	/* Requests look at the configuration only. */
	install(&first);
	expect("X-Frame-Options", 0);
	expect_cert(&first);
}
END_TEST

START_TEST(a_certificate_without_its_key)
{
	install(&first);
	open_config(TLS DENY);
	replace("cert.pem", second.pem);
	for (int i = 0; i < 3; i++)
		expect_cert(&first);
	expect_said("refused failed to load X509KeyPair: tls: private key does not match public "
		    "key\n");
	/* A change of the other file is refused with it. */
	replace("web.yml", TLS XSS);
	expect("X-Frame-Options", 0);
	expect_said("refused failed to load X509KeyPair: tls: private key does not match public "
		    "key\n");
	replace("key.pem", second.key_pem);
	expect_cert(&second);
	expect("X-XSS-Protection", 0);
	expect_said("taken\n");
}
END_TEST

START_TEST(a_certificate_in_another_file)
{
	CLEANUP(freep) char *path = in_dir("cert.pem");

	install(&first);
	open_config(TLS);
	replace("other.pem", first.pem);
	replace("web.yml", "tls_server_config: {cert_file: other.pem, key_file: key.pem}\n");
	expect_cert(&first);
	expect_said("taken\n");
	/* The old one is not looked at any more, the new one is. */
	ck_assert_int_eq(unlink(path), 0);
	expect_cert(&first);
	replace("key.pem", second.key_pem);
	replace("other.pem", second.pem);
	expect_cert(&second);
}
END_TEST

static bool asks_for_certificates(void)
{
	nap();

	SSL_CTX *ctx = current_web_config_tls_context(current);
	int mode = SSL_CTX_get_verify_mode(ctx);

	SSL_CTX_free(ctx);
	return mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

#define REQUIRE "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: cert.pem\n"

/* The first half of the file is a good one, too. */
START_TEST(a_half_written_file)
{
	int64_t begin, waited;

	install(&first);
	open_config(TLS REQUIRE DENY);
	ck_assert(asks_for_certificates());
	begin = clock_mono_ns();
	replace("web.yml", TLS);
	ck_assert(asks_for_certificates());
	while (asks_for_certificates() && clock_mono_ns() - begin < INT64_C(30000000000))
		nap();
	waited = clock_mono_ns() - begin;
	ck_assert_int_ge(waited, 90000000);
	expect("", 0);
	expect_said("taken\n");
	/* The way back is not delayed. */
	replace("web.yml", TLS REQUIRE);
	ck_assert(asks_for_certificates());
	expect_said("taken\n");
}
END_TEST

START_TEST(a_half_written_file_that_is_completed)
{
	install(&first);
	open_config(TLS REQUIRE DENY);
	for (int i = 0; i < 5; i++) {
		replace("web.yml", TLS);
		ck_assert(asks_for_certificates());
		replace("web.yml", TLS REQUIRE XSS);
		ck_assert(asks_for_certificates());
		expect("X-XSS-Protection", 0);
	}
}
END_TEST

START_TEST(a_pipe_instead_of_a_key)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(freep) char *path = in_dir("key.pem");
	CLEANUP(freep) char *fifo = in_dir("pipe");

	install(&first);
	open_config(TLS DENY);
	expect_cert(&first);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(rename(fifo, path), 0);
	alarm(20);
	for (int i = 0; i < 3; i++)
		expect_cert(&first);
	strbuf_addf(&want, "refused failed to read key_file (%s): open %s: not a regular file\n",
		    path, path);
	expect_said(strbuf_z(&want));
	install(&second);
	expect_cert(&second);
	alarm(0);
}
END_TEST

static void *write_key(void *path)
{
	write_to(path, 0, first.key_pem);
	return NULL;
}

/* Nothing is watched then, not even the configuration. */
START_TEST(a_key_from_a_pipe)
{
	CLEANUP(freep) char *path = in_dir("key.pem");
	pthread_t writer;

	replace("cert.pem", first.pem);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_key, path), 0);
	open_config(TLS DENY);
	pthread_join(writer, NULL);
	replace("web.yml", TLS XSS);
	alarm(20);
	expect_cert(&first);
	expect("X-Frame-Options", 0);
	expect_said("");
	alarm(0);
}
END_TEST

START_TEST(tls_does_not_end)
{
	install(&first);
	open_config(TLS DENY);
	replace("web.yml", XSS);
	expect("X-Frame-Options", 0);
	expect_cert(&first);
	expect_said("refused it has no certificate any more: TLS ends with a restart only\n");
}
END_TEST

enum { THREADS = 4, ROUNDS = 300 };

static void *use(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(current);

		ck_assert_uint_eq(s->config->users.n, 1);
		ck_assert_str_eq(s->config->users.v[0].name, "alice");
		SSL_CTX_free(current_web_config_tls_context(current));
	}
	return NULL;
}

START_TEST(many_threads)
{
	pthread_t threads[THREADS];

	install(&first);
	open_config(TLS USERS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use, NULL), 0);
	for (int i = 0; i < 50; i++)
		replace("web.yml", i % 2 ? TLS USERS DENY : USERS TLS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect("X-Frame-Options", 1);
}
END_TEST

int main(void)
{
	TCase *certs = tcase_create("current_certificates");
	int failed;

	temp_dir_make(&top);
	tcase_set_timeout(certs, 120);
	tcase_add_checked_fixture(certs, make_certs, free_certs);
	tcase_add_test(certs, a_new_certificate);
	tcase_add_test(certs, a_certificate_without_its_key);
	tcase_add_test(certs, a_certificate_in_another_file);
	tcase_add_test(certs, a_half_written_file);
	tcase_add_test(certs, a_half_written_file_that_is_completed);
	tcase_add_test(certs, a_pipe_instead_of_a_key);
	tcase_add_test(certs, a_key_from_a_pipe);
	tcase_add_test(certs, tls_does_not_end);
	tcase_add_test(certs, many_threads);
	failed = run_cases("current_certificates", certs);
	temp_dir_remove(&top);
	return failed;
}
