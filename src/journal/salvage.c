#include "journal/salvage.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/mem.h"
#include "journal/load.h"
#include "store/removal.h"

struct salvage {
	struct storage base; /* first: rows in memory, to be loaded like any others */
	struct arena bodies;
	struct row *rows;
	size_t n, cap;
	uint64_t *harmed; /* groups that damaged rows seem to belong to */
	size_t n_harmed, cap_harmed;
	struct str *harmed_keys;
	size_t n_harmed_keys;
};

struct salvage *salvage_new(void)
{
	struct salvage *sv = mem_zalloc(sizeof(*sv));

	arena_init(&sv->bodies, SIZE_MAX);
	return sv;
}

void salvage_free(struct salvage *sv)
{
	if (!sv)
		return;
	arena_done(&sv->bodies);
	free(sv->rows);
	free(sv->harmed);
	free(sv->harmed_keys);
	free(sv);
}

static void add_harmed(struct salvage *sv, uint64_t group)
{
	if (sv->n_harmed == sv->cap_harmed) {
		sv->cap_harmed = sv->cap_harmed ? sv->cap_harmed * 2 : 16;
		sv->harmed = mem_realloc(sv->harmed, sv->cap_harmed * sizeof(*sv->harmed));
	}
	sv->harmed[sv->n_harmed++] = group;
}

void salvage_row(void *arg, const struct row *row, bool intact)
{
	struct salvage *sv = arg;

	if (!intact) {
		add_harmed(sv, row->group);
		return;
	}
	/* Undos are not salvaged. */
	if (row->kind == ROW_UNDO || row->kind == ROW_KEPT || row->kind == ROW_UNDONE)
		return;
	if (sv->n == sv->cap) {
		sv->cap = sv->cap ? sv->cap * 2 : 1024;
		sv->rows = mem_realloc(sv->rows, sv->cap * sizeof(*sv->rows));
	}
	sv->rows[sv->n] = *row;
	sv->rows[sv->n++].body = arena_dup(&sv->bodies, row->body);
}

/* ---- which rows ---- */

static int by_number(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	return (a->number > b->number) - (a->number < b->number);
}

/* The number that a row had at first, then its number now. */
static int by_first_number(const void *pa, const void *pb)
{
	uint64_t a = row_first_number(pa), b = row_first_number(pb);

	return a != b ? (a > b) - (a < b) : by_number(pa, pb);
}

/* Takes away the rows without a number. */
static void close_gaps(struct salvage *sv)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->n; i++)
		if (sv->rows[i].number)
			sv->rows[n++] = sv->rows[i];
	sv->n = n;
}

/* A moved row may be found twice, as it is now and as it was before. */
static void keep_newest(struct salvage *sv)
{
	if (sv->n == 0)
		return;
	array_sort(sv->rows, sv->n, by_first_number);
	for (size_t i = 0; i + 1 < sv->n; i++)
		if (row_first_number(&sv->rows[i]) == row_first_number(&sv->rows[i + 1]))
			sv->rows[i].number = 0;
	close_gaps(sv);
}

