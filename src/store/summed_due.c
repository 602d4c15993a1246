/*
 * Sources that are silent for too long: first their live gauges go, and later they are folded into
 * the base. The committer asks what is due, as it does for groups (lifetime.h), and stages it like
 * any other change.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/seconds.h"
#include "store/internal.h"
#include "store/summed.h"

#define NEVER INT64_MAX
#define PUT_OFF_NS (5 * INT64_C(1000000000))

static int64_t due_of(const struct store *s, const struct contribution *c)
{
	int64_t at = NEVER;

	if (c->live && c->source_ttl > 0)
		at = ns_later(c->heard_ns, seconds_to_ns(c->source_ttl));
	else if (s->source_lim.fold_after_ns > 0)
		at = ns_later(c->heard_ns, s->source_lim.fold_after_ns);
	return at > s->nothing_ends_before_ns ? at : s->nothing_ends_before_ns;
}

/* ---- a heap of the sources with a deadline, the earliest first ---- */

static void place(struct store *s, struct waiting_source w, size_t at)
{
	s->sources.list[at] = w;
	w.c->wait_at = at + 1;
}

static void sift(struct store *s, struct waiting_source w, size_t at)
{
	struct waiting_source *list = s->sources.list;
	int64_t due = w.c->due_ns;

	for (; at > 0 && list[(at - 1) / 2].c->due_ns > due; at = (at - 1) / 2)
		place(s, list[(at - 1) / 2], at);
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < s->sources.n && list[child + 1].c->due_ns < list[child].c->due_ns)
			child++;
		if (child >= s->sources.n || list[child].c->due_ns >= due)
			break;
		place(s, list[child], at);
		at = child;
	}
	place(s, w, at);
}

static void stop_waiting(struct store *s, struct contribution *c)
{
	struct waiting_source last;
	size_t at = c->wait_at;

	if (at == 0)
		return;
	last = s->sources.list[--s->sources.n];
	c->wait_at = 0;
	if (last.c != c)
		sift(s, last, at - 1);
}

/*
 * Most sources push again before they are due. A later deadline is therefore not noted: it is
 * computed anew when the earlier one comes.
 */
static void await(struct store *s, struct group *g, struct contribution *c)
{
	int64_t due = due_of(s, c);

	if (c->wait_at) {
		if (due >= c->due_ns)
			return;
		c->due_ns = due;
		sift(s, s->sources.list[c->wait_at - 1], c->wait_at - 1);
		return;
	}
	if (due == NEVER)
		return;
	c->due_ns = due;
	if (s->sources.n == s->sources.cap) {
		s->sources.cap = s->sources.cap ? s->sources.cap * 2 : 64;
		s->sources.list = mem_realloc(s->sources.list,
					      s->sources.cap * sizeof(*s->sources.list));
	}
	s->sources.n++;
	sift(s, (struct waiting_source){ c, g }, s->sources.n - 1);
}

/* ---- what is due ---- */

static void note_popped(struct store *s, struct waiting_source w)
{
	struct summed_work *work = &s->work;

	if (work->n_popped == work->cap_popped) {
		work->cap_popped = work->cap_popped ? work->cap_popped * 2 : 16;
		work->popped = mem_realloc(work->popped, work->cap_popped * sizeof(*work->popped));
	}
	work->popped[work->n_popped++] = w;
}

static void do_due(struct store *s, struct waiting_source w)
{
	store_leave_first(s, w.group);
	change_begin(s, w.group);
	if (group_summed(w.group) != w.group->summed)
		return;
	s->nothing_spent_ns = 0;
	if (w.c->live && w.c->source_ttl > 0)
		merged_set_live(w.group->summed->group, w.c, false);
	else
		summed_fold(s, w.group, w.c);
}

static bool is_due(const struct store *s, int64_t now_ns)
{
	return s->sources.n > 0 && s->sources.list[0].c->due_ns <= now_ns &&
	       s->sources.put_off_ns <= now_ns;
}

