#include "process/watchdog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/large_pushes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit/committer.h"
#include "expose/background.h"
#include "http/server.h"
#include "process/service.h"

struct watchdog {
	struct api *api;
	int64_t period_ns;
	atomic_llong main_beat_ns; /* when the main thread was last alive */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop_asked;
	bool stopping; /* under lock */
};

int64_t watchdog_period_ns(void)
{
	return service_watchdog_ns() / 4;
}

/* The main thread waits on a clock of its own, and may be late for one look. */
static bool main_is_alive(const struct watchdog *w)
{
	return clock_mono_ns() - w->main_beat_ns < 2 * w->period_ns;
}

/* Asks every part, even if one has failed already, since each call starts the part's next beat. */
static bool all_alive(struct watchdog *w)
{
	const struct {
		const char *name;
		bool alive;
	} parts[] = {
		{ "http", http_server_beats(w->api->server) },
		{ "committer", committer_beats(w->api->committer) },
		{ "decode", large_pushes_beats(w->api->large_pushes) },
		{ "background", background_beats(w->api->background) },
		{ "main", main_is_alive(w) },
	};
	char names[64];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!parts[i].alive)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
					      n > 0 ? "," : "", parts[i].name);
	if (n > 0)
		log_warn("watchdog: no progress since it last looked", "threads", names, NULL);
	return n == 0;
}

static void watchdog_free(struct watchdog *w)
{
	pthread_cond_destroy(&w->stop_asked);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void *watchdog_main(void *arg)
{
	struct watchdog *w = arg;
	int64_t next_ns = clock_mono_ns() + w->period_ns;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		if (clock_wait(&w->stop_asked, &w->lock, next_ns))
			continue;
		if (all_alive(w))
			service_alive();
		next_ns = clock_mono_ns() + w->period_ns;
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int watchdog_start(struct watchdog **ret, struct api *api, struct err *err)
{
	int64_t period_ns = watchdog_period_ns();
	struct watchdog *w;

	*ret = NULL;
	if (period_ns == 0)
		return 0;
	w = mem_zalloc(sizeof(*w));
	w->api = api;
	w->period_ns = period_ns;
	w->main_beat_ns = clock_mono_ns();
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->stop_asked, NULL);
	if (pthread_create(&w->thread, NULL, watchdog_main, w) != 0) {
		watchdog_free(w);
		return err_set(err, ERR_SYSTEM, 0, "cannot start the watchdog's thread");
	}
	pthread_setname_np(w->thread, "watchdog");
	*ret = w;
	return 0;
}

void watchdog_main_beats(struct watchdog *w)
{
	if (w)
		w->main_beat_ns = clock_mono_ns();
}

void watchdog_stop(struct watchdog *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->stop_asked);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	watchdog_free(w);
}
