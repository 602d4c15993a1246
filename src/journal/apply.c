#include "journal/apply.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/table.h"
#include "format/protobuf/decode.h"
#include "format/text/write.h"
#include "push/rules.h"
#include "store/apply.h"
#include "store/lifetime.h"
#include "store/removal.h"

/* Families that later rows replace or remove. */
struct gone {
	uint64_t group;
	struct str family; /* empty: all families */
};

struct applier {
	struct store *store;
	struct push_builder builder;
	struct arena arena; /* of one row */
	struct arena kept;  /* until the end: bodies, labels */
	struct push **pushes;
	size_t n, cap;
	struct row *rows; /* to be applied */
	size_t n_rows, cap_rows;
	size_t done; /* how many a failed try has applied */
	bool hides;  /* take out what later rows replace before the first row */
	double now;  /* see store_apply_begin() */
	uint64_t log_bytes;
	struct table gone; /* by gone_hash() */
};

struct applier *applier_new(struct store *store)
{
	struct applier *a = mem_zalloc(sizeof(*a));

	a->store = store;
	arena_init(&a->arena, ARENA_MUST);
	arena_init(&a->kept, ARENA_MUST);
	a->builder = (struct push_builder){ .max_series = UINT64_MAX,
					    .max_labels = UINT32_MAX,
					    .rules.lenient = true,
					    .arena = &a->arena };
	return a;
}

static void forget(struct applier *a)
{
	for (size_t i = 0; i < a->n; i++)
		push_free(a->pushes[i]);
	a->n = a->n_rows = a->done = 0;
	a->hides = false;
	table_done(&a->gone);
	a->gone = (struct table){ 0 };
	arena_reset(&a->kept);
}

void applier_free(struct applier *a)
{
	if (!a)
		return;
	forget(a);
	free(a->pushes);
	free(a->rows);
	push_builder_done(&a->builder);
	arena_done(&a->arena);
	arena_done(&a->kept);
	free(a);
}

static int cannot(const struct row *row, const char *why, struct err *err)
{
	return err_set(err, ERR_STORAGE, 0, "row %llu of the log %s",
		       (unsigned long long)row->number, why);
}

static int apply_group(struct applier *a, const struct row *row, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct str *labels = arena_alloc(&a->kept, sizeof(*labels));
	struct metric group = { 0 };
	struct key key;
	struct err why;

	if (key_decode(row->body, &a->arena, &key) < 0 ||
	    rules_apply_key(&group, &key, &a->arena) < 0 || key_check_names(&key, &why) < 0)
		return cannot(row, "has a grouping key that breaks a rule", err);
	text_write_labels(&text, group.labels, group.n_labels, false);
	*labels = arena_dup(&a->kept, strbuf_str(&text));
	return store_apply_group(a->store, row, labels, err);
}

static void keep(struct applier *a, struct push *push)
{
	if (a->n == a->cap) {
		a->cap = a->cap ? a->cap * 2 : 64;
		a->pushes = mem_realloc(a->pushes, a->cap * sizeof(struct push *));
	}
	a->pushes[a->n++] = push;
}

/* ---- looking ahead at later rows ---- */

static uint64_t gone_hash(uint64_t group, struct str family)
{
	return hash_bytes(family) ^ group * 0x9E3779B97F4A7C15;
}

static bool has_gone(const struct applier *a, uint64_t group, struct str family)
{
	uint64_t hash = gone_hash(group, family);
	const struct gone *it;

	for (size_t at = table_first(&a->gone, hash); (it = table_next(&a->gone, hash, &at));)
		if (it->group == group && str_eq(it->family, family))
			return true;
	return false;
}

/* Notes that a later row removes or replaces the family; its name has to live until the end. */
static void goes(struct applier *a, uint64_t group, struct str family)
{
	struct gone *it;

	if (has_gone(a, group, family))
		return;
	it = arena_alloc(&a->kept, sizeof(*it));
	*it = (struct gone){ group, family };
	table_add(&a->gone, gone_hash(group, family), it);
	if (!a->hides)
		return;
	if (family.n)
		store_apply_hide_family(a->store, group, family);
	else
		store_apply_hide(a->store, group);
}

