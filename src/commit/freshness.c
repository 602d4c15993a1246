#include "commit/freshness.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "push/push.h"

/* A question that is not answered within this time has failed. */
enum { ANSWER_NS = 500 * 1000 * 1000 };

/* Time between two questions for which nobody waits; the second while questions fail. */
enum { IDLE_NS = 1000 * 1000 * 1000, RETRY_NS = 100 * 1000 * 1000 };

/* How often to look whether the rows that requests wait for are shown. */
enum { LOOK_NS = 10 * 1000 * 1000 };

struct freshness {
	struct storage *storage;
	struct committer *committer;
	struct queue *queue;
	int64_t stale_after_ns;
	void (*told)(void);
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t news;
	struct freshness_wait *asked;   /* the next question is for these */
	struct freshness_wait *waiting; /* for rows */
	struct push nudge;              /* makes the committer follow */
	bool nudged;                    /* `nudge` is in the queue */
	uint64_t nudges;                /* how many are done */
	int64_t look_ns;                /* monotonic: no nudge before */
	bool failing, stopping;
	int64_t answered_ns; /* monotonic: when the last question was answered */
	struct storage_row_id newest;
	bool behind;                   /* the row that `missing` needs is not shown yet */
	struct freshness_wait missing; /* no request waits with this one */
	int64_t behind_ns;             /* monotonic: since when */
};

/* On the committer's thread. */
static void followed(struct push *push)
{
	struct freshness *f = push->done_arg;

	pthread_mutex_lock(&f->lock);
	f->nudged = false;
	f->nudges++;
	pthread_cond_signal(&f->news);
	pthread_mutex_unlock(&f->lock);
}

/* With the lock. */
static void nudge(struct freshness *f)
{
	if (f->nudged)
		return;
	f->look_ns = clock_mono_ns() + LOOK_NS;
	f->nudge = (struct push){
		.node.urgent = true, .mode = PUSH_FOLLOW, .done = followed, .done_arg = f
	};
	f->nudged = queue_push(f->queue, &f->nudge.node) == QUEUE_OK;
	if (f->nudged)
		queue_wake(f->queue);
}

/* With the lock, which is given up meanwhile. */
static void done_all(struct freshness *f, struct freshness_wait *list)
{
	if (!list)
		return;
	pthread_mutex_unlock(&f->lock);
	while (list) {
		struct freshness_wait *w = list;

		list = w->next;
		w->done(w);
	}
	f->told();
	pthread_mutex_lock(&f->lock);
}

/*
 * Whether the row that w needs is shown. A higher number is not enough: the log may have become
 * another one with as many rows. It is known if that very row is the newest one shown, or if the
 * committer has followed since.
 */
static bool is_shown(const struct freshness *f, const struct freshness_wait *w,
		     const struct storage_row_id *seen)
{
	return storage_row_id_eq(&w->needs, seen) ||
	       (w->needs.number < seen->number && f->nudges >= w->nudge);
}

/*
 * The nudge after which the committer has followed since now: one that is under way may have begun
 * before.
 */
static uint64_t nudge_to_wait_for(const struct freshness *f)
{
	return f->nudges + (f->nudged ? 2 : 1);
}

/* Takes requests out of the list whose rows are shown, or whose time is over. */
static struct freshness_wait *take_ready(struct freshness *f, int64_t now)
{
	struct freshness_wait *ready = NULL, **at = &f->waiting;
	const struct storage_row_id seen = committer_seen(f->committer);

	while (*at) {
		struct freshness_wait *w = *at;

		if (!is_shown(f, w, &seen) && w->until_ns > now && !f->failing) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = ready;
		ready = w;
	}
	return ready;
}

/* With the lock. `seen`: as in is_shown(). */
static void look_for_missing(struct freshness *f, const struct storage_row_id *seen)
{
	if (f->behind && (is_shown(f, &f->missing, seen) || storage_row_id_eq(&f->newest, seen)))
		f->behind = false;
}

/*
 * With the lock, after a question was answered: notes whether rows are missing from what is shown,
 * and since when. since_ns: since when rows may be missing. If some were missing before, the
 * earlier time stays.
 */
static void note_missing(struct freshness *f, int64_t since_ns)
{
	const struct storage_row_id seen = committer_seen(f->committer);

	look_for_missing(f, &seen);
	/* If the log has become another one, it may never have that many rows. */
	if (f->behind && f->newest.number < f->missing.needs.number)
		f->missing.needs = f->newest;
	if (f->behind || storage_row_id_eq(&f->newest, &seen))
		return;
	f->behind = true;
	f->behind_ns = since_ns;
	f->missing.needs = f->newest;
	f->missing.nudge = nudge_to_wait_for(f);
}

/* again: nobody waits for the answer, so there is no deadline. */
static int ask_storage(struct freshness *f, bool again, struct storage_row_id *ret)
{
	int64_t deadline = again ? 0 : clock_mono_ns() + ANSWER_NS;
	struct err ignored;

	return f->storage->ops->newest(f->storage, deadline, ret, &ignored);
}

