#include "config/current_rules.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct current_rules {
	char *path;
	pthread_mutex_t reading; /* one reload at a time, so that the last one to begin wins */
	pthread_mutex_t lock;    /* of what follows; never held while a file is read */
	struct group_rules *rules;
	struct current_rules_state state;
};

struct current_rules *current_rules_open(const char *path, struct err *err)
{
	struct group_rules *rules;
	struct current_rules *cur;

	if (group_rules_read(path, CONFIG_FILE_ANY, &rules, err) < 0)
		return NULL;
	cur = mem_zalloc(sizeof(*cur));
	cur->path = mem_strdup(path);
	pthread_mutex_init(&cur->reading, NULL);
	pthread_mutex_init(&cur->lock, NULL);
	cur->rules = rules;
	cur->state = (struct current_rules_state){ true, clock_wall_ns() };
	return cur;
}

void current_rules_close(struct current_rules *cur)
{
	if (!cur)
		return;
	group_rules_unref(cur->rules);
	pthread_mutex_destroy(&cur->lock);
	pthread_mutex_destroy(&cur->reading);
	free(cur->path);
	free(cur);
}

int current_rules_reload(struct current_rules *cur, group_rules_regrouped_fn fn, void *arg,
			 struct err *err)
{
	CLEANUP(group_rules_unrefp) struct group_rules *old = NULL;
	struct group_rules *rules = NULL;
	int r;

	pthread_mutex_lock(&cur->reading);
	r = group_rules_read(cur->path, CONFIG_FILE_REGULAR, &rules, err);
	pthread_mutex_lock(&cur->lock);
	old = r < 0 ? NULL : cur->rules;
	cur->state.last_ok = r == 0;
	if (r == 0) {
		cur->rules = rules;
		cur->state.taken_wall_ns = clock_wall_ns();
	}
	pthread_mutex_unlock(&cur->lock);
	/* Nobody else replaces what was put in force while this lock is held. */
	if (r == 0)
		group_rules_regrouped(old, rules, fn, arg);
	pthread_mutex_unlock(&cur->reading);
	return r;
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
