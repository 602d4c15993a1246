#include "store/removal.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/le.h"
#include "base/mem.h"
#include "metrics/names.h"
#include "store/internal.h"
#include "store/summed.h"

enum {
	SLICE_GROUPS = 512,
	SLICE_ENTRIES = 1024, /* the lock of the pages is held for so many at a time */
	AHEAD = 8,            /* groups are fetched into the cache so many steps ahead */
};

static bool has_bit(const struct store *s, uint32_t slot)
{
	return slot / 64 < s->removal.cap_bits && (s->removal.bits[slot / 64] >> slot % 64 & 1);
}

static void add_group(struct store *s, const struct group *g)
{
	struct removal_at_hand *r = &s->removal;

	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 256;
		r->ids = mem_realloc(r->ids, r->cap * sizeof(*r->ids));
		r->slots = mem_realloc(r->slots, r->cap * sizeof(*r->slots));
	}
	r->ids[r->n] = g->id;
	r->slots[r->n++] = g->slot;
}

static struct store_family *family_of(struct store *s)
{
	const struct removal_at_hand *r = &s->removal;

	return store_family_find(s, strbuf_str(&r->family), strbuf_str(&r->exposed),
				 hash_bytes(strbuf_str(&r->exposed)));
}

static bool has_family(struct store *s, const struct group *g, const struct store_family *f,
		       uint32_t *hint)
{
	return f && group_entry(s, g, f, hint);
}

/* An estimate of the bytes that the log has of what is removed. */
static uint64_t log_bytes(const struct removal_at_hand *r, const struct group *g)
{
	uint64_t n = g->n_bytes / (r->family.n && g->entries.n ? g->entries.n : 1);

	return n + UINT64_C(2) * ROW_BYTES + g->key_n;
}

static int ask(struct store *s, struct removal *r, const struct group *g, struct err *err)
{
	const struct removal_group what = {
		.id = g->id,
		.slot = g->slot,
		.key = group_key(g),
		.pushed_at = group_pushed_at(g),
		.failed_at = group_failed_at(g),
		.overdue = g->life && g->life->now.overdue,
	};
	bool stays = r->family.n && group_summed(g);
	int wanted = r->wants(r->arg, &what, err);

	/* Nothing is done to this group, so the caller needs no permission for it. */
	if (stays && wanted < 0 && err->reason == ERR_FORBIDDEN) {
		err->reason = ERR_NONE;
		return 0;
	}
	if (stays && wanted > 0 && r->stays)
		r->stays(r->arg, &what);
	if (wanted <= 0 || stays)
		return wanted < 0 ? -1 : 0;
	r->n++;
	add_group(s, g);
	s->removal.bytes += log_bytes(&s->removal, g);
	r->goes(r->arg, &what);
	return 1;
}

static int ask_all(struct store *s, struct removal *r, struct err *err)
{
	struct store_family *f = r->family.n ? family_of(s) : NULL;
	uint32_t hint = 0;

	for (uint32_t slot = 1; slot < s->n_slots; slot++) {
		const struct group *g = s->by_slot[slot];

		if (slot + AHEAD < s->n_slots && s->by_slot[slot + AHEAD]) {
			__builtin_prefetch(s->by_slot[slot + AHEAD]);
			__builtin_prefetch(s->by_slot[slot + AHEAD]->key);
		}
		if (!g || !g->exists || (r->family.n && !has_family(s, g, f, &hint)))
			continue;
		if (ask(s, r, g, err) < 0)
			return -1;
	}
	return 0;
}

void store_removal_drop(struct store *s)
{
	struct removal_at_hand *r = &s->removal;

	free(r->ids);
	free(r->slots);
	free(r->bits);
	strbuf_done(&r->family);
	strbuf_done(&r->exposed);
	strbuf_done(&r->body);
	strbuf_done(&r->undo_body);
	undoable_free(r->undo);
	*r = (struct removal_at_hand){ 0 };
	store_rows_clear(s);
}