static int cmp_ids(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

struct ids {
	uint64_t *list;
	size_t n;
};

static void ids_sort(struct ids *ids)
{
	array_sort(ids->list, ids->n, cmp_ids);
}

static bool ids_have(const struct ids *ids, uint64_t id)
{
	return array_find(&id, ids->list, ids->n, cmp_ids) != NULL;
}

/* The ids in rows of these kinds; kinds: a bit for each. */
static struct ids ids_of_kinds(const struct salvage *sv, unsigned kinds)
{
	struct ids ids = { mem_alloc((sv->n + 1) * sizeof(uint64_t)), 0 };

	for (size_t i = 0; i < sv->n; i++)
		if (kinds >> sv->rows[i].kind & 1)
			ids.list[ids.n++] = sv->rows[i].group;
	ids_sort(&ids);
	return ids;
}

/* The ids of groups that have ended, of which one row may end many. */
static struct ids ended_ids(const struct salvage *sv)
{
	struct ids ids = { 0 };
	size_t cap = 0;
	struct str none;
	uint64_t id;

	for (size_t i = 0; i < sv->n; i++)
		cap += sv->rows[i].kind == ROW_END ? 1 + sv->rows[i].body.n / 8 : 0;
	ids.list = mem_alloc((cap + 1) * sizeof(uint64_t));
	for (size_t i = 0; i < sv->n; i++) {
		const struct row *row = &sv->rows[i];
		size_t at = 0;

		if (row->kind != ROW_END)
			continue;
		if (row->group)
			ids.list[ids.n++] = row->group;
		while (!row->group && removal_next_id(row->body, &at, false, &none, &id) > 0)
			ids.list[ids.n++] = id;
	}
	ids_sort(&ids);
	return ids;
}

static const unsigned of_pushes = 1u << ROW_RECORD | 1u << ROW_WHOLE | 1u << ROW_FAILED |
				  1u << ROW_DOCUMENT;

/* Rows are of no use if their group's key is lost. A group without a readable push would be shown
 * with times that it never had. Groups that have ended are no loss.
 */
static uint64_t drop_lost_groups(struct salvage *sv)
{
	struct ids named = ids_of_kinds(sv, 1u << ROW_GROUP);
	struct ids ended = ended_ids(sv);
	struct ids pushed = ids_of_kinds(sv, of_pushes);
	struct ids lost = { mem_alloc((sv->n + 1) * sizeof(uint64_t)), 0 };
	uint64_t wiped = 0, n = 0;

	for (size_t i = 0; i < sv->n; i++)
		if (sv->rows[i].kind == ROW_WIPE && sv->rows[i].number > wiped)
			wiped = sv->rows[i].number;
	for (size_t i = 0; i < sv->n; i++) {
		struct row *row = &sv->rows[i];

		if (row->group == 0 || row->kind == ROW_END ||
		    (ids_have(&named, row->group) && ids_have(&pushed, row->group)))
			continue;
		if (row->number > wiped && !ids_have(&ended, row->group))
			lost.list[lost.n++] = row->group;
		row->number = 0;
	}
	close_gaps(sv);
	ids_sort(&lost);
	for (size_t i = 0; i < lost.n; i++)
		n += i == 0 || lost.list[i] != lost.list[i - 1];
	free(named.list);
	free(ended.list);
	free(pushed.list);
	free(lost.list);
	return n;
}

/* ---- as a log ---- */

/* New numbers without a gap, higher than all first numbers, which keep the order of pushes. */
static void renumber(struct salvage *sv)
{
	uint64_t next = sv->n > 0 ? sv->rows[sv->n - 1].number + 1 : 1;

	for (size_t i = 0; i < sv->n; i++) {
		struct row *row = &sv->rows[i];

		row->from = row_first_number(row);
		row->number = next + i;
		row->checksum = row_checksum(row);
	}
}

static uint64_t count_missing(const struct salvage *sv)
{
	return sv->n > 0 ? sv->rows[sv->n - 1].number - sv->rows[0].number + 1 - sv->n : 0;
}

static bool makes_or_ends(enum row_kind kind)
{
	return kind == ROW_GROUP || kind == ROW_END || kind == ROW_WIPE;
}

static enum storage_load_result read_rows(struct storage *st, enum storage_which which,
					  uint64_t below, storage_row_fn fn, void *arg,
					  struct err *err)
{
	const struct salvage *sv = (const struct salvage *)st;

	for (size_t i = sv->n; i > 0; i--) {
		const struct row *row = &sv->rows[i - 1];

		if (row->number >= below || (which == STORAGE_GROUPS && !makes_or_ends(row->kind)))
			continue;
		int r = fn(arg, row, err);

		if (r != 0)
			return r < 0 ? STORAGE_DAMAGED : STORAGE_LOADED;
	}
	return STORAGE_LOADED;
}

/* Finds the groups that damaged rows name; the damage may be in that name. */
static void name_harmed(struct salvage *sv, const struct store *store)
{
	struct ids ids = { sv->harmed, sv->n_harmed };

	ids_sort(&ids);
	sv->harmed_keys = mem_alloc((ids.n + 1) * sizeof(struct str));
	for (size_t i = 0; i < ids.n; i++) {
		struct str key = store_group_key(store, ids.list[i]);

		if (key.n && (i == 0 || ids.list[i] != ids.list[i - 1]))
			sv->harmed_keys[sv->n_harmed_keys++] = key;
	}
}

/* ---- groups that cannot be loaded ---- */

/*
 * What is left of a summed group's documents may not fit together. They are found by halves: each
 * range of groups is loaded by itself.
 */
struct range {
	size_t lo, hi; /* in the list of ids */
};

static const struct storage_ops ops = { .read = read_rows };

static struct ids all_ids(const struct salvage *sv)
{
	struct ids ids = ids_of_kinds(sv, UINT32_MAX);
	size_t n = 0;

	for (size_t i = 0; i < ids.n; i++)
		if (ids.list[i] && (n == 0 || ids.list[i] != ids.list[n - 1]))
			ids.list[n++] = ids.list[i];
	ids.n = n;
	return ids;
}

/* Whether these groups can be loaded, with the rows that are of many groups. */
static bool can_be_loaded(const struct salvage *sv, const struct ids *ids, struct range r,
			  const struct store *like)
{
	struct salvage part = { .base.ops = &ops, .rows = mem_alloc(sv->n * sizeof(*part.rows)) };
	struct store *scratch = store_new_like(like, NULL);
	struct err ignored = { 0 };
	bool loaded;

	for (size_t i = 0; i < sv->n; i++) {
		uint64_t id = sv->rows[i].group;

		if (id == 0 || (r.lo < r.hi && id >= ids->list[r.lo] && id <= ids->list[r.hi - 1]))
			part.rows[part.n++] = sv->rows[i];
	}
	renumber(&part);
	loaded = load_store(&part.base, scratch, &ignored) == STORAGE_LOADED;
	store_free(scratch);
	free(part.rows);
	return loaded;
}

static void drop_group(struct salvage *sv, uint64_t id)
{
	for (size_t i = 0; i < sv->n; i++)
		if (sv->rows[i].group == id)
			sv->rows[i].number = 0;
	close_gaps(sv);
}

/* Returns how many groups have gone. */
static uint64_t drop_bad_groups(struct salvage *sv, const struct store *like)
{
	enum { DEPTH = 64 + 2 };
	struct ids ids = all_ids(sv);
	struct range todo[DEPTH] = { { 0, ids.n } };
	size_t n = ids.n > 0 && can_be_loaded(sv, &ids, (struct range){ 0, 0 }, like);
	uint64_t dropped = 0;

	while (n > 0) {
		struct range r = todo[--n];
		size_t middle = r.lo + (r.hi - r.lo) / 2;

		if (can_be_loaded(sv, &ids, r, like))
			continue;
		if (r.hi - r.lo == 1) {
			drop_group(sv, ids.list[r.lo]);
			dropped++;
			continue;
		}
		todo[n++] = (struct range){ r.lo, middle };
		todo[n++] = (struct range){ middle, r.hi };
	}
	free(ids.list);
	return dropped;
}

/* Loads into a store of its own, which is of no use after a failure. */
static int load_into(struct salvage *sv, struct store *store, struct err *err)
{
	struct store *loaded = store_new_like(store, NULL);

	if (load_store(&sv->base, loaded, err) == STORAGE_LOADED) {
		store_take_over(store, loaded, storage_now(&sv->base));
		return 0;
	}
	store_free(loaded);
	return -1;
}

int salvage_into(struct salvage *sv, struct store *store, struct salvage_counts *ret,
		 struct err *err)
{
	sv->base.ops = &ops;
	array_sort(sv->rows, sv->n, by_number);
	for (size_t i = 0; i + 1 < sv->n; i++)
		if (sv->rows[i].number == sv->rows[i + 1].number)
			sv->rows[i].number = 0;
	close_gaps(sv);
	*ret = (struct salvage_counts){ .rows = sv->n, .rows_lost = count_missing(sv) };
	keep_newest(sv);
	ret->groups_lost = drop_lost_groups(sv);
	array_sort(sv->rows, sv->n, by_number);
	renumber(sv);
	if (load_into(sv, store, err) < 0) {
		uint64_t bad = drop_bad_groups(sv, store);

		renumber(sv);
		if (bad == 0 || load_into(sv, store, err) < 0)
			return -1;
		ret->groups_lost += bad;
	}
	name_harmed(sv, store);
	return 0;
}

bool salvage_harmed_group(const struct salvage *sv, size_t i, struct str *ret_key)
{
	if (i >= sv->n_harmed_keys)
		return false;
	*ret_key = sv->harmed_keys[i];
	return true;
}
