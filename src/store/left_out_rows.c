#include "store/left_out_rows.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/left_out_group.h"

void left_out_rows_add(struct left_out_rows *rows, const struct row *row)
{
	struct row *to;

	if (rows->n == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : 4;
		rows->list = mem_realloc(rows->list, rows->cap * sizeof(*rows->list));
	}
	to = &rows->list[rows->n++];
	*to = *row;
	to->body = (struct str){ mem_dup(row->body.p, row->body.n), row->body.n };
}

void left_out_rows_done(struct left_out_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free((char *)rows->list[i].body.p);
	free(rows->list);
	*rows = (struct left_out_rows){ 0 };
}

struct str left_out_message(struct str body, struct str family)
{
	struct str message, name, found = STR_NULL;
	size_t at = 0;

	while (row_next_family(body, &at, &message, &name) > 0) {
		if (!str_eq(name, family))
			continue;
		/* No version writes it twice: which of the two breaks a rule is not known. */
		if (found.p)
			return STR_NULL;
		found = message;
	}
	return found;
}

/* ---- cleaning ---- */

bool left_out_group_has_row(const struct left_out_group *l, const struct row *row)
{
	uint64_t number = row_first_number(row);
	size_t at = table_first(&l->documents, number);

	switch (row->kind) {
	case ROW_GROUP:
	case ROW_RECORD:
	case ROW_WHOLE:
	case ROW_LEFT_OUT:
		return true;
	case ROW_FAILED:
		return number == l->failed;
	case ROW_LIFE:
		return number == l->life;
	case ROW_DOCUMENT:
		return table_next(&l->documents, number, &at) != NULL;
	default:
		return false;
	}
}

/* ---- writing them anew ---- */

/* Adds a row of that group to the batch, before those of its steps. Returns its number. */
static uint64_t add_row(struct store *s, const struct row *row, uint64_t group)
{
	uint64_t number = s->next_number + s->rows.n;
	struct row *to = store_row_add(s, row->kind);

	to->number = number;
	/* A group's id is the number of the row that makes it. */
	to->group = row->kind == ROW_GROUP ? number : group;
	to->at = row->at;
	to->body = row->body;
	to->checksum = row_checksum(to);
	return number;
}

/* A moved row counts as one that is as old as it was at first. */
static int by_first_number(const void *pa, const void *pb)
{
	const struct row *const *a = pa, *const *b = pb;
	uint64_t x = row_first_number(*a), y = row_first_number(*b);

	return (x > y) - (x < y);
}

static void stage_group(struct store *s, const struct left_out_group *l)
{
	const struct row **sorted = mem_alloc((l->rows.n + 1) * sizeof(*sorted));
	uint64_t id = 0;

	for (size_t i = 0; i < l->rows.n; i++)
		sorted[i] = &l->rows.list[i];
	array_sort(sorted, l->rows.n, by_first_number);
	for (size_t i = 0; i < l->rows.n; i++)
		if (sorted[i]->kind == ROW_GROUP)
			id = add_row(s, sorted[i], 0);
	for (size_t i = 0; i < l->rows.n; i++)
		if (sorted[i]->kind != ROW_GROUP)
			add_row(s, sorted[i], id);
	free(sorted);
}

bool store_stage_left_out_group(struct store *s, const struct store *from, size_t *at)
{
	while (*at < from->left_out_groups.cap) {
		const struct left_out_group *l = from->left_out_groups.entries[(*at)++].item;

		if (!l)
			continue;
		stage_group(s, l);
		return true;
	}
	return false;
}

bool store_stage_left_out_family(struct store *s, const struct store_left_out *left)
{
	const struct group *g = store_group_find(s, left->key, hash_bytes(left->key));
	const struct row row = { .kind = left->contradicts ? ROW_LEFT_OUT : ROW_RECORD,
				 .at = left->at,
				 .body = left->message };

	if (!g || left->message.n == 0)
		return false;
	add_row(s, &row, g->id);
	return true;
}
