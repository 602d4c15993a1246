/* What the database has to be told of a batch: the difference of published and staged states. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

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
	for (uint32_t i = 0; i < group_state_n_segments(st); i++)
		if (group_state_segment(st, i)->pushed_at > pushed_at)
			pushed_at = group_state_segment(st, i)->pushed_at;
	return pushed_at != st->pushed_at;
}

static bool is_new(const struct segment *seg)
{
	return seg->push != NULL;
}

/* The new segment with the lowest row above `after`; NULL: there is none. */
static struct segment *next_new(const struct group_state *st, uint64_t after)
{
	struct segment *next = NULL;

	for (uint32_t i = 0; i < group_state_n_segments(st); i++) {
		struct segment *seg = group_state_segment(st, i);

		if (is_new(seg) && seg->row > after && (!next || seg->row < next->row))
			next = seg;
	}
	return next;
}

static bool keeps_old(const struct group_state *st)
{
	for (uint32_t i = 0; i < group_state_n_segments(st); i++)
		if (!is_new(group_state_segment(st, i)))
			return true;
	return false;
}

/* The families are sorted, their messages are as pushed, without gaps. */
static struct str row_body(const struct segment *seg)
{
	const struct push *push = seg->push;
	const char *body = push->families[0].proto.p;

	for (uint32_t i = 1; i < push->n_families; i++)
		if (push->families[i].proto.p < body)
			body = push->families[i].proto.p;
	return (struct str){ body, seg->row_bytes - ROW_BYTES };
}

static struct change *put_segment(struct store *s, const struct group *g, uint64_t row, bool whole)
{
	struct change *c = store_change_add(s, CHANGE_PUT_SEGMENT);

	c->row = row;
	c->group = g->id;
	c->whole = whole;
	c->pushed_at = g->staged->pushed_at;
	return c;
}

/*
 * As long as something old is left, what is gone has been replaced by name. Otherwise the first new
 * segment says that nothing is, or an empty one, when there is no other.
 */
static void changes_of_segments(struct store *s, const struct group *g)
{
	bool whole = !keeps_old(g->staged);
	struct segment *seg = NULL;

	while ((seg = next_new(g->staged, seg ? seg->row : 0)) != NULL) {
		struct change *c = put_segment(s, g, seg->row, whole);

		c->pushed_at = seg->pushed_at;
		c->bytes = row_body(seg);
		whole = false;
	}
	if (whole && g->cur && g->cur->n > 0)
		put_segment(s, g, s->next_row++, true)->bytes = STR("");
}

struct changes *store_changes(struct store *s)
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
			c->bytes = group_key(g);
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
