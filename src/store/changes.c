/* What the database has to be told of a batch: the difference of published and staged states. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

/* A row is rewritten when more than half of it, and more than this, is superseded. */
enum { DEAD_BYTES_MIN = 4096 };

struct change *store_change_add(struct store *s, enum change_kind kind)
{
	struct changes *c = &s->changes;

	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->list = mem_realloc(c->list, c->cap * sizeof(*c->list));
	}
	c->list[c->n] = (struct change){ .kind = kind };
	return &c->list[c->n++];
}

/*
 * The row says when the group was pushed to only where its segments do not: an ordinary push
 * writes one row, not two.
 */
bool store_group_row_stale(const struct group *g)
{
	const struct group_state *st = g->staged;
	double pushed_at = g->stored_pushed_at;

	if (!st->exists)
		return false;
	if (!g->cur || g->cur->failed_at != st->failed_at)
		return true;
	for (uint32_t i = 0; i < st->n; i++)
		if (st->slices[i]->segment->pushed_at > pushed_at)
			pushed_at = st->slices[i]->segment->pushed_at;
	return pushed_at != st->pushed_at;
}

/* Counts what each segment of the group still holds once the batch is published. */
static void count_live(const struct group *g)
{
	for (uint32_t i = 0; g->cur && i < g->cur->n; i++) {
		struct segment *seg = g->cur->slices[i]->segment;

		seg->live = 0;
		seg->live_text = 0;
		seg->noted = seg->shrinks = false;
	}
	for (uint32_t i = 0; i < g->staged->n; i++) {
		struct segment *seg = g->staged->slices[i]->segment;

		seg->live++;
		seg->live_text += g->staged->slices[i]->text_len;
		seg->noted = false;
	}
}

static void drop_segment(struct store *s, const struct group *g, struct segment *seg)
{
	struct change *c = store_change_add(s, CHANGE_DROP_SEGMENT);

	c->row = seg->row;
	c->group = g->id;
}

static bool drops_segment_of(const struct change *c, const struct group *g)
{
	return c->kind == CHANGE_DROP_SEGMENT && c->group == g->id;
}

static void put_segment(struct store *s, const struct group *g, struct segment *seg)
{
	struct changes *all = &s->changes;

	/* A push that replaces a push takes its row: one page of the tree is touched, not two. */
	if (all->n > 0 && drops_segment_of(&all->list[all->n - 1], g)) {
		seg->row = all->list[--all->n].row;
	} else {
		seg->row = s->next_row++;
	}

	struct change *c = store_change_add(s, CHANGE_PUT_SEGMENT);

	c->row = seg->row;
	c->group = g->id;
	c->seq = seg->seq;
	c->pushed_at = seg->pushed_at;
	c->bytes = seg->body;
}

static void shrink_segment(struct store *s, const struct group *g, struct segment *seg)
{
	struct change *c = store_change_add(s, CHANGE_SHRINK_SEGMENT);

	c->row = seg->row;
	c->group = g->id;
	c->keep = mem_alloc(seg->live * sizeof(*c->keep));
	for (uint32_t i = 0; i < g->staged->n; i++)
		if (g->staged->slices[i]->segment == seg)
			c->keep[c->n_keep++] = g->staged->slices[i]->family->name;
	seg->shrinks = true;
}

static void changes_of_segments(struct store *s, const struct group *g)
{
	count_live(g);
	for (uint32_t i = 0; g->cur && i < g->cur->n; i++) {
		struct segment *seg = g->cur->slices[i]->segment;

		if (seg->live > 0 || seg->noted)
			continue;
		seg->noted = true;
		drop_segment(s, g, seg);
	}
	for (uint32_t i = 0; i < g->staged->n; i++) {
		struct segment *seg = g->staged->slices[i]->segment;

		if (seg->noted)
			continue;
		seg->noted = true;
		if (!seg->row)
			put_segment(s, g, seg);
		else if (seg->text_len - seg->live_text > seg->live_text + DEAD_BYTES_MIN)
			shrink_segment(s, g, seg);
	}
}

const struct changes *store_changes(struct store *s)
{
	for (const struct group *g = s->touched; g; g = g->next_touched) {
		const struct group_state *st = g->staged;

		if (!st->exists && !g->cur)
			continue;
		changes_of_segments(s, g);
		if (!st->exists) {
			store_change_add(s, CHANGE_DROP_GROUP)->group = g->id;
		} else if (store_group_row_stale(g)) {
			struct change *c = store_change_add(s, CHANGE_PUT_GROUP);

			c->group = g->id;
			c->bytes = g->key;
			c->pushed_at = st->pushed_at;
			c->failed_at = st->failed_at;
		}
	}
	return &s->changes;
}

void store_changes_clear(struct store *s)
{
	for (size_t i = 0; i < s->changes.n; i++)
		free(s->changes.list[i].keep);
	s->changes.n = 0;
}
