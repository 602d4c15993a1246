/* Freeing a store with all that it holds, at once or in slices. */
#include <stdlib.h>

#include "store/internal.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/summed.h"

void store_family_free(struct store_family *f)
{
	family_done(&f->shown);
	free(f);
}

/* False: some are left. */
static bool free_entries(struct store *s, struct group *g, size_t *max)
{
	struct dead *d = &s->dead;

	for (; d->n_entries < g->entries.cap; d->n_entries++) {
		uint32_t id = entries_at(&g->entries, d->n_entries);

		if (!id)
			continue;
		if (*max == 0)
			return false;
		--*max;
		entry_free(&s->pages.entries, id);
	}
	d->n_entries = 0;
	entries_done(&g->entries);
	return true;
}

static void free_groups(struct store *s, size_t *max)
{
	struct dead *d = &s->dead;

	for (; d->n_slots + 1 < s->n_slots && *max > 0; d->n_slots++) {
		struct group *g = s->by_slot[d->n_slots + 1];

		if (!g)
			continue;
		if (!free_entries(s, g, max))
			return;
		summed_free(g->summed);
		writers_forget(&s->pages.writers, g);
		group_free(g, &s->pages.entries);
		s->by_slot[d->n_slots + 1] = NULL;
		*max -= *max > 0;
	}
}

static void free_families(struct store *s, size_t *max)
{
	struct dead *d = &s->dead;

	for (; d->n_families<s->families.cap && * max> 0; d->n_families++) {
		struct store_family *f = s->families.entries[d->n_families].item;

		if (!f)
			continue;
		store_family_free(f);
		s->families.entries[d->n_families].item = NULL;
		--*max;
	}
}

/* After this nothing else may be done with the store but to go on. False: nothing was left. */
static bool free_some(struct store *s, size_t max)
{
	size_t before = max;

	free_groups(s, &max);
	free_families(s, &max);
	return max < before;
}

static void free_rest(struct store *s)
{
	table_done(&s->families);
	series_index_done(&s->keys);
	series_index_done(&s->index);
	series_index_done(&s->ids);
	store_removal_drop(s);
	undoables_done(s);
	table_done(&s->applied.made);
	free(s->applied.documents);
	limits_free(s->limits);
	free(s->by_slot);
	free(s->free_slots);
	free(s->change.pairs);
	staged_done(s);
	free(s->steps);
	free(s->was_newest);
	free(s->deadlines.list);
	free(s->rows.list);
	arena_done(&s->log.bodies);
	store_left_out_done(s);
	left_out_groups_done(s);
	summed_done(s);
	free(s->idle);
	pages_done(&s->pages);
	free(s);
}

bool store_free_step(struct store *s, size_t max)
{
	if (store_free_list(s, max) || free_some(s, max))
		return true;
	free_rest(s);
	return false;
}

void store_end(struct store *s)
{
	if (s->touched)
		store_rollback(s);
	store_large_drop(s);
}

void store_free(struct store *s)
{
	struct store *before;

	for (; s; s = before) {
		before = s->dead.before;
		store_end(s);
		while (store_free_step(s, SIZE_MAX))
			;
	}
}
