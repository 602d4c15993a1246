/* The body of the row that says when a group ends: see store/lifetime.h. */
#include "store/lifetime.h"

enum { OWN_TTL = 1, EXPIRED = 2, OVERDUE = 4 };

static char *put(char *to, int64_t v)
{
	for (int i = 0; i < 8; i++)
		*to++ = (char)((uint64_t)v >> 8 * i);
	return to;
}

static int64_t take(const char **from)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)(unsigned char)*(*from)++ << 8 * i;
	return (int64_t)v;
}

struct str life_encode(const struct life *l, char to[LIFE_BODY])
{
	char *at = put(put(put(to, l->ttl_ns), l->keep_times_ns), l->expect_every_ns);

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
	ret->ttl_ns = take(&p);
	ret->keep_times_ns = take(&p);
	ret->expect_every_ns = take(&p);
	ret->own_ttl = *p & OWN_TTL;
	ret->expired = *p & EXPIRED;
	ret->overdue = *p & OVERDUE;
	return ret->ttl_ns >= 0 && ret->keep_times_ns >= 0 && ret->expect_every_ns >= 0;
}
