#include "store/undo.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/le.h"
#include "base/mem.h"
#include "metrics/names.h"
#include "store/internal.h"

enum { HEAD = UNDO_ID + 8 };

void undoable_free(struct undoable *u)
{
	if (u)
		free((char *)u->family.p);
	free(u);
}

struct undoable *undoable_copy(const struct undoable *u)
{
	size_t bytes = sizeof(*u) + u->n * sizeof(*u->groups);
	struct undoable *copy = mem_alloc(bytes);

	copy_bytes(copy, u, bytes);
	if (u->family.n)
		copy->family = (struct str){ mem_dup(u->family.p, u->family.n), u->family.n };
	return copy;
}

void undoables_done(struct store *s)
{
	for (size_t i = 0; i < s->undo.n; i++)
		undoable_free(s->undo.list[i]);
	free(s->undo.list);
	free(s->undo.ended);
}

/* Other threads read the list (undo_list.h), so it changes under the lock of the pages. */
static void remove_at(struct store *s, size_t i)
{
	struct undoable *u = s->undo.list[i];

	s->undo.bytes -= u->bytes;
	pthread_mutex_lock(&s->pages.lock);
	s->undo.n--;
	move_bytes(s->undo.list + i, s->undo.list + i + 1,
		   (s->undo.n - i) * sizeof(struct undoable *));
	pthread_mutex_unlock(&s->pages.lock);
	undoable_free(u);
}

void undoables_add(struct store *s, struct undoable *u)
{
	pthread_mutex_lock(&s->pages.lock);
	if (s->undo.n == s->undo.cap) {
		s->undo.cap = s->undo.cap ? s->undo.cap * 2 : 16;
		s->undo.list = mem_realloc(s->undo.list, s->undo.cap * sizeof(struct undoable *));
	}
	s->undo.list[s->undo.n++] = u;
	pthread_mutex_unlock(&s->pages.lock);
	s->undo.bytes += u->bytes;
}

static bool is_over(const struct undoable *u, double now)
{
	return now - u->at > UNDO_SECONDS;
}

const struct undoable *store_undoable(const struct store *s, const unsigned char id[UNDO_ID],
				      double now)
{
	for (size_t i = 0; i < s->undo.n; i++)
		if (memcmp(s->undo.list[i]->id, id, UNDO_ID) == 0)
			return is_over(s->undo.list[i], now) ? NULL : s->undo.list[i];
	return NULL;
}

bool store_can_undo(const struct store *s)
{
	return s->undo.n > 0 && !s->undo.reading;
}

bool undoable_has(const struct undoable *u, uint64_t group)
{
	size_t low = 0, high = u->n;

	if (u->n == 0 || group < u->groups[0] || group > u->groups[u->n - 1])
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (u->groups[middle] < group)
			low = middle + 1;
		else
			high = middle;
	}
	return low < u->n && u->groups[low] == group;
}

void store_undo_forget_old(struct store *s, double now)
{
	for (size_t i = s->undo.n; i > 0 && !s->undo.reading; i--)
		if (is_over(s->undo.list[i - 1], now))
			remove_at(s, i - 1);
}

void store_undo_reading(struct store *s, bool reading)
{
	s->undo.reading = reading;
}

/* ---- the end of an undo ---- */

const struct rows *store_undone_rows(struct store *s, const unsigned char *id, double now)
{
	struct row *row;

	store_rows_clear(s);
	row = store_row_add(s, ROW_UNDONE);
	row->number = s->next_number;
	row->at = now;
	row->body = id ? (struct str){ (const char *)id, UNDO_ID } : STR("");
	row->checksum = row_checksum(row);
	s->rows.live_bytes = s->log.live_bytes;
	return &s->rows;
}

void undoables_remove(struct store *s, const unsigned char *id)
{
	for (size_t i = s->undo.n; i > 0; i--)
		if (!id || memcmp(s->undo.list[i - 1]->id, id, UNDO_ID) == 0)
			remove_at(s, i - 1);
}

void store_undo_end(struct store *s, const unsigned char *id)
{
	undoables_remove(s, id);
	store_log_grew(s);
	s->next_number += s->rows.n;
	store_rows_clear(s);
}

/* ---- cleaning ---- */

bool undo_restores(enum row_kind kind)
{
	switch (kind) {
	case ROW_GROUP:
	case ROW_RECORD:
	case ROW_WHOLE:
	case ROW_FAILED:
	case ROW_LIFE:
	case ROW_DOCUMENT:
	case ROW_LEFT_OUT:
		return true;
	default:
		return false;
	}
}

/* If only a family was removed, the undo needs the group's key and its records. */
static bool one_needs(const struct undoable *u, const struct row *row)
{
	if (u->number < row_first_number(row))
		return false;
	if (u->family.n && row->kind != ROW_GROUP && row->kind != ROW_RECORD &&
	    row->kind != ROW_WHOLE && row->kind != ROW_KEPT)
		return false;
	return undoable_has(u, row->group);
}

bool undoables_need(const struct store *s, const struct row *row)
{
	uint64_t number = row_first_number(row);

	for (size_t i = 0; i < s->undo.n; i++) {
		const struct undoable *u = s->undo.list[i];

		if (row->kind == ROW_UNDO && u->number == number)
			return true;
		/* Such a row names what else was removed, which an undo must not bring back. */
		if ((row->kind == ROW_TAKE || (row->kind == ROW_KEPT && row->group == 0)) &&
		    u->number > number)
			return true;
		if ((undo_restores(row->kind) || row->kind == ROW_KEPT) && one_needs(u, row))
			return true;
	}
	return false;
}

static bool needs_family(const struct store *s, const struct row *record, struct str name)
{
	for (size_t i = 0; i < s->undo.n; i++) {
		const struct undoable *u = s->undo.list[i];

		if (u->family.n && one_needs(u, record) && str_eq(u->family, name))
			return true;
	}
	return false;
}

