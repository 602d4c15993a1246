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
		if (s->groups[g].there)
			s->groups[g].heard_ns = ends_heard_ns(start, s->groups[g].heard_at);
	for (int i = 0; i < N_SUMS_SHOWN; i++)
		if (sums->lives[i].heard_at > 0)
			sums->lives[i].heard_ns = ends_heard_ns(start, sums->lives[i].heard_at);
	for (int i = 0; i < SUM_PROCESSES; i++)
		if (sums->sources[i].known)
			sums->sources[i].heard_ns = ends_heard_ns(start, sums->sources[i].heard_at);
}

/* When the group ends; INT64_MAX: never, or it is not there. */
static int64_t end_of(const struct naive_store *s, const struct sim_sums *sums, int group)
{
	const struct sums_life *life = &sums->lives[group == ENDS_ADDED ? SUMS_ADDED : SUMS_TOTAL];
	const struct naive_group *g = &s->groups[group < NAIVE_GROUPS ? group : 0];

	if (group < NAIVE_GROUPS)
		return g->there && g->ttl ? g->heard_ns + g->ttl * SECOND : INT64_MAX;
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

bool ends_may(const struct naive_store *s, const struct sim_sums *sums, const struct ends *what,
	      int64_t now_ns, const struct ends_start *start)
{
	int64_t grace = start->down_ns < ENDS_GRACE * SECOND ? start->down_ns : ENDS_GRACE * SECOND;

	if (start->ns + grace > now_ns)
		return false;
	for (int g = 0; g < ENDS_GROUPS; g++)
		if ((what->groups >> g & 1) && end_of(s, sums, g) > now_ns)
			return false;
	for (int i = 0; i < SUM_PROCESSES; i++) {
		const struct sums_source *p = &sums->sources[i];

		if (((what->silent >> i & 1) && silent_from(p) > now_ns) ||
		    ((what->folded >> i & 1) && folded_from(p, start) > now_ns))
			return false;
	}
	return true;
}

void ends_apply(struct naive_store *s, struct sim_sums *sums, const struct ends *what)
{
	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (what->groups >> g & 1)
			s->groups[g] = (struct naive_group){ .there = false };
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
