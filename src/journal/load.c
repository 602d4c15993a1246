/*
 * The log is read twice, the newest row first: rows that make and end groups, then all. So it is
 * known for each record whether it is live: its group has not ended, no newer row has replaced the
 * whole group, and the group does not have a newer entry of the family. Records that are not live
 * are not decoded.
 */
#include "journal/load.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"
#include "format/text/write.h"
#include "journal/decoders.h"
#include "journal/taken.h"
#include "push/rules.h"
#include "store/apply.h"
#include "store/lifetime.h"
#include "store/removal.h"

struct loader {
	struct store *store;
	struct decoders *decoders;
	struct table ended;   /* ids of groups that have ended or are left out, as items */
	struct table closed;  /* of groups that a newer row has replaced as a whole */
	struct table emptied; /* of groups that have expired */
	struct table lived;   /* of groups whose newest lifetime has been read */
	struct table summed;  /* of groups that have documents */
	struct taken taken;   /* families that were taken out of groups */
	uint64_t wiped;       /* number of the newest wipe; 0: none */
	uint64_t next;        /* the number that the next row has to have; 0: any */
	/* Rows that make or end groups: the first reading counts them up, the second one down. */
	uint64_t n_groups;
	bool unknown; /* a row is of a kind that this version does not know */
	struct arena arena;
};

static bool has_id(const struct table *t, uint64_t id)
{
	size_t at = table_first(t, id);

	return table_next(t, id, &at) != NULL;
}

static void add_id(struct table *t, uint64_t id)
{
	if (!has_id(t, id))
		table_add(t, id, t);
}

static int damaged(const struct row *row, const char *how, struct err *err)
{
	return err_set(err, ERR_SYSTEM, 0, "row %llu of the log %s",
		       (unsigned long long)row->number, how);
}

static int check_row(struct loader *l, const struct row *row, struct err *err)
{
	switch (row_verdict(row)) {
	case ROW_INTACT:
		return 0;
	case ROW_BAD_CHECKSUM:
		return damaged(row, "is damaged: its checksum is wrong", err);
	case ROW_UNKNOWN:
		l->unknown = true;
		break;
	}
	return damaged(row, "is of a kind that this version does not know: upgrade this gateway",
		       err);
}

static int make_group(struct loader *l, const struct row *row, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf labels = { 0 };
	struct metric group = { 0 };
	struct key key;
	struct err why;

	arena_reset(&l->arena);
	if (key_decode(row->body, &l->arena, &key) < 0 ||
	    rules_apply_key(&group, &key, &l->arena) < 0)
		return damaged(row, "has a grouping key that cannot be read", err);
	if (key_check_names(&key, &why) < 0) {
		store_restore_group_without(l->store, row, why.msg);
		add_id(&l->ended, row->group);
		return 0;
	}
	text_write_labels(&labels, group.labels, group.n_labels, false);
	store_restore_group(l->store, row, strbuf_str(&labels));
	/*
	 * The group was left out: its records are not loaded, like those of a group that has ended.
	 */
	if (!store_group_key(l->store, row->group).n)
		add_id(&l->ended, row->group);
	return 0;
}

static int end_groups(struct loader *l, const struct row *row, struct err *err)
{
	struct str none;
	size_t at = 0;
	uint64_t id;
	int r;

	if (row->group) {
		add_id(&l->ended, row->group);
		return 0;
	}
	while ((r = removal_next_id(row->body, &at, false, &none, &id)) > 0)
		add_id(&l->ended, id);
	return r < 0 ? damaged(row, "does not say which groups end", err) : 0;
}

static int load_group(void *arg, const struct row *row, struct err *err)
{
	struct loader *l = arg;

	if (check_row(l, row, err) < 0)
		return -1;
	l->n_groups++;
	if (l->wiped)
		return 0;
	if (row->kind == ROW_WIPE)
		l->wiped = row->number;
	else if (row->kind == ROW_END)
		return end_groups(l, row, err);
	else if (row->kind == ROW_GROUP && !has_id(&l->ended, row->group))
		return make_group(l, row, err);
	return 0;
}

static void restore_soon(void *arg, const struct row *row, const struct push *push)
{
	const struct loader *l = arg;

	store_restore_soon(l->store, row, push);
}

static void restore(void *arg, const struct row *row, struct push *push)
{
	struct loader *l = arg;

	taken_filter(&l->taken, row, push);
	if (row->kind == ROW_LEFT_OUT)
		store_restore_families_left_out(l->store, row, push);
	else
		store_restore_record(l->store, row, push);
}

static void restore_without(void *arg, const struct row *row, struct str family, const char *why)
{
	struct loader *l = arg;

	if (!taken_has(&l->taken, row, family))
		store_restore_without(l->store, row, family, why);
}

/* Numbers have no gaps: if one is missing, a row is. */
static int check_number(struct loader *l, const struct row *row, struct err *err)
{
	if (row->number == 0 || (l->next && row->number != l->next))
		return damaged(row, "is followed by a gap: rows are missing", err);
	l->next = row->number - 1;
	return 0;
}

static int load_life(struct loader *l, const struct row *row, struct err *err)
{
	struct life life;

	if (!life_decode(row->body, row->at, &life))
		return damaged(row, "does not say when its group ends", err);
	if (life.expired)
		add_id(&l->emptied, row->group);
	if (has_id(&l->lived, row->group))
		return 0;
	add_id(&l->lived, row->group);
	store_restore_life(l->store, row);
	return 0;
}

