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
	STEP_MAX = 16 * 1024 * 1024,
	REST = 4 * 1024 * 1024, /* that it may grow before the next try, after one in vain */
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
	uint64_t share = (idle ? SHARE_IDLE : SHARE_BUSY) * s->log.live_bytes;
	/* In the worst case half of what is looked at is live: the log must not outgrow us. */
	uint64_t step = STEP + 2 * s->log.grown;

	if (s->log.bytes <= share + SLACK || s->log.bytes < s->log.rest_until)
		return 0;
	return step < STEP_MAX ? step : STEP_MAX;
}

static int by_row(const void *pa, const void *pb)
{
	uint64_t a = slice_segment(*(struct slice *const *)pa)->row;
	uint64_t b = slice_segment(*(struct slice *const *)pb)->row;

	return (a > b) - (a < b);
}

/* The group's live slices, by their rows, at the end of those that move. */
static struct slice **add_slices(struct store *s, const struct group_state *st)
{
	struct moving *m = &s->log.moving;

	while (m->n_slices + st->n > m->cap_slices) {
		m->cap_slices = m->cap_slices ? m->cap_slices * 2 : 256;
		m->slices = mem_realloc(m->slices, m->cap_slices * sizeof(struct slice *));
	}
	struct slice **slices = m->slices + m->n_slices;

	for (uint32_t i = 0; i < st->n; i++)
		slices[i] = group_state_slice(st, i);
	qsort(slices, st->n, sizeof(struct slice *), by_row);
	m->n_slices += st->n;
	return slices;
}

static void add_move(struct store *s, size_t first, uint32_t n)
{
	struct moving *m = &s->log.moving;

	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 64;
		m->list = mem_realloc(m->list, m->cap * sizeof(*m->list));
	}
	m->list[m->n++] = (struct move){ s->changes.n - 1, first, n };
}

/* A row that is live as a whole is copied as it is. */
static void keep_live(struct change *c, struct slice **slices, uint32_t n)
{
	if (n == slice_segment(slices[0])->row_slices)
		return;
	c->keep = mem_alloc(n * sizeof(*c->keep));
	for (; c->n_keep < n; c->n_keep++)
		c->keep[c->n_keep] = slices[c->n_keep]->family->name;
}

/* slices: those of one segment that are live. */
static void move_segment(struct store *s, const struct group *g, struct slice **slices, uint32_t n,
			 bool whole)
{
	struct segment *seg = slice_segment(slices[0]);
	struct change *c = store_change_add(s, CHANGE_MOVE_SEGMENT);

	c->row = s->next_row++;
	c->from = seg->row;
	c->group = g->id;
	c->whole = whole;
	c->pushed_at = seg->pushed_at;
	keep_live(c, slices, n);
	add_move(s, (size_t)(slices - s->log.moving.slices), n);
	seg->moving = true;
}

static void move_group(struct store *s, const struct group *g)
{
	struct slice **slices = add_slices(s, g->cur);
	uint32_t n;

	for (uint32_t i = 0; i < g->cur->n; i += n) {
		for (n = 1; i + n < g->cur->n; n++)
			if (slice_segment(slices[i + n]) != slice_segment(slices[i]))
				break;
		move_segment(s, g, slices + i, n, i == 0);
	}
}

/* The group's oldest row that is live and does not move; UINT64_MAX: none. */
static uint64_t oldest_row(const struct group *g)
{
	uint64_t oldest = UINT64_MAX;

	for (uint32_t i = 0; i < group_state_n_segments(g->cur); i++) {
		const struct segment *seg = group_state_segment(g->cur, i);

		if (!seg->moving && seg->row < oldest)
			oldest = seg->row;
	}
	return oldest;
}

/* Rows of one group often lie side by side, and looking at all of a large one takes its time. */
static uint64_t known_oldest_row(struct store *s, const struct group *g)
{
	struct known *k = &s->log.known[g->id % CLEAN_KNOWN];

	if (k->group != g->id)
		*k = (struct known){ g->id, oldest_row(g) };
	return k->oldest_row;
}

void store_clean_row(struct store *s, uint64_t row, uint32_t group, size_t body)
{
	const struct group *g = group < s->n_ids ? s->by_id[group] : NULL;

	if (s->log.pass_end == 0)
		s->log.pass_end = s->next_row - 1;
	s->log.trimmed += row_bytes_of(body);
	s->log.trim_to = row;
	/* The oldest live one comes first, and takes all others of the group along. */
	if (!g || !g->cur || known_oldest_row(s, g) != row)
		return;
	move_group(s, g);
	s->log.known[g->id % CLEAN_KNOWN].oldest_row = UINT64_MAX;
}

struct changes *store_clean_changes(struct store *s)
{
	store_change_add(s, CHANGE_TRIM)->row = s->log.trim_to;
	return &s->changes;
}

static uint64_t live_bytes(struct slice **slices, uint32_t n)
{
	uint64_t live = 0;

	for (uint32_t i = 0; i < n; i++)
		live += slice_row_bytes(slices[i], slice_text(slices[i]).n);
	return live;
}

static void note_move(struct store *s, const struct move *m)
{
	struct slice **slices = s->log.moving.slices + m->first;
	const struct change *c = &s->changes.list[m->change];
	struct segment *seg = slice_segment(slices[0]);

	s->log.live_bytes -= live_bytes(slices, m->n);
	seg->row = c->row;
	seg->row_bytes = row_bytes_of(c->bytes.n);
	seg->row_slices = m->n;
	seg->text_len = 0;
	for (uint32_t i = 0; i < m->n; i++)
		seg->text_len += (uint32_t)slice_text(slices[i]).n;
	s->log.live_bytes += live_bytes(slices, m->n);
	s->log.bytes += seg->row_bytes;
	s->log.pass_moved += seg->row_bytes;
}

/* A whole pass that found hardly anything to drop, or a failure, is not repeated at once. */
static void look_at_pass(struct store *s, bool committed)
{
	s->log.pass_dropped += s->log.trimmed;
	if (committed && s->log.trim_to < s->log.pass_end)
		return;
	s->log.rest_until = 0;
	if (!committed || s->log.pass_moved > s->log.pass_dropped / 8 * 7)
		s->log.rest_until = s->log.bytes + REST;
	s->log.pass_end = s->next_row - 1;
	s->log.pass_moved = s->log.pass_dropped = 0;
}

void store_clean_end(struct store *s, bool committed)
{
	struct moving *moving = &s->log.moving;

	for (size_t i = 0; i < moving->n; i++) {
		if (committed)
			note_move(s, &moving->list[i]);
		slice_segment(moving->slices[moving->list[i].first])->moving = false;
	}
	if (committed)
		s->log.bytes -= s->log.trimmed;
	look_at_pass(s, committed);
	s->log.trimmed = 0;
	moving->n = moving->n_slices = 0;
	memset(s->log.known, 0, sizeof(s->log.known));
	if (!committed)
		store_changes_clear(s);
}
