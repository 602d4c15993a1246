/* Start-up: rows of the log become groups, through the same changes as pushes. */
#include "base/hash.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/lifetime.h"

struct limits_held store_lift_limits(struct store *s)
{
	struct limits_held lim = s->lim;

	s->lim = (struct limits_held){ UINT64_MAX, UINT64_MAX, UINT64_MAX };
	return lim;
}

void store_publish_restored(struct store *s)
{
	s->numbered = true;
	s->after = s->next_number;
	store_publish(s);
}

void store_restore_begin(struct store *s)
{
	series_index_begin_many(&s->index);
	series_index_begin_many(&s->keys);
	series_index_begin_many(&s->ids);
}

void store_restore_group(struct store *s, const struct row *row, struct str labels)
{
	uint64_t hash = hash_bytes(row->body);
	struct limits_held lim = store_lift_limits(s);
	struct err err = { 0 };
	struct group *g;

	if (store_group_find(s, row->body, hash)) {
		err_set(&err, ERR_INVALID, 0, "there are two of the same grouping key");
		g = NULL;
	} else {
		g = store_group_add(s, row->body, labels, hash);
	}
	if (g && change_make(s, g, &labels, row->at, &err) == 0) {
		g->staged->id = row->group;
		store_publish_restored(s);
	} else {
		left_out_group_add(s, row, err.msg);
		if (g)
			store_group_remove(s, g);
	}
	s->lim = lim;
}

void store_restore_row(struct store *s, const struct row *row)
{
	s->log.bytes += row_bytes_of(row->body.n);
	if (row->at > s->newest_at)
		s->newest_at = row->at;
	if (row->number >= s->next_number)
		s->next_number = row->number + 1;
}

void store_restore_alive(struct store *s, double at)
{
	if (at > s->newest_at)
		s->newest_at = at;
}

/* Takes families out of the push that a later record has replaced. */
static void keep_newest(struct store *s, const struct group *g, const struct row *row,
			struct push *push)
{
	uint64_t number = row_first_number(row);
	uint32_t n = 0, hint = 0;

	for (uint32_t i = 0; i < push->n_families; i++) {
		const struct push_family *pf = &push->families[i];
		struct store_family *f = store_family_find(s, pf->name, pf->exposed, pf->hash);

		if ((!f || !group_entry(s, g, f, &hint)) &&
		    !store_left_out_since(s, g, number, pf->name))
			push->families[n++] = *pf;
	}
	push->n_families = n;
}

static int put_families(struct store *s, struct group *g, struct record *record,
			const struct push_family *families, uint32_t n, struct err *err)
{
	change_begin(s, g);
	for (uint32_t i = 0; i < n; i++)
		change_put(s, record, &families[i]);
	return change_apply(s, err);
}

/*
 * Puts all families at once. If one of them breaks a rule, each is put by itself, and those that
 * break a rule are left out.
 */
static void put_or_leave_out(struct store *s, struct group *g, struct record *record,
			     const struct push *push, const struct row *row)
{
	struct err err = { 0 };

	if (put_families(s, g, record, push->families, push->n_families, &err) == 0)
		return;
	for (uint32_t i = 0; i < push->n_families; i++) {
		s->in_way = (struct in_the_way){ .known = false };
		if (put_families(s, g, record, &push->families[i], 1, &err) < 0)
			store_leave_out(s, g, row, push->families[i].name, err.msg, !s->in_way.own);
	}
}

void store_restore_soon(const struct store *s, const struct row *row, const struct push *push)
{
	enum {
		SERIES = 64
	}; /* series of one record; with more they would push each other out of the cache */
	unsigned n = 0;

	series_index_prefetch(&s->ids, store_id_hash(row->group));
	for (uint32_t i = 0; i < push->n_families && n < SERIES; i++)
		for (uint64_t j = 0; j < push->families[i].n_series && n < SERIES; j++, n++)
			series_index_prefetch(&s->index, push->families[i].hashes[j]);
}

void store_restore_record(struct store *s, const struct row *row, struct push *push)
{
	struct group *g = store_group_by_id(s, row->group);
	struct limits_held lim = store_lift_limits(s);
	struct record *record;
	uint64_t last;

	keep_newest(s, g, row, push);
	record = record_new(push, g);
	record->number = row_first_number(row);
	record->pushed_at = row->at;
	change_begin(s, g);
	g->staged->labels = &push->labels;
	put_or_leave_out(s, g, record, push, row);
	last = g->last ? g->last->number : 0;
	store_step_record(s, g, record);
	if (record->number < last || row->kind == ROW_LEFT_OUT)
		g->staged->last = 0;
	store_publish_restored(s);
	s->lim = lim;
}

void store_restore_group_without(struct store *s, const struct row *row, const char *why)
{
	left_out_group_add(s, row, why);
}

void store_restore_without(struct store *s, const struct row *row, struct str family,
			   const char *why)
{
	struct group *g = store_group_by_id(s, row->group);

	store_leave_out(s, g, row, family, why, false);
}

void store_show_left_out(struct store *s)
{
	s->shows_left_out = true;
}

void store_restore_families_left_out(struct store *s, const struct row *row, struct push *push)
{
	const struct group *g = store_group_by_id(s, row->group);

	if (s->shows_left_out) {
		store_restore_record(s, row, push);
		return;
	}
	keep_newest(s, g, row, push);
	for (uint32_t i = 0; i < push->n_families; i++)
		store_leave_out_settled(s, g, row, push->families[i].name);
}

void store_restore_failed(struct store *s, const struct row *row)
{
	struct group *g = store_group_by_id(s, row->group);
	uint64_t number = row_first_number(row);

	if (g->failure && g->failure->number > number)
		return;
	change_begin(s, g);
	store_step_failed(s, g, row->at, row->body);
	store_step_at(s, g->staged->failed)->number = number;
	store_publish_restored(s);
}

void store_restore_life(struct store *s, const struct row *row)
{
	struct group *g = store_group_by_id(s, row->group);
	struct life life;

	if (!life_decode(row->body, row->at, &life))
		return;
	change_begin(s, g);
	g->staged->life = life;
	store_step_life(s, g, row->at);
	store_step_at(s, g->staged->lived)->number = row_first_number(row);
	store_publish_restored(s);
}

struct str store_group_key(const struct store *s, uint64_t group)
{
	const struct group *g = store_group_by_id(s, group);

	return g ? group_key(g) : STR_NULL;
}
