/* Start-up: documents of the log become summed groups. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/lifetime.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

struct restored_document {
	struct document doc;
	struct str bytes; /* owned; empty: the document is gone */
};

/* The documents of one group that have been read so far; rows are read newest first. */
struct restored {
	struct table seen; /* by id: index in the list, plus one */
	struct restored_document *list;
	size_t n, cap;
};

void summed_restored_free(struct restored *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free((char *)r->list[i].bytes.p);
	table_done(&r->seen);
	free(r->list);
	free(r);
}

static bool is_superseded(const struct restored *r, uint64_t id)
{
	size_t at = table_first(&r->seen, id);

	return table_next(&r->seen, id, &at) != NULL;
}

/* The newest document of each id comes first. */
static void add(struct restored *r, const struct document *doc, struct str bytes)
{
	if (is_superseded(r, doc->id))
		return;
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->list = mem_realloc(r->list, r->cap * sizeof(*r->list));
	}
	r->list[r->n++] = (struct restored_document){
		.doc = *doc,
		.bytes = { mem_dup(bytes.p, bytes.n), bytes.n },
	};
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the list moves, its numbers do not. */
	table_add(&r->seen, doc->id, (void *)(uintptr_t)r->n);
}

/* -1: the row is no document. */
static int add_row(struct restored *r, const struct row *row)
{
	struct document doc = { .number = row_first_number(row), .bytes = (uint32_t)row->body.n };

	if (!row_document_id(row->body, &doc.id))
		return -1;
	add(r, &doc,
	    (struct str){ row->body.p + DOCUMENT_ID_BYTES, row->body.n - DOCUMENT_ID_BYTES });
	return 0;
}

int store_restore_document(struct store *s, const struct row *row)
{
	struct group *g = store_group_by_id(s, row->group);

	if (!g->summed)
		g->summed = summed_new();
	if (!g->summed->restored)
		g->summed->restored = mem_zalloc(sizeof(*g->summed->restored));
	return add_row(g->summed->restored, row);
}

/* Families come first, since contributions refer to them. */
static int load_documents(struct summed *su, struct err *err)
{
	const struct restored *r = su->restored;

	for (int families = 1; families >= 0; families--)
		for (size_t i = 0; i < r->n; i++) {
			const struct restored_document *d = &r->list[i];

			if (d->bytes.n == 0 || d->doc.id == 0 ||
			    document_is_family(d->bytes) != families)
				continue;
			if (merged_load(su->group, &d->doc, d->bytes, err) < 0)
				return -1;
		}
	merged_load_end(su->group);
	return 0;
}

static int load_head(const struct store *s, struct summed *su, struct err *err)
{
	for (size_t i = 0; i < su->restored->n; i++) {
		const struct restored_document *d = &su->restored->list[i];

		if (d->doc.id != 0)
			continue;
		su->doc = d->doc;
		if (!summed_head_decode(d->bytes, &su->head))
			return err_set(err, ERR_STORAGE, 0,
				       "the head of a summed group is damaged");
	}
	if (su->head.counted_since < 0)
		su->head.counted_since = fmax(s->newest_at - (double)su->head.zero_first_ns / 1e9,
					      0);
	su->before = su->head;
	return 0;
}

static void know_document(void *arg, struct document *doc)
{
	uint64_t number = doc->number;

	doc->number = 0;
	summed_know_row(arg, doc, number, doc->bytes);
}

/*
 * A family that contradicts a rule is left out: it still counts, and its documents stay in the log.
 */
static int leave_out(struct store *s, const struct group *g, struct str family, const char *why)
{
	store_leave_out(s, g, NULL, family, why, false);
	return 0;
}

void summed_mark_all(struct merged_group *m)
{
	for (uint32_t i = 0; i < m->n_families; i++)
		if (m->families[i])
			m->families[i]->changed = m->families[i]->shape_changed = true;
}

static void show_restored(struct store *s, struct group *g, double now)
{
	struct err err;

	summed_mark_all(group_summed(g)->group);
	if (summed_show(s, g, false, false, now, &err) < 0)
		summed_show_each(s, g, now, leave_out);
}

