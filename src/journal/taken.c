#include "journal/taken.h"

#include <stdlib.h>

#include "base/mem.h"
#include "push/push.h"
#include "store/removal.h"

struct taken_group {
	uint64_t id;
	const struct taken_row *row;
};

struct taken_row {
	uint64_t number; /* when it was first written */
	struct str family;
	struct taken_group *groups;
};

static uint64_t hash_of(uint64_t id)
{
	id *= 0x9E3779B97F4A7C15;
	return id ^ id >> 32;
}

void taken_done(struct taken *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free((char *)t->rows[i]->family.p);
		free(t->rows[i]->groups);
		free(t->rows[i]);
	}
	free(t->rows);
	table_done(&t->table);
	*t = (struct taken){ 0 };
}

static struct taken_row *row_new(struct taken *t, const struct row *row)
{
	struct taken_row *to = mem_zalloc(sizeof(*to));

	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->rows = mem_realloc(t->rows, t->cap * sizeof(struct taken_row *));
	}
	t->rows[t->n++] = to;
	to->number = row_first_number(row);
	to->groups = mem_alloc((row->body.n / 8 + 1) * sizeof(*to->groups));
	return to;
}

int taken_add(struct taken *t, const struct row *row, struct err *err)
{
	struct taken_row *to = row_new(t, row);
	struct str family;
	size_t at = 0, n = 0;
	uint64_t id;
	int r;

	while ((r = removal_next_id(row->body, &at, true, &family, &id)) > 0) {
		struct taken_group *g = &to->groups[n++];

		*g = (struct taken_group){ id, to };
		table_add(&t->table, hash_of(id), g);
	}
	if (r < 0)
		return err_set(err, ERR_SYSTEM, 0, "row %llu of the log does not say what goes",
			       (unsigned long long)row->number);
	to->family = (struct str){ mem_dup(family.p, family.n), family.n };
	return 0;
}

bool taken_has(const struct taken *t, const struct row *record, struct str family)
{
	uint64_t hash = hash_of(record->group);
	const struct taken_group *g;

	for (size_t at = table_first(&t->table, hash); (g = table_next(&t->table, hash, &at));)
		if (g->id == record->group && g->row->number > row_first_number(record) &&
		    str_eq(g->row->family, family))
			return true;
	return false;
}

void taken_filter(const struct taken *t, const struct row *record, struct push *push)
{
	uint32_t n = 0;

	if (t->n == 0)
		return;
	for (uint32_t i = 0; i < push->n_families; i++)
		if (!taken_has(t, record, push->families[i].name))
			push->families[n++] = push->families[i];
	push->n_families = n;
}
