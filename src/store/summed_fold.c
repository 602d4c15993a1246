/*
 * Folding: the values of a contribution move into the base, so that a group takes no more room than
 * its limit, however many processes there ever were. A folded source is remembered; if it comes
 * back, its first values are taken out of the base again.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

/*
 * Room is made for limits.sources / SHARE sources at a time, since choosing them means looking at
 * all.
 */
enum { SHARE = 64 };

/* A hash of something in a group for the database: the same after a restart. */
static struct remembered_hash hash_of(const struct summed *su, char what, double start,
				      struct str name)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct remembered_hash h;

	strbuf_add(&b, (const char *)&su->head.birth, sizeof(su->head.birth));
	strbuf_addc(&b, what);
	strbuf_add(&b, (const char *)&start, sizeof(start));
	strbuf_adds(&b, name);
	/* hash_bytes() cannot be used: it differs from start to start. */
	h.v[0] = checksum_bytes(STR("0"), strbuf_str(&b));
	h.v[1] = checksum_bytes(STR("1"), strbuf_str(&b));
	return h;
}

static struct remembered_hash hash_of_source(const struct summed *su, const struct source *source)
{
	return hash_of(su, 's', source->has_start ? source->start : -1, source->name);
}

bool summed_was_taken(const struct store *s, const struct summed *su, struct str push_id)
{
	return push_id.n > 0 && remembered_has(&s->push_ids, hash_of(su, 'i', 0, push_id));
}

void summed_take(struct store *s, const struct summed *su, struct str push_id)
{
	if (push_id.n > 0)
		remembered_stage(&s->push_ids, hash_of(su, 'i', 0, push_id));
}

bool summed_adds_again(struct store *s, const struct summed *su, const struct source *source)
{
	struct remembered_hash h = hash_of_source(su, source);
	bool again = source->has_start && remembered_has(&s->adders, h);

	if (source->has_start && !again)
		remembered_stage(&s->adders, h);
	return again;
}

bool summed_was_folded(const struct store *s, const struct summed *su, const struct source *source)
{
	return s->folded.n + s->folded.n_staged > 0 &&
	       remembered_has(&s->folded, hash_of_source(su, source));
}

void summed_fold(struct store *s, struct group *g, struct contribution *c)
{
	struct summed *su = g->staged->summed;
	const struct source source = { c->name, c->has_start, c->start };

	remembered_stage(&s->folded, hash_of_source(su, &source));
	merged_fold(su->group, c);
}

/* ---- which sources are folded first ---- */

enum rank { ENDED, SUPERSEDED, SILENT, LIVE };

struct candidate {
	struct contribution *c;
	enum rank rank;
};

/* Sorts sources by name, and those of one name by start, the newest last. */
static int by_source(const void *pa, const void *pb)
{
	const struct contribution *a = ((const struct candidate *)pa)->c;
	const struct contribution *b = ((const struct candidate *)pb)->c;
	int r = str_cmp(a->name, b->name);

	return r ? r : (a->start > b->start) - (a->start < b->start);
}

static int by_rank(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;

	if (a->rank != b->rank)
		return (a->rank > b->rank) - (a->rank < b->rank);
	return (a->c->pushed_at > b->c->pushed_at) - (a->c->pushed_at < b->c->pushed_at);
}

static struct candidate *rank_all(const struct merged_group *m)
{
	struct candidate *all = mem_alloc(m->n * sizeof(*all));

	for (size_t i = 0; i < m->n; i++)
		all[i] = (struct candidate){ m->contributions[i], LIVE };
	array_sort(all, m->n, by_source);
	for (size_t i = 0; i < m->n; i++) {
		struct contribution *c = all[i].c;
		/* Among sources without a name it is not known which one replaced which. */
		bool newer = i + 1 < m->n && c->name.n > 0 && str_eq(all[i + 1].c->name, c->name);

		all[i].rank = c->ended ? ENDED : newer ? SUPERSEDED : c->live ? LIVE : SILENT;
	}
	array_sort(all, m->n, by_rank);
	return all;
}

void summed_make_room(struct store *s, struct group *g, const struct source *source)
{
	struct summed *su = g->staged->summed;
	size_t max = su->head.max_sources, n;
	CLEANUP(freep) struct candidate *all = NULL;
	const struct contribution *but;

	if (max == 0 || su->group->n <= max)
		return;
	n = su->group->n - (max - max / SHARE);
	but = merged_find(su->group, source, NULL);
	all = rank_all(su->group);
	for (size_t i = 0, total = su->group->n; n > 0 && i < total; i++)
		if (all[i].c != but) {
			summed_fold(s, g, all[i].c);
			n--;
		}
}

