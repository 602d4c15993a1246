#include <check.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "access/current_web_config.h"
#include "base/clock.h"
#include "base/mem.h"
#include "lib/certs.h"
#include "lib/run.h"
#include "lib/temp_dir.h"

#define HASH "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
#define USERS "basic_auth_users:\n  alice: " HASH "\n"
#define DENY "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
/* As many bytes as DENY with another value. */
#define XSS "http_server_config:\n  headers:\n    X-XSS-Protection: 12\n"
#define TLS "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"

/* ---- files ---- */

static struct temp_dir top, dir;

static char *in_dir(const char *name)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };

	strbuf_addf(&path, "%s/%s", dir.path, name);
	return mem_strdup(strbuf_z(&path));
}

static void write_to(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | flags, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* As an editor does that makes a new file. */
static void replace(const char *name, const char *text)
{
	CLEANUP(freep) char *path = in_dir(name);
	CLEANUP(freep) char *next = in_dir("next");

	write_to(next, O_CREAT | O_TRUNC, text);
	ck_assert_int_eq(rename(next, path), 0);
}

/* As one that writes over the old bytes. */
static void overwrite(const char *name, const char *text)
{
	CLEANUP(freep) char *path = in_dir(name);

	write_to(path, 0, text);
}

/* ---- what is said ---- */

static struct strbuf said;
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER; /* another thread says it */

static void on_change(void *arg, enum web_change change, const char *why)
{
	static const char *const names[] = { "taken", "refused", "restart", "slow" };

	pthread_mutex_lock(&said_lock);
	strbuf_addf(&said, "%s%s%s\n", names[change], why ? " " : "", why ? why : "");
	pthread_mutex_unlock(&said_lock);
	(void)arg;
}

static struct current_web_config *current;

/* So long that the next one who asks has the files looked at again. */
static void nap(void)
{
	const struct timespec ms = { 0, 1100000 };

	nanosleep(&ms, NULL);
}

/* Has the files looked at. */
static struct web_state *look(void)
{
	nap();
	return current_web_config_get(current);
}

/* On a busy machine a look may take longer than is waited for. */
#define EVENTUALLY(what)                                                 \
	do {                                                             \
		int64_t until_ = clock_mono_ns() + INT64_C(30000000000); \
		while (!(what) && clock_mono_ns() < until_)              \
			web_state_unref(look());                         \
	} while (0)

static bool is_said(const char *want)
{
	bool is;

	pthread_mutex_lock(&said_lock);
	is = strcmp(strbuf_z(&said), want) == 0;
	pthread_mutex_unlock(&said_lock);
	return is;
}

static void expect_said(const char *want)
{
	if (current)
		EVENTUALLY(is_said(want));
	pthread_mutex_lock(&said_lock);
	ck_assert_str_eq(strbuf_z(&said), want);
	said.n = 0;
	pthread_mutex_unlock(&said_lock);
}

static void open_config(const char *text)
{
	const struct web_listener listener = { on_change, &said };
	CLEANUP(freep) char *path = in_dir("web.yml");
	struct err err = { 0 };

	replace("web.yml", text);
	current = current_web_config_open(path, &listener, &err);
	ck_assert_msg(current != NULL, "%s", err.msg);
}

static void expect_unopened(const char *text, const char *message)
{
	const struct web_listener listener = { on_change, &said };
	CLEANUP(freep) char *path = in_dir("web.yml");
	struct err err = { 0 };

	replace("web.yml", text);
	ck_assert_ptr_null(current_web_config_open(path, &listener, &err));
	ck_assert_msg(strstr(err.msg, message) != NULL, "%s", err.msg);
}

static void set_up(void)
{
	temp_dir_make_inside(&dir, &top);
}

static void tear_down(void)
{
	current_web_config_close(current);
	current = NULL;
	strbuf_done(&said);
}

/* ---- what is in force ---- */

static bool is_in_force(const char *header, size_t n_users)
{
	CLEANUP(web_state_unrefp) struct web_state *s = look();
	const struct web_config *c = s->config;

	return strcmp(c->headers.n ? c->headers.v[0].name : "", header) == 0 &&
	       c->users.n == n_users;
}

static void expect(const char *header, size_t n_users)
{
	EVENTUALLY(is_in_force(header, n_users));

	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(current);
	const struct web_config *c = s->config;

	ck_assert_str_eq(c->headers.n ? c->headers.v[0].name : "", header);
	ck_assert_uint_eq(c->users.n, n_users);
}

START_TEST(a_new_file)
{
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	expect("X-Frame-Options", 1);
	expect_said("");
	replace("web.yml", XSS USERS);
	expect("X-XSS-Protection", 1);
	expect_said("taken\n");
	expect("X-XSS-Protection", 1);
	expect_said("");
}
END_TEST

/* So fast that the file system's clock has not moved on, and as long as before. */
START_TEST(many_changes_in_a_moment)
{
	open_config(DENY);
	for (int i = 0; i < 200; i++) {
		overwrite("web.yml", i % 2 ? DENY : XSS);
		expect(i % 2 ? "X-Frame-Options" : "X-XSS-Protection", 0);
	}
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	replace("web.yml", XSS "foo: 1\n");
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	expect_said("refused yaml: unmarshal errors: line 4: field foo not found in type "
		    "web.Config\n");
	replace("web.yml", XSS "bar: 1\n");
	expect("X-Frame-Options", 1);
	expect_said("refused yaml: unmarshal errors: line 4: field bar not found in type "
		    "web.Config\n");
	replace("web.yml", XSS USERS);
	expect("X-XSS-Protection", 1);
	expect_said("taken\n");
}
END_TEST

START_TEST(a_file_that_is_gone)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(freep) char *path = in_dir("web.yml");

	open_config(DENY USERS);
	ck_assert_int_eq(unlink(path), 0);
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	strbuf_addf(&want, "refused open %s: no such file or directory\n", path);
	expect_said(strbuf_z(&want));
	replace("web.yml", DENY USERS);
	expect("X-Frame-Options", 1);
	expect_said("taken\n");
}
END_TEST

