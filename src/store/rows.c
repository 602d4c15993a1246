/* The rows that the database has to write for a batch: those of its steps that no later step has
 * superseded, in the order of the pushes.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/lifetime.h"
#include "store/summed.h"

struct row *store_row_add(struct store *s, enum row_kind kind)
{
	struct rows *rows = &s->rows;

	if (rows->n == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : 64;
		rows->list = mem_realloc(rows->list, rows->cap * sizeof(*rows->list));
	}
	rows->list[rows->n] = (struct row){ .kind = kind };
	return &rows->list[rows->n++];
}

void store_rows_clear(struct store *s)
{
	s->rows.n = 0;
	s->rows.trim = 0;
}

void store_rows_count(struct store *s)
{
	s->rows.live_bytes = s->log.live_bytes;
	s->rows.kept_bytes = s->log.bytes - (s->rows.trim ? s->log.trimmed : 0);
}

static bool becomes_row(const struct store *s, uint32_t step)
{
	const struct step *it = store_step_at(s, step);

	if (it->left_out)
		return true;
	const struct staged *st = it->group->staged;
	switch (it->kind) {
	case ROW_GROUP:
		return st->exists && st->made == step;
	case ROW_END:
		return it->group->exists && st->ended == step && !st->end_is_written;
	case ROW_FAILED:
		return st->exists && st->failed == step;
	case ROW_LIFE:
		return st->exists && st->lived == step;
	default:
		/*
		 * With one reference, only the step has the record: later pushes of the batch have
		 * replaced all of its families.
		 */
		return st->exists && (st->last == step || it->record->refs > 1);
	}
}

void store_number_steps(struct store *s)
{
	uint64_t next = s->next_number + s->rows.n;

	if (s->numbered)
		return;
	for (uint32_t i = 1; i <= s->n_steps; i++) {
		struct step *it = store_step_at(s, i);

		it->number = becomes_row(s, i) ? next++ : 0;
		if (it->kind == ROW_GROUP && it->number)
			it->group->staged->id = it->number;
		if (it->record && it->number)
			it->record->number = it->number;
	}
	s->after = next;
	s->numbered = true;
}

/*
 * Whether the batch leaves nothing of what the group had before. Left-out families have no entries,
 * and only go if the whole group is replaced.
 */
static bool is_whole(const struct store *s, const struct group *g)
{
	const struct staged *st = g->staged;

	if (st->made || st->net.n_out != g->entries.n)
		return false;
	return store_leaves_out_of(s, g) ? st->replaced : g->entries.n > 0;
}

/* The first record of the batch says that the group is replaced. */
static enum row_kind kind_of_record(const struct store *s, const struct group *g)
{
	struct staged *st = g->staged;
	bool first = !st->listed_record;

	st->listed_record = true;
	return first && is_whole(s, g) ? ROW_WHOLE : ROW_RECORD;
}

static void add_row(struct store *s, const struct step *it)
{
	const struct group *g = it->group;
	struct row *row = store_row_add(s, it->kind);

	row->number = it->number;
	if (it->left_out)
		row->group = it->left_out->id;
	else
		row->group = it->kind == ROW_END ? g->id : g->staged->id;
	row->at = it->at;
	if (it->kind == ROW_GROUP)
		row->body = group_key(g);
	if (it->kind == ROW_FAILED)
		row->body = (struct str){ it->why.p, utf8_cut(it->why, FAILED_WHY_MAX) };
	if (it->kind == ROW_LIFE)
		row->body = life_encode(&g->staged->life, g->staged->life_body);
	if (it->record) {
		row->kind = kind_of_record(s, g);
		row->body = it->record->push->body;
	}
	row->checksum = row_checksum(row);
}

const struct rows *store_rows(struct store *s)
{
	summed_finish(s);
	for (struct group *g = s->touched; g; g = g->staged->next)
		g->staged->listed_record = false;
	s->numbered = false;
	store_number_steps(s);
	for (uint32_t i = 1; i <= s->n_steps; i++)
		if (store_step_at(s, i)->number)
			add_row(s, store_step_at(s, i));
	summed_rows(s, &s->after);
	store_rows_count(s);
	return &s->rows;
}
