#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/users.h"
#include "base/base64.h"
#include "base/mem.h"
#include "lib/run.h"

/* Of "secret" and of "hunter2", at the lowest cost. */
#define SECRET "$2b$04$QOauhQNbBCuQDKes6eFzPeVj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"
#define SECRET_AGAIN "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define HUNTER2 "$2b$04$QOauhQNbBCuQDKes6eFzPelfKksDaqHfM.2s6xavL21eNp3UcpCTm"
#define LETTERS72 "123456789012345678901234567890123456789012345678901234567890123456789012"
#define OF_LETTERS72 "$2b$04$QOauhQNbBCuQDKes6eFzPemZYtPQ/NovRjGrvWQ2dZzUmGKBjgWQq"
#define COST11 "$2b$11$QOauhQNbBCuQDKes6eFzPeVj0cCigtIZ1NEwIggIAOiVqcS6cpIjG"

static struct web_users *users;

static void set_up(void)
{
	struct err err = { 0 };

	users = web_users_start(&err);
	ck_assert_msg(users != NULL, "%s", err.msg);
}

static void tear_down(void)
{
	web_users_stop(users);
	web_users_free(users);
}

/* ---- asking ---- */

struct asked {
	struct web_check check; /* first */
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	enum web_login login;
};

static void on_done(struct web_check *check, enum web_login login)
{
	struct asked *a = (struct asked *)check;

	pthread_mutex_lock(&a->lock);
	a->is_done = true;
	a->login = login;
	pthread_cond_signal(&a->done);
	pthread_mutex_unlock(&a->lock);
}

static void asked_init(struct asked *a)
{
	memset(a, 0, sizeof(*a));
	a->check.done = on_done;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->done, NULL);
}

static enum web_login asked_wait(struct asked *a)
{
	pthread_mutex_lock(&a->lock);
	while (!a->is_done)
		pthread_cond_wait(&a->done, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return a->login;
}

static void asked_done(struct asked *a)
{
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->done);
}

/* "Basic ..." in the alphabet of headers, which is not that of URLs. */
static char *basic(const char *user, const char *password)
{
	CLEANUP(strbuf_done) struct strbuf plain = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	strbuf_addf(&plain, "%s:%s", user, password);
	strbuf_addz(&out, "Basic ");
	base64url_encode(strbuf_str(&plain), &out);
	for (size_t i = 0; i < out.n; i++)
		out.p[i] = (char)(out.p[i] == '-' ? '+' : out.p[i] == '_' ? '/' : out.p[i]);
	return mem_strdup(strbuf_z(&out));
}

struct answer {
	enum web_login login;
	bool at_once; /* without the thread */
};

static struct answer ask_header(const struct web_pairs *known, struct str header)
{
	struct answer answer = { .at_once = true };
	struct asked a;

	asked_init(&a);
	answer.login = web_users_check(users, known, header, &a.check);
	if (answer.login == WEB_LOGIN_LATER) {
		answer.at_once = false;
		answer.login = asked_wait(&a);
	}
	asked_done(&a);
	return answer;
}

static struct answer ask(const struct web_pairs *known, const char *user, const char *password)
{
	CLEANUP(freep) char *header = basic(user, password);

	return ask_header(known, str_of(header));
}

static void expect(struct answer got, enum web_login login, bool at_once)
{
	ck_assert_int_eq(got.login, login);
	ck_assert_int_eq(got.at_once, at_once);
}

/* So many users u0, u1 ... with the same hash; v and its names are the caller's to free. */
static struct web_pairs many_users(size_t n, const char *hash)
{
	struct web_pairs p = { mem_zalloc(n * sizeof(struct web_pair)), n };
	char name[24];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "u%zu", i);
		p.v[i] = (struct web_pair){ mem_strdup(name), mem_strdup(hash) };
	}
	return p;
}

static void free_users(struct web_pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].value);
	}
	free(p->v);
}

static char alice_name[] = "alice", bob_name[] = "bob";
static char secret[] = SECRET, secret_again[] = SECRET_AGAIN, hunter2[] = HUNTER2;
static char of_letters72[] = OF_LETTERS72, cost11[] = COST11;

static struct web_pair alice_and_bob[] = { { alice_name, secret }, { bob_name, hunter2 } };
static const struct web_pairs both = { alice_and_bob, 2 };

