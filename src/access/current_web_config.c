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
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct file {
	char *path; /* owned */
	struct stamp stamp;
	int64_t seen_ns; /* when we first saw this stamp: clocks of file servers may be wrong */
};

struct web_live {
	struct web_listener listener;
	bool tls, watched;
	int64_t rate_interval_ns, rate_burst;

	/* Of the watching thread alone, once it runs. */
	/* Of the last reading, good or bad: the configuration first, then what it named. */
	struct file files[MAX_FILES];
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

static struct stamp stamp_of(const char *path)
{
	struct stamp s = { 0 };
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

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* Has one of the files another stamp than when it was read? */
static bool have_moved(const struct web_live *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		struct stamp now = stamp_of(l->files[i].path);

		if (!same_stamp(&now, &l->files[i].stamp))
			return true;
	}
	return false;
}

static void take_stamp(struct file *f, int64_t now)
{
	struct stamp s = stamp_of(f->path);

	if (same_stamp(&s, &f->stamp))
		return;
	f->stamp = s;
	f->seen_ns = now;
}

/* Before they are read, so that a change in between is seen the next time. */
static void take_stamps(struct web_live *l)
{
	int64_t now = clock_mono_ns();

	l->young = false;
	for (size_t i = 0; i < l->n_files; i++) {
		take_stamp(&l->files[i], now);
		l->young |= now - l->files[i].seen_ns < YOUNG_NS;
	}
}

static void watch(struct web_live *l, const char *path)
{
	struct file *f = &l->files[l->n_files++];

	f->seen_ns = clock_mono_ns();
	f->path = mem_strdup(path);
	f->stamp = stamp_of(path);
	l->young = true;
}

static void forget(struct web_live *l, size_t but_first)
{
	while (l->n_files > but_first)
		free(l->files[--l->n_files].path);
}

/* Those that are watched already are known for as long as before. */
static void watch_named(struct web_live *l, const struct web_tls *tls)
{
	const char *const named[] = { tls->cert_file, tls->key_file, tls->client_ca_file };
	bool same = true;
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (named[i]) {
			same = same && n < l->n_files && strcmp(l->files[n].path, named[i]) == 0;
			n++;
		}
	if (same && n == l->n_files)
		return;
	forget(l, 1);
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (named[i])
			watch(l, named[i]);
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
static struct web_state *read_state(struct web_live *l, struct err *err)
{
	CLEANUP(web_state_unrefp) struct web_state *s = mem_zalloc(sizeof(*s));
	enum web_files which = l->state ? WEB_FILES_REGULAR : WEB_FILES_ANY;
	const struct web_tls *tls;

	s->refs = 1;
	take_stamps(l);
	if (web_config_read(l->files[0].path, which, &s->config, err) < 0)
		return NULL;
	tls = &s->config->tls;
	watch_named(l, tls);
	if (l->tls && !tls->on) {
		err_set(err, ERR_CONFIG, 0,
			"it has no certificate any more: TLS ends with a restart only");
		return NULL;
	}
	/* A gateway that has begun without TLS needs no certificate. */
	if (tls->on && (l->tls || !l->state) && web_tls_context(tls, which, &s->tls, err) < 0)
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

static void say(struct web_live *l, enum web_change change, const char *why)
{
	l->listener.changed(l->listener.arg, change, why);
}

static void say_slow(struct web_live *l, const struct web_pairs *users)
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
	say(l, WEB_CHANGE_SLOW_HASH, why.msg);
}

static void say_taken(struct web_live *l, const struct web_config *c)
{
	say_slow(l, &c->users);
	if (c->tls.on && !l->tls)
		say(l, WEB_CHANGE_NEEDS_RESTART, "TLS begins with a restart");
	else if (c->rate_interval_ns != l->rate_interval_ns || c->rate_burst != l->rate_burst)
		say(l, WEB_CHANGE_NEEDS_RESTART, "the rate limit changes with a restart");
	else
		say(l, WEB_CHANGE_TAKEN, NULL);
}

static void put_in_force(struct web_live *l, struct web_state *next)
{
	struct web_state *old;

	pthread_mutex_lock(&l->lock);
	old = l->state;
	l->state = next;
	pthread_mutex_unlock(&l->lock);
	web_state_unref(old);
}

/* moved: not only may a change be hidden by a young stamp, there is one. */
static void reload(struct web_live *l, bool moved)
{
	struct web_state *next;
	struct err err;
	bool weaker;

	next = read_state(l, &err);
	if (!next) {
		if (moved || strcmp(l->refused.msg, err.msg) != 0)
			say(l, WEB_CHANGE_REFUSED, err.msg);
		l->refused = err;
		return;
	}
	/* Nobody else changes it. */
	weaker = is_weaker(l->state, next);
	if (weaker && l->young) {
		web_state_unref(next);
		return;
	}
	if (moved || weaker || l->refused.msg[0])
		say_taken(l, next->config);
	l->refused.msg[0] = '\0';
	put_in_force(l, next);
}

/* ---- the watching thread ---- */

static void look(struct web_live *l)
{
	bool moved = have_moved(l);

	if (moved || l->young)
		reload(l, moved);
}

static void *watch_main(void *arg)
{
	struct web_live *l = arg;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		int64_t began;

		while (!l->wanted && !l->stop)
			pthread_cond_wait(&l->asked, &l->lock);
		if (l->stop)
			break;
		l->wanted = false;
		l->begun++;
		began = clock_mono_ns();
		pthread_mutex_unlock(&l->lock);
		look(l);
		pthread_mutex_lock(&l->lock);
		l->done = l->begun;
		l->fresh_ns = began;
		pthread_cond_broadcast(&l->looked);
	}
	l->done = UINT64_MAX;
	pthread_cond_broadcast(&l->looked);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* Under the lock: waits until so many looks are done, but not for long. False: they are not. */
static bool wait_for_look(struct web_live *l, uint64_t n, int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;
	const struct timespec ts = { until / 1000000000, until % 1000000000 };

	while (l->done < n)
		if (pthread_cond_clockwait(&l->looked, &l->lock, CLOCK_MONOTONIC, &ts) != 0)
			return l->done >= n;
	return true;
}

/* Under the lock. A look that has begun already may have missed what has just changed. */
static void refresh(struct web_live *l)
{
	int64_t now;

	if (!l->started)
		return;
	now = clock_mono_ns();
	if (now - l->fresh_ns < FRESH_NS)
		return;
	l->wanted = true;
	pthread_cond_signal(&l->asked);
	if (now < l->patient_at_ns || l->done < l->given_up)
		return;
	if (!wait_for_look(l, l->begun + 1, WAIT_NS)) {
		l->patient_at_ns = clock_mono_ns() + PAUSE_NS;
		l->given_up = l->done + 1;
	}
}

/* False: it waits for a file system, and may do so for ever. */
static bool stop_watching(struct web_live *l)
{
	bool ended = true;

	if (!l->started)
		return true;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->asked);
	ended = wait_for_look(l, UINT64_MAX, WAIT_NS);
	pthread_mutex_unlock(&l->lock);
	if (ended)
		pthread_join(l->thread, NULL);
	else
		pthread_detach(l->thread);
	return ended;
}

static int start_watching(struct web_live *l, struct err *err)
{
	l->fresh_ns = INT64_MIN / 2;
	if (pthread_create(&l->thread, NULL, watch_main, l) != 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "cannot start the thread that watches the web configuration");
	pthread_setname_np(l->thread, "watch");
	l->started = true;
	return 0;
}

/* A pipe, say: what has been read from it is not there again. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool can_be_watched(const struct web_live *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (is_special(l->files[i].path))
			return false;
	return true;
}

struct web_live *web_live_open(const char *path, const struct web_listener *listener,
			       struct err *err)
{
	struct web_live *l = mem_zalloc(sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->asked, NULL);
	pthread_cond_init(&l->looked, NULL);
	l->listener = *listener;
	watch(l, path);
	l->state = read_state(l, err);
	if (!l->state) {
		web_live_close(l);
		return NULL;
	}
	l->watched = can_be_watched(l);
	l->tls = l->state->tls != NULL;
	l->rate_interval_ns = l->state->config->rate_interval_ns;
	l->rate_burst = l->state->config->rate_burst;
	say_slow(l, &l->state->config->users);
	if (l->watched && start_watching(l, err) < 0) {
		web_live_close(l);
		return NULL;
	}
	return l;
}

void web_live_close(struct web_live *l)
{
	/* What a thread still uses that cannot be ended ends with the process. */
	if (!l || !stop_watching(l))
		return;
	web_state_unref(l->state);
	forget(l, 0);
	pthread_cond_destroy(&l->asked);
	pthread_cond_destroy(&l->looked);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

struct web_state *web_live_get(struct web_live *l)
{
	struct web_state *s;

	pthread_mutex_lock(&l->lock);
	refresh(l);
	s = state_ref(l->state);
	pthread_mutex_unlock(&l->lock);
	return s;
}

SSL_CTX *web_live_tls_context(void *live)
{
	CLEANUP(web_state_unrefp) struct web_state *s = web_live_get(live);

	if (s->tls)
		SSL_CTX_up_ref(s->tls);
	return s->tls;
}
