#include "journal/old_groups.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/mem.h"
#include "journal/load.h"
#include "store/undo.h"

enum {
	STEP_ROWS = 2048,         /* rows that are read at a time, */
	STEP_BYTES = 512 * 1024,  /* or bytes of their bodies */
	SLICE_GROUPS = 128,       /* groups that are loaded at a time, */
	SLICE_BYTES = 256 * 1024, /* or bytes of their rows */
};

/* Rows as they were first written: with their first numbers; `from` is 0. */
struct old_groups {
	struct storage *storage;
	const struct undoable *what;
	const uint64_t *ids;
	size_t n_ids;
	uint64_t below; /* rows from here on have been read */
	bool all_read, at_once;
	size_t step_rows, step_bytes;

	struct row *rows;
	size_t n, cap;
	struct arena bodies;
	size_t at; /* the next row to be loaded */
};

struct old_groups *old_groups_new(struct storage *st, const struct undoable *u, size_t first,
				  size_t n)
{
	struct old_groups *o = mem_zalloc(sizeof(*o));

	o->storage = st;
	o->what = u;
	o->ids = u->groups + first;
	o->n_ids = n;
	o->below = UINT64_MAX;
	/* Other gateways may move rows between two steps. */
	o->at_once = st->ops->begin != NULL;
	arena_init(&o->bodies, ARENA_MUST);
	return o;
}

void old_groups_free(struct old_groups *o)
{
	if (!o)
		return;
	arena_done(&o->bodies);
	free(o->rows);
	free(o);
}

/* ---- reading ---- */

static bool is_one(const struct old_groups *o, uint64_t id)
{
	return id >= o->ids[0] && id <= o->ids[o->n_ids - 1] && undoable_has(o->what, id);
}

static void add(struct old_groups *o, const struct row *like, enum row_kind kind, struct str body)
{
	if (o->n == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 256;
		o->rows = mem_realloc(o->rows, o->cap * sizeof(*o->rows));
	}
	o->rows[o->n++] = (struct row){ .number = row_first_number(like),
					.group = like->group,
					.kind = kind,
					.at = like->at,
					.body = arena_dup(&o->bodies, body) };
}

/* A row that takes a family out of many groups becomes a row for each of our groups. */
static int add_take(struct old_groups *o, const struct row *row, struct str body, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf one = { 0 };
	struct str family;
	size_t at = 0;
	uint64_t id;
	int r;

	while ((r = removal_next_id(body, &at, true, &family, &id)) > 0) {
		struct row like = *row;

		if (!is_one(o, id))
			continue;
		like.group = id;
		one.n = 0;
		strbuf_add(&one, body.p, 4);
		strbuf_adds(&one, family);
		strbuf_add(&one, body.p + at - 8, 8);
		add(o, &like, ROW_TAKE, strbuf_str(&one));
	}
	return r == 0 ? 0
		      : err_set(err, ERR_STORAGE, 0, "row %llu of the log does not say what goes",
				(unsigned long long)row->number);
}

static int take(struct old_groups *o, const struct row *row, enum row_kind kind, struct str body,
		struct err *err)
{
	if (kind == ROW_KEPT && body.n > 0) {
		kind = (enum row_kind)(unsigned char)body.p[0];
		body = (struct str){ body.p + 1, body.n - 1 };
	}
	if (kind == ROW_TAKE)
		return add_take(o, row, body, err);
	if (undo_restores(kind) && is_one(o, row->group))
		add(o, row, kind, body);
	return 0;
}

static int look_at_row(void *arg, const struct row *row, struct err *err)
{
	struct old_groups *o = arg;

	/* No row of these groups is older than the one that made the first of them. */
	if (row->number < o->ids[0]) {
		o->all_read = true;
		return 1;
	}
	if (!o->at_once && (o->step_rows++ >= STEP_ROWS || o->step_bytes >= STEP_BYTES))
		return 1;
	o->step_bytes += row->body.n;
	o->below = row->number;
	if (row_verdict(row) != ROW_INTACT)
		return err_set(err, ERR_STORAGE, 0, "row %llu of the log cannot be read",
			       (unsigned long long)row->number);
	/* The removal's own row, which stands before its ROW_UNDO, is left out. */
	return row_first_number(row) + 1 < o->what->number ? take(o, row, row->kind, row->body, err)
							   : 0;
}