/* With the lock, which is given up meanwhile. */
static void ask(struct freshness *f)
{
	struct freshness_wait *asking = TAKE(f->asked), *next;
	bool again = f->failing;
	struct storage_row_id newest = { 0 };

	pthread_mutex_unlock(&f->lock);
	bool failed = ask_storage(f, again, &newest) < 0;

	pthread_mutex_lock(&f->lock);
	f->failing = failed;
	if (!failed) {
		int64_t now = clock_mono_ns();

		f->newest = newest;
		note_missing(f, again ? f->answered_ns : now);
		f->answered_ns = now;
	}
	for (; asking; asking = next) {
		next = asking->next;
		asking->needs = newest;
		asking->nudge = nudge_to_wait_for(f);
		asking->next = f->waiting;
		f->waiting = asking;
	}
	const struct storage_row_id seen = committer_seen(f->committer);

	if (!failed && !storage_row_id_eq(&newest, &seen))
		nudge(f);
}

/*
 * With the lock. Looks again whether missing rows are shown: they can be without a nudge, or not be
 * after one.
 */
static void look_again(struct freshness *f)
{
	f->look_ns = clock_mono_ns() + LOOK_NS;
	nudge(f);
}

static int64_t next_ns(const struct freshness *f)
{
	int64_t at = clock_mono_ns() + (f->failing ? RETRY_NS : IDLE_NS);

	if (f->waiting && f->look_ns < at)
		at = f->look_ns;
	for (const struct freshness_wait *w = f->waiting; w; w = w->next)
		if (w->until_ns < at)
			at = w->until_ns;
	return at;
}

static void *freshness_main(void *arg)
{
	struct freshness *f = arg;
	int64_t asked_ns = 0;

	pthread_mutex_lock(&f->lock);
	while (!f->stopping) {
		int64_t now = clock_mono_ns();

		/* Asks also while nobody waits, so that the age of what is shown is known. */
		if (f->asked || now >= asked_ns + (f->failing ? RETRY_NS : IDLE_NS)) {
			asked_ns = now;
			ask(f);
		}
		done_all(f, take_ready(f, clock_mono_ns()));
		/* Requests that have come while it was asked. */
		if (f->failing)
			done_all(f, TAKE(f->asked));
		if (f->waiting && clock_mono_ns() >= f->look_ns)
			look_again(f);
		if (!f->stopping && !f->asked)
			clock_wait(&f->news, &f->lock, next_ns(f));
	}
	f->failing = true;
	done_all(f, TAKE(f->asked));
	done_all(f, TAKE(f->waiting));
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

struct freshness *freshness_start(struct storage *storage, struct committer *committer,
				  struct queue *queue, int64_t stale_after_ns, void (*told)(void),
				  struct err *err)
{
	struct freshness *f = mem_zalloc(sizeof(*f));

	f->storage = storage;
	f->committer = committer;
	f->queue = queue;
	f->stale_after_ns = stale_after_ns;
	f->told = told;
	f->answered_ns = clock_mono_ns();
	f->failing = ask_storage(f, true, &f->newest) < 0;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->news, NULL);
	if (pthread_create(&f->thread, NULL, freshness_main, f) == 0) {
		pthread_setname_np(f->thread, "freshness");
		return f;
	}
	err_set(err, ERR_SYSTEM, 0, "cannot start the thread that asks for the newest row");
	freshness_free(f);
	return NULL;
}

void freshness_stop(struct freshness *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_cond_signal(&f->news);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
}

void freshness_free(struct freshness *f)
{
	if (!f)
		return;
	pthread_cond_destroy(&f->news);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

bool freshness_ask(struct freshness *f, struct freshness_wait *w)
{
	bool waits;

	if (!f)
		return false;
	pthread_mutex_lock(&f->lock);
	waits = !f->failing && !f->stopping;
	if (waits) {
		w->next = f->asked;
		f->asked = w;
		pthread_cond_signal(&f->news);
	}
	pthread_mutex_unlock(&f->lock);
	return waits;
}

bool freshness_is_stale(struct freshness *f)
{
	bool stale;

	if (!f || f->stale_after_ns == 0)
		return false;
	const struct storage_row_id seen = committer_seen(f->committer);
	int64_t now = clock_mono_ns();

	pthread_mutex_lock(&f->lock);
	look_for_missing(f, &seen);
	stale = (f->failing && now - f->answered_ns > f->stale_after_ns) ||
		(f->behind && now - f->behind_ns > f->stale_after_ns);
	pthread_mutex_unlock(&f->lock);
	return stale;
}

struct freshness_stats freshness_stats(struct freshness *f)
{
	struct freshness_stats ret = { .up = true };
	uint64_t seen;

	if (!f)
		return ret;
	seen = committer_seen(f->committer).number;
	pthread_mutex_lock(&f->lock);
	ret.up = !f->failing;
	ret.lag_rows = f->newest.number > seen ? f->newest.number - seen : 0;
	pthread_mutex_unlock(&f->lock);
	return ret;
}
