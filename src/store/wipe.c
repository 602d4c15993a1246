/*
 * Wiping: a new empty state replaces the old one, which is freed in slices when no other thread can
 * see it any more. Removing groups one by one would hold the lock for too long.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"
#include "store/lifetime.h"

static const struct rows *one_row(struct store *s, enum row_kind kind, double now)
{
	struct row *row;

	store_rows_clear(s);
	row = store_row_add(s, kind);
	row->number = s->next_number;
	row->at = now;
	row->checksum = row_checksum(row);
	return &s->rows;
}

const struct rows *store_wipe_rows(struct store *s, double now)
{
	one_row(s, ROW_WIPE, now);
	store_rows_count(s);
	s->rows.live_bytes = 0;
	return &s->rows;
}

const struct rows *store_beat_rows(struct store *s, double now)
{
	one_row(s, ROW_BEAT, now);
	store_rows_count(s);
	return &s->rows;
}

struct store *store_new_like(const struct store *s, const struct store_limits *lim)
{
	const struct store_limits same = { s->lim.max_groups, s->lim.max_series };
	struct store *fresh = store_new(lim ? lim : &same);

	if (!lim) {
		fresh->lim = s->lim;
		fresh->source_lim = s->source_lim;
	}
	fresh->digest.kept = s->digest.kept;
	for (size_t i = 0; i < s->families.cap; i++) {
		const struct store_family *f = s->families.entries[i].item;

		if (f && f->own)
			store_add_own(fresh, f->shown.name, f->type);
	}
	return fresh;
}

static void swap_contents(struct store *a, struct store *b)
{
	char tmp[offsetof(struct store, pages.lock)]; /* everything in front of the lock, which is
							 the last member */

	memcpy(tmp, a, sizeof(tmp));
	memcpy(a, b, sizeof(tmp));
	memcpy(b, tmp, sizeof(tmp));
}

/* Counters that scrapes see must not fall. */
static void keep_counts(struct store *s, struct store *old)
{
	memcpy(s->pages.expired, old->pages.expired, sizeof(s->pages.expired));
	s->pages.n_expired = old->pages.n_expired;
	old->pages.n_expired = 0;
}

void store_wipe(struct store *s)
{
	struct store *empty = store_new_like(s, NULL);

	/* Without a database the rows are not written, but their numbers are used. */
	empty->next_number = s->next_number + s->rows.n;
	empty->log.bytes = s->log.bytes + s->rows.n * ROW_BYTES;
	/* It has no deadlines, so the time does not matter. */
	store_take_over(s, empty, 0);
}

void store_free_later(struct store *s, struct store *old)
{
	struct store *oldest = old;

	store_end(old);
	while (oldest->dead.before)
		oldest = oldest->dead.before;
	oldest->dead.before = s->dead.before;
	s->dead.before = old;
}

void store_take_over(struct store *s, struct store *other, double now)
{
	pthread_mutex_lock(&s->pages.lock);
	swap_contents(s, other);
	keep_counts(s, other);
	s->undo.reading = other->undo.reading;
	lifetimes_go_on(s, other, now);
	limits_take_over_begin(s, other);
	pthread_mutex_unlock(&s->pages.lock);
	limits_take_over_end(s);
	store_free_later(s, other);
}