/* Sorts by group, the oldest row first. Of two rows with one number, one is a part of the other. */
static int by_group(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

int old_groups_read(struct old_groups *o, struct err *err)
{
	uint64_t below = o->below;

	o->step_rows = o->step_bytes = 0;
	err->reason = ERR_NONE;
	if (o->storage->ops->read(o->storage, STORAGE_ALL, below, look_at_row, o, err) !=
	    STORAGE_LOADED)
		return err->reason ? -1 : err_set(err, ERR_STORAGE, 0, "the log cannot be read");
	if (!o->at_once && !o->all_read && o->below != below)
		return 1;
	array_sort(o->rows, o->n, by_group);
	return 0;
}

struct str old_groups_key(const struct old_groups *o, size_t *at)
{
	for (; *at < o->n; ++*at)
		if (o->rows[*at].kind == ROW_GROUP)
			return o->rows[(*at)++].body;
	return STR("");
}

/* ---- loading ---- */

/* Rows in memory as a storage of their own. */
struct slice {
	struct storage base; /* first */
	struct storage *log; /* the log that they are from */
	struct row *rows;
	size_t n;
};

static double now_of_slice(struct storage *st)
{
	return storage_now(((const struct slice *)st)->log);
}

static enum storage_load_result read_slice(struct storage *st, enum storage_which which,
					   uint64_t below, storage_row_fn fn, void *arg,
					   struct err *err)
{
	const struct slice *sl = (const struct slice *)st;

	for (size_t i = sl->n; i > 0; i--) {
		const struct row *row = &sl->rows[i - 1];
		int r;

		if (row->number >= below || (which == STORAGE_GROUPS && row->kind != ROW_GROUP))
			continue;
		r = fn(arg, row, err);
		if (r != 0)
			return r < 0 ? STORAGE_DAMAGED : STORAGE_LOADED;
	}
	return STORAGE_LOADED;
}

static int by_number(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	return (a->number > b->number) - (a->number < b->number);
}

/* Sorts the rows by number, and gives them new numbers without gaps. */
static void renumber(struct slice *sl)
{
	uint64_t next;

	array_sort(sl->rows, sl->n, by_number);
	next = sl->rows[sl->n - 1].number + 1;
	for (size_t i = 0; i < sl->n; i++) {
		struct row *row = &sl->rows[i];

		row->from = row->number;
		row->number = next + i;
		if (row->kind == ROW_TAKE)
			row->group = 0;
		row->checksum = row_checksum(row);
	}
}

static size_t rows_of_group(const struct old_groups *o, size_t at)
{
	size_t n = 1;

	while (at + n < o->n && o->rows[at + n].group == o->rows[at].group)
		n++;
	return n;
}

static bool has_key(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind == ROW_GROUP)
			return true;
	return false;
}

static void add_to_slice(struct slice *sl, const struct row *rows, size_t n)
{
	sl->rows = mem_realloc(sl->rows, (sl->n + n) * sizeof(*sl->rows));
	copy_bytes(sl->rows + sl->n, rows, n * sizeof(*rows));
	sl->n += n;
}

static void cut_slice(struct old_groups *o, struct slice *sl)
{
	size_t groups = 0, bytes = 0;

	while (o->at < o->n && groups < SLICE_GROUPS && bytes < SLICE_BYTES) {
		const struct row *rows = &o->rows[o->at];
		size_t n = rows_of_group(o, o->at);

		if (has_key(rows, n))
			add_to_slice(sl, rows, n);
		for (size_t i = 0; i < n; i++)
			bytes += rows[i].body.n;
		o->at += n;
		groups++;
	}
}

int old_groups_load(struct old_groups *o, struct store *into, struct err *err)
{
	static const struct storage_ops ops = { .read = read_slice, .now = now_of_slice };
	struct slice sl = { .base = { .ops = &ops }, .log = o->storage };
	int r = 0;

	if (o->at == o->n)
		return 0;
	store_show_left_out(into);
	cut_slice(o, &sl);
	if (sl.n > 0) {
		renumber(&sl);
		r = load_store(&sl.base, into, err) == STORAGE_LOADED ? 0 : -1;
	}
	free(sl.rows);
	return r < 0 ? -1 : 1;
}