/* Leaves in the body only families that no later row replaces. */
static int keep_newest(struct applier *a, struct row *row, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	struct str message, name;
	size_t at = 0;
	int r;

	if (has_gone(a, row->group, STR(""))) {
		row->body = STR("");
		return 0;
	}
	while ((r = row_next_family(row->body, &at, &message, &name)) > 0)
		if (!has_gone(a, row->group, name))
			strbuf_adds(&kept, message);
	if (kept.n < row->body.n)
		row->body = kept.n ? arena_dup(&a->kept, strbuf_str(&kept)) : STR("");
	return r < 0 ? cannot(row, "cannot be read", err) : 0;
}

/* Notes the families of a record, which replace those of the group and of earlier rows. */
static int look_at_record(struct applier *a, const struct row *row, struct err *err)
{
	struct str message, name;
	size_t at = 0;
	int r;

	while ((r = row_next_family(row->body, &at, &message, &name)) > 0)
		goes(a, row->group, name);
	return r < 0 ? cannot(row, "cannot be read", err) : 0;
}

static int for_many(struct applier *a, const struct row *row, bool of_family,
		    void (*fn)(struct applier *a, uint64_t group, struct str family),
		    struct err *err)
{
	struct str family;
	size_t at = 0;
	uint64_t id;
	int r;

	while ((r = removal_next_id(row->body, &at, of_family, &family, &id)) > 0)
		fn(a, id, family);
	return r < 0 ? cannot(row, "does not say which groups it is about", err) : 0;
}

static bool takes_all(const struct row *row)
{
	struct life life;

	switch (row->kind) {
	case ROW_DOCUMENT:
		return true;
	case ROW_END:
		return row->group != 0;
	case ROW_LIFE:
		return life_decode(row->body, row->at, &life) && life.expired;
	default:
		return false;
	}
}

/* Called for the newest row first. Takes families out of records that later rows replace. */
static int look_at(struct applier *a, size_t i, struct err *err)
{
	struct row *row = &a->rows[i];

	if (!apply_is_news(row))
		return 0;
	if (takes_all(row))
		goes(a, row->group, STR(""));
	if (row->kind == ROW_END && row->group == 0)
		return for_many(a, row, false, goes, err);
	if (row->kind == ROW_TAKE)
		return for_many(a, row, true, goes, err);
	if (!row_has_families(row))
		return 0;
	if (keep_newest(a, row, err) < 0 || look_at_record(a, row, err) < 0)
		return -1;
	if (row->kind == ROW_WHOLE)
		goes(a, row->group, STR(""));
	return 0;
}

/* ---- ---- */

static void take_family(struct applier *a, uint64_t group, struct str family)
{
	store_apply_hide_family(a->store, group, family);
}

static int apply_record(struct applier *a, const struct row *row, struct err *err)
{
	static const struct decode_limits no_limits = DECODE_UNLIMITED;
	struct family *families = NULL;
	struct push *push;
	struct str bytes;
	struct key key;
	bool plain;

	bytes = store_apply_key(a->store, row->group, &plain);
	if (bytes.n == 0 && store_apply_is_left_out(a->store, row->group))
		return store_apply_left_out(a->store, row, err);
	if (bytes.n == 0 || key_decode(bytes, &a->arena, &key) < 0)
		return cannot(row, "belongs to no group", err);
	/* The families of a summed group are in its documents. */
	if (plain && proto_decode(row->body, &no_limits, &a->arena, &families, err) < 0)
		return cannot(row, "cannot be read", err);
	push = push_build(&a->builder, PUSH_POST, &key, families, row->at);
	keep(a, push);
	if (push->err.reason)
		return cannot(row, "breaks a rule", err);
	return store_apply_record(a->store, row, push, err);
}

