/*
 * Staging: each push in turn becomes changes (change.h) on top of what the batch holds, on the
 * committer's side only.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

/* The batch keeps it until its end, live or not. */
static void keep_record(struct store *s, struct group *g, struct record *record)
{
	if (s->n_records == s->cap_records) {
		s->cap_records = s->cap_records ? s->cap_records * 2 : 64;
		s->records = mem_realloc(s->records, s->cap_records * sizeof(*s->records));
	}
	s->records[s->n_records++] = (struct batch_record){ record, g };
}

int store_stage_families(struct store *s, struct group *g, struct push *push,
			 struct record **ret_record)
{
	struct record *record = push->n_families ? record_new(push) : NULL;

	*ret_record = record;
	change_begin(s, g);
	g->staged->labels = &push->labels;
	for (uint32_t i = 0; i < push->n_families; i++)
		change_put(s, record, &push->families[i]);
	if (push->mode == PUSH_PUT)
		change_take_others(s);

	int r = change_apply(s, &push->err);

	if (record && r == 0)
		keep_record(s, g, record);
	else if (record)
		record_unref(record);
	return r;
}

/* A new group, in *g. -1: refused, and nothing is left of it. */
static int make_group(struct store *s, struct group **g, const struct push *push, struct err *err)
{
	bool known = *g != NULL;

	if (!known)
		*g = store_group_add(s, push->key, push->labels, push->key_hash, 0);
	if (change_make(s, *g, &push->labels, err) == 0)
		return 0;
	if (!known)
		store_group_remove(s, *g);
	return -1;
}

void store_stage(struct store *s, struct push *push)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);
	struct err err = { 0 };
	struct record *record;

	if (push->mode == PUSH_DELETE) {
		if (g && group_is_there(g))
			change_end(s, g);
		return;
	}
	/* What refuses the group itself leaves no place to note a failure time. */
	if ((!g || !group_is_there(g)) && make_group(s, &g, push, &err) < 0) {
		if (!push->err.reason)
			push->err = err;
		return;
	}
	if (push->err.reason == ERR_NONE && store_stage_families(s, g, push, &record) == 0) {
		if (record)
			record->number = s->next_row++;
		g->staged->pushed_at = push->now;
		return;
	}
	change_begin(s, g);
	g->staged->labels = &push->labels;
	g->staged->failed_at = push->now;
}

void store_stage_times(struct store *s, const struct push *push, double pushed_at, double failed_at)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);

	if (!g || !g->staged)
		return;
	g->staged->pushed_at = pushed_at;
	g->staged->failed_at = failed_at;
}

void store_forget_batch(struct store *s)
{
	for (size_t i = 0; i < s->n_records; i++)
		record_unref(s->records[i].record);
	s->n_records = 0;
	s->touched = NULL;
	store_rows_clear(s);
}

void store_rollback(struct store *s)
{
	struct group *next;

	for (struct group *g = s->touched; g; g = g->staged->next)
		staged_leave_index(s, g);
	for (struct group *g = s->touched; g; g = g->staged->next)
		staged_restore_index(s, g);
	for (struct group *g = s->touched; g; g = next) {
		next = g->staged->next;
		staged_free(s, g);
		if (!g->exists)
			store_group_remove(s, g);
	}
	store_forget_batch(s);
	pthread_mutex_lock(&s->pages.lock);
	store_sweep_families(s);
	pthread_mutex_unlock(&s->pages.lock);
}
