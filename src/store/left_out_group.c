#include "store/left_out_group.h"
#include "store/left_out.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/lifetime.h"
#include "store/stored_bytes.h"

/* A family of a left-out group, found by the hash of its name. */
struct left_out_family {
	uint64_t number; /* of the record that has the family, when that was first written */
	uint32_t bytes;  /* bytes of its message there */
	size_t name_n;
	char name[];
};

static struct str key_of(const struct left_out_group *l)
{
	return (struct str){ l->key, l->key_n };
}

static void add_row(struct left_out_group *l, const struct row *row)
{
	left_out_rows_add(&l->rows, row);
	l->bytes += STORED_LEFT_OUT_ROW + row->body.n;
}

static uint64_t held_by(const struct left_out_family *f)
{
	return STORED_LEFT_OUT_ROW + f->name_n;
}

/* What is counted of a group elsewhere, too. */
struct counted {
	uint64_t live_bytes, bytes;
};

static struct counted counted(const struct left_out_group *l)
{
	return (struct counted){ l->live_bytes, l->bytes };
}

static void count_since(struct store *s, const struct left_out_group *l, struct counted before)
{
	s->log.live_bytes += l->live_bytes - before.live_bytes;
	s->left_out_bytes += l->bytes - before.bytes;
}

void left_out_group_add(struct store *s, const struct row *row, const char *why)
{
	struct left_out_group *l = mem_zalloc(sizeof(*l));
	struct str key = row->body;

	l->id = row->group;
	add_row(l, row);
	l->key = mem_dup(key.p, key.n);
	l->key_n = key.n;
	l->why = mem_strdup(store_left_out_reason(why));
	l->bytes += STORED_LEFT_OUT + key.n + strlen(l->why);
	s->left_out_bytes += l->bytes;
	table_add(&s->left_out_groups, hash_bytes(key), l);
	table_add(&s->left_out_ids, store_id_hash(l->id), l);
	store_count_left_out(s);
}

static void forget_families(struct left_out_group *l)
{
	for (size_t i = 0; i < l->families.cap; i++) {
		struct left_out_family *f = l->families.entries[i].item;

		l->bytes -= f ? held_by(f) : 0;
		free(f);
	}
	table_done(&l->families);
	table_done(&l->documents);
	l->families = l->documents = (struct table){ 0 };
	l->live_bytes = 0;
}

static void group_done(struct left_out_group *l)
{
	forget_families(l);
	left_out_rows_done(&l->rows);
	free(l->key);
	free(l->why);
	free(l);
}

void left_out_groups_done(struct store *s)
{
	for (size_t i = 0; i < s->left_out_groups.cap; i++)
		if (s->left_out_groups.entries[i].item)
			group_done(s->left_out_groups.entries[i].item);
	table_done(&s->left_out_groups);
	table_done(&s->left_out_ids);
}

bool left_out_group_at(const struct store *s, size_t at, struct store_left_out *ret)
{
	const struct left_out_group *l = s->left_out_groups.entries[at].item;

	if (!l)
		return false;
	*ret = (struct store_left_out){ .whole = true, .key = key_of(l), .why = l->why };
	return true;
}

struct left_out_group *left_out_group_find(const struct store *s, uint64_t id)
{
	struct left_out_group *l;

	for (size_t at = table_first(&s->left_out_ids, store_id_hash(id));
	     (l = table_next(&s->left_out_ids, store_id_hash(id), &at));)
		if (l->id == id)
			return l;
	return NULL;
}

/* ---- at start, the newest row first ---- */

static struct left_out_family *find_family(const struct left_out_group *l, struct str name)
{
	uint64_t hash = hash_bytes(name);
	struct left_out_family *f;

	for (size_t at = table_first(&l->families, hash);
	     (f = table_next(&l->families, hash, &at));)
		if (str_eq((struct str){ f->name, f->name_n }, name))
			return f;
	return NULL;
}

/* False: a newer record has a family of that name. */
static bool add_family(struct left_out_group *l, struct str name, uint64_t number, uint32_t bytes)
{
	struct left_out_family *f;

	if (find_family(l, name))
		return false;
	f = mem_alloc(sizeof(*f) + name.n);
	f->number = number;
	f->bytes = bytes;
	f->name_n = name.n;
	copy_bytes(f->name, name.p, name.n);
	table_add(&l->families, hash_bytes(name), f);
	l->bytes += held_by(f);
	return true;
}

static void note_push(struct left_out_group *l, const struct row *row)
{
	if (row->kind != ROW_LEFT_OUT && row_first_number(row) > l->last)
		l->last = row_first_number(row);
}

static int add_record(struct left_out_group *l, const struct row *row)
{
	uint64_t number = row_first_number(row), bytes = 0;
	struct str message, name;
	size_t at = 0;
	int r = 0;

	if (l->closed)
		return 0;
	l->closed = row->kind == ROW_WHOLE;
	while (!l->emptied && (r = row_next_family(row->body, &at, &message, &name)) > 0)
		if (add_family(l, name, number, (uint32_t)message.n))
			bytes += message.n;
	note_push(l, row);
	l->live_bytes += bytes ? bytes + ROW_BYTES : 0;
	return r;
}

/* A document of a summed group is like a family, with its number as the name: 0xFF begins no
 * family's name.
 */
static struct str document_name(const struct row *row, char name[1 + DOCUMENT_ID_BYTES])
{
	name[0] = (char)0xFF;
	copy_bytes(name + 1, row->body.p, DOCUMENT_ID_BYTES);
	return (struct str){ name, 1 + DOCUMENT_ID_BYTES };
}

