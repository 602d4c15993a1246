/*
 * Folding: what a contribution has said moves into the base, so that a group takes no more room
 * than its limit, however many processes there ever were. A folded source is remembered; if it
 * comes back, what it says is taken out of the base again.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/summed.h"

/*
 * Room is made for limits.sources / SHARE at a time, since choosing means looking at all of them.
 */
enum { SHARE = 64 };

/* A hash of something in a group that is the same after a restart, for the database. */
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

/* Sorts sources of the same name beside each other, the newest start last. */
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
		/* Without a name, it is not known which source took over from which. */
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

/* All values of all groups, with what the batch has changed in this one. */
static uint64_t values_of_all(const struct store *s, const struct summed *su)
{
	return s->source_values - su->n_values + su->group->n_values;
}

static void fold_all_silent(struct store *s, struct group *g)
{
	struct merged_group *m = g->staged->summed->group;

	/* From the end, since the last contribution takes the place of one that is folded. */
	for (size_t i = m->n; i > 0; i--)
		if (!m->contributions[i - 1]->live)
			summed_fold(s, g, m->contributions[i - 1]);
}

int summed_check_values(struct store *s, struct group *g, uint64_t before, struct err *err)
{
	struct summed *su = g->staged->summed;
	uint64_t max = s->source_lim.max_values;

	if (max == 0 || values_of_all(s, su) <= max || su->group->n_values <= before)
		return 0;
	fold_all_silent(s, g);
	if (values_of_all(s, su) <= max || su->group->n_values <= before)
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the gateway is full: with this push it would hold %llu values of the "
		       "sources of summed groups, more than --limits.source-values=%llu; sources "
		       "that are done free theirs with __final__/1 or a DELETE",
		       (unsigned long long)values_of_all(s, su), (unsigned long long)max);
}
