#include "config/current_rules.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"

struct current_rules {
	char *path;
	bool utf8_names;
	pthread_mutex_t reading; /* one reload at a time, so that the last one to begin wins */
	pthread_mutex_t lock;    /* of what follows; never held while a file is read */
	struct group_rules *rules;
	struct current_rules_state state;
	atomic_bool has_access, has_lint; /* of the rules; read without the lock */
	pthread_cond_t never;             /* never signalled: for clock_wait() */
};

static void put(struct current_rules *cur, struct group_rules *rules)
{
	bool lint = false;

	for (size_t i = 0; i < rules->n; i++)
		lint |= rules->v[i].guards.lint != LINT_OFF;
	cur->has_lint = lint;
	cur->has_access = rules->access != NULL;
	cur->rules = rules;
}

struct current_rules *current_rules_open(const char *path, bool utf8_names, struct err *err)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct current_rules *cur;

	if (group_rules_read(path, CONFIG_FILE_ANY, &rules, err) < 0 ||
	    group_rules_check_names(rules, utf8_names, err) < 0)
		return NULL;
	cur = mem_zalloc(sizeof(*cur));
	cur->path = mem_strdup(path);
	cur->utf8_names = utf8_names;
	pthread_mutex_init(&cur->reading, NULL);
	pthread_mutex_init(&cur->lock, NULL);
	pthread_cond_init(&cur->never, NULL);
	put(cur, TAKE(rules));
	cur->state = (struct current_rules_state){ true, clock_wall_ns() };
	return cur;
}

void current_rules_close(struct current_rules *cur)
{
	if (!cur)
		return;
	group_rules_unref(cur->rules);
	pthread_cond_destroy(&cur->never);
	pthread_mutex_destroy(&cur->lock);
	pthread_mutex_destroy(&cur->reading);
	free(cur->path);
	free(cur);
}

/* ---- reading again ---- */

enum { YOUNG_NS = 100 * 1000 * 1000, TRIES = 50 };

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void wait_a_moment(struct current_rules *cur)
{
	int64_t until = clock_mono_ns() + YOUNG_NS;

	pthread_mutex_lock(&cur->lock);
	while (clock_wait(&cur->never, &cur->lock, until))
		;
	pthread_mutex_unlock(&cur->lock);
}

/* Reads the file until it has settled, since its writer may not be done. */
static int read_settled(struct current_rules *cur, struct group_rules **ret, struct err *err)
{
	struct stat before, after;

	for (int i = 0; i < TRIES; i++) {
		CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;

		if (stat(cur->path, &before) < 0 ||
		    group_rules_read(cur->path, CONFIG_FILE_REGULAR, &rules, err) < 0)
			return group_rules_read(cur->path, CONFIG_FILE_REGULAR, ret, err);
		/* Nobody else replaces cur->rules while `reading` is held. */
		if (!access_rules_widen(cur->rules->access, rules->access)) {
			*ret = TAKE(rules);
			return 0;
		}
		wait_a_moment(cur);
		if (stat(cur->path, &after) == 0 && same_file(&before, &after)) {
			*ret = TAKE(rules);
			return 0;
		}
	}
	return err_set(err, ERR_CONFIG, 0,
		       "the file keeps changing, and would let in more than before: reload it when "
		       "it is complete");
}

static int read_checked(struct current_rules *cur, const struct current_rules_reload *how,
			struct group_rules **ret, struct err *err)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;

	if (read_settled(cur, &rules, err) < 0 ||
	    group_rules_check_names(rules, cur->utf8_names, err) < 0 ||
	    (how->check && how->check(how->arg, rules, err) < 0))
		return -1;
	*ret = TAKE(rules);
	return 0;
}

int current_rules_reload(struct current_rules *cur, const struct current_rules_reload *how,
			 struct err *err)
{
	CLEANUP(group_rules_unrefp) struct group_rules *old = NULL;
	struct group_rules *rules = NULL;
	int r;

	pthread_mutex_lock(&cur->reading);
	r = read_checked(cur, how, &rules, err);
	/* It is the file that is wrong, and not what asks to read it. */
	if (r < 0 && (err->reason == ERR_INVALID || err->reason == ERR_TOO_LARGE))
		err->reason = ERR_CONFIG;
	pthread_mutex_lock(&cur->lock);
	old = r < 0 ? NULL : cur->rules;
	cur->state.last_ok = r == 0;
	if (r == 0) {
		put(cur, rules);
		cur->state.taken_wall_ns = clock_wall_ns();
	}
	pthread_mutex_unlock(&cur->lock);
	/* Nobody else replaces what was put in force while `reading` is held. */
	if (r == 0 && how->regrouped)
		group_rules_regrouped(old, rules, how->regrouped, how->arg);
	pthread_mutex_unlock(&cur->reading);
	return r;
}

bool current_rules_have_access(const struct current_rules *cur)
{
	return cur->has_access;
}

bool current_rules_have_lint(const struct current_rules *cur)
{
	return cur->has_lint;
}

struct group_rules *current_rules_get(struct current_rules *cur)
{
	struct group_rules *rules;

	pthread_mutex_lock(&cur->lock);
	rules = group_rules_ref(cur->rules);
	pthread_mutex_unlock(&cur->lock);
	return rules;
}

struct current_rules_state current_rules_state(struct current_rules *cur)
{
	struct current_rules_state state;

	pthread_mutex_lock(&cur->lock);
	state = cur->state;
	pthread_mutex_unlock(&cur->lock);
	return state;
}