static int by_id(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

/* Groups are mostly numbered in the order of their slots, so the ids are mostly sorted. */
static void sort_ids(uint64_t *ids, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (ids[i - 1] > ids[i]) {
			array_sort(ids, n, by_id);
			return;
		}
}

/*
 * The bytes are an estimate: an undo keeps all rows of these groups, also those that later rows
 * have superseded.
 */
static struct undoable *undoable_of(const struct store *s, const struct removal *r)
{
	const struct removal_at_hand *at_hand = &s->removal;
	struct undoable *u = mem_zalloc(sizeof(*u) + at_hand->n * sizeof(*u->groups));
	double share = (double)at_hand->bytes / (double)(s->log.live_bytes + 1);

	memcpy(u->id, r->id, UNDO_ID);
	u->number = s->next_number + 1;
	u->at = r->now;
	u->bytes = (uint64_t)((share < 1 ? share : 1) * (double)s->log.bytes);
	u->n = at_hand->n;
	copy_bytes(u->groups, at_hand->ids, u->n * sizeof(*u->groups));
	sort_ids(u->groups, u->n);
	if (r->family.n)
		u->family = (struct str){ mem_dup(r->family.p, r->family.n), r->family.n };
	return u;
}

int store_removal_decide(struct store *s, struct removal *r, struct err *err)
{
	r->n = 0;
	s->removal.at = r->now;
	strbuf_adds(&s->removal.family, r->family);
	text_write_escaped_name(&s->removal.exposed, r->family);
	if (ask_all(s, r, err) < 0) {
		store_removal_drop(s);
		return -1;
	}
	if (r->has_expect && r->n != r->expect) {
		store_removal_drop(s);
		return err_set(
			err, ERR_CONFLICT, 0,
			"%llu groups would be deleted, and not %llu as expected; nothing was",
			(unsigned long long)r->n, (unsigned long long)r->expect);
	}
	if (r->dry_run)
		store_removal_drop(s);
	else if (r->can_undo && r->n > 0)
		s->removal.undo = undoable_of(s, r);
	return 0;
}

/* ---- its row ---- */

static void put(struct strbuf *b, uint64_t v, int bytes)
{
	char le[8];

	le_put(le, v, bytes);
	strbuf_add(b, le, (size_t)bytes);
}

int removal_next_id(struct str body, size_t *at, bool of_family, struct str *ret_family,
		    uint64_t *ret_id)
{
	size_t begin = 0;

	*ret_family = STR("");
	if (of_family) {
		if (body.n < 4)
			return -1;
		ret_family->n = le_take(body.p, 4);
		ret_family->p = body.p + 4;
		begin = 4 + ret_family->n;
	}
	if (begin > body.n || (body.n - begin) % 8 != 0)
		return -1;
	if (*at < begin)
		*at = begin;
	if (*at == body.n)
		return 0;
	*ret_id = le_take(body.p + *at, 8);
	*at += 8;
	return 1;
}

static void add_row(struct store *s, enum row_kind kind, struct str body)
{
	uint64_t number = s->next_number + s->rows.n;
	struct row *row = store_row_add(s, kind);

	row->number = number;
	row->at = s->removal.at;
	row->body = body;
	row->checksum = row_checksum(row);
}

static void put_ids(struct strbuf *b, const uint64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(b, ids[i], 8);
}

/*
 * Adds the row that says how to undo this, and, if there is no place for another one, the row that
 * ends the oldest undo.
 */
static void add_undo(struct store *s)
{
	struct removal_at_hand *r = &s->removal;
	const struct undoable *u = r->undo;

	r->undo_body.n = 0;
	strbuf_add(&r->undo_body, (const char *)u->id, UNDO_ID);
	put(&r->undo_body, u->bytes, 8);
	put(&r->undo_body, u->family.n, 4);
	strbuf_adds(&r->undo_body, u->family);
	put_ids(&r->undo_body, u->groups, u->n);
	add_row(s, ROW_UNDO, strbuf_str(&r->undo_body));
	if (s->undo.n < UNDO_MAX)
		return;
	memcpy(r->ended, s->undo.list[0]->id, UNDO_ID);
	add_row(s, ROW_UNDONE, (struct str){ (const char *)r->ended, UNDO_ID });
}

const struct rows *store_removal_rows(struct store *s)
{
	struct removal_at_hand *r = &s->removal;

	store_rows_clear(s);
	r->body.n = 0;
	if (r->family.n) {
		put(&r->body, r->family.n, 4);
		strbuf_adds(&r->body, strbuf_str(&r->family));
	}
	put_ids(&r->body, r->ids, r->n);
	add_row(s, r->family.n ? ROW_TAKE : ROW_END, strbuf_str(&r->body));
	if (r->undo)
		add_undo(s);
	store_rows_count(s);
	return &s->rows;
}

const struct rows *store_removal_rows_without_undo(struct store *s)
{
	undoable_free(s->removal.undo);
	s->removal.undo = NULL;
	return store_removal_rows(s);
}

/* ---- carrying it out ---- */

static void rows_written(struct store *s)
{
	struct removal_at_hand *r = &s->removal;

	store_log_grew(s);
	s->next_number += s->rows.n;
	store_rows_clear(s);
	if (!r->undo)
		return;
	if (s->undo.n == UNDO_MAX)
		undoables_remove(s, r->ended);
	undoables_add(s, r->undo);
	r->undo = NULL;
}

void store_removal_begin(struct store *s)
{
	struct removal_at_hand *r = &s->removal;

	r->cap_bits = s->n_slots / 64 + 1;
	r->bits = mem_zalloc(r->cap_bits * sizeof(*r->bits));
	for (size_t i = 0; i < r->n; i++)
		r->bits[r->slots[i] / 64] |= UINT64_C(1) << r->slots[i] % 64;
	if (s->rows.n > 0)
		rows_written(s);
	strbuf_done(&r->body);
	strbuf_done(&r->undo_body);
	if (r->n == 0)
		store_removal_drop(s);
}

bool store_removal_pending(const struct store *s)
{
	return s->removal.bits != NULL;
}

bool store_is_leaving(const struct store *s, const struct group *g)
{
	return s->removal.bits && g->exists && has_bit(s, g->slot) &&
	       !(g->staged && g->staged->has_left);
}

void store_leave(struct store *s, struct group *g)
{
	struct store_family *f = s->removal.family.n ? family_of(s) : NULL;
	struct err err;

	if (!s->removal.family.n) {
		change_leave(s, g);
		g->staged->end_is_written = true;
	} else {
		change_begin(s, g);
		if (f)
			change_take(s, f);
		change_apply(s, &err);
	}
	g->staged->has_left = true;
}

void store_has_left(struct store *s, const struct group *g)
{
	if (has_bit(s, g->slot))
		s->removal.bits[g->slot / 64] &= ~(UINT64_C(1) << g->slot % 64);
}

void store_leave_first(struct store *s, struct group *g)
{
	if (g && store_is_leaving(s, g))
		store_leave(s, g);
}

bool store_removal_step(struct store *s)
{
	struct removal_at_hand *r = &s->removal;
	uint32_t groups = 0;
	size_t entries = 0;

	if (!r->bits)
		return false;
	while (r->done < r->n && groups < SLICE_GROUPS && entries < SLICE_ENTRIES) {
		struct group *g = s->by_slot[r->slots[r->done++]];

		if (r->done + AHEAD < r->n && s->by_slot[r->slots[r->done + AHEAD]])
			__builtin_prefetch(s->by_slot[r->slots[r->done + AHEAD]]);
		if (!g || !store_is_leaving(s, g))
			continue;
		entries += r->family.n ? 1 : g->entries.n;
		groups++;
		store_leave(s, g);
	}
	store_publish(s);
	if (r->done == r->n)
		store_removal_drop(s);
	return true;
}

void store_removal_finish(struct store *s)
{
	while (store_removal_step(s))
		;
}
