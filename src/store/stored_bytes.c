#include "store/stored_bytes.h"

#include "store/summed.h"

void store_limit_bytes(struct store *s, uint64_t max)
{
	s->lim.max_bytes = max;
}

uint64_t stored_bytes(const struct store *s)
{
	return s->staged_bytes + s->merged_bytes + s->left_out_bytes;
}

uint64_t stored_summed(const struct group *g, const struct summed *su)
{
	const struct merged_group *m = su->group;
	const struct held *h = &m->held;

	return stored_time_line(g) + m->n * STORED_SOURCE + h->families * STORED_MERGED_FAMILY +
	       h->series * STORED_MERGED_SERIES + h->parts * STORED_PART +
	       m->n_values * STORED_VALUE + h->bounds * STORED_BOUND + h->text * STORED_TEXT_TIMES;
}

/* A limit of UINT64_MAX has room for everything. */
static uint64_t with_reserve(uint64_t max)
{
	return max <= UINT64_MAX - max / 16 ? max + max / 16 : max;
}

/* What the batch has added to the sources and sums of the group. */
static uint64_t staged_summed(const struct group *g)
{
	const struct summed *su = group_summed(g);

	if (!su)
		return 0;
	return stored_summed(g, su) - (su == g->summed ? su->n_bytes : 0);
}

int stored_bytes_check(const struct store *s, const struct group *g, uint64_t before, bool same,
		       struct err *err)
{
	uint64_t now = stored_bytes(s) + staged_summed(g);

	if (now <= before || now <= (same ? with_reserve(s->lim.max_bytes) : s->lim.max_bytes))
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the gateway is full: it holds %llu bytes and this push would make it %llu "
		       "(--limits.stored-bytes=%llu)",
		       (unsigned long long)before, (unsigned long long)now,
		       (unsigned long long)s->lim.max_bytes);
}

int stored_bytes_check_group(const struct store *s, const struct group *g, struct err *err)
{
	uint64_t now = stored_bytes(s);
	/* What the current large push gives back, nobody may use before that is committed. */
	uint64_t to_come = s->large.n_bytes < 0 ? (uint64_t)-s->large.n_bytes : 0;

	if (now + to_come + stored_group(g) <= s->lim.max_bytes)
		return 0;
	return err_set(
		err, ERR_STORE_FULL, 0,
		"the gateway is full: it holds %llu bytes, and a new group of %llu bytes has "
		"no room (--limits.stored-bytes=%llu)",
		(unsigned long long)now, (unsigned long long)stored_group(g),
		(unsigned long long)s->lim.max_bytes);
}
