#include "store/apply.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "metrics/names.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/lifetime.h"
#include "store/summed.h"
#include "store/undo.h"

static int cannot(const struct row *row, const char *why, struct err *err)
{
	return err_set(err, ERR_STORAGE, 0, "row %llu of the log %s",
		       (unsigned long long)row->number, why);
}

void store_apply_begin(struct store *s, double now, uint64_t log_bytes)
{
	s->applied.now = now;
	s->applied.at_hand = true;
	s->work.now = now;
	s->log.bytes = log_bytes;
}

/* The Unix time `at` on the monotonic clock. */
static int64_t when(const struct store *s, double at)
{
	double ago = s->applied.now - at;

	return clock_mono_ns() - (ago > 0 && ago < 9e9 ? (int64_t)(ago * 1e9) : 0);
}

/* ---- groups ---- */

struct group *store_apply_find(struct store *s, uint64_t id)
{
	const struct table *made = &s->applied.made;
	struct group *g;

	for (size_t at = table_first(made, id); (g = table_next(made, id, &at));)
		if (g->staged && g->staged->exists && g->staged->id == id)
			return g;
	g = store_group_by_id(s, id);
	store_leave_first(s, g);
	return g && group_is_there(g) && (!g->staged || g->staged->id == id) ? g : NULL;
}

struct str store_apply_key(struct store *s, uint64_t group, bool *ret_plain)
{
	const struct group *g = store_apply_find(s, group);

	*ret_plain = g && !group_summed(g);
	return g ? group_key(g) : STR("");
}

static void number_step(struct store *s, uint32_t step, const struct row *row)
{
	store_step_at(s, step)->number = row_first_number(row);
}

void store_apply_any(struct store *s, const struct row *row)
{
	uint64_t bytes = s->log.bytes;

	store_restore_row(s, row);
	s->log.bytes = bytes;
}

int store_apply_group(struct store *s, const struct row *row, const struct str *labels,
		      struct err *err)
{
	uint64_t hash = hash_bytes(row->body);
	struct group *g = store_group_find(s, row->body, hash);
	struct limits_held lim = store_lift_limits(s);
	bool known = g != NULL;
	int r = -1;

	store_leave_first(s, g);
	if (!known)
		g = store_group_add(s, row->body, *labels, hash);
	s->applied.unlimited = true;
	if (!group_is_there(g))
		r = change_make(s, g, labels, row->at, err);
	else
		cannot(row, "makes a group that is there", err);
	s->applied.unlimited = false;
	s->lim = lim;
	if (r < 0) {
		if (!known)
			store_group_remove(s, g);
		return -1;
	}
	g->staged->id = row->group;
	number_step(s, g->staged->made, row);
	table_add(&s->applied.made, row->group, g);
	return 0;
}

/* Documents before this row no longer count. */
static void forget_documents(struct store *s, size_t place)
{
	while (place) {
		struct applied_document *d = &s->applied.documents[place - 1];

		d->group = NULL;
		place = d->before;
	}
}

static void forget_all_documents(struct store *s, struct group *g)
{
	if (!g->staged)
		return;
	forget_documents(s, g->staged->documents);
	g->staged->documents = 0;
}

static int of_left_out(struct store *s, struct left_out_group *l, const struct row *row,
		       struct err *err)
{
	return left_out_group_apply(s, l, row) < 0 ? cannot(row, "cannot be read", err) : 0;
}

static int end_group(struct store *s, const struct row *row, uint64_t id, struct err *err)
{
	struct group *g = store_apply_find(s, id);
	struct left_out_group *l = g ? NULL : left_out_group_find(s, id);

	if (l)
		return of_left_out(s, l, row, err);
	if (!g)
		return cannot(row, "ends a group that is not there", err);
	forget_all_documents(s, g);
	change_leave(s, g);
	return 0;
}

static int end_groups(struct store *s, const struct row *row, struct err *err)
{
	struct str none;
	size_t at = 0;
	uint64_t id;
	int r;

	if (row->group)
		return end_group(s, row, row->group, err);
	while ((r = removal_next_id(row->body, &at, false, &none, &id)) > 0)
		if (end_group(s, row, id, err) < 0)
			return -1;
	return r < 0 ? cannot(row, "does not say which groups end", err) : 0;
}

/* NULL: no group has the family. */
static struct store_family *family_of(struct store *s, struct str name)
{
	CLEANUP(strbuf_done) struct strbuf exposed = { 0 };

	text_write_escaped_name(&exposed, name);
	return store_family_find(s, name, strbuf_str(&exposed), hash_bytes(strbuf_str(&exposed)));
}

void store_apply_wipe(struct store *s, const struct row *row)
{
	s->next_number = row->number + 1;
	store_wipe(s);
}

/* ---- records ---- */

bool store_apply_is_left_out(const struct store *s, uint64_t group)
{
	return left_out_group_find(s, group) != NULL;
}

int store_apply_left_out(struct store *s, const struct row *row, struct err *err)
{
	return of_left_out(s, left_out_group_find(s, row->group), row, err);
}

int store_apply_record(struct store *s, const struct row *row, struct push *push, struct err *err)
{
	struct group *g = store_apply_find(s, row->group);
	struct limits_held lim;
	struct record *record;
	int r = 0;

	if (!g)
		return cannot(row, "belongs to no group", err);
	if (push->n_families > 0 && group_summed(g))
		return cannot(row, "is a plain push to a summed group", err);
	lim = store_lift_limits(s);
	record = record_new(push, g);
	record->number = row_first_number(row);
	record->pushed_at = row->at;
	change_begin(s, g);
	g->staged->labels = &push->labels;
	for (uint32_t i = 0; i < push->n_families; i++)
		change_put(s, record, &push->families[i]);
	/* The families of a summed group are in its documents, not in records. */
	if (row->kind == ROW_WHOLE && !group_summed(g))
		change_take_others(s);
	r = change_apply(s, err);
	s->lim = lim;
	if (r < 0) {
		record_unref(record);
		return -1;
	}
	store_step_record(s, g, record);
	number_step(s, g->staged->last, row);
	lifetime_apply_push(g, when(s, row->at));
	return 0;
}