void undoables_add_needed(const struct store *s, const struct row *record, struct strbuf *out)
{
	struct str message, name;
	size_t at = 0;

	while (row_next_family(record->body, &at, &message, &name) > 0)
		if (needs_family(s, record, name))
			strbuf_adds(out, message);
}

/* ---- bringing back ---- */

static struct group *find(struct store *s, struct str key)
{
	struct group *g = store_group_find(s, key, hash_bytes(key));

	return g && group_is_there(g) ? g : NULL;
}

uint64_t store_group_id(struct store *s, struct str key)
{
	const struct group *g = find(s, key);

	return g ? g->id : 0;
}

double store_group_pushed_at(struct store *s, struct str key)
{
	const struct group *g = find(s, key);

	return g ? group_pushed_at(g) : 0;
}

bool store_has_values(struct store *s, struct str key)
{
	const struct group *g = find(s, key);

	return g && !(g->life && g->life->now.expired);
}

bool store_has_family(struct store *s, struct str key, struct str family)
{
	CLEANUP(strbuf_done) struct strbuf exposed = { 0 };
	const struct group *g = find(s, key);
	struct store_family *f;
	uint32_t hint = 0;

	text_write_escaped_name(&exposed, family);
	f = store_family_find(s, family, strbuf_str(&exposed), hash_bytes(strbuf_str(&exposed)));
	return g && f && group_entry(s, g, f, &hint);
}

void store_stage_end(struct store *s, const struct push *push)
{
	struct group *g = find(s, push->key);

	if (g)
		change_end(s, g, push->now);
}

int store_stage_family(struct store *s, struct push *push, struct push *times)
{
	struct group *g = find(s, push->key);

	if (!g)
		return err_set(&push->err, ERR_NOT_FOUND, 0, "the group is not there");
	double pushed_at = group_pushed_at(g);
	struct record *record = record_new(push, g);

	change_begin(s, g);
	g->staged->labels = &push->labels;
	g->staged->hides_others = push->hides_others;
	change_put(s, record, &push->families[0]);
	if (change_apply(s, &push->err) < 0) {
		record_unref(record);
		return -1;
	}
	store_step_record(s, g, record);
	if (pushed_at == push->now)
		return 0;
	record = record_new(times, g);
	record->pushed_at = pushed_at;
	store_step_record(s, g, record);
	return 0;
}

/* ---- start ---- */

static struct undoable *decode(const struct row *row)
{
	struct str rest = { row->body.p + HEAD, row->body.n - HEAD }, family = STR("");
	struct undoable *u = mem_zalloc(sizeof(*u) + rest.n);
	size_t at = 0;
	int r;

	memcpy(u->id, row->body.p, UNDO_ID);
	u->number = row_first_number(row);
	u->at = row->at;
	u->bytes = le_take(row->body.p + UNDO_ID, 8);
	while ((r = removal_next_id(rest, &at, true, &family, &u->groups[u->n])) > 0)
		u->n++;
	if (family.n && r == 0)
		u->family = (struct str){ mem_dup(family.p, family.n), family.n };
	if (r == 0)
		return u;
	undoable_free(u);
	return NULL;
}

static void note_ended(struct store *s, const struct row *row)
{
	if (row->body.n == 0) {
		s->undo.all_ended = true;
		return;
	}
	s->undo.ended = mem_realloc(s->undo.ended, (s->undo.n_ended + 1) * UNDO_ID);
	memcpy(s->undo.ended + s->undo.n_ended++ * UNDO_ID, row->body.p, UNDO_ID);
}

static bool has_ended(const struct store *s, const struct row *row)
{
	for (size_t i = 0; i < s->undo.n_ended; i++)
		if (memcmp(s->undo.ended + i * UNDO_ID, row->body.p, UNDO_ID) == 0)
			return true;
	return s->undo.all_ended;
}

int store_apply_undo(struct store *s, const struct row *row)
{
	struct undoable *u;

	if (row->kind == ROW_UNDONE && (row->body.n == 0 || row->body.n == UNDO_ID)) {
		undoables_remove(s, row->body.n ? (const unsigned char *)row->body.p : NULL);
		return 0;
	}
	if (row->kind == ROW_UNDONE || row->body.n < HEAD)
		return -1;
	u = decode(row);
	if (!u)
		return -1;
	undoables_add(s, u);
	return 0;
}

int store_restore_undo(struct store *s, const struct row *row)
{
	struct undoable *u;

	if (row->kind == ROW_UNDONE) {
		if (row->body.n != 0 && row->body.n != UNDO_ID)
			return -1;
		if (s->newest_at - row->at <= UNDO_SECONDS)
			note_ended(s, row);
		return 0;
	}
	if (row->body.n < HEAD)
		return -1;
	/* Rows are read newest first, so newest_at is known: it counts, whatever the clock says. */
	if (s->newest_at - row->at > UNDO_SECONDS || s->undo.n == UNDO_MAX || has_ended(s, row))
		return 0;
	u = decode(row);
	if (!u)
		return -1;
	undoables_add(s, u);
	return 0;
}

static int by_number(const void *pa, const void *pb)
{
	const struct undoable *a = *(struct undoable *const *)pa,
			      *b = *(struct undoable *const *)pb;

	return (a->number > b->number) - (a->number < b->number);
}

void store_restore_undo_end(struct store *s, double now)
{
	array_sort(s->undo.list, s->undo.n, by_number);
	store_undo_forget_old(s, now > s->newest_at ? now : s->newest_at);
	free(s->undo.ended);
	s->undo.ended = NULL;
	s->undo.n_ended = 0;
	s->undo.all_ended = false;
}
