#include "access/current_web_config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "access/bcrypt.h"
#include "access/tls.h"
#include "base/clock.h"
#include "base/mem.h"

enum { MAX_FILES = 4, YOUNG_NS = 100000000 };

/*
 * Requests of the same moment share a look. One that takes longer than WAIT_NS is not waited for,
 * nor are others for PAUSE_NS: the file system may hang.
 */
enum { FRESH_NS = 250000, WAIT_NS = 1000000000 };
#define PAUSE_NS INT64_C(10000000000)

/* What tells one version of a file from another without reading it. All 0: it is not there. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct watched_file {
	char *path; /* owned */
	struct file_stamp stamp;
	int64_t seen_ns; /* when we first saw this stamp: clocks of file servers may be wrong */
};

struct current_web_config {
	struct web_listener listener;
	bool tls, watched;
	int64_t rate_interval_ns, rate_burst;

	/* Of the watching thread alone, once it runs. */
	/* Of the last reading, good or bad: the configuration first, then what it named. */
	struct watched_file files[MAX_FILES];
	size_t n_files;
	/*
	 * One had been new to us for so short a time that its writer may not be done, and that its
	 * stamp may hide a later change: clocks of file systems are coarse.
	 */
	bool young;
	struct err refused; /* what was said last, while it is still so */

	pthread_mutex_t lock; /* of what follows, and never held while a file is touched */
	struct web_state *state;
	pthread_t thread;
	bool started, wanted, stop;
	pthread_cond_t asked, looked;
	uint64_t begun, done;  /* looks at the files */
	int64_t fresh_ns;      /* when the last one that is done began */
	int64_t patient_at_ns; /* monotonic: until then nobody waits for a look */
	uint64_t given_up;     /* nor until so many are done */
};

/* ---- stamps ---- */

static struct file_stamp stamp_of(const char *path)
{
	struct file_stamp s = { 0 };
	struct stat st;

	if (stat(path, &st) == 0) {
		s.dev = st.st_dev;
		s.ino = st.st_ino;
		s.size = st.st_size;
		s.modified = st.st_mtim;
		s.changed = st.st_ctim;
	}
	return s;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* Has one of the files another stamp than when it was read? */
static bool have_moved(const struct current_web_config *cur)
{
	for (size_t i = 0; i < cur->n_files; i++) {
		struct file_stamp now = stamp_of(cur->files[i].path);

		if (!same_stamp(&now, &cur->files[i].stamp))
			return true;
	}
	return false;
}

static void take_stamp(struct watched_file *f, int64_t now)
{
	struct file_stamp s = stamp_of(f->path);

	if (same_stamp(&s, &f->stamp))
		return;
	f->stamp = s;
	f->seen_ns = now;
}

/* Before they are read, so that a change in between is seen the next time. */
static void take_stamps(struct current_web_config *cur)
{
	int64_t now = clock_mono_ns();

	cur->young = false;
	for (size_t i = 0; i < cur->n_files; i++) {
		take_stamp(&cur->files[i], now);
		cur->young |= now - cur->files[i].seen_ns < YOUNG_NS;
	}
}

static void watch(struct current_web_config *cur, const char *path)
{
	struct watched_file *f = &cur->files[cur->n_files++];

	f->seen_ns = clock_mono_ns();
	f->path = mem_strdup(path);
	f->stamp = stamp_of(path);
	cur->young = true;
}

static void forget(struct current_web_config *cur, size_t but_first)
{
	while (cur->n_files > but_first)
		free(cur->files[--cur->n_files].path);
}

/* Those that are watched already are known for as long as before. */
static void watch_named(struct current_web_config *cur, const struct web_tls *tls)
{
	const char *const named[] = { tls->cert_file, tls->key_file, tls->client_ca_file };
	bool same = true;
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (named[i]) {
			same = same && n < cur->n_files &&
			       strcmp(cur->files[n].path, named[i]) == 0;
			n++;
		}
	if (same && n == cur->n_files)
		return;
	forget(cur, 1);
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (named[i])
			watch(cur, named[i]);
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
	take_stamps(cur);
	if (web_config_read(cur->files[0].path, which, &s->config, err) < 0)
		return NULL;
	tls = &s->config->tls;
	watch_named(cur, tls);
	if (cur->tls && !tls->on) {
		err_set(err, ERR_CONFIG, 0,
			"it has no certificate any more: TLS ends with a restart only");
		return NULL;
	}
	/* A gateway that has begun without TLS needs no certificate. */
	if (tls->on && (cur->tls || !cur->state) && web_tls_context(tls, which, &s->tls, err) < 0)
		return NULL;
	return TAKE(s);
}

/* Would it let in whom the other keeps out? Half of a file may. */
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

/* moved: not only may a change be hidden by a young stamp, there is one. */
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
	/* Nobody else changes it. */
	weaker = is_weaker(cur->state, next);
	if (weaker && cur->young) {
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
	bool moved = have_moved(cur);

	if (moved || cur->young)
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

/* Under the lock: waits until so many looks are done, but not for long. False: they are not. */
static bool wait_for_look(struct current_web_config *cur, uint64_t n, int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;
	const struct timespec ts = { until / 1000000000, until % 1000000000 };

	while (cur->done < n)
		if (pthread_cond_clockwait(&cur->looked, &cur->lock, CLOCK_MONOTONIC, &ts) != 0)
			return cur->done >= n;
	return true;
}

/* Under the lock. A look that has begun already may have missed what has just changed. */
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

/* False: it waits for a file system, and may do so for ever. */
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

/* A pipe, say: what has been read from it is not there again. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool can_be_watched(const struct current_web_config *cur)
{
	for (size_t i = 0; i < cur->n_files; i++)
		if (is_special(cur->files[i].path))
			return false;
	return true;
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
	watch(cur, path);
	cur->state = read_state(cur, err);
	if (!cur->state) {
		current_web_config_close(cur);
		return NULL;
	}
	cur->watched = can_be_watched(cur);
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
	/* What a thread still uses that cannot be ended ends with the process. */
	if (!cur || !stop_watching(cur))
		return;
	web_state_unref(cur->state);
	forget(cur, 0);
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