static size_t count_users(void)
{
	CLEANUP(web_state_unrefp) struct web_state *s = look();

	return s->config->users.n;
}

/* A file that lets everybody in counts a tenth of a second after it was first seen, not sooner. */
static void expect_users_to_go(void)
{
	int64_t begin = clock_mono_ns();

	ck_assert_uint_eq(count_users(), 1); /* seen now */
	while (count_users() > 0 && clock_mono_ns() - begin < INT64_C(30000000000))
		nap();
	ck_assert_int_ge(clock_mono_ns() - begin, 100000000);
	expect("", 0);
}

/* Whoever writes has emptied it, and may be about to go on. */
START_TEST(an_emptied_file)
{
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	replace("web.yml", "");
	expect_users_to_go();
	expect_said("taken\n");
	/* The way back is not delayed. */
	replace("web.yml", USERS);
	expect("", 1);
	expect_said("taken\n");
}
END_TEST

/* What is old was not seen before: its writer may still be about to go on. */
START_TEST(an_old_file_in_its_place)
{
	CLEANUP(freep) char *path = in_dir("web.yml");
	CLEANUP(freep) char *empty = in_dir("empty");
	CLEANUP(freep) char *link = in_dir("link");
	int64_t begin;

	replace("empty", "");
	begin = clock_mono_ns();
	while (clock_mono_ns() - begin < 150000000)
		nap();
	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	ck_assert_int_eq(symlink(empty, link), 0);
	ck_assert_int_eq(rename(link, path), 0);
	expect_users_to_go();
	expect_said("taken\n");
}
END_TEST

START_TEST(a_pipe_in_its_place)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(freep) char *path = in_dir("web.yml");
	CLEANUP(freep) char *fifo = in_dir("pipe");

	open_config(DENY USERS);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(rename(fifo, path), 0);
	alarm(20);
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	strbuf_addf(&want, "refused open %s: not a regular file\n", path);
	expect_said(strbuf_z(&want));
	replace("web.yml", XSS USERS);
	expect("X-XSS-Protection", 1);
	expect_said("taken\n");
	alarm(0);
}
END_TEST

#define SLOW(name, cost) \
	"  " name ": $2y$" cost "$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n"

START_TEST(slow_hashes)
{
	open_config(USERS SLOW("bob", "15") SLOW("carol", "16"));
	expect_said("slow bcrypt cost 16 of user carol\n");
	replace("web.yml", USERS SLOW("bob", "14"));
	expect("", 2);
	expect_said("taken\n");
	replace("web.yml", USERS SLOW("bob", "17"));
	expect("", 2);
	expect_said("slow bcrypt cost 17 of user bob\ntaken\n");
	replace("web.yml", USERS SLOW("bob", "18"));
	expect("", 2);
	expect_said("refused line 3: crypto/bcrypt: cost 18 is above 17: one check would take more "
		    "than ten seconds\n");
}
END_TEST