static int restore_group(struct store *s, struct group *g, double now, struct err *err)
{
	struct summed *su = g->summed;

	/* All that it shows is in its documents. */
	if (g->entries.n > 0)
		return err_set(err, ERR_STORAGE, 0, "there is a plain push to a summed group");
	if (load_head(s, su, err) < 0 || load_documents(su, err) < 0)
		return -1;
	summed_restored_free(su->restored);
	su->restored = NULL;
	su->head_changed = false;
	know_document(s, &su->doc);
	merged_each_document(su->group, know_document, s);
	change_begin(s, g);
	show_restored(s, g, now);
	store_forget_left_out(s, g);
	store_publish_restored(s);
	pthread_mutex_lock(&s->pages.lock);
	summed_show_all_sources(s, g);
	pthread_mutex_unlock(&s->pages.lock);
	return 0;
}

/* ---- from another store ---- */

static void load_document(void *arg, struct document *doc, struct str bytes)
{
	struct document like = { .id = doc->id };
	struct err err;
	int r = merged_load(arg, &like, bytes, &err);

	assert(r == 0);
	(void)r;
}

/* all: families that contradict a rule refuse the push, and are not left out. */
static int show_copied(struct store *s, struct group *g, struct push *push, bool all)
{
	int r = 0;

	s->work.heads_only = true;
	if (all) {
		summed_mark_all(group_summed(g)->group);
		r = summed_show(s, g, false, false, push->now, &push->err);
	} else {
		show_restored(s, g, push->now);
	}
	s->work.heads_only = false;
	return r;
}

int store_stage_summed(struct store *s, struct push *push, const struct store *from, double now,
		       bool all)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);
	const struct group *other = store_group_find((struct store *)from, push->key,
						     push->key_hash);
	struct summed *su;

	if (!g || !g->staged || !other || !other->summed)
		return 0;
	change_begin(s, g);
	g->staged->summed = su = summed_new();
	su->head = other->summed->head;
	su->all_changed = true;
	/* Families come first, since contributions refer to them. */
	merged_all_documents(other->summed->group, load_document, su->group);
	merged_load_end(su->group);
	summed_were_heard(su, clock_mono_ns(), now);
	s->work.now = push->now;
	return show_copied(s, g, push, all);
}

bool store_stage_remembered(struct store *s, const struct store *from, size_t *at)
{
	enum { SOME = 10000 };
	size_t folded = from->folded.n, all = folded + from->push_ids.n;

	for (size_t n = 0; *at < all && n < SOME; n++, ++*at)
		if (*at < folded)
			remembered_stage(&s->folded, remembered_at(&from->folded, *at));
		else
			remembered_stage(&s->push_ids,
					 remembered_at(&from->push_ids, *at - folded));
	return s->folded.n_staged + s->push_ids.n_staged > 0;
}

/* ---- at start ---- */

int store_restore_remembered(struct store *s, const struct row *row)
{
	return remembered_restore(row->kind == ROW_FOLDED ? &s->folded : &s->push_ids, row);
}

int store_restore_end(struct store *s, double now, struct err *err)
{
	struct limits_held lim = store_lift_limits(s);
	int r = 0;

	series_index_end_many(&s->index);
	series_index_end_many(&s->keys);
	series_index_end_many(&s->ids);
	s->log.live_bytes += (uint64_t)remembered_restore_end(&s->folded);
	s->log.live_bytes += (uint64_t)remembered_restore_end(&s->push_ids);
	s->work.now = now;
	s->work.latest = s->newest_at;
	s->work.heads_only = true;
	for (uint32_t slot = 1; r == 0 && slot < s->n_slots; slot++) {
		struct group *g = s->by_slot[slot];

		if (g && g->summed && g->summed->restored)
			r = restore_group(s, g, s->work.now, err);
		if (g && g->life)
			lifetime_restored(s, g);
	}
	store_look_for_free(s);
	s->work.heads_only = false;
	s->lim = lim;
	/* What is left out was not published. */
	s->pages.counts.bytes = stored_bytes(s);
	return r;
}
