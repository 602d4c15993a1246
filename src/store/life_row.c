/* The body of a row with a group's lifetime, as store/lifetime.h describes it. */
#include "base/le.h"
#include "store/lifetime.h"

enum { OWN_TTL = 1, EXPIRED = 2, OVERDUE = 4 };

struct str life_encode(const struct life *l, char to[LIFE_BODY])
{
	char *at = le_put(to, (uint64_t)l->ttl_ns, 8);

	at = le_put(at, (uint64_t)l->keep_times_ns, 8);
	at = le_put(at, (uint64_t)l->expect_every_ns, 8);
	*at = (char)((l->own_ttl ? OWN_TTL : 0) | (l->expired ? EXPIRED : 0) |
		     (l->overdue ? OVERDUE : 0));
	return (struct str){ to, LIFE_BODY };
}

bool life_decode(struct str body, double at, struct life *ret)
{
	const char *p = body.p;

	*ret = (struct life){ .row_at = at };
	if (body.n != LIFE_BODY)
		return false;
	ret->ttl_ns = (int64_t)le_take(p, 8);
	ret->keep_times_ns = (int64_t)le_take(p + 8, 8);
	ret->expect_every_ns = (int64_t)le_take(p + 16, 8);
	p += 24;
	ret->own_ttl = *p & OWN_TTL;
	ret->expired = *p & EXPIRED;
	ret->overdue = *p & OVERDUE;
	return ret->ttl_ns >= 0 && ret->keep_times_ns >= 0 && ret->expect_every_ns >= 0;
}
