/*
 * Keeping the log of segments short: what its oldest rows still say is appended once more, and they
 * are dropped. All of a group is moved at once, so that the order inside the group stays.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

enum {
	SLACK = 2 * 1024 * 1024, /* that a log may be longer than its share of what is live */
	SHARE_IDLE = 2,
	SHARE_BUSY = 4,
	STEP = 256 * 1024, /* looked at at a time; more if the last batch was long */
};

void store_log_grew(struct store *s)
{
	uint64_t before = s->log.bytes;

	for (size_t i = 0; i < s->changes.n; i++)
		if (s->changes.list[i].kind == CHANGE_PUT_SEGMENT)
			s->log.bytes += row_bytes_of(s->changes.list[i].bytes.n);
	s->log.grown = s->log.bytes - before;
}

uint64_t store_clean_due(const struct store *s, bool idle)
{
	if (s->log.bytes <= (idle ? SHARE_IDLE : SHARE_BUSY) * s->log.live_bytes + SLACK)
		return 0;
	/* In the worst case half of what is looked at is live: the log must not outgrow us. */
	return STEP + 2 * s->log.grown;
}

static struct segment *segment_with(const struct group_state *st, uint64_t row)
{
	for (uint32_t i = 0; i < st->n; i++)
		if (st->slices[i]->segment->row == row)
			return st->slices[i]->segment;
	return NULL;
}

static struct segment *next_segment(const struct group_state *st, uint64_t after)
{
	struct segment *next = NULL;

	for (uint32_t i = 0; i < st->n; i++) {
		struct segment *seg = st->slices[i]->segment;

		if (seg->row > after && (!next || seg->row < next->row))
			next = seg;
	}
	return next;
}

static uint64_t live_text(const struct group_state *st, const struct segment *seg)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < st->n; i++)
		if (st->slices[i]->segment == seg)
			n += st->slices[i]->text_len;
	return n;
}

/* A row that is live as a whole is copied as it is. */
static void keep_live(struct change *c, const struct group_state *st, const struct segment *seg)
{
	if (live_text(st, seg) == seg->text_len)
		return;
	c->keep = mem_alloc(seg->n * sizeof(*c->keep));
	for (uint32_t i = 0; i < st->n; i++)
		if (st->slices[i]->segment == seg)
			c->keep[c->n_keep++] = st->slices[i]->family->name;
}

static void move_segment(struct store *s, const struct group *g, struct segment *seg, bool whole)
{
	struct change *c = store_change_add(s, CHANGE_MOVE_SEGMENT);

	c->row = s->next_row++;
	c->from = seg->row;
	c->group = g->id;
	c->whole = whole;
	c->pushed_at = seg->pushed_at;
	keep_live(c, g->cur, seg);
	if (s->log.n_moves == s->log.cap_moves) {
		s->log.cap_moves = s->log.cap_moves ? s->log.cap_moves * 2 : 64;
		s->log.moves = mem_realloc(s->log.moves, s->log.cap_moves * sizeof(*s->log.moves));
	}
	s->log.moves[s->log.n_moves++] = (struct move){ seg, g, s->changes.n - 1 };
	seg->moving = 1;
}

void store_clean_row(struct store *s, uint64_t row, uint32_t group, size_t body)
{
	const struct group *g = group < s->n_ids ? s->by_id[group] : NULL;
	struct segment *seg = g && g->cur ? segment_with(g->cur, row) : NULL;
	uint64_t after = 0;

	s->log.trimmed += row_bytes_of(body);
	s->log.trim_to = row;
	if (!seg || seg->moving)
		return;
	while ((seg = next_segment(g->cur, after)) != NULL) {
		move_segment(s, g, seg, after == 0);
		after = seg->row;
	}
}

struct changes *store_clean_changes(struct store *s)
{
	store_change_add(s, CHANGE_TRIM)->row = s->log.trim_to;
	return &s->changes;
}

static uint64_t live_bytes(const struct group_state *st, const struct segment *seg)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < st->n; i++)
		if (st->slices[i]->segment == seg)
			n += slice_row_bytes(st->slices[i]);
	return n;
}

static void note_move(struct store *s, const struct move *m)
{
	const struct group_state *st = m->group->cur;
	const struct change *c = &s->changes.list[m->change];

	s->log.live_bytes -= live_bytes(st, m->seg);
	m->seg->row = c->row;
	m->seg->row_bytes = row_bytes_of(c->bytes.n);
	m->seg->text_len = (uint32_t)live_text(st, m->seg);
	s->log.live_bytes += live_bytes(st, m->seg);
	s->log.bytes += m->seg->row_bytes;
}

void store_clean_end(struct store *s, bool committed)
{
	for (size_t i = 0; i < s->log.n_moves; i++) {
		if (committed)
			note_move(s, &s->log.moves[i]);
		s->log.moves[i].seg->moving = 0;
	}
	if (committed)
		s->log.bytes -= s->log.trimmed;
	s->log.trimmed = 0;
	s->log.n_moves = 0;
	store_changes_clear(s);
}
