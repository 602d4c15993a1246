/*
 * Keeping the log of records short: what its oldest rows still say is appended once more, and they
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

	for (size_t i = 0; i < s->rows.n; i++)
		if (s->rows.list[i].kind == ROW_PUT_SEGMENT)
			s->log.bytes += row_bytes_of(s->rows.list[i].bytes.n);
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

/* A row that is live as a whole is copied as it is. */
static void keep_live(struct row *row, const struct entry *const *entries, uint32_t n)
{
	if (n == entries[0]->record->n)
		return;
	row->keep = mem_alloc(n * sizeof(*row->keep));
	for (; row->n_keep < n; row->n_keep++)
		row->keep[row->n_keep] = entries[row->n_keep]->help->family->name;
}

static void add_move(struct store *s, struct record *record)
{
	struct moving *m = &s->log.moving;

	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 64;
		m->list = mem_realloc(m->list, m->cap * sizeof(*m->list));
	}
	m->list[m->n++] = (struct move){ s->rows.n - 1, record };
}

/* entries: those of one record that are live. */
static void move_record(struct store *s, const struct group *g, const struct entry *const *entries,
			uint32_t n, bool whole)
{
	struct record *record = entries[0]->record;
	struct row *row = store_row_add(s, ROW_MOVE_SEGMENT);

	row->row = s->next_row++;
	row->from = record->number;
	row->group = g->id;
	row->whole = whole;
	row->pushed_at = record->pushed_at;
	keep_live(row, entries, n);
	add_move(s, record);
	record->moving = true;
}

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = (*(struct entry *const *)pa)->record->number;
	uint64_t b = (*(struct entry *const *)pb)->record->number;

	return (a > b) - (a < b);
}

static void move_group(struct store *s, const struct group *g)
{
	const struct entry_table *t = &g->entries;
	const struct entry **entries = mem_alloc(t->n * sizeof(*entries));
	uint32_t n = 0, n_of;

	for (uint32_t i = 0; i < t->cap; i++)
		if (t->ids[i])
			entries[n++] = store_entry(s, t->ids[i]);
	qsort(entries, n, sizeof(*entries), by_number);
	for (uint32_t i = 0; i < n; i += n_of) {
		for (n_of = 1; i + n_of < n; n_of++)
			if (entries[i + n_of]->record != entries[i]->record)
				break;
		move_record(s, g, entries + i, n_of, i == 0);
	}
	free(entries);
}

/* The group's oldest row that is live and does not move; UINT64_MAX: none. */
static uint64_t oldest_row(const struct store *s, const struct group *g)
{
	uint64_t oldest = UINT64_MAX;

	for (uint32_t i = 0; i < g->entries.cap; i++) {
		const struct record *r = g->entries.ids[i]
						 ? store_entry(s, g->entries.ids[i])->record
						 : NULL;

		if (r && !r->moving && r->number < oldest)
			oldest = r->number;
	}
	return oldest;
}

/* Rows of one group often lie side by side, and looking at all of a large one takes its time. */
static uint64_t known_oldest_row(struct store *s, const struct group *g)
{
	struct known *k = &s->log.known[g->id % CLEAN_KNOWN];

	if (k->group != g->id)
		*k = (struct known){ g->id, oldest_row(s, g) };
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
	if (!g || !g->exists || known_oldest_row(s, g) != row)
		return;
	move_group(s, g);
	s->log.known[g->id % CLEAN_KNOWN].oldest_row = UINT64_MAX;
}

struct rows *store_clean_rows(struct store *s)
{
	store_row_add(s, ROW_TRIM)->row = s->log.trim_to;
	return &s->rows;
}

static void note_move(struct store *s, const struct move *m)
{
	const struct row *row = &s->rows.list[m->row];
	uint32_t bytes = row_bytes_of(row->bytes.n);

	m->record->number = row->row;
	if (row->n_keep)
		m->record->n = row->n_keep;
	s->log.bytes += bytes;
	s->log.pass_moved += bytes;
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
		moving->list[i].record->moving = false;
	}
	if (committed)
		s->log.bytes -= s->log.trimmed;
	look_at_pass(s, committed);
	s->log.trimmed = 0;
	moving->n = 0;
	memset(s->log.known, 0, sizeof(s->log.known));
	if (!committed)
		store_rows_clear(s);
}