size_t summed_stage_due(struct store *s, int64_t now_ns, double now, size_t max)
{
	size_t n = 0;

	s->work.now = now;
	if (s->sources.put_off_ns <= now_ns)
		summed_stage_zeros(s, now_ns);
	while (n < max && is_due(s, now_ns)) {
		struct waiting_source w = s->sources.list[0];

		stop_waiting(s, w.c);
		if (due_of(s, w.c) > now_ns) {
			await(s, w.group, w.c);
			continue;
		}
		note_popped(s, w);
		do_due(s, w);
		n++;
	}
	return n;
}

int64_t summed_next_due(const struct store *s)
{
	int64_t sources = s->sources.n ? s->sources.list[0].c->due_ns : NEVER;
	int64_t zeros = summed_zeros_due(s), due = sources < zeros ? sources : zeros;

	return due > s->sources.put_off_ns ? due : s->sources.put_off_ns;
}

bool store_put_off_sources(struct store *s, int64_t now_ns)
{
	if (!is_due(s, now_ns) && (summed_zeros_due(s) > now_ns || s->sources.put_off_ns > now_ns))
		return false;
	s->sources.put_off_ns = ns_later(now_ns, PUT_OFF_NS);
	return true;
}

/* ---- the end of a batch ---- */

struct waiter {
	struct store *store;
	struct group *group;
};

static void follow(void *arg, struct contribution *c)
{
	struct waiter *w = arg;

	if (c->removed)
		stop_waiting(w->store, c);
	else
		await(w->store, w->group, c);
}

void summed_await_touched(struct store *s, struct group *g)
{
	struct waiter w = { s, g };

	merged_each_touched(g->summed->group, follow, &w);
}

void summed_stop_waiting(struct store *s, struct summed *su)
{
	for (size_t i = 0; i < su->group->n; i++)
		stop_waiting(s, su->group->contributions[i]);
}

void summed_await_popped(struct store *s)
{
	for (size_t i = 0; i < s->work.n_popped; i++)
		await(s, s->work.popped[i].group, s->work.popped[i].c);
	s->work.n_popped = 0;
}

/* ---- start ---- */

void summed_were_heard(struct summed *su, int64_t now_ns, double now)
{
	for (size_t i = 0; i < su->group->n; i++) {
		struct contribution *c = su->group->contributions[i];
		double ago = now - c->pushed_at;

		c->heard_ns = now_ns - (ago > 0 ? seconds_to_ns(ago) : 0);
	}
}

void summed_await_all(struct store *s, struct group *g)
{
	for (size_t i = 0; i < g->summed->group->n; i++) {
		struct contribution *c = g->summed->group->contributions[i];

		stop_waiting(s, c);
		await(s, g, c);
	}
}

static struct group *next_summed(const struct store *s, uint32_t *slot)
{
	while (*slot < s->n_slots) {
		struct group *g = s->by_slot[(*slot)++];

		if (g && g->summed)
			return g;
	}
	return NULL;
}

void summed_begin_waiting(struct store *s, int64_t now_ns, double now)
{
	struct group *g;
	uint32_t slot = 1;

	while ((g = next_summed(s, &slot))) {
		summed_were_heard(g->summed, now_ns, now);
		summed_await_all(s, g);
	}
}

static void keep_heard(struct summed *su, const struct summed *was)
{
	for (size_t i = 0; i < su->group->n; i++) {
		struct contribution *c = su->group->contributions[i];
		const struct source source = { c->name, c->has_start, c->start };
		const struct contribution *before = merged_find(was->group, &source, NULL);

		if (before && before->pushed_at == c->pushed_at)
			c->heard_ns = before->heard_ns;
	}
}

void summed_go_on(struct store *s, const struct store *old, int64_t now_ns, double now)
{
	struct group *g;
	uint32_t slot = 1;

	while ((g = next_summed(s, &slot))) {
		const struct group *was = store_group_find((struct store *)old, group_key(g),
							   hash_bytes(group_key(g)));

		summed_were_heard(g->summed, now_ns, now);
		if (was && was->summed)
			keep_heard(g->summed, was->summed);
		summed_await_all(s, g);
	}
}
