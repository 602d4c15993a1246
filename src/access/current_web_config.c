#include "access/current_web_config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "access/bcrypt.h"
#include "access/tls.h"
#include "access/watched_files.h"
#include "base/clock.h"
#include "base/mem.h"

/*
 * A check of the files holds for requests within FRESH_NS. A request waits for a check for up to
 * WAIT_NS. If that was too short, the file system may hang, and no request waits for PAUSE_NS.
 */
enum { FRESH_NS = 250000, WAIT_NS = 1000000000 };
#define PAUSE_NS INT64_C(10000000000)

struct current_web_config {
	struct web_listener listener;
	bool tls, watched;
	int64_t rate_interval_ns, rate_burst;

	/* Only the watching thread uses these, once it runs. */
	struct watched_files files; /* of the last reading, good or bad */
	struct err refused;         /* the last refusal, as long as it holds */

	pthread_mutex_t lock; /* of what follows, and never held while a file is touched */
	struct web_state *state;
	pthread_t thread;
	bool started, wanted, stop;
	pthread_cond_t asked, looked;
	uint64_t begun, done;  /* looks at the files that have begun, and that are done */
	int64_t fresh_ns;      /* when the last look that is done began */
	int64_t patient_at_ns; /* monotonic: no request waits before this time, */
	uint64_t given_up;     /* nor before this look is done */
};

static void watch_named(struct current_web_config *cur, const struct web_tls *tls)
{
	const char *const named[] = { tls->cert_file, tls->key_file, tls->client_ca_file };

	watched_files_name(&cur->files, named, ARRAY_LEN(named));
}

/* ---- reading ---- */

static void state_free(struct web_state *s)
{
	web_config_free(s->config);
	SSL_CTX_free(s->tls);
	free(s);
}

void web_state_unref(struct web_state *s)
{
	if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		state_free(s);
}

