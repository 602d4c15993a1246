#include "sim/ends.h"

#include "lib/naive_push.h"
#include "metrics/key.h"

#define SECOND INT64_C(1000000000)

bool ends_has_own(int group)
{
	return group == 0 || group == 4 || group == 6;
}

const char *ends_path(int group)
{
	return ends_has_own(group) ? "/__ttl__/7s" : "";
}

/* heard_at in the future counts as now. */
int64_t ends_heard_ns(const struct ends_start *start, double heard_at)
{
	double ago = start->wall - heard_at;

	return ago > 0 ? start->ns - (int64_t)(ago * 1e9) : start->ns;
}

void ends_start(struct naive_store *s, struct sim_sums *sums, const struct ends_start *start)
{
	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (s->groups[g].there) {
			s->groups[g].heard_ns = ends_heard_ns(start, s->groups[g].heard_at);
			s->groups[g].expired_ns = ends_heard_ns(start, s->groups[g].expired_at);
		}
	for (int i = 0; i < N_SUMS_SHOWN; i++)
		if (sums->lives[i].heard_at > 0)
			sums->lives[i].heard_ns = ends_heard_ns(start, sums->lives[i].heard_at);
	for (int i = 0; i < SUM_PROCESSES; i++)
		if (sums->sources[i].known)
			sums->sources[i].heard_ns = ends_heard_ns(start, sums->sources[i].heard_at);
}

/*
 * Push times stay for a while after the values, and for as long as somebody waits for the next
 * push.
 */
static int64_t end_of_times(const struct naive_group *g)
{
	return g->expired && !g->expect ? g->expired_ns + g->keep * SECOND : INT64_MAX;
}

static int64_t end_of_values(const struct naive_group *g)
{
	return !g->expired && g->ttl ? g->heard_ns + g->ttl * SECOND : INT64_MAX;
}

static bool goes_with_values(const struct naive_group *g)
{
	return !g->keep && !g->expect;
}

bool ends_is_over(const struct naive_group *g, int64_t now_ns, int64_t not_before_ns)
{
	int64_t end = goes_with_values(g) ? end_of_values(g) : INT64_MAX;

	if (g->expired)
		end = end_of_times(g);
	return end <= now_ns && not_before_ns <= now_ns;
}

/* When its values end, or its times after them; INT64_MAX: never, or it is not there. */
static int64_t end_of_plain(const struct naive_group *g)
{
	if (!g->there)
		return INT64_MAX;
	return g->expired ? end_of_times(g) : end_of_values(g);
}

static int64_t overdue_from(const struct naive_group *g)
{
	return g->there && g->expect && !g->overdue ? g->heard_ns + g->expect * SECOND : INT64_MAX;
}

/* When the group, or its values, end; INT64_MAX: never, or it is not there. */
static int64_t end_of(const struct naive_store *s, const struct sim_sums *sums, int group)
{
	const struct sums_life *life = &sums->lives[group == ENDS_ADDED ? SUMS_ADDED : SUMS_TOTAL];

	if (group < NAIVE_GROUPS)
		return end_of_plain(&s->groups[group]);
	return life->heard_at > 0 && life->ttl ? life->heard_ns + life->ttl * SECOND : INT64_MAX;
}

static int64_t silent_from(const struct sums_source *p)
{
	return p->known && p->live ? p->heard_ns + p->ttl * SECOND : INT64_MAX;
}

static int64_t folded_from(const struct sums_source *p, const struct ends_start *start)
{
	return p->known && !p->live ? p->heard_ns + start->fold_ns : INT64_MAX;
}

/* An overdue push is so even if no process has run meanwhile. */
static bool may_expire(const struct naive_store *s, const struct ends *what, int64_t now_ns)
{
	for (int g = 0; g < NAIVE_GROUPS; g++) {
		const struct naive_group *group = &s->groups[g];
		bool whole = group->expired || goes_with_values(group);

		if ((what->groups >> g & 1 && !whole) || (what->expired >> g & 1 && whole) ||
		    (what->overdue >> g & 1 && overdue_from(group) > now_ns))
			return false;
	}
	return true;
}

bool ends_may(const struct naive_store *s, const struct sim_sums *sums, const struct ends *what,
	      int64_t now_ns, const struct ends_start *start)
{
	int64_t grace = start->down_ns < ENDS_GRACE * SECOND ? start->down_ns : ENDS_GRACE * SECOND;

	if (!may_expire(s, what, now_ns))
		return false;
	if (start->ns + grace > now_ns)
		return !(what->groups | what->expired | what->silent | what->folded);
	for (int g = 0; g < ENDS_GROUPS; g++)
		if (((what->groups | what->expired) >> g & 1) && end_of(s, sums, g) > now_ns)
			return false;
	for (int i = 0; i < SUM_PROCESSES; i++) {
		const struct sums_source *p = &sums->sources[i];

		if (((what->silent >> i & 1) && silent_from(p) > now_ns) ||
		    ((what->folded >> i & 1) && folded_from(p, start) > now_ns))
			return false;
	}
	return true;
}

/*
 * Of a group that was never pushed to rightly, time counts from then on, unless its next push is
 * overdue by then.
 */
static void expire(struct naive_group *g, double at, int64_t now_ns)
{
	memset(g->families, 0, sizeof(g->families));
	g->expired = true;
	g->expired_at = at;
	g->expired_ns = now_ns;
	if (g->pushed_at != 0)
		return;
	g->heard_at = at;
	if (overdue_from(g) > now_ns)
		g->heard_ns = now_ns;
}

void ends_apply(struct naive_store *s, struct sim_sums *sums, const struct ends *what,
		int64_t now_ns)
{
	for (int g = 0; g < NAIVE_GROUPS; g++) {
		if (what->groups >> g & 1)
			s->groups[g] = (struct naive_group){ .there = false };
		if (what->expired >> g & 1)
			expire(&s->groups[g], what->at, now_ns);
		s->groups[g].overdue |= what->overdue >> g & 1;
	}
	if (what->groups >> ENDS_SUMS & 1)
		sums_end(sums, SUMS_TOTAL);
	if (what->groups >> ENDS_ADDED & 1)
		sums_end(sums, SUMS_ADDED);
	sums_silence(sums, what->silent);
	sums_fold(sums, what->folded);
}

int ends_overdue(const struct naive_store *s, const struct sim_sums *sums, int64_t now_ns,
		 const struct ends_start *start)
{
	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (overdue_from(&s->groups[g]) <= now_ns)
			return g;
	if (now_ns < start->ns + ENDS_GRACE * SECOND)
		return -1;
	for (int g = 0; g < ENDS_GROUPS; g++)
		if (end_of(s, sums, g) <= now_ns)
			return g;
	for (int i = 0; i < SUM_PROCESSES; i++)
		if (silent_from(&sums->sources[i]) <= now_ns ||
		    folded_from(&sums->sources[i], start) <= now_ns)
			return ENDS_GROUPS + i;
	return -1;
}

unsigned ends_group_of(struct str key)
{
	static struct push *pushes[NAIVE_GROUPS];

	if (str_eq(key_value(key, STR("job")), STR("sums")))
		return 1u << ENDS_SUMS;
	if (str_eq(key_value(key, STR("job")), STR("added")))
		return 1u << ENDS_ADDED;
	for (int g = 0; g < NAIVE_GROUPS; g++) {
		if (!pushes[g])
			pushes[g] = naive_real_push(
				&(struct naive_push){ .mode = PUSH_POST, .group = g });
		if (str_eq(pushes[g]->key, key))
			return 1u << g;
	}
	return 0;
}