/* ---- what the header may be ---- */

static const struct {
	const char *name, *header;
	enum web_login login;
	bool at_once;
} rows[] = {
	{ "alice:secret", "Basic YWxpY2U6c2VjcmV0", WEB_LOGIN_OK, false },
	{ "in lower case", "basic YWxpY2U6c2VjcmV0", WEB_LOGIN_OK, false },
	{ "bob:hunter2", "Basic Ym9iOmh1bnRlcjI=", WEB_LOGIN_OK, false },
	{ "alice:hunter2", "Basic YWxpY2U6aHVudGVyMg==", WEB_LOGIN_WRONG, false },
	{ "alice:", "Basic YWxpY2U6", WEB_LOGIN_WRONG, false },
	{ "Alice:secret", "Basic QWxpY2U6c2VjcmV0", WEB_LOGIN_WRONG, false },
	{ "carol:secret", "Basic Y2Fyb2w6c2VjcmV0", WEB_LOGIN_WRONG, false },
	{ "carol:hunter2", "Basic Y2Fyb2w6aHVudGVyMg==", WEB_LOGIN_WRONG, false },
	{ ":secret", "Basic OnNlY3JldA==", WEB_LOGIN_WRONG, false },
	{ "alice:secret\\0x", "Basic YWxpY2U6c2VjcmV0AHg=", WEB_LOGIN_WRONG, false },
	{ "alice", "Basic YWxpY2U=", WEB_LOGIN_WRONG, true },
	{ "no header", NULL, WEB_LOGIN_WRONG, true },
	{ "empty", "", WEB_LOGIN_WRONG, true },
	{ "only the scheme", "Basic ", WEB_LOGIN_WRONG, true },
	{ "another scheme", "Bearer YWxpY2U6c2VjcmV0", WEB_LOGIN_WRONG, true },
	{ "two spaces", "Basic  YWxpY2U6c2VjcmV0", WEB_LOGIN_WRONG, true },
	{ "no padding", "Basic Ym9iOmh1bnRlcjI", WEB_LOGIN_WRONG, true },
	{ "too much padding", "Basic YWxpY2U6c2Vjcm=V0===", WEB_LOGIN_WRONG, true },
	{ "padding inside", "Basic Ym9i=mh1bnRlcjI=", WEB_LOGIN_WRONG, true },
	{ "only padding", "Basic ====", WEB_LOGIN_WRONG, true },
	{ "of URLs", "Basic YWxpY2U6_-_-", WEB_LOGIN_WRONG, true },
	{ "a space at the end", "Basic YWxpY2U6c2VjcmV0 ", WEB_LOGIN_WRONG, true },
};

START_TEST(header_row)
{
	struct str header = rows[_i].header ? str_of(rows[_i].header) : STR_NULL;
	struct answer got = ask_header(&both, header);

	ck_assert_msg(got.login == rows[_i].login && got.at_once == rows[_i].at_once, "%s: %d, %s",
		      rows[_i].name, got.login, got.at_once ? "at once" : "later");
}
END_TEST

/* ---- the cache ---- */

START_TEST(right_is_kept)
{
	expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, false);
	for (int i = 0; i < 3; i++)
		expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, true);
	expect(ask(&both, "bob", "secret"), WEB_LOGIN_WRONG, false);
	expect(ask(&both, "bob", "hunter2"), WEB_LOGIN_OK, false);
	expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, true);
}
END_TEST

START_TEST(wrong_and_unknown_cost_a_hash_each_time)
{
	for (int i = 0; i < 3; i++) {
		expect(ask(&both, "alice", "wrong"), WEB_LOGIN_WRONG, false);
		expect(ask(&both, "carol", "secret"), WEB_LOGIN_WRONG, false);
		expect(ask(&both, "carol", "hunter2"), WEB_LOGIN_WRONG, false);
	}
}
END_TEST

START_TEST(guessing_pushes_nobody_out)
{
	char password[24];

	expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, false);
	for (int i = 0; i < 3 * WEB_USERS_CACHED; i++) {
		snprintf(password, sizeof(password), "guess %d", i);
		expect(ask(&both, i % 2 ? "bob" : "carol", password), WEB_LOGIN_WRONG, false);
	}
	expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, true);
}
END_TEST

