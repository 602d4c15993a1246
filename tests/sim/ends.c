#include "sim/ends.h"

#include "lib/naive_push.h"

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

void ends_start(struct naive_store *s, const struct ends_start *start)
{
	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (s->groups[g].there)
			s->groups[g].heard_ns = ends_heard_ns(start, s->groups[g].heard_at);
}

static int64_t end_of(const struct naive_store *s, int group)
{
	const struct naive_group *g = &s->groups[group];

	return g->ttl ? g->heard_ns + g->ttl * SECOND : INT64_MAX;
}

bool ends_may(const struct naive_store *s, unsigned groups, int64_t now_ns,
	      const struct ends_start *start)
{
	int64_t grace = start->down_ns < ENDS_GRACE * SECOND ? start->down_ns : ENDS_GRACE * SECOND;

	for (int g = 0; g < NAIVE_GROUPS; g++)
		if ((groups >> g & 1) &&
		    (!s->groups[g].there || end_of(s, g) > now_ns || start->ns + grace > now_ns))
			return false;
	return true;
}

void ends_apply(struct naive_store *s, unsigned groups)
{
	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (groups >> g & 1)
			s->groups[g] = (struct naive_group){ .there = false };
}

int ends_overdue(const struct naive_store *s, int64_t now_ns, const struct ends_start *start)
{
	if (now_ns < start->ns + ENDS_GRACE * SECOND)
		return -1;
	for (int g = 0; g < NAIVE_GROUPS; g++)
		if (s->groups[g].there && end_of(s, g) <= now_ns)
			return g;
	return -1;
}

unsigned ends_group_of(struct str key)
{
	static struct push *pushes[NAIVE_GROUPS];

	for (int g = 0; g < NAIVE_GROUPS; g++) {
		if (!pushes[g])
			pushes[g] = naive_real_push(
				&(struct naive_push){ .mode = PUSH_POST, .group = g });
		if (str_eq(pushes[g]->key, key))
			return 1u << g;
	}
	return 0;
}
