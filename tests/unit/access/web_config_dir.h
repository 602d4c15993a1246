/* A folder with a file for --web.config.file, which is watched, and what is said of it. */
#ifndef TESTS_UNIT_ACCESS_WEB_CONFIG_DIR_H
#define TESTS_UNIT_ACCESS_WEB_CONFIG_DIR_H

#include <check.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "access/current_web_config.h"
#include "base/clock.h"
#include "base/mem.h"
#include "lib/certs.h"
#include "lib/temp_dir.h"

#define HASH "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
#define USERS "basic_auth_users:\n  alice: " HASH "\n"
#define DENY "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
/* As many bytes as DENY with another value. */
#define XSS "http_server_config:\n  headers:\n    X-XSS-Protection: 12\n"
#define TLS "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"

static struct temp_dir top, dir;

static inline char *in_dir(const char *name)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };

	strbuf_addf(&path, "%s/%s", dir.path, name);
	return mem_strdup(strbuf_z(&path));
}

static inline void write_to(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | flags, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* As an editor does that makes a new file. */
static inline void replace(const char *name, const char *text)
{
	CLEANUP(freep) char *path = in_dir(name);
	CLEANUP(freep) char *next = in_dir("next");

	write_to(next, O_CREAT | O_TRUNC, text);
	ck_assert_int_eq(rename(next, path), 0);
}

static struct strbuf said;
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER; /* another thread says it */

static inline void on_change(void *arg, enum web_change change, const char *why)
{
	static const char *const names[] = { "taken", "refused", "restart", "slow" };

	pthread_mutex_lock(&said_lock);
	strbuf_addf(&said, "%s%s%s\n", names[change], why ? " " : "", why ? why : "");
	pthread_mutex_unlock(&said_lock);
	(void)arg;
}

static struct current_web_config *current;

/* So long that the next one who asks has the files looked at again. */
static inline void nap(void)
{
	const struct timespec ms = { 0, 1100000 };

	nanosleep(&ms, NULL);
}

/* Has the files looked at. */
static inline struct web_state *look(void)
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

static inline bool is_said(const char *want)
{
	bool is;

	pthread_mutex_lock(&said_lock);
	is = strcmp(strbuf_z(&said), want) == 0;
	pthread_mutex_unlock(&said_lock);
	return is;
}

static inline void expect_said(const char *want)
{
	if (current)
		EVENTUALLY(is_said(want));
	pthread_mutex_lock(&said_lock);
	ck_assert_str_eq(strbuf_z(&said), want);
	said.n = 0;
	pthread_mutex_unlock(&said_lock);
}

static inline void open_config(const char *text)
{
	const struct web_listener listener = { on_change, &said };
	CLEANUP(freep) char *path = in_dir("web.yml");
	struct err err = { 0 };

	replace("web.yml", text);
	current = current_web_config_open(path, &listener, &err);
	ck_assert_msg(current != NULL, "%s", err.msg);
}

static inline void set_up(void)
{
	temp_dir_make_inside(&dir, &top);
}

static inline void tear_down(void)
{
	current_web_config_close(current);
	current = NULL;
	strbuf_done(&said);
}

static inline bool is_in_force(const char *header, size_t n_users)
{
	CLEANUP(web_state_unrefp) struct web_state *s = look();
	const struct web_config *c = s->config;

	return strcmp(c->headers.n ? c->headers.v[0].name : "", header) == 0 &&
	       c->users.n == n_users;
}

static inline void expect(const char *header, size_t n_users)
{
	EVENTUALLY(is_in_force(header, n_users));

	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(current);
	const struct web_config *c = s->config;

	ck_assert_str_eq(c->headers.n ? c->headers.v[0].name : "", header);
	ck_assert_uint_eq(c->users.n, n_users);
}

#endif