static struct web_state *state_ref(struct web_state *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

/* The files as they are now. NULL: *err. */
static struct web_state *read_state(struct current_web_config *cur, struct err *err)
{
	CLEANUP(web_state_unrefp) struct web_state *s = mem_zalloc(sizeof(*s));
	enum config_file_kinds which = cur->state ? CONFIG_FILE_REGULAR : CONFIG_FILE_ANY;
	const struct web_tls *tls;

	s->refs = 1;
	watched_files_take_stamps(&cur->files);
	if (web_config_read(watched_files_first(&cur->files), which, &s->config, err) < 0)
		return NULL;
	tls = &s->config->tls;
	watch_named(cur, tls);
	if (cur->tls && !tls->on) {
		err_set(err, ERR_CONFIG, 0,
			"it has no certificate any more: TLS ends with a restart only");
		return NULL;
	}
	/* If TLS was off at start, it stays off, and no certificate is needed. */
	if (tls->on && (cur->tls || !cur->state) && web_tls_context(tls, which, &s->tls, err) < 0)
		return NULL;
	return TAKE(s);
}

/* Whether `to` would let in clients that `from` refuses, as a half-written file could. */
static bool is_weaker(const struct web_state *from, const struct web_state *to)
{
	if (from->config->users.n > 0 && to->config->users.n == 0)
		return true;
	return from->tls && to->tls && web_tls_is_weaker(from->tls, to->tls);
}

static void say(struct current_web_config *cur, enum web_change change, const char *why)
{
	cur->listener.changed(cur->listener.arg, change, why);
}

static void say_slow(struct current_web_config *cur, const struct web_pairs *users)
{
	const struct web_pair *slowest = NULL;
	int cost = BCRYPT_COST_SLOW;
	struct err why;

	for (size_t i = 0; i < users->n; i++)
		if (bcrypt_cost(users->v[i].value) > cost) {
			slowest = &users->v[i];
			cost = bcrypt_cost(slowest->value);
		}
	if (!slowest)
		return;
	err_set(&why, ERR_CONFIG, 0, "bcrypt cost %d of user %s", cost, slowest->name);
	say(cur, WEB_CHANGE_SLOW_HASH, why.msg);
}

static void say_taken(struct current_web_config *cur, const struct web_config *c)
{
	say_slow(cur, &c->users);
	if (c->tls.on && !cur->tls)
		say(cur, WEB_CHANGE_NEEDS_RESTART, "TLS begins with a restart");
	else if (c->rate_interval_ns != cur->rate_interval_ns || c->rate_burst != cur->rate_burst)
		say(cur, WEB_CHANGE_NEEDS_RESTART, "the rate limit changes with a restart");
	else
		say(cur, WEB_CHANGE_TAKEN, NULL);
}

static void put_in_force(struct current_web_config *cur, struct web_state *next)
{
	struct web_state *old;

	pthread_mutex_lock(&cur->lock);
	old = cur->state;
	cur->state = next;
	pthread_mutex_unlock(&cur->lock);
	web_state_unref(old);
}

/* moved: a stamp has changed; otherwise a young stamp may hide a change. */
static void reload(struct current_web_config *cur, bool moved)
{
	struct web_state *next;
	struct err err;
	bool weaker;

	next = read_state(cur, &err);
	if (!next) {
		if (moved || strcmp(cur->refused.msg, err.msg) != 0)
			say(cur, WEB_CHANGE_REFUSED, err.msg);
		cur->refused = err;
		return;
	}
	/* Only this thread changes cur->state. */
	weaker = is_weaker(cur->state, next);
	if (weaker && cur->files.young) {
		web_state_unref(next);
		return;
	}
	if (moved || weaker || cur->refused.msg[0])
		say_taken(cur, next->config);
	cur->refused.msg[0] = '\0';
	put_in_force(cur, next);
}

/* ---- the watching thread ---- */

static void look(struct current_web_config *cur)
{
	bool moved = watched_files_changed(&cur->files);

	if (moved || cur->files.young)
		reload(cur, moved);
}

static void *watch_main(void *arg)
{
	struct current_web_config *cur = arg;

	pthread_mutex_lock(&cur->lock);
	for (;;) {
		int64_t began;

		while (!cur->wanted && !cur->stop)
			pthread_cond_wait(&cur->asked, &cur->lock);
		if (cur->stop)
			break;
		cur->wanted = false;
		cur->begun++;
		began = clock_mono_ns();
		pthread_mutex_unlock(&cur->lock);
		look(cur);
		pthread_mutex_lock(&cur->lock);
		cur->done = cur->begun;
		cur->fresh_ns = began;
		pthread_cond_broadcast(&cur->looked);
	}
	cur->done = UINT64_MAX;
	pthread_cond_broadcast(&cur->looked);
	pthread_mutex_unlock(&cur->lock);
	return NULL;
}

/* Under the lock: waits until n looks are done, for up to ns. False: they are not done. */
static bool wait_for_look(struct current_web_config *cur, uint64_t n, int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;

	while (cur->done < n)
		if (!clock_wait(&cur->looked, &cur->lock, until))
			return cur->done >= n;
	return true;
}

/*
 * Under the lock. Waits for a look that begins from now on, since one that is under way may have
 * missed a change.
 */
static void refresh(struct current_web_config *cur)
{
	int64_t now;

	if (!cur->started)
		return;
	now = clock_mono_ns();
	if (now - cur->fresh_ns < FRESH_NS)
		return;
	cur->wanted = true;
	pthread_cond_signal(&cur->asked);
	if (now < cur->patient_at_ns || cur->done < cur->given_up)
		return;
	if (!wait_for_look(cur, cur->begun + 1, WAIT_NS)) {
		cur->patient_at_ns = clock_mono_ns() + PAUSE_NS;
		cur->given_up = cur->done + 1;
	}
}

/* False: the thread waits for a file system that may hang for ever. */
static bool stop_watching(struct current_web_config *cur)
{
	bool ended = true;

	if (!cur->started)
		return true;
	pthread_mutex_lock(&cur->lock);
	cur->stop = true;
	pthread_cond_signal(&cur->asked);
	ended = wait_for_look(cur, UINT64_MAX, WAIT_NS);
	pthread_mutex_unlock(&cur->lock);
	if (ended)
		pthread_join(cur->thread, NULL);
	else
		pthread_detach(cur->thread);
	return ended;
}

static int start_watching(struct current_web_config *cur, struct err *err)
{
	cur->fresh_ns = INT64_MIN / 2;
	if (pthread_create(&cur->thread, NULL, watch_main, cur) != 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "cannot start the thread that watches the web configuration");
	pthread_setname_np(cur->thread, "watch");
	cur->started = true;
	return 0;
}

struct current_web_config *current_web_config_open(const char *path,
						   const struct web_listener *listener,
						   struct err *err)
{
	struct current_web_config *cur = mem_zalloc(sizeof(*cur));

	pthread_mutex_init(&cur->lock, NULL);
	pthread_cond_init(&cur->asked, NULL);
	pthread_cond_init(&cur->looked, NULL);
	cur->listener = *listener;
	watched_files_begin(&cur->files, path);
	cur->state = read_state(cur, err);
	if (!cur->state) {
		current_web_config_close(cur);
		return NULL;
	}
	cur->watched = watched_files_are_regular(&cur->files);
	cur->tls = cur->state->tls != NULL;
	cur->rate_interval_ns = cur->state->config->rate_interval_ns;
	cur->rate_burst = cur->state->config->rate_burst;
	say_slow(cur, &cur->state->config->users);
	if (cur->watched && start_watching(cur, err) < 0) {
		current_web_config_close(cur);
		return NULL;
	}
	return cur;
}

void current_web_config_close(struct current_web_config *cur)
{
	/* If the thread cannot be ended, it still uses the memory: this is not freed. */
	if (!cur || !stop_watching(cur))
		return;
	web_state_unref(cur->state);
	watched_files_done(&cur->files);
	pthread_cond_destroy(&cur->asked);
	pthread_cond_destroy(&cur->looked);
	pthread_mutex_destroy(&cur->lock);
	free(cur);
}

struct web_state *current_web_config_get(struct current_web_config *cur)
{
	struct web_state *s;

	pthread_mutex_lock(&cur->lock);
	refresh(cur);
	s = state_ref(cur->state);
	pthread_mutex_unlock(&cur->lock);
	return s;
}

SSL_CTX *current_web_config_tls_context(void *current)
{
	CLEANUP(web_state_unrefp) struct web_state *s = current_web_config_get(current);

	if (s->tls)
		SSL_CTX_up_ref(s->tls);
	return s->tls;
}