int applier_row(void *arg, const struct row *row, struct err *err)
{
	struct applier *a = arg;

	if (row_verdict(row) != ROW_INTACT)
		return cannot(row,
			      row_verdict(row) == ROW_UNKNOWN
				      ? "is of a kind that this version does not know: upgrade "
					"this gateway"
				      : "is damaged: its checksum is wrong",
			      err);
	/* Neither can come beside a removal. */
	if (row->kind == ROW_WIPE || removal_is_of_many(row))
		store_removal_finish(a->store);
	if (a->n_rows == a->cap_rows) {
		a->cap_rows = a->cap_rows ? a->cap_rows * 2 : 64;
		a->rows = mem_realloc(a->rows, a->cap_rows * sizeof(*a->rows));
	}
	a->rows[a->n_rows] = *row;
	if (row->body.n)
		a->rows[a->n_rows].body = arena_dup(&a->kept, row->body);
	a->n_rows++;
	return 0;
}

static int apply(struct applier *a, const struct row *row, struct err *err)
{
	arena_reset(&a->arena);
	store_apply_any(a->store, row);
	if (!apply_is_news(row))
		return 0;
	if (row->kind == ROW_LEFT_OUT && !store_apply_is_left_out(a->store, row->group))
		return store_apply_families_left_out(a->store, row, err);
	if (row_has_families(row))
		return apply_record(a, row, err);
	if (row->kind == ROW_TAKE)
		return for_many(a, row, true, take_family, err);
	return row->kind == ROW_GROUP ? apply_group(a, row, err)
				      : store_apply_other(a->store, row, err);
}

/* The index of the first row that counts: no row before a wipe does. */
static size_t after_wipe(struct applier *a)
{
	size_t n = a->n_rows;

	while (n > 0 && a->rows[n - 1].kind != ROW_WIPE)
		n--;
	for (size_t i = 0; i < n; i++)
		store_apply_any(a->store, &a->rows[i]);
	if (n > 0)
		store_apply_wipe(a->store, &a->rows[n - 1]);
	return n;
}

/* first: the first row that counts. */
static int try_to_apply(struct applier *a, size_t first, struct err *err)
{
	for (size_t i = a->n_rows; i-- > first;)
		if (look_at(a, i, err) < 0)
			return -1;
	for (size_t i = first; i < a->n_rows; i++) {
		if (i < a->done && apply_is_at_once(&a->rows[i]))
			continue;
		if (apply(a, &a->rows[i], err) < 0)
			return -1;
		if (a->done <= i)
			a->done = i + 1;
	}
	return store_apply_end(a->store, err);
}

static void begin_again(struct applier *a)
{
	store_apply_drop(a->store);
	table_done(&a->gone);
	a->gone = (struct table){ 0 };
	store_apply_begin(a->store, a->now, a->log_bytes);
}

/* Drops a large push that is being staged if a row concerns it: it begins again after the rows. */
static void make_way(struct applier *a)
{
	for (size_t i = 0; i < a->n_rows && store_large_push(a->store); i++)
		if (store_large_meets(a->store, &a->rows[i]))
			store_large_drop(a->store);
}

static int apply_all(struct applier *a, struct err *err)
{
	size_t first;

	make_way(a);
	first = after_wipe(a);
	if (first == 0 && removal_is_of_many(&a->rows[0]) && apply_is_news(&a->rows[0])) {
		store_apply_any(a->store, &a->rows[0]);
		if (store_removal_follow(a->store, &a->rows[0], err) < 0)
			return -1;
		first = 1;
	}
	if (try_to_apply(a, first, err) == 0)
		return 0;
	/*
	 * If a batch has several pushes to one group, its rows hold only their outcome, so an entry
	 * that a later row removes may be in the way of an earlier row. Entries that are still to
	 * be removed may be, too.
	 */
	a->hides = true;
	begin_again(a);
	store_removal_finish(a->store);
	if (try_to_apply(a, first, err) == 0)
		return 0;
	if (!store_large_push(a->store))
		return -1;
	/* The rows may contradict the large push that is being staged. */
	begin_again(a);
	store_large_drop(a->store);
	return try_to_apply(a, first, err);
}

int applier_end(struct applier *a, double now, uint64_t log_bytes, bool failed, struct err *err)
{
	int r = failed ? -1 : 0;

	a->now = now;
	a->log_bytes = log_bytes;
	store_apply_begin(a->store, now, log_bytes);
	if (r == 0 && a->n_rows > 0 && apply_all(a, err) < 0) {
		store_apply_drop(a->store);
		r = -1;
	}
	forget(a);
	return r;
}