static void add_document(struct left_out_group *l, const struct row *row)
{
	char name[1 + DOCUMENT_ID_BYTES];

	if (row->body.n < DOCUMENT_ID_BYTES || l->emptied)
		return;
	if (!add_family(l, document_name(row, name), row_first_number(row),
			row_bytes_of(row->body.n)) ||
	    row->body.n == DOCUMENT_ID_BYTES)
		return;
	table_add(&l->documents, row_first_number(row), l);
	l->live_bytes += row_bytes_of(row->body.n);
}

static void add_life(struct left_out_group *l, const struct row *row)
{
	struct life life;

	if (life_decode(row->body, row->at, &life) && life.expired)
		l->emptied = true;
	if (!l->life)
		l->life = row_first_number(row);
}

int store_restore_left_out(struct store *s, const struct row *row)
{
	struct left_out_group *l = left_out_group_find(s, row->group);
	struct counted before;
	int r = 0;

	if (!l)
		return 0;
	before = counted(l);
	/* The row that made it is there already. */
	if (row->kind != ROW_GROUP)
		add_row(l, row);
	switch (row->kind) {
	case ROW_RECORD:
	case ROW_WHOLE:
	case ROW_LEFT_OUT:
		r = add_record(l, row);
		break;
	case ROW_FAILED:
		if (row_first_number(row) > l->failed)
			l->failed = row_first_number(row);
		break;
	case ROW_LIFE:
		add_life(l, row);
		break;
	case ROW_DOCUMENT:
		add_document(l, row);
		break;
	default:
		l->live_bytes += row_bytes_of(row->body.n);
		break;
	}
	count_since(s, l, before);
	return r;
}

/* ---- rows that other gateways write afterwards, the oldest row first ---- */

static void forget_family(struct left_out_group *l, struct str name)
{
	struct left_out_family *f = find_family(l, name);

	if (!f)
		return;
	l->live_bytes -= f->bytes < l->live_bytes ? f->bytes : l->live_bytes;
	table_remove(&l->families, hash_bytes(name), f);
	l->bytes -= held_by(f);
	free(f);
}

static void replace_family(struct left_out_group *l, struct str name, uint64_t number,
			   uint32_t bytes)
{
	forget_family(l, name);
	add_family(l, name, number, bytes);
	l->live_bytes += bytes;
}

static int apply_record(struct left_out_group *l, const struct row *row)
{
	struct str message, name;
	size_t at = 0;
	int r;

	if (row->kind == ROW_WHOLE)
		forget_families(l);
	note_push(l, row);
	while ((r = row_next_family(row->body, &at, &message, &name)) > 0)
		replace_family(l, name, row_first_number(row), (uint32_t)message.n);
	return r;
}

static int apply_document(struct left_out_group *l, const struct row *row)
{
	const struct left_out_family *before;
	char buffer[1 + DOCUMENT_ID_BYTES];
	struct str name;

	if (row->body.n < DOCUMENT_ID_BYTES)
		return -1;
	name = document_name(row, buffer);
	before = find_family(l, name);
	if (before)
		table_remove(&l->documents, before->number, l);
	forget_family(l, name);
	if (row->body.n == DOCUMENT_ID_BYTES)
		return 0;
	replace_family(l, name, row_first_number(row), row_bytes_of(row->body.n));
	table_add(&l->documents, row_first_number(row), l);
	return 0;
}

static int apply_life(struct left_out_group *l, const struct row *row)
{
	struct life life;

	if (!life_decode(row->body, row->at, &life))
		return -1;
	if (life.expired)
		forget_families(l);
	l->life = row_first_number(row);
	return 0;
}

static void end_group(struct store *s, struct left_out_group *l, double at)
{
	uint32_t step = store_step(s, NULL, ROW_END, at);

	store_step_at(s, step)->left_out = l;
	l->ends = true;
}

static int apply_row(struct store *s, struct left_out_group *l, const struct row *row)
{
	switch (row->kind) {
	case ROW_RECORD:
	case ROW_WHOLE:
	case ROW_LEFT_OUT:
		return apply_record(l, row);
	case ROW_DOCUMENT:
		return apply_document(l, row);
	case ROW_LIFE:
		return apply_life(l, row);
	case ROW_FAILED:
		l->failed = row_first_number(row);
		return 0;
	case ROW_END:
		if (!l->ends)
			end_group(s, l, row->at);
		return 0;
	default:
		return -1;
	}
}

int left_out_group_apply(struct store *s, struct left_out_group *l, const struct row *row)
{
	struct counted before = counted(l);
	int r = apply_row(s, l, row);

	count_since(s, l, before);
	return r;
}

void left_out_group_take(struct store *s, struct left_out_group *l, struct str family)
{
	struct counted before = counted(l);

	forget_family(l, family);
	count_since(s, l, before);
}

/* ---- cleaning ---- */

bool left_out_group_has_family(const struct left_out_group *l, uint64_t number, struct str name)
{
	const struct left_out_family *f = find_family(l, name);

	return f && f->number == number;
}

/* ---- the end ---- */

void left_out_groups_end(struct store *s, const struct push *push)
{
	struct left_out_group *l;

	if (s->left_out_groups.n == 0)
		return;
	for (size_t at = table_first(&s->left_out_groups, push->key_hash);
	     (l = table_next(&s->left_out_groups, push->key_hash, &at));)
		if (!l->ends && str_eq(key_of(l), push->key))
			end_group(s, l, push->now);
}

void left_out_group_remove(struct store *s, struct left_out_group *l)
{
	s->log.live_bytes -= l->live_bytes;
	s->left_out_bytes -= l->bytes;
	table_remove(&s->left_out_groups, hash_bytes(key_of(l)), l);
	table_remove(&s->left_out_ids, store_id_hash(l->id), l);
	group_done(l);
	store_count_left_out(s);
}