static void apply_failed(struct store *s, const struct row *row, struct group *g)
{
	change_begin(s, g);
	store_step_failed(s, g, row->at, row->body);
	number_step(s, g->staged->failed, row);
}

static int apply_life(struct store *s, const struct row *row, struct group *g, struct err *err)
{
	struct life life;
	bool goes;

	if (!life_decode(row->body, row->at, &life))
		return cannot(row, "does not say when its group ends", err);
	change_begin(s, g);
	goes = lifetime_apply(g, &life, when(s, row->at));
	if (goes) {
		forget_all_documents(s, g);
		change_take_others(s);
		change_apply(s, err);
		summed_leave(g);
	}
	store_step_life(s, g, row->at);
	number_step(s, g->staged->lived, row);
	return 0;
}

/* ---- summed groups ---- */

void store_apply_hide_family(struct store *s, uint64_t group, struct str family)
{
	struct group *g = store_apply_find(s, group);
	struct left_out_group *l = g ? NULL : left_out_group_find(s, group);
	struct store_family *f = g ? family_of(s, family) : NULL;
	struct err ignored;

	if (l)
		left_out_group_take(s, l, family);
	if (!f)
		return;
	change_begin(s, g);
	change_take(s, f);
	change_apply(s, &ignored);
}

void store_apply_hide(struct store *s, uint64_t group)
{
	struct group *g = store_apply_find(s, group);
	struct err ignored;
	bool replaced;

	if (!g)
		return;
	change_begin(s, g);
	replaced = g->staged->replaced;
	change_take_others(s);
	change_apply(s, &ignored);
	/* change_take_others() has set `replaced`, which only a row of the group may set. */
	g->staged->replaced = replaced;
	g->staged->hidden = true;
}

static int add_document(struct store *s, const struct row *row, struct group *g, struct err *err)
{
	uint64_t id;

	if (!row_document_id(row->body, &id))
		return cannot(row, "is no document of a summed group", err);
	if (s->applied.n_documents == s->applied.cap_documents) {
		s->applied.cap_documents = s->applied.cap_documents ? s->applied.cap_documents * 2
								    : 64;
		s->applied.documents = mem_realloc(s->applied.documents,
						   s->applied.cap_documents *
							   sizeof(*s->applied.documents));
	}
	change_begin(s, g);
	s->applied.documents[s->applied.n_documents++] = (struct applied_document){
		g, g->staged->documents, *row
	};
	g->staged->documents = s->applied.n_documents;
	return 0;
}

static int remember(struct store *s, const struct row *row, struct err *err)
{
	struct remembered *r = row->kind == ROW_FOLDED ? &s->folded : &s->push_ids;

	if (remembered_apply(r, row) < 0)
		return cannot(row, "holds no hashes", err);
	s->log.live_bytes += (uint64_t)remembered_publish(r);
	return 0;
}

static int apply_documents(struct store *s, struct err *err)
{
	for (size_t i = s->applied.n_documents; i-- > 0;) {
		struct group *g = s->applied.documents[i].group;

		if (!g)
			continue;
		if (summed_apply(s, g, s->applied.documents, err) < 0)
			return -1;
		/* The newest document of the list stands for all documents of its group. */
		forget_documents(s, s->applied.documents[i].before);
	}
	return 0;
}

static int apply_of_group(struct store *s, const struct row *row, struct err *err)
{
	struct group *g = store_apply_find(s, row->group);

	if (!g && left_out_group_find(s, row->group))
		return of_left_out(s, left_out_group_find(s, row->group), row, err);
	if (!g)
		return cannot(row, "belongs to no group", err);
	switch (row->kind) {
	case ROW_FAILED:
		apply_failed(s, row, g);
		return 0;
	case ROW_LIFE:
		return apply_life(s, row, g, err);
	case ROW_DOCUMENT:
		return add_document(s, row, g, err);
	default:
		return cannot(row, "is of a kind that this version does not apply", err);
	}
}

int store_apply_other(struct store *s, const struct row *row, struct err *err)
{
	switch (row->kind) {
	case ROW_BEAT:
	case ROW_DIGEST: /* the caller has compared it */
	case ROW_KEPT:
		return 0;
	case ROW_UNDO:
	case ROW_UNDONE:
		return store_apply_undo(s, row) < 0
			       ? cannot(row, "does not say what can be undone", err)
			       : 0;
	case ROW_END:
		return end_groups(s, row, err);
	case ROW_FOLDED:
	case ROW_PUSH_IDS:
		return remember(s, row, err);
	default:
		return apply_of_group(s, row, err);
	}
}

static void forget(struct store *s)
{
	table_done(&s->applied.made);
	s->applied.made = (struct table){ 0 };
	s->applied.n_documents = 0;
	left_out_rows_done(&s->applied.left_out);
	s->applied.at_hand = false;
}

int store_apply_end(struct store *s, struct err *err)
{
	struct limits_held lim = store_lift_limits(s);
	int r = apply_documents(s, err);

	s->lim = lim;
	if (r < 0)
		return -1;
	store_publish_restored(s);
	left_out_applied(s);
	forget(s);
	if (!store_large_fits(s))
		store_large_drop(s);
	return 0;
}

void store_apply_drop(struct store *s)
{
	store_rollback(s);
	forget(s);
}
