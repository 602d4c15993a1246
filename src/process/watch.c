#include "process/watch.h"

#include <errno.h>
#include <signal.h>

#include "api/changes.h"
#include "api/large_pushes.h"
#include "api/refusals.h"
#include "api/reload.h"
#include "base/clock.h"
#include "base/log.h"
#include "commit/committer.h"
#include "expose/background.h"
#include "process/resources.h"
#include "process/service.h"
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

/* The beat of each part is taken, whatever the others say: each asks for the next one. */
static bool all_alive(struct api *api)
{
	bool workers = http_server_beats(api->server);
	bool background = background_beats(api->background);
	bool decoding = large_pushes_beats(api->large_pushes);
	bool committer = committer_beats(api->committer);

	if (workers && background && decoding && committer)
		return true;
	log_warn("watchdog: no progress since it last looked", "threads",
		 !workers     ? "http"
		 : !committer ? "committer"
		 : !decoding  ? "decode"
			      : "background",
		 NULL);
	return false;
}

/*
 * Pages are kept as scrapers asked for them. Where a format was tried once, that costs memory for
 * nothing; Prometheus comes back within minutes, as it forgets what is older than five.
 */
static void forget_unused_forms(struct store *s, int64_t *next_ns, int64_t now)
{
	enum { MINUTES = 5 };

	if (now < *next_ns)
		return;
	*next_ns = now + (int64_t)60 * 1000000000;
	store_age_forms(s, MINUTES);
}

void watch_until_stop(struct api *api, const sigset_t *stop)
{
	const int64_t second = 1000000000, look = 10 * second;
	int64_t watchdog = service_watchdog_ns() / 4;
	int64_t ns = watchdog && watchdog < look ? watchdog : look;
	const struct timespec beat = { ns / second, ns % second };
	int64_t next_age_ns = 0;

	for (;;) {
		int got = sigtimedwait(stop, NULL, &beat);
		struct err err;

		if (got == SIGHUP && api_reload_rules(api, &err) == 0)
			changes_add(api->changes, "reload", "SIGHUP", "", STR(""), 0, NULL);
		else if (got > 0 && got != SIGHUP)
			return;
		if (got > 0 || errno != EAGAIN)
			continue;
		if (watchdog && all_alive(api))
			service_alive();
		forget_unused_forms(api->store, &next_age_ns, clock_mono_ns());
		refusals_tick(api->refusals, clock_mono_ns());
		resources_give_memory_back();
	}
}