/* Documents from before the group expired are gone with its values. */
static int load_document(struct loader *l, const struct row *row, struct err *err)
{
	if (has_id(&l->emptied, row->group))
		return 0;
	add_id(&l->summed, row->group);
	if (store_restore_document(l->store, row) < 0)
		return damaged(row, "is no document of a summed group", err);
	return 0;
}

/* A group that has ended, or one that is left out, which keeps its rows as they are. */
static int load_left_out(struct loader *l, const struct row *row, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf left = { 0 };
	struct str message, name;
	struct row without = *row;
	size_t at = 0;
	int r = 0;

	if (!store_apply_is_left_out(l->store, row->group))
		return 0;
	if (row_has_families(row) && l->taken.n > 0) {
		while ((r = row_next_family(row->body, &at, &message, &name)) > 0)
			if (!taken_has(&l->taken, row, name))
				strbuf_adds(&left, message);
		without.body = strbuf_str(&left);
	}
	if (r == 0)
		r = store_restore_left_out(l->store, &without);
	return r < 0 ? damaged(row, "cannot be read", err) : 0;
}

static int load_row(void *arg, const struct row *row, struct err *err)
{
	struct loader *l = arg;
	struct str key;

	if (check_number(l, row, err) < 0 || check_row(l, row, err) < 0)
		return -1;
	l->n_groups -= row->kind == ROW_GROUP || row->kind == ROW_END || row->kind == ROW_WIPE;
	store_restore_row(l->store, row);
	if (row->kind == ROW_BEAT || row->kind == ROW_DIGEST)
		return 0;
	if (row->number > l->wiped && (row->kind == ROW_FOLDED || row->kind == ROW_PUSH_IDS))
		return store_restore_remembered(l->store, row) < 0
			       ? damaged(row, "holds no hashes", err)
			       : 0;
	if (row->number < l->wiped || row->kind == ROW_END || row->kind == ROW_WIPE)
		return 0;
	if (row->kind == ROW_KEPT)
		return 0;
	if (row->kind == ROW_UNDO || row->kind == ROW_UNDONE)
		return store_restore_undo(l->store, row) < 0
			       ? damaged(row, "does not say what can be undone", err)
			       : 0;
	if (row->kind == ROW_TAKE)
		return taken_add(&l->taken, row, err);
	if (has_id(&l->ended, row->group))
		return load_left_out(l, row, err);
	key = store_group_key(l->store, row->group);
	if (!key.n)
		return damaged(row, "belongs to no group", err);
	if (row->kind == ROW_FAILED)
		store_restore_failed(l->store, row);
	if (row->kind == ROW_LIFE)
		return load_life(l, row, err);
	if (row->kind == ROW_DOCUMENT)
		return load_document(l, row, err);
	if (!row_has_families(row) || has_id(&l->closed, row->group))
		return 0;
	if (row->kind == ROW_WHOLE)
		add_id(&l->closed, row->group);
	if (!has_id(&l->emptied, row->group) && !has_id(&l->summed, row->group))
		return decoders_add(l->decoders, row, key, err);
	if (row->kind == ROW_LEFT_OUT)
		return 0;
	/* Only the time of this push still counts. */
	struct row times = *row;

	times.body = STR("");
	return decoders_add(l->decoders, &times, key, err);
}

enum storage_load_result load_store(struct storage *st, struct store *store, struct err *err)
{
	struct loader l = { .store = store };
	const struct decoded_sink sink = { restore_soon, restore, restore_without, &l };
	enum storage_load_result r;

	l.decoders = decoders_new(&sink);
	arena_init(&l.arena, ARENA_MUST);
	store_restore_begin(store);
	r = st->ops->read(st, STORAGE_GROUPS, UINT64_MAX, load_group, &l, err);
	if (r == STORAGE_LOADED)
		r = st->ops->read(st, STORAGE_ALL, UINT64_MAX, load_row, &l, err);
	/*
	 * Only logs that several gateways write can have rows of a newer version: in a file they
	 * are damage.
	 */
	if (r == STORAGE_DAMAGED && l.unknown && st->ops->begin)
		r = STORAGE_UNKNOWN_ROWS;
	/* If one of the two readings missed the end of a group, the group would come back. */
	if (r == STORAGE_LOADED && l.n_groups != 0) {
		err_set(err, ERR_SYSTEM, 0,
			"rows that make or end groups are missing where these are looked up");
		r = STORAGE_DAMAGED;
	}
	if (r == STORAGE_LOADED && decoders_finish(l.decoders, err) < 0)
		r = STORAGE_DAMAGED;
	if (r == STORAGE_LOADED && store_restore_end(store, storage_now(st), err) < 0)
		r = STORAGE_DAMAGED;
	store_restore_undo_end(store, storage_now(st));
	if (st->ops->alive)
		store_restore_alive(store, st->ops->alive(st));
	decoders_free(l.decoders);
	table_done(&l.ended);
	table_done(&l.closed);
	table_done(&l.emptied);
	table_done(&l.lived);
	table_done(&l.summed);
	taken_done(&l.taken);
	arena_done(&l.arena);
	return r;
}
