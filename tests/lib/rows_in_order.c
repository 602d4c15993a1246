#include "lib/rows_in_order.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/lifetime.h"
#include "store/removal.h"

struct kept_family {
	struct str name, message;
	uint64_t number;
	bool left_out;
	double at;
};

struct kept_group {
	uint64_t id;
	const struct row *made, *pushed, *failed, *life;
	struct kept_family *families;
	size_t n;
	const struct row **documents; /* the last one of each id */
	size_t n_documents;
};

struct kept {
	struct kept_group *groups;
	size_t n;
	const struct row **remembered;
	size_t n_remembered;
};

static void group_done(struct kept_group *g)
{
	free(g->families);
	free(g->documents);
}

static void end_groups(struct kept *k, uint64_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		if (id == 0 || k->groups[i].id == id)
			group_done(&k->groups[i]);
		else
			k->groups[n++] = k->groups[i];
	k->n = n;
}

/* The row that makes the group may have been moved behind its other rows. */
static struct kept_group *group_of(struct kept *k, uint64_t id)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->groups[i].id == id)
			return &k->groups[i];
	k->groups = mem_realloc(k->groups, (k->n + 1) * sizeof(*k->groups));
	k->groups[k->n] = (struct kept_group){ .id = id };
	return &k->groups[k->n++];
}

static void put_family(struct kept_group *g, const struct kept_family *f)
{
	for (size_t i = 0; i < g->n; i++)
		if (str_eq(g->families[i].name, f->name)) {
			g->families[i] = *f;
			return;
		}
	g->families = mem_realloc(g->families, (g->n + 1) * sizeof(*g->families));
	g->families[g->n++] = *f;
}

static bool is_newer(const struct row *row, const struct row *than)
{
	return !than || row_first_number(row) >= row_first_number(than);
}

static void put_record(struct kept_group *g, const struct row *row)
{
	struct kept_family f = { .number = row_first_number(row),
				 .left_out = row->kind == ROW_LEFT_OUT,
				 .at = row->at };
	size_t at = 0;
	int r;

	if (row->kind == ROW_WHOLE)
		g->n = 0;
	while ((r = row_next_family(row->body, &at, &f.message, &f.name)) > 0)
		put_family(g, &f);
	assert(r == 0);
	if (!f.left_out && is_newer(row, g->pushed))
		g->pushed = row;
}

static uint64_t id_of(const struct row *document)
{
	uint64_t id;
	bool known = row_document_id(document->body, &id);

	assert(known);
	(void)known;
	return id;
}

/* The group is summed from now on: families of its records do not count any more. */
static void put_document(struct kept_group *g, const struct row *row)
{
	size_t i = 0;

	g->n = 0;
	while (i < g->n_documents && id_of(g->documents[i]) != id_of(row))
		i++;
	if (i == g->n_documents) {
		g->documents = mem_realloc(g->documents, (i + 1) * sizeof(const struct row *));
		g->n_documents++;
	}
	g->documents[i] = row;
	if (row->body.n == DOCUMENT_ID_BYTES)
		g->documents[i] = g->documents[--g->n_documents];
}

/* A row that was moved is there twice. */
static void put_remembered(struct kept *k, const struct row *row)
{
	for (size_t i = 0; i < k->n_remembered; i++)
		if (row_first_number(k->remembered[i]) == row_first_number(row))
			return;
	k->remembered = mem_realloc(k->remembered,
				    (k->n_remembered + 1) * sizeof(const struct row *));
	k->remembered[k->n_remembered++] = row;
}

static void put_life(struct kept_group *g, const struct row *row)
{
	struct life life;
	bool known = life_decode(row->body, row->at, &life);

	assert(known);
	(void)known;
	if (life.expired)
		g->n = g->n_documents = 0;
	if (is_newer(row, g->life))
		g->life = row;
}

