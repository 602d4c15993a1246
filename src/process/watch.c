#include "process/watch.h"

#include <errno.h>
#include <signal.h>

#include "api/changes.h"
#include "api/refusals.h"
#include "api/reload.h"
#include "base/clock.h"
#include "process/resources.h"
#include "store/store.h"

void watch_block_signals(sigset_t *stop)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(stop);
	sigaddset(stop, SIGTERM);
	sigaddset(stop, SIGINT);
	sigaddset(stop, SIGHUP);
	pthread_sigmask(SIG_BLOCK, stop, NULL);
}

/*
 * Pages are kept in the formats that scrapers asked for. Formats that were tried once would take
 * memory for nothing. Prometheus scrapes again within five minutes, after which it forgets a
 * series.
 */
static void forget_unused_forms(struct store *s, int64_t *next_ns, int64_t now)
{
	enum { MINUTES = 5 };

	if (now < *next_ns)
		return;
	*next_ns = now + (int64_t)60 * 1000000000;
	store_age_forms(s, MINUTES);
}

/*
 * Housekeeping of the main thread. It takes locks that other parts hold for long, and those of the
 * heap.
 */
static void keep_house(struct api *api, int64_t *next_age_ns)
{
	int64_t now_ns = clock_mono_ns();

	forget_unused_forms(api->store, next_age_ns, now_ns);
	refusals_tick(api->refusals, now_ns);
	resources_give_memory_back(api->config->memory.bytes);
}

void watch_until_stop(struct api *api, const sigset_t *stop, struct watchdog *watchdog)
{
	const int64_t second = 1000000000, look = 10 * second;
	int64_t period_ns = watchdog_period_ns();
	int64_t ns = period_ns && period_ns < look ? period_ns : look;
	const struct timespec beat = { ns / second, ns % second };
	int64_t next_age_ns = 0;

	for (;;) {
		int got = sigtimedwait(stop, NULL, &beat);
		struct err err;

		watchdog_main_beats(watchdog);
		if (got == SIGHUP && api_reload_rules(api, &err) == 0)
			changes_add(api->changes, "reload", "SIGHUP", "", STR(""), 0, NULL);
		else if (got > 0 && got != SIGHUP)
			return;
		if (got < 0 && errno == EAGAIN)
			keep_house(api, &next_age_ns);
	}
}