/* All these are one password to bcrypt. */
START_TEST(one_entry_for_each_user)
{
	struct web_pair long_one[] = { { alice_name, secret }, { bob_name, of_letters72 } };
	const struct web_pairs known = { long_one, 2 };
	char password[128];

	expect(ask(&known, "alice", "secret"), WEB_LOGIN_OK, false);
	expect(ask(&known, "bob", LETTERS72), WEB_LOGIN_OK, false);
	for (int i = 0; i < 2 * WEB_USERS_CACHED; i++) {
		snprintf(password, sizeof(password), "%s%d", LETTERS72, i);
		expect(ask(&known, "bob", password), WEB_LOGIN_OK, true);
	}
	expect(ask(&known, "alice", "secret"), WEB_LOGIN_OK, true);
}
END_TEST

START_TEST(the_oldest_goes_first)
{
	CLEANUP(free_users) struct web_pairs known = many_users(WEB_USERS_CACHED + 1, SECRET);
	char name[24];

	for (size_t i = 0; i < WEB_USERS_CACHED; i++)
		expect(ask(&known, known.v[i].name, "secret"), WEB_LOGIN_OK, false);
	expect(ask(&known, "u0", "secret"), WEB_LOGIN_OK, true);
	snprintf(name, sizeof(name), "u%d", WEB_USERS_CACHED);
	expect(ask(&known, name, "secret"), WEB_LOGIN_OK, false);
	expect(ask(&known, "u0", "secret"), WEB_LOGIN_OK, true);
	expect(ask(&known, name, "secret"), WEB_LOGIN_OK, true);
	expect(ask(&known, "u2", "secret"), WEB_LOGIN_OK, true);
	expect(ask(&known, "u1", "secret"), WEB_LOGIN_OK, false);
}
END_TEST

START_TEST(another_hash_is_another_entry)
{
	struct web_pair changed[] = { { alice_name, secret_again } };
	struct web_pair other[] = { { alice_name, hunter2 } };

	expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, false);
	expect(ask(&(struct web_pairs){ changed, 1 }, "alice", "secret"), WEB_LOGIN_OK, false);
	expect(ask(&(struct web_pairs){ other, 1 }, "alice", "secret"), WEB_LOGIN_WRONG, false);
	expect(ask(&both, "alice", "secret"), WEB_LOGIN_OK, true);
}
END_TEST

/* Her entry is for the hash that is still there, as somebody else's. */
START_TEST(a_user_who_is_gone)
{
	struct web_pair same[] = { { alice_name, secret }, { bob_name, secret } };
	const struct web_pairs before = { same, 2 }, after = { same + 1, 1 };

	expect(ask(&before, "alice", "secret"), WEB_LOGIN_OK, false);
	expect(ask(&after, "alice", "secret"), WEB_LOGIN_WRONG, false);
	expect(ask(&after, "bob", "secret"), WEB_LOGIN_OK, false);
}
END_TEST

/* ---- the thread and its queue ---- */

/* Holds up the thread until it is let go. */
struct blocker {
	struct web_check check; /* first */
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool there, go;
};