START_TEST(what_waits_for_a_restart)
{
	open_config("rate_limit: {interval: 1s, burst: 1}\n" DENY);
	replace("web.yml", "rate_limit: {interval: 1s, burst: 2}\n" XSS);
	expect("X-XSS-Protection", 0);
	expect_said("restart the rate limit changes with a restart\n");
	replace("web.yml", TLS DENY);
	expect("X-Frame-Options", 0);
	expect_said("restart TLS begins with a restart\n");
	ck_assert_ptr_null(current_web_config_tls_context(current));
	replace("web.yml", "rate_limit: {interval: 1s, burst: 1}\n" DENY);
	expect("X-Frame-Options", 0);
	expect_said("taken\n");
}
END_TEST

static void *write_pipe(void *path)
{
	write_to(path, 0, DENY USERS);
	return NULL;
}

START_TEST(a_pipe_is_read_once)
{
	const struct web_listener listener = { on_change, &said };
	CLEANUP(freep) char *path = in_dir("pipe");
	pthread_t writer;
	struct err err;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_pipe, path), 0);
	current = current_web_config_open(path, &listener, &err);
	pthread_join(writer, NULL);
	ck_assert_ptr_nonnull(current);
	for (int i = 0; i < 3; i++)
		expect("X-Frame-Options", 1);
	expect_said("");
}
END_TEST

START_TEST(a_bad_file_at_start)
{
	expect_unopened("a: b: c\n",
			"yaml: line 1: mapping values are not allowed in this context");
	expect_unopened(TLS, "failed to read cert_file (");
	expect_said("");
}
END_TEST

/* ---- certificates ---- */

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

/* ---- a file system that hangs ---- */

static pthread_mutex_t hang_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hang_changed = PTHREAD_COND_INITIALIZER;
static bool hangs, somebody_hangs;

static void let_hang(bool on)
{
	pthread_mutex_lock(&hang_lock);
	hangs = on;
	pthread_cond_broadcast(&hang_changed);
	pthread_mutex_unlock(&hang_lock);
}

/* In place of libc's. */
int stat(const char *restrict path, struct stat *restrict st)
{
	pthread_mutex_lock(&hang_lock);
	while (hangs) {
		somebody_hangs = true;
		pthread_cond_broadcast(&hang_changed);
		pthread_cond_wait(&hang_changed, &hang_lock);
	}
	pthread_mutex_unlock(&hang_lock);
	return fstatat(AT_FDCWD, path, st, 0);
}

START_TEST(a_file_system_that_hangs)
{
	int64_t begin;

	open_config(DENY USERS);
	expect("X-Frame-Options", 1);
	let_hang(true);
	replace("web.yml", XSS);
	begin = clock_mono_ns();
	/* What was in force stays, for one who waits a moment and for many who do not. */
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(count_users(), 1);
	ck_assert_int_lt(clock_mono_ns() - begin, INT64_C(60000000000));
	pthread_mutex_lock(&hang_lock);
	ck_assert(somebody_hangs);
	pthread_mutex_unlock(&hang_lock);
	let_hang(false);
	expect("X-XSS-Protection", 0);
	expect_said("taken\n");
}
END_TEST

START_TEST(an_end_while_it_hangs)
{
	open_config(DENY);
	let_hang(true);
	web_state_unref(look());
	current_web_config_close(current);
	current = NULL;
	/* The thread that could not be ended still uses it: no sanitizer may look for leaks. */
	fflush(NULL);
	_exit(0);
}
END_TEST

/* ---- many threads ---- */

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
	TCase *files = tcase_create("files"), *certs = tcase_create("certificates");
	int failed;

	temp_dir_make(&top);
	tcase_set_timeout(files, 120);
	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, a_new_file);
	tcase_add_test(files, many_changes_in_a_moment);
	tcase_add_test(files, a_bad_file_changes_nothing);
	tcase_add_test(files, a_file_that_is_gone);
	tcase_add_test(files, an_emptied_file);
	tcase_add_test(files, an_old_file_in_its_place);
	tcase_add_test(files, a_pipe_in_its_place);
	tcase_add_test(files, slow_hashes);
	tcase_add_test(files, what_waits_for_a_restart);
	tcase_add_test(files, a_pipe_is_read_once);
	tcase_add_test(files, a_bad_file_at_start);
	tcase_add_test(files, a_file_system_that_hangs);
	tcase_add_test(files, an_end_while_it_hangs);
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
	failed = run_cases("current_web_config", files, certs);
	temp_dir_remove(&top);
	return failed;
}