static void take_family(struct kept_group *g, struct str family, const struct row *row)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		if (!str_eq(g->families[i].name, family) ||
		    g->families[i].number > row_first_number(row))
			g->families[n++] = g->families[i];
	g->n = n;
}

static void remove_named(struct kept *k, const struct row *row)
{
	struct str family;
	size_t at = 0;
	uint64_t id;
	int r;

	while ((r = removal_next_id(row->body, &at, row->kind == ROW_TAKE, &family, &id)) > 0)
		if (row->kind == ROW_TAKE)
			take_family(group_of(k, id), family, row);
		else
			end_groups(k, id);
	assert(r == 0);
}

static void apply(struct kept *k, const struct row *row)
{
	struct kept_group *g;

	switch (row->kind) {
	case ROW_GROUP:
		group_of(k, row->group)->made = row;
		break;
	case ROW_RECORD:
	case ROW_WHOLE:
	case ROW_LEFT_OUT:
		put_record(group_of(k, row->group), row);
		break;
	case ROW_FAILED:
		g = group_of(k, row->group);
		if (is_newer(row, g->failed))
			g->failed = row;
		break;
	case ROW_LIFE:
		put_life(group_of(k, row->group), row);
		break;
	case ROW_BEAT:
	case ROW_DIGEST:
	case ROW_UNDO:
	case ROW_KEPT:
	case ROW_UNDONE:
		break;
	case ROW_FOLDED:
	case ROW_PUSH_IDS:
		put_remembered(k, row);
		break;
	case ROW_DOCUMENT:
		put_document(group_of(k, row->group), row);
		break;
	case ROW_END:
		if (row->group)
			end_groups(k, row->group);
		else
			remove_named(k, row);
		break;
	case ROW_WIPE:
		end_groups(k, 0);
		k->n_remembered = 0;
		break;
	case ROW_TAKE:
		remove_named(k, row);
		break;
	}
}

/* Neither numbers of rows nor their first numbers are used again. */
static uint64_t first_free;

static void write_row(struct mem_storage *to, const struct row *like, struct str body,
		      uint64_t first)
{
	struct row row = *like;

	row.number = to->n_rows ? to->rows[to->n_rows - 1].number + 1 : first_free;
	row.from = first;
	row.kind = like->kind == ROW_WHOLE ? ROW_RECORD : like->kind;
	row.body = body;
	row.checksum = row_checksum(&row);
	mem_storage_add(to, &row);
}

static void write_group(struct mem_storage *to, const struct kept_group *g)
{
	assert(g->made);
	write_row(to, g->made, g->made->body, g->id);
	if (g->pushed)
		write_row(to, g->pushed, STR(""), row_first_number(g->pushed));
	if (g->life)
		write_row(to, g->life, g->life->body, row_first_number(g->life));
	if (g->failed)
		write_row(to, g->failed, g->failed->body, row_first_number(g->failed));
	for (size_t i = 0; i < g->n_documents; i++)
		write_row(to, g->documents[i], g->documents[i]->body,
			  row_first_number(g->documents[i]));
	for (size_t i = 0; i < g->n; i++) {
		struct row like = { .kind = g->families[i].left_out ? ROW_LEFT_OUT : ROW_RECORD,
				    .group = g->id,
				    .at = g->families[i].at };

		write_row(to, &like, g->families[i].message, g->families[i].number);
	}
}

void rows_apply_in_order(const struct row *rows, size_t n, struct mem_storage *to)
{
	struct kept k = { 0 };

	first_free = n ? rows[n - 1].number + 1 : 1;
	for (size_t i = 0; i < n; i++)
		apply(&k, &rows[i]);
	for (size_t i = 0; i < k.n; i++)
		write_group(to, &k.groups[i]);
	for (size_t i = 0; i < k.n_remembered; i++)
		write_row(to, k.remembered[i], k.remembered[i]->body,
			  row_first_number(k.remembered[i]));
	end_groups(&k, 0);
	free(k.groups);
	free(k.remembered);
}
