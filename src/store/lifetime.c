#include "store/lifetime.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "metrics/key.h"
#include "store/deadlines.h"
#include "store/left_out.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

static bool same_row(const struct life *a, const struct life *b)
{
	char x[LIFE_BODY], y[LIFE_BODY];

	return str_eq(life_encode(a, x), life_encode(b, y));
}

/* ---- lifetimes that pushes give ---- */

static bool is_none(const struct life *l)
{
	return l->ttl_ns == 0 && l->expect_every_ns == 0 && !l->own_ttl;
}

void lifetime_pushed(struct store *s, struct group *g, const struct push *push)
{
	const struct group_options *said = &push->options.group;
	struct life *l = &g->staged->life, before = *l;

	if (push->options.own_ttl || !l->own_ttl)
		l->ttl_ns = said->has_ttl ? said->ttl_ns : 0;
	l->own_ttl |= push->options.own_ttl;
	l->expect_every_ns = said->has_expect_every ? said->expect_every_ns : 0;
	l->keep_times_ns = said->has_keep_times && !is_none(l) ? said->keep_times_ns : 0;
	l->expired = l->overdue = false;
	if (!is_none(l))
		l->pushed_ns = clock_mono_ns();
	if (same_row(l, &before))
		return;
	l->row_at = push->now;
	store_step_life(s, g, push->now);
}

void lifetime_apply_push(struct group *g, int64_t at_ns)
{
	if (!is_none(&g->staged->life))
		g->staged->life.pushed_ns = at_ns;
}

bool lifetime_apply(struct group *g, const struct life *life, int64_t at_ns)
{
	struct life *l = &g->staged->life, before = *l;
	bool goes = life->expired && !before.expired;

	*l = *life;
	/*
	 * A row that says that the group has expired or is overdue does not come from a push, so
	 * the time of the last push stays.
	 */
	l->pushed_ns = is_none(&before) || !(l->expired || l->overdue) ? at_ns : before.pushed_ns;
	l->expired_ns = goes ? at_ns : before.expired_ns;
	return goes;
}

/* ---- when something is due ---- */

static int64_t after(int64_t at, int64_t ns)
{
	return __builtin_add_overflow(at, ns, &at) ? DEADLINE_NEVER : at;
}

/* How long ago `at` was. A time in the future counts as now. */
static int64_t ago_ns(double now, double at)
{
	const double longest = 9e18;
	double ns = (now - at) * 1e9;

	return ns < 0 ? 0 : ns > longest ? (int64_t)longest : (int64_t)ns;
}

/*
 * If no push to the group was ever accepted, ttl counts from when the group was made. After an undo
 * such a group has a record whose time is 0.
 */
