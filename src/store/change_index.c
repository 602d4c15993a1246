/* The index of series follows a change, or goes back. */
#include "store/change_index.h"

#include "store/stored_bytes.h"
#include "store/summed.h"

bool change_is_same(const struct store *s, const struct change_pair *p)
{
	return p->out && p->in && entry_same_series(store_entry(s, p->out), store_entry(s, p->in));
}

/* Counts an entry in place of another one with the same series. */
static void count_same(struct store *s, uint32_t in, uint32_t out)
{
	s->staged_series += entry_lines(s, in) - entry_lines(s, out);
	s->staged_bytes += entry_stored(s, in) - entry_stored(s, out);
}

static void index_out(struct store *s, const struct group *g, const struct change_pair *p)
{
	if (p->out && !change_is_same(s, p))
		store_unindex_entry(s, g, store_entry(s, p->out));
}

static void unindex_out(struct store *s, const struct group *g, const struct change_pair *p)
{
	if (p->out && !change_is_same(s, p))
		store_index_entry(s, g, store_entry(s, p->out));
}

static void unindex_in(struct store *s, const struct group *g, const struct change_pair *p)
{
	if (!p->in)
		return;
	if (!change_is_same(s, p))
		store_unindex_entry(s, g, store_entry(s, p->in));
	else
		count_same(s, p->out, p->in);
}

static int index_in(struct store *s, const struct group *g, const struct change_pair *p,
		    struct err *err)
{
	if (!p->in)
		return 0;
	if (change_is_same(s, p)) {
		count_same(s, p->in, p->out);
		return 0;
	}
	if (store_check_entry(s, g, store_entry(s, p->in), err) < 0)
		return -1;
	store_index_entry(s, g, store_entry(s, p->in));
	return 0;
}

int store_check_series_limit(const struct store *s, uint64_t before, struct err *err)
{
	if (s->staged_series <= s->lim.max_series || s->staged_series <= before)
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the gateway is full: it holds %llu series and this push would make it %llu "
		       "(--limits.series=%llu)",
		       (unsigned long long)before, (unsigned long long)s->staged_series,
		       (unsigned long long)s->lim.max_series);
}

/* For a summed group, the values of its sources are limited instead. */
static int check_rule(struct store *s, const struct change *c, struct err *err)
{
	struct amounts now = c->group->staged->holds;
	struct amounts_of_push a = { .before = now, .after = now };

	if (!c->limited)
		return 0;
	for (uint32_t i = 0; i < c->n; i++) {
		const struct change_pair *p = &c->pairs[i];

		a.pushed.series += entry_lines(s, p->in);
		a.pushed.families += p->in != 0;
		a.after.series -= entry_lines(s, p->out);
		a.after.families -= p->out != 0;
	}
	a.after.series += a.pushed.series;
	a.after.families += a.pushed.families;
	if (!group_summed(c->group) && limits_check_amounts(s, c->group, &a, err) < 0)
		return -1;
	return limits_check_labels(s, c->group, err);
}

/*
 * Series that a large push takes out come back if that push is refused, so no other push may take
 * them before it is committed. Other gateways still see them: rows that they have written cannot
 * contain these series.
 */
static int follow_in(struct store *s, const struct group *g, const struct change_pair *p,
		     struct err *err)
{
	if (s->large.n_going > 0 && !s->applied.at_hand && p->in && !change_is_same(s, p))
		return err_set(err, ERR_BUSY, 0, "a large push has to be committed first");
	return index_in(s, g, p, err);
}

/* Fetches what later pairs need to leave the index into the cache: nothing of a large group is
 * there. */
static void look_ahead(const struct store *s, const struct change *c, uint32_t i)
{
	enum { PLACES = 8 };

	change_fetch_ahead(s, c, i);
	if (i + PLACES < c->n && c->pairs[i + PLACES].out) {
		const struct lines *l = &store_entry(s, c->pairs[i + PLACES].out)->lines;

		if (!l->has_more)
			series_index_prefetch(&s->index, l->hash);
	}
}

/* A push that repeats has the same series in each pair. False: this one has not, or not all. */
static bool follow_same(struct store *s, const struct change *c)
{
	uint64_t series = 0, bytes = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		const struct change_pair *p = &c->pairs[i];

		if (!change_is_same(s, p))
			return false;
		const struct lines *in = &store_entry(s, p->in)->lines;
		const struct lines *out = &store_entry(s, p->out)->lines;

		series += (uint64_t)lines_n(in) - lines_n(out);
		bytes += lines_stored(in) - lines_stored(out);
	}
	s->staged_series += series;
	s->staged_bytes += bytes;
	return true;
}

int change_follow(struct store *s, const struct change *c, struct err *err)
{
	uint64_t before = s->staged_series, bytes = stored_bytes(s);
	bool same;
	uint32_t n = 0;
	int r = 0;

	limits_begin(s, c->group);
	same = follow_same(s, c);
	if (same) {
		n = c->n;
	} else {
		for (uint32_t i = 0; i < c->n; i++) {
			look_ahead(s, c, i);
			index_out(s, c->group, &c->pairs[i]);
		}
		while (n < c->n && (r = follow_in(s, c->group, &c->pairs[n], err)) == 0)
			n++;
	}
	if (r == 0)
		r = store_check_series_limit(s, before, err);
	if (r == 0 && c->limited)
		r = stored_bytes_check(s, c->group, bytes, same, err);
	if (r == 0)
		r = check_rule(s, c, err);
	if (r == 0)
		return 0;
	while (n > 0)
		unindex_in(s, c->group, &c->pairs[--n]);
	for (uint32_t i = 0; i < c->n; i++)
		unindex_out(s, c->group, &c->pairs[i]);
	return -1;
}

void large_index_out(struct store *s, struct group *g, uint32_t i)
{
	index_out(s, g, &g->staged->net.pairs[i]);
}

void large_unindex_out(struct store *s, struct group *g, uint32_t i)
{
	unindex_out(s, g, &g->staged->net.pairs[i]);
}

int large_index_in(struct store *s, struct group *g, uint32_t i, struct err *err)
{
	return index_in(s, g, &g->staged->net.pairs[i], err);
}

void large_unindex_in(struct store *s, struct group *g, uint32_t i)
{
	unindex_in(s, g, &g->staged->net.pairs[i]);
}

void staged_leave_index(struct store *s, const struct group *g)
{
	const struct change *net = &g->staged->net;

	for (uint32_t i = 0; i < net->n; i++)
		unindex_in(s, g, &net->pairs[i]);
	if (g->staged->exists && !g->exists)
		store_unindex_group(s, g);
}

void staged_restore_index(struct store *s, const struct group *g)
{
	const struct change *net = &g->staged->net;

	for (uint32_t i = 0; i < net->n; i++)
		unindex_out(s, g, &net->pairs[i]);
	if (g->exists && !g->staged->exists)
		store_index_group(s, g);
}
