#include "config/current_rules.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct live_rules {
	char *path;
	pthread_mutex_t reading; /* one reload at a time, so that the last one to begin wins */
	pthread_mutex_t lock;    /* of what follows; never held while a file is read */
	struct group_rules *rules;
	struct live_rules_state state;
};

struct live_rules *live_rules_open(const char *path, struct err *err)
{
	struct group_rules *rules;
	struct live_rules *l;

	if (group_rules_read(path, WEB_FILES_ANY, &rules, err) < 0)
		return NULL;
	l = mem_zalloc(sizeof(*l));
	l->path = mem_strdup(path);
	pthread_mutex_init(&l->reading, NULL);
	pthread_mutex_init(&l->lock, NULL);
	l->rules = rules;
	l->state = (struct live_rules_state){ true, clock_wall_ns() };
	return l;
}

void live_rules_close(struct live_rules *l)
{
	if (!l)
		return;
	group_rules_unref(l->rules);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->reading);
	free(l->path);
	free(l);
}

int live_rules_reload(struct live_rules *l, struct err *err)
{
	struct group_rules *rules = NULL, *old;
	int r;

	pthread_mutex_lock(&l->reading);
	r = group_rules_read(l->path, WEB_FILES_REGULAR, &rules, err);
	pthread_mutex_lock(&l->lock);
	old = r < 0 ? NULL : l->rules;
	l->state.last_ok = r == 0;
	if (r == 0) {
		l->rules = rules;
		l->state.taken_wall_ns = clock_wall_ns();
	}
	pthread_mutex_unlock(&l->lock);
	pthread_mutex_unlock(&l->reading);
	group_rules_unref(old);
	return r;
}

struct group_rules *live_rules_get(struct live_rules *l)
{
	struct group_rules *rules;

	pthread_mutex_lock(&l->lock);
	rules = group_rules_ref(l->rules);
	pthread_mutex_unlock(&l->lock);
	return rules;
}

struct live_rules_state live_rules_state(struct live_rules *l)
{
	struct live_rules_state state;

	pthread_mutex_lock(&l->lock);
	state = l->state;
	pthread_mutex_unlock(&l->lock);
	return state;
}