static double last_heard_at(const struct group *g)
{
	double at = group_pushed_at(g);

	return at != 0 ? at : g->life->now.row_at;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t not_before(const struct store *s, int64_t at)
{
	return at > s->nothing_ends_before_ns ? at : s->nothing_ends_before_ns;
}

/*
 * An expired group with expect_every stays until somebody deletes it, so that its being overdue
 * stays visible.
 */
static int64_t end_of(const struct store *s, const struct life *l)
{
	if (l->ttl_ns && !l->expired)
		return not_before(s, after(l->pushed_ns, l->ttl_ns));
	if (l->expired && !l->expect_every_ns)
		return not_before(s, after(l->expired_ns, l->keep_times_ns));
	return DEADLINE_NEVER;
}

bool store_life_is_over(const struct store *s, const struct life *l, int64_t now_ns)
{
	return end_of(s, l) <= now_ns && (l->expired || (!l->keep_times_ns && !l->expect_every_ns));
}

static int64_t overdue_from(const struct life *l)
{
	return l->expect_every_ns && !l->overdue ? after(l->pushed_ns, l->expect_every_ns)
						 : DEADLINE_NEVER;
}

/* Waits for the earlier of the group's two deadlines. */
static void await(struct store *s, struct group *g)
{
	deadline_set(s, g, earlier_of(end_of(s, &g->life->now), overdue_from(&g->life->now)));
}

/* ---- what is due ---- */

/*
 * Takes the group's values away. The group stays if its push times are kept or a push is expected.
 */
static void expire(struct store *s, struct group *g, int64_t now_ns, double now)
{
	struct life *l;
	struct err err;

	change_begin(s, g);
	l = &g->staged->life;
	g->staged->expires = !l->expired;
	if (l->expired || (!l->keep_times_ns && !l->expect_every_ns)) {
		change_end(s, g, now);
		return;
	}
	change_take_others(s);
	change_apply(s, &err);
	summed_leave(g);
	l->expired = true;
	l->row_at = now;
	/*
	 * After a restart only the time of the row will be known, so that time counts from now on.
	 */
	if (group_pushed_at(g) == 0)
		l->pushed_ns = now_ns;
	l->expired_ns = now_ns;
	store_step_life(s, g, now);
}

static void do_due(struct store *s, struct group *g, int64_t now_ns, double now)
{
	bool ends = end_of(s, &g->life->now) <= now_ns;

	store_leave_first(s, g);
	if (g->staged && !g->staged->exists)
		return;
	if (ends)
		expire(s, g, now_ns, now);
	if (overdue_from(&g->life->now) > now_ns || (g->staged && !g->staged->exists))
		return;
	change_begin(s, g);
	g->staged->life.overdue = true;
	store_step_life(s, g, g->staged->life.row_at);
}

void lifetime_check(struct store *s, struct group *g, double now)
{
	int64_t now_ns;

	if (!g->life || g->staged)
		return;
	now_ns = clock_mono_ns();
	if (end_of(s, &g->life->now) > now_ns)
		return;
	deadline_clear(s, g);
	do_due(s, g, now_ns, now);
}

size_t store_stage_due(struct store *s, int64_t now_ns, double now, size_t max)
{
	size_t n = 0;

	/* The group of the large push may be among those that are due. */
	if (s->large.push)
		return 0;
	for (; n < max && s->deadlines.n > 0; n++) {
		struct group *g = s->deadlines.list[0];

		if (g->life->due_ns > now_ns)
			break;
		/* Publishing or rolling back the batch sets the next deadline. */
		deadline_clear(s, g);
		do_due(s, g, now_ns, now);
	}
	return n + summed_stage_due(s, now_ns, now, max - n);
}

int64_t store_next_due(const struct store *s)
{
	int64_t groups = s->deadlines.n ? s->deadlines.list[0]->life->due_ns : DEADLINE_NEVER;
	int64_t sources = summed_next_due(s);

	return groups < sources ? groups : sources;
}

/* ---- what is shown ---- */

static void show_line(struct store *s, struct group *g, int which, bool there, double value)
{
	struct store_family *f = s->life_families[which];
	struct lines *l = &g->life->lines[which];
	bool was = l->page != NULL;

	if (there)
		time_metrics_publish(s, g, f, l, value);
	else if (l->page)
		pages_remove(&f->shown, l);
	s->staged_bytes += ((uint64_t)there - was) * stored_time_line(g);
}

static void show(struct store *s, struct group *g)
{
	const struct life *l = &g->life->now;

	show_line(s, g, LIFE_EXPIRED, l->expired, 1);
	show_line(s, g, LIFE_OVERDUE, l->expect_every_ns, l->overdue);
	show_line(s, g, LIFE_EXPECTED, l->expect_every_ns,
		  group_pushed_at(g) + (double)l->expect_every_ns / 1e9);
}

static struct lifetime *lifetime_new(const struct group *g)
{
	struct lifetime *l = mem_zalloc(sizeof(*l));

	for (int i = 0; i < N_LIFE_LINES; i++) {
		l->lines[i].type = METRIC_GAUGE;
		l->lines[i].escaped = g->time_lines[TIME_PUSHED].escaped;
	}
	return l;
}

static void forget(struct store *s, struct group *g)
{
	deadline_clear(s, g);
	g->life->now = (struct life){ .ttl_ns = 0 };
	show(s, g);
	lifetime_free(g->life);
	g->life = NULL;
	s->log.live_bytes -= row_bytes_of(LIFE_BODY);
	s->staged_bytes -= STORED_LIFE;
}

/* ---- counts ---- */

/* Jobs without a place of their own are counted together in the last place. */
static void count_expired(struct pages *p, struct str job)
{
	size_t i = 0;

	while (i < p->n_expired && !str_eq(str_of(p->expired[i].job), job))
		i++;
	if (i == p->n_expired && i < EXPIRED_JOBS_MAX) {
		char *z = mem_alloc(job.n + 1);

		copy_bytes(z, job.p, job.n);
		z[job.n] = '\0';
		p->expired[i].job = z;
		p->n_expired++;
	}
	p->expired[i].n++;
}

bool store_expired(struct store *s, size_t i, char **ret_job, uint64_t *ret_n)
{
	struct pages *p = &s->pages;
	bool there;

	pthread_mutex_lock(&p->lock);
	there = i < ARRAY_LEN(p->expired) && p->expired[i].n > 0;
	if (there) {
		*ret_job = mem_strdup(p->expired[i].job ? p->expired[i].job : "");
		*ret_n = p->expired[i].n;
	}
	pthread_mutex_unlock(&p->lock);
	return there;
}

/* ---- the end of a batch ---- */

void lifetime_publish(struct store *s, struct group *g)
{
	const struct staged *st = g->staged;
	bool none = is_none(&st->life) || !st->exists;

	if (st->expires)
		count_expired(&s->pages, key_value(group_key(g), STR("job")));
	if (none && !g->life)
		return;
	if (none) {
		forget(s, g);
		return;
	}
	if (!g->life) {
		g->life = lifetime_new(g);
		s->log.live_bytes += row_bytes_of(LIFE_BODY);
		s->staged_bytes += STORED_LIFE;
	}
	if (st->lived)
		g->life->number = store_step_at(s, st->lived)->number;
	g->life->now = st->life;
	show(s, g);
	await(s, g);
}

void lifetime_rolled_back(struct store *s, struct group *g)
{
	if (g->life)
		await(s, g);
}

/* ---- start ---- */

void lifetime_restored(struct store *s, struct group *g)
{
	if (!g->life->now.expired || (g->entries.n == 0 && !store_leaves_out_of(s, g)))
		return;
	g->life->now.expired = false;
	pthread_mutex_lock(&s->pages.lock);
	show(s, g);
	pthread_mutex_unlock(&s->pages.lock);
}

void store_begin_waiting(struct store *s, int64_t now_ns, double now, int64_t grace_ns)
{
	double down = s->newest_at > 0 && now > s->newest_at ? now - s->newest_at : 0;
	int64_t begin = now_ns + (down * 1e9 < (double)grace_ns ? (int64_t)(down * 1e9) : grace_ns);

	s->nothing_ends_before_ns = not_before(s, begin);
	summed_begin_waiting(s, now_ns, now);
	pthread_mutex_lock(&s->pages.lock);
	for (uint32_t i = 1; i < s->n_slots; i++) {
		struct group *g = s->by_slot[i];

		if (!g || !g->life)
			continue;
		struct life *l = &g->life->now;

		l->pushed_ns = now_ns - ago_ns(now, last_heard_at(g));
		l->expired_ns = now_ns - ago_ns(now, l->row_at);
		show(s, g);
		await(s, g);
	}
	pthread_mutex_unlock(&s->pages.lock);
}

void store_stage_life(struct store *s, const struct push *push, const struct life *life)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);

	if (!g || !g->staged || is_none(life))
		return;
	g->staged->life = *life;
	store_step_life(s, g, life->row_at);
}

void lifetimes_go_on(struct store *s, const struct store *old, double now)
{
	s->nothing_ends_before_ns = old->nothing_ends_before_ns;
	summed_go_on(s, old, clock_mono_ns(), now);
	for (uint32_t i = 1; i < s->n_slots; i++) {
		struct group *g = s->by_slot[i];
		const struct group *was;

		if (!g || !g->life)
			continue;
		was = store_group_find((struct store *)old, group_key(g), hash_bytes(group_key(g)));
		if (!was || !was->life)
			continue;
		g->life->now.pushed_ns = was->life->now.pushed_ns;
		g->life->now.expired_ns = was->life->now.expired_ns;
		await(s, g);
	}
}
