/* What the database has to be told of a batch: the records that are live at its end, and groups. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

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
	for (size_t i = 0; i < s->rows.n; i++)
		free(s->rows.list[i].keep);
	s->rows.n = 0;
}

/*
 * The group's row says when it was pushed to only where its records do not: an ordinary push writes
 * one row, not two.
 */
static bool row_is_stale(const struct store *s, const struct group *g)
{
	const struct staged *st = g->staged;

	if (!g->exists || g->failed_at != st->failed_at)
		return true;
	if (g->pushed_at == st->pushed_at)
		return false;
	for (uint32_t i = 0; i < st->net.n; i++) {
		uint32_t in = st->net.pairs[i].in;

		if (in && store_entry(s, in)->record->pushed_at == st->pushed_at)
			return false;
	}
	return true;
}

/* The families are sorted, their messages are as pushed, without gaps. */
static struct str row_body(const struct push *push)
{
	struct str body = { push->families[0].proto.p, 0 };

	for (uint32_t i = 0; i < push->n_families; i++) {
		if (push->families[i].proto.p < body.p)
			body.p = push->families[i].proto.p;
		body.n += push->families[i].proto.n;
	}
	return body;
}

/* As long as something old is left, what is gone has been replaced by name. */
static bool keeps_old(const struct group *g)
{
	return g->staged->net.n_out < g->entries.n;
}

static struct row *put_record(struct store *s, const struct group *g, uint64_t number)
{
	struct row *row = store_row_add(s, ROW_PUT_SEGMENT);

	row->row = number;
	row->group = g->id;
	row->whole = !keeps_old(g) && !g->staged->listed_record;
	row->pushed_at = g->staged->pushed_at;
	g->staged->listed_record = true;
	return row;
}

static void add_records(struct store *s)
{
	for (size_t i = 0; i < s->n_records; i++) {
		const struct record *r = s->records[i].record;
		struct row *row;

		/* The batch alone has it: all of it has gone again. */
		if (r->refs == 1)
			continue;
		row = put_record(s, s->records[i].group, r->number);
		row->pushed_at = r->pushed_at;
		row->bytes = row_body(r->push);
	}
}

static void add_group(struct store *s, const struct group *g)
{
	const struct staged *st = g->staged;

	if (!st->exists && !g->exists)
		return;
	/* Nothing is left, and no record has said so. */
	if (!st->listed_record && !keeps_old(g) && g->entries.n > 0)
		put_record(s, g, s->next_row++)->bytes = STR("");
	if (!st->exists) {
		store_row_add(s, ROW_DROP_GROUP)->group = g->id;
	} else if (row_is_stale(s, g)) {
		struct row *row = store_row_add(s, ROW_PUT_GROUP);

		row->group = g->id;
		row->bytes = group_key(g);
		row->pushed_at = st->pushed_at;
		row->failed_at = st->failed_at;
	}
}

struct rows *store_rows(struct store *s)
{
	for (struct group *g = s->touched; g; g = g->staged->next)
		g->staged->listed_record = false;
	add_records(s);
	for (const struct group *g = s->touched; g; g = g->staged->next)
		add_group(s, g);
	return &s->rows;
}