/* The values of all groups, with the changes of the batch. */
static uint64_t values_of_all(const struct store *s)
{
	uint64_t n = s->source_values;

	for (const struct group *g = s->touched; g; g = g->staged->next) {
		const struct summed *now = g->staged->exists ? g->staged->summed : NULL;

		n += now ? now->group->n_values : 0;
		n -= g->summed ? g->summed->n_values : 0;
	}
	return n;
}

struct summed_use summed_use_of(const struct group *g)
{
	const struct summed *su = group_summed(g);

	return (struct summed_use){ su->group->n_values, stored_summed(g, su) };
}

/* All stored bytes, with the changes of the batch. */
static uint64_t bytes_of_all(const struct store *s)
{
	uint64_t n = stored_bytes(s);

	for (const struct group *g = s->touched; g; g = g->staged->next) {
		n += g->staged->exists && g->staged->summed ? stored_summed(g, g->staged->summed)
							    : 0;
		n -= g->summed ? g->summed->n_bytes : 0;
	}
	return n;
}

/*
 * Looking for sources to fold means looking at all, which must not happen with each push to a full
 * gateway.
 */
static bool looked_lately(const struct store *s)
{
	return s->nothing_spent_ns != 0 &&
	       clock_mono_ns() - s->nothing_spent_ns < INT64_C(1000000000);
}

/* Folds sources that are not live, or have a newer start, except `but`. */
static void fold_spent(struct store *s, struct group *g, const struct contribution *but)
{
	struct merged_group *m = g->staged->summed->group;
	CLEANUP(freep) struct candidate *all = rank_all(m);

	for (size_t i = 0, n = m->n; i < n && all[i].rank != LIVE; i++)
		if (all[i].c != but)
			summed_fold(s, g, all[i].c);
}

bool summed_fold_others(struct store *s, const struct group *but)
{
	uint64_t before = values_of_all(s);

	if (looked_lately(s))
		return false;
	for (uint32_t slot = 1; slot < s->n_slots; slot++) {
		struct group *g = s->by_slot[slot];

		if (!g || g == but || !group_is_there(g) || !group_summed(g) ||
		    store_is_leaving(s, g))
			continue;
		change_begin(s, g);
		fold_spent(s, g, NULL);
	}
	if (values_of_all(s) < before)
		return true;
	s->nothing_spent_ns = clock_mono_ns();
	return false;
}

static int check_values(const struct store *s, const struct group *g,
			const struct summed_use *before, struct err *err)
{
	uint64_t max = s->source_lim.max_values, now;

	if (max == 0 || summed_use_of(g).values <= before->values)
		return 0;
	now = values_of_all(s);
	if (now <= max)
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the gateway is full: with this push it would hold %llu values of the "
		       "sources of summed groups, more than --limits.source-values=%llu; sources "
		       "that are done free theirs with __final__/1 or a DELETE",
		       (unsigned long long)now, (unsigned long long)max);
}

static int check_bytes(const struct store *s, const struct group *g,
		       const struct summed_use *before, struct err *err)
{
	uint64_t max = s->lim.max_bytes, now;

	if (summed_use_of(g).bytes <= before->bytes)
		return 0;
	now = bytes_of_all(s);
	if (now <= max)
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the gateway is full: with this push it would hold %llu bytes, more than "
		       "--limits.stored-bytes=%llu; sources of summed groups that are done free "
		       "theirs with __final__/1 or a DELETE",
		       (unsigned long long)now, (unsigned long long)max);
}

int summed_check_room(struct store *s, struct group *g, const struct source *source,
		      const struct summed_use *before, struct err *err)
{
	const struct contribution *from;

	if (check_values(s, g, before, err) == 0 && check_bytes(s, g, before, err) == 0)
		return 0;
	from = merged_find(g->staged->summed->group, source, NULL);
	if (!looked_lately(s))
		fold_spent(s, g, from && from->live ? from : NULL);
	err->reason = ERR_NONE;
	if (check_values(s, g, before, err) == 0 && check_bytes(s, g, before, err) == 0)
		return 0;
	return -1;
}
