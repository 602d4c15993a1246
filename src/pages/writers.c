#include "pages/writers.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "metrics/key.h"
#include "pages/group.h"
#include "push/push.h"

/* The most conflicts that expire at a time, so that the lock is not held for long. */
enum { EXPIRED_AT_ONCE = 4096 };

void writers_done(struct writers *w)
{
	table_done(&w->known);
	table_done(&w->rivalries);
	for (int i = 0; i < CONFLICT_JOBS_MAX; i++)
		free(w->jobs[i].job);
}

/* ---- addresses and users ---- */

static struct writer *writer_get(struct writers *w, struct str peer, struct str user)
{
	uint64_t hash = hash_bytes(peer) + 31 * hash_bytes(user);
	struct writer *it;

	for (size_t at = table_first(&w->known, hash); (it = table_next(&w->known, hash, &at));)
		if (str_eq(writer_peer(it), peer) && str_eq(writer_user(it), user)) {
			it->refs++;
			return it;
		}
	it = mem_alloc(sizeof(*it) + peer.n + user.n);
	*it = (struct writer){ hash, 1, (uint32_t)peer.n, (uint32_t)user.n };
	copy_bytes(it->text, peer.p, peer.n);
	copy_bytes(it->text + peer.n, user.p, user.n);
	table_add(&w->known, hash, it);
	return it;
}

static void writer_unref(struct writers *w, struct writer *it)
{
	if (!it || --it->refs > 0)
		return;
	table_remove(&w->known, it->hash, it);
	free(it);
}

static bool same_peer(const struct writer *a, const struct writer *b)
{
	return a == b || str_eq(writer_peer(a), writer_peer(b));
}

/* ---- rivalries: only few groups have one ---- */

struct rivalry *rivalry_of(const struct writers *w, const struct group *g)
{
	struct rivalry *r = NULL;

	if (!g->has_rivals)
		return NULL;
	for (size_t at = table_first(&w->rivalries, g->slot);
	     (r = table_next(&w->rivalries, g->slot, &at)) && r->group != g;)
		continue;
	return r;
}

static struct rivalry *rivalry_new(struct writers *w, struct group *g)
{
	struct rivalry *r = mem_zalloc(sizeof(*r));

	r->group = g;
	g->has_rivals = 1;
	table_add(&w->rivalries, g->slot, r);
	return r;
}

static void rivalry_free(struct writers *w, struct group *g, struct rivalry *r)
{
	table_remove(&w->rivalries, g->slot, r);
	g->has_rivals = 0;
	for (int i = 0; i < CONFLICT_RIVALS; i++)
		writer_unref(w, r->before[i].writer);
	free(r);
}

/* ---- groups in conflict ---- */

static uint8_t job_place(struct writers *w, struct str job)
{
	int free_place = CONFLICT_JOBS_MAX;

	for (int i = CONFLICT_JOBS_MAX - 1; i >= 0; i--) {
		if (!w->jobs[i].job)
			free_place = i;
		else if (str_eq(str_of(w->jobs[i].job), job))
			return (uint8_t)i;
	}
	if (free_place < CONFLICT_JOBS_MAX) {
		w->jobs[free_place].job = mem_alloc(job.n + 1);
		copy_bytes(w->jobs[free_place].job, job.p, job.n);
		w->jobs[free_place].job[job.n] = '\0';
	}
	return (uint8_t)free_place;
}

static void unlink_rivalry(struct writers *w, struct rivalry *r)
{
	if (r->older)
		r->older->newer = r->newer;
	else
		w->oldest = r->newer;
	if (r->newer)
		r->newer->older = r->older;
	else
		w->newest = r->older;
}

static void append_rivalry(struct writers *w, struct rivalry *r)
{
	r->older = w->newest;
	r->newer = NULL;
	if (w->newest)
		w->newest->newer = r;
	else
		w->oldest = r;
	w->newest = r;
}

static void unlist(struct writers *w, struct rivalry *r)
{
	struct conflict_job *job = &w->jobs[r->job];

	unlink_rivalry(w, r);
	r->listed = false;
	w->n_conflicts--;
	if (--job->n == 0) {
		free(job->job);
		job->job = NULL;
	}
}

static void list(struct writers *w, const struct group *g, double now)
{
	struct rivalry *r = rivalry_of(w, g);

	r->conflict_at = now;
	if (r->listed) {
		unlink_rivalry(w, r);
	} else {
		r->listed = true;
		r->job = job_place(w, key_value(group_key(g), STR("job")));
		w->jobs[r->job].n++;
		w->n_conflicts++;
	}
	append_rivalry(w, r);
}

double writers_now(const struct writers *w)
{
	return w->told_at + (double)(clock_mono_ns() - w->told_ns) / 1e9;
}

void writers_expire(struct writers *w, double now)
{
	for (int i = 0; i < EXPIRED_AT_ONCE && w->oldest; i++) {
		double age = now - w->oldest->conflict_at;

		/* A conflict that far in the future means that the clock was set back. */
		if (age < CONFLICT_SHOWN_S && age > -CONFLICT_SHOWN_S)
			return;
		unlist(w, w->oldest);
	}
}

/* ---- a group ---- */

static bool is_recent(double at, double now)
{
	return now - at <= CONFLICT_WITHIN_S;
}

/* Counts the others that have pushed recently, and forgets those that have not. */
static int drop_old(struct writers *w, struct rivalry *r, double now)
{
	int n = 0;

	for (int i = 0; i < CONFLICT_RIVALS && r->before[i].writer; i++) {
		if (n == i && is_recent(r->before[i].at, now)) {
			n++;
			continue;
		}
		writer_unref(w, r->before[i].writer);
		r->before[i].writer = NULL;
	}
	return n;
}

/* Called when the group's last writer has another address than `next`. */
static bool make_way(struct writers *w, struct group *g, const struct writer *next, double now)
{
	struct rivalry *r = rivalry_of(w, g);
	int n = r ? drop_old(w, r, now) : 0, at = 0;
	bool conflict;

	if (!is_recent(g->written_at, now)) {
		writer_unref(w, g->writer);
		if (r && !r->listed)
			rivalry_free(w, g, r);
		return false;
	}
	if (!r)
		r = rivalry_new(w, g);
	while (at < n && !same_peer(r->before[at].writer, next))
		at++;
	conflict = at < n;
	if (at == CONFLICT_RIVALS)
		at--;
	writer_unref(w, r->before[at].writer);
	for (; at > 0; at--)
		r->before[at] = r->before[at - 1];
	r->before[0].writer = g->writer;
	r->before[0].at = g->written_at;
	return conflict;
}

bool writers_note(struct writers *w, struct group *g, const struct push *push)
{
	struct writer *next = writer_get(w, push->peer, push->user);
	bool conflict = false;

	if (g->writer && (push->said || same_peer(g->writer, next)))
		writer_unref(w, g->writer);
	else if (g->writer)
		conflict = make_way(w, g, next, push->now);
	g->writer = next;
	g->written_at = (uint32_t)push->now;
	w->told_at = push->now;
	w->told_ns = clock_mono_ns();
	if (conflict)
		list(w, g, push->now);
	return conflict;
}

void writers_forget(struct writers *w, struct group *g)
{
	struct rivalry *r = rivalry_of(w, g);

	writer_unref(w, g->writer);
	g->writer = NULL;
	if (!r)
		return;
	if (r->listed)
		unlist(w, r);
	rivalry_free(w, g, r);
}