static void block(struct web_check *check, enum web_login login)
{
	struct blocker *b = (struct blocker *)check;

	(void)login;
	pthread_mutex_lock(&b->lock);
	b->there = true;
	pthread_cond_broadcast(&b->moved);
	while (!b->go)
		pthread_cond_wait(&b->moved, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void blocker_start(struct blocker *b, struct str header)
{
	*b = (struct blocker){ .check.done = block };
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->moved, NULL);
	ck_assert_int_eq(web_users_check(users, &both, header, &b->check), WEB_LOGIN_LATER);
	pthread_mutex_lock(&b->lock);
	while (!b->there)
		pthread_cond_wait(&b->moved, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void blocker_end(struct blocker *b)
{
	pthread_mutex_lock(&b->lock);
	b->go = true;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->lock);
}

START_TEST(a_full_queue)
{
	const struct str wrong = STR("Basic YWxpY2U6"), right = STR("Basic YWxpY2U6c2VjcmV0");
	CLEANUP(freep)
	struct asked *waiting = mem_zalloc((WEB_USERS_WAITING + 1) * sizeof(*waiting));
	struct blocker b;

	expect(ask_header(&both, right), WEB_LOGIN_OK, false);
	blocker_start(&b, wrong);
	for (size_t i = 0; i <= WEB_USERS_WAITING; i++) {
		asked_init(&waiting[i]);
		ck_assert_int_eq(web_users_check(users, &both, wrong, &waiting[i].check),
				 i < WEB_USERS_WAITING ? WEB_LOGIN_LATER : WEB_LOGIN_BUSY);
	}
	/* What is known needs neither the thread nor the queue. */
	expect(ask_header(&both, right), WEB_LOGIN_OK, true);
	blocker_end(&b);
	for (size_t i = 0; i < WEB_USERS_WAITING; i++)
		ck_assert_int_eq(asked_wait(&waiting[i]), WEB_LOGIN_WRONG);
	expect(ask_header(&both, wrong), WEB_LOGIN_WRONG, false);
}
END_TEST

START_TEST(the_same_question_while_it_is_checked)
{
	const struct str wrong = STR("Basic YWxpY2U6"), right = STR("Basic YWxpY2U6c2VjcmV0");
	struct asked waiting[3];
	struct blocker b;

	blocker_start(&b, wrong);
	for (size_t i = 0; i < 3; i++) {
		asked_init(&waiting[i]);
		ck_assert_int_eq(web_users_check(users, &both, right, &waiting[i].check),
				 WEB_LOGIN_LATER);
	}
	blocker_end(&b);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(asked_wait(&waiting[i]), WEB_LOGIN_OK);
}
END_TEST

/* Twenty hashes of 0.1 s each, for which nobody waits. */
START_TEST(stop_answers_all)
{
	enum { WAITING = 20 };
	struct web_pair slow[] = { { alice_name, cost11 } };
	struct asked waiting[WAITING];
	unsigned busy = 0;

	for (size_t i = 0; i < WAITING; i++) {
		asked_init(&waiting[i]);
		ck_assert_int_eq(web_users_check(users, &(struct web_pairs){ slow, 1 },
						 STR("Basic YWxpY2U6"), &waiting[i].check),
				 WEB_LOGIN_LATER);
	}
	web_users_stop(users);
	for (size_t i = 0; i < WAITING; i++) {
		ck_assert(waiting[i].is_done);
		busy += waiting[i].login == WEB_LOGIN_BUSY;
	}
	ck_assert_uint_gt(busy, 0);
	ck_assert_int_eq(web_users_check(users, &both, STR("Basic YWxpY2U6"), &waiting[0].check),
			 WEB_LOGIN_BUSY);
}
END_TEST

enum { ASKERS = 4, QUESTIONS = 50 };

struct asker {
	const char *user;
	pthread_t thread;
	unsigned ok;
};

static void *ask_often(void *arg)
{
	struct asker *a = arg;

	for (int i = 0; i < QUESTIONS; i++) {
		CLEANUP(freep) char *header = basic(a->user, i % 5 ? "secret" : "guess");

		a->ok += ask_header(&both, str_of(header)).login == WEB_LOGIN_OK;
	}
	return NULL;
}

START_TEST(many_threads)
{
	struct asker askers[ASKERS] = { 0 };

	for (int i = 0; i < ASKERS; i++) {
		askers[i].user = i % 2 ? "alice" : "carol";
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
	}
	for (int i = 0; i < ASKERS; i++) {
		pthread_join(askers[i].thread, NULL);
		ck_assert_uint_eq(askers[i].ok, i % 2 ? QUESTIONS * 4 / 5 : 0);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("web_users");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, header_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, right_is_kept);
	tcase_add_test(tc, wrong_and_unknown_cost_a_hash_each_time);
	tcase_add_test(tc, guessing_pushes_nobody_out);
	tcase_add_test(tc, one_entry_for_each_user);
	tcase_add_test(tc, the_oldest_goes_first);
	tcase_add_test(tc, another_hash_is_another_entry);
	tcase_add_test(tc, a_user_who_is_gone);
	tcase_add_test(tc, a_full_queue);
	tcase_add_test(tc, the_same_question_while_it_is_checked);
	tcase_add_test(tc, stop_answers_all);
	tcase_add_test(tc, many_threads);
	return run_cases("web_users", tc);
}
