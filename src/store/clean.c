/* Keeps the log short: the live part of the oldest rows is appended once more, and then these rows
 * are deleted. The cost of a row depends only on its own size: its families are looked up in the
 * group, and groups know the numbers of their other rows.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "metrics/names.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/summed.h"

enum {
	SLACK_MIN = 64 * 1024, /* bytes by which the log may be longer than its share */
	SLACK_MAX = 2 * 1024 * 1024,
	/*
	 * While pushes come, and not counting what is remembered: the longer the log, the fewer of
	 * its live rows have to move for a push. For a small store that is most of what cleaning
	 * costs.
	 */
	SLACK_BUSY = 8 * 1024 * 1024,
	/* The slack of a store that has little, as times of that. */
	SLACK_TIMES = 4,
	SLACK_BUSY_TIMES = 6,
	/*
	 * How long the log may be, in eighths of its live rows. On a full disk it is cleaned only
	 * if that frees more than it moves.
	 */
	SHARE_FULL = 9,
	SHARE_IDLE = 16,
	SHARE_BUSY = 32,
	/*
	 * The same for rows of remembered hashes, which take 16 MB once a million sources have come
	 * and gone: less, since a start reads all of the log.
	 */
	SHARE_REMEMBERED = 12,
	STEP = 256 * 1024, /* bytes that are cleaned in one step; more after a large batch */
	ONE_ROW = 1,       /* bytes of a step of a single row */
	STEP_MAX = 16 * 1024 * 1024,
	STEP_IDLE_MAX = 2 * 1024 *
			1024,   /* if nothing in the last step was live, and no push waits */
	REST = 4 * 1024 * 1024, /* bytes by which the log grows after a pass that freed little,
				   before the next pass */
};

void store_log_grew(struct store *s)
{
	s->log.grown = 0;
	for (size_t i = 0; i < s->rows.n; i++) {
		uint32_t bytes = row_bytes_of(s->rows.list[i].body.n);

		s->log.bytes += bytes;
		s->log.grown += s->rows.list[i].from ? 0 : bytes;
	}
}

static uint64_t clamp(uint64_t n, uint64_t min, uint64_t max)
{
	return n < min ? min : n < max ? n : max;
}

static uint64_t share_of(enum clean_when when)
{
	switch (when) {
	case CLEAN_FULL:
		return SHARE_FULL;
	case CLEAN_IDLE:
		return SHARE_IDLE;
	case CLEAN_BUSY:
		break;
	}
	return SHARE_BUSY;
}

/* On a full disk another pass is worth it as soon as groups have ended since the last one. */
static bool rests(const struct store *s, enum clean_when when)
{
	if (when == CLEAN_FULL && s->log.live_bytes + SLACK_MIN < s->log.rest_live_bytes)
		return false;
	return s->log.bytes < s->log.rest_until;
}

static uint64_t bytes_remembered(const struct store *s)
{
	return s->folded.live_bytes + s->push_ids.live_bytes;
}

static uint64_t slack_of(uint64_t live, uint64_t remembered, enum clean_when when)
{
	uint64_t most = when == CLEAN_FULL ? SLACK_MIN : SLACK_MAX;
	uint64_t slack = clamp(SLACK_TIMES * live, SLACK_MIN, most), busy;

	if (when != CLEAN_BUSY)
		return slack;
	busy = clamp(SLACK_BUSY_TIMES * (live - remembered), SLACK_MIN, SLACK_BUSY);
	return busy > slack ? busy : slack;
}

/* How long the log may be. */
static uint64_t allowed_bytes(const struct store *s, enum clean_when when)
{
	uint64_t share = share_of(when), remembered = bytes_remembered(s);
	uint64_t live = s->log.live_bytes + s->undo.bytes;
	uint64_t bytes = share * (live - remembered);

	bytes += (share < SHARE_REMEMBERED ? share : SHARE_REMEMBERED) * remembered;
	return bytes / 8 + slack_of(live, remembered, when);
}

uint64_t store_clean_due(const struct store *s, enum clean_when when)
{
	/*
	 * Cleaning has to be faster than the log grows, even if two thirds of each step are live,
	 * as they can be when most live rows are remembered hashes; half of them otherwise.
	 */
	uint64_t times = 2 * bytes_remembered(s) > s->log.live_bytes ? 3 : 2;
	uint64_t step = clamp(STEP + times * s->log.grown, STEP, STEP_MAX);

	if (store_removal_pending(s) || s->undo.reading)
		return 0;
	if (s->log.bytes <= allowed_bytes(s, when) || rests(s, when))
		return 0;
	/* On a full disk there is little room for the transaction as well. */
	if (when == CLEAN_FULL)
		step = STEP;
	else if (when == CLEAN_IDLE && s->log.step > step)
		step = s->log.step;
	return s->log.most && s->log.most < step ? s->log.most : step;
}

static void move_row(struct store *s, const struct row *from, enum row_kind kind, struct str body)
{
	uint64_t number = s->next_number + s->rows.n;
	struct row *row = store_row_add(s, kind);

	row->number = number;
	row->group = from->group;
	row->from = row_first_number(from);
	row->at = from->at;
	row->body = body.n ? arena_dup(&s->log.bodies, body) : STR("");
	row->checksum = row_checksum(row);
	s->log.moved += row_bytes_of(body.n);
}

/* Whether the group still has this family from that record, either shown or left out. */
static bool group_has(struct store *s, const struct group *g, uint64_t number, struct str name)
{
	CLEANUP(strbuf_done) struct strbuf exposed = { 0 };
	struct store_family *f;
	uint32_t hint = 0, id = 0;

	text_write_escaped_name(&exposed, name);
	f = store_family_find(s, name, strbuf_str(&exposed), hash_bytes(strbuf_str(&exposed)));
	if (f)
		id = entries_find(&g->entries, &s->pages.entries, &f->shown, &hint);
	if (id)
		return store_entry(s, id)->record->number == number;
	return s->left_out.n > 0 && store_is_left_out(s, g, number, name);
}

/* g is NULL if the group as a whole is left out. */
static int clean_record(struct store *s, const struct group *g, const struct row *row)
{
	const struct left_out_group *out = g ? NULL : left_out_group_find(s, row->group);
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	uint64_t number = row_first_number(row), last;
	struct str message, name;
	size_t at = 0;
	int r;

	while ((r = row_next_family(row->body, &at, &message, &name)) > 0)
		if (g ? group_has(s, g, number, name)
		      : left_out_group_has_family(out, number, name))
			strbuf_adds(&kept, message);
	if (r < 0)
		return -1;
	last = !g ? out->last : g->last ? g->last->number : 0;
	if (kept.n > 0 || last == number)
		move_row(s, row, row->kind == ROW_LEFT_OUT ? ROW_LEFT_OUT : ROW_RECORD,
			 strbuf_str(&kept));
	return 0;
}

/* Looking at all entries of the group costs less than reading the record's families. */
static bool is_worth_a_look(const struct entry_table *t, const struct row *row)
{
	enum { FAMILY_BYTES = 16 }; /* the bytes of a short family */

	return t->n <= ENTRY_ARRAY_MAX || t->n <= row->body.n / FAMILY_BYTES;
}

/* Whether a family of the record may be live, as far as can be said without reading its body. */
static bool may_be_live(const struct store *s, const struct group *g, const struct row *row)
{
	const struct entry_table *t = &g->entries;
	uint64_t number = row_first_number(row);

	if (s->left_out.n > 0 || (g->last && g->last->number == number))
		return true;
	/* Usually the last push has all of the group's families. */
	if (g->last && g->last->n_live == t->n + 1)
		return false;
	if (!is_worth_a_look(t, row))
		return true;
	for (uint32_t i = 0; i < t->cap; i++)
		if (entries_at(t, i) && store_entry(s, entries_at(t, i))->record->number == number)
			return true;
	return false;
}

static bool is_left_out(const struct store *s, const struct row *row)
{
	const struct left_out_group *out = left_out_group_find(s, row->group);

	return out && left_out_group_has_row(out, row);
}

/* Whether the row is live, without asking whether an undo needs it. */
static bool is_live(const struct store *s, const struct group *g, const struct row *row)
{
	if (row->kind == ROW_FOLDED || row->kind == ROW_PUSH_IDS)
		return summed_is_live(s, row);
	if (!g)
		return is_left_out(s, row);
	switch (row->kind) {
	case ROW_GROUP:
		return true;
	case ROW_RECORD:
	case ROW_WHOLE:
		return may_be_live(s, g, row);
	case ROW_FAILED:
		return g->failure && g->failure->number == row_first_number(row);
	case ROW_LIFE:
		return g->life && g->life->number == row_first_number(row);
	case ROW_LEFT_OUT:
		return s->left_out.n > 0;
	case ROW_FOLDED:
	case ROW_PUSH_IDS:
	case ROW_DOCUMENT:
		return summed_is_live(s, row);
	case ROW_END:
	case ROW_WIPE:
	case ROW_TAKE:
	case ROW_BEAT:
	case ROW_DIGEST:
	case ROW_UNDO:
	case ROW_KEPT:
	case ROW_UNDONE:
		break;
	}
	return false;
}

bool store_clean_needs(struct store *s, const struct row *row)
{
	return row->number + 1 < s->next_number &&
	       (is_live(s, store_group_by_id(s, row->group), row) || undoables_need(s, row));
}

bool store_clean_look(struct store *s, const struct row *row)
{
	/* The newest row stays where it is, since the next row's number follows from it. */
	if (row->number + 1 >= s->next_number)
		return false;
	if (s->log.pass_end == 0)
		s->log.pass_end = s->next_number - 1;
	s->log.trimmed += row_bytes_of(row->body.n);
	s->log.trim_to = row->number;
	return store_clean_needs(s, row);
}

/* Keeps a row that is not live, for an undo. */
static void keep_row(struct store *s, const struct row *row, enum row_kind kind, struct str body)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };

	strbuf_addc(&kept, (char)kind);
	strbuf_adds(&kept, body);
	move_row(s, row, ROW_KEPT, strbuf_str(&kept));
}

static int clean_record_of(struct store *s, const struct group *g, const struct row *row,
			   struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf needed = { 0 };

	if (clean_record(s, g, row) < 0)
		return err_set(err, ERR_SYSTEM, 0, "row %llu of the log cannot be read",
			       (unsigned long long)row->number);
	if (s->undo.n > 0)
		undoables_add_needed(s, row, &needed);
	if (needed.n > 0)
		keep_row(s, row, ROW_RECORD, strbuf_str(&needed));
	return 0;
}

int store_clean_row(struct store *s, const struct row *row, struct err *err)
{
	const struct group *g = store_group_by_id(s, row->group);
	bool own = row->kind == ROW_UNDO || row->kind == ROW_KEPT;

	if (!own && !is_live(s, g, row) && !g)
		keep_row(s, row, row->kind, row->body);
	else if (row_has_families(row))
		return clean_record_of(s, g, row, err);
	else
		move_row(s, row, row->kind, row->body);
	return 0;
}

const struct rows *store_clean_rows(struct store *s)
{
	s->rows.trim = s->log.trim_to;
	store_rows_count(s);
	return &s->rows;
}

/* After a failure, or a whole pass that dropped hardly anything, cleaning rests. */
static void look_at_pass(struct store *s, bool committed)
{
	s->log.pass_dropped += s->log.trimmed;
	s->log.pass_moved += s->log.moved;
	if (committed && s->log.trim_to > 0 && s->log.trim_to < s->log.pass_end)
		return;
	s->log.rest_until = 0;
	s->log.most = 0;
	if (!committed || s->log.trim_to == 0 || s->log.pass_moved > s->log.pass_dropped / 8 * 7)
		s->log.rest_until = s->log.bytes + REST;
	s->log.rest_live_bytes = s->log.live_bytes;
	s->log.pass_end = s->next_number - 1;
	s->log.pass_moved = s->log.pass_dropped = 0;
}

static void forget_step(struct store *s)
{
	s->log.trimmed = s->log.moved = s->log.trim_to = 0;
	arena_reset(&s->log.bodies);
}

bool store_clean_put_off(struct store *s)
{
	bool was_smallest = s->log.most == ONE_ROW;

	/* SQLite overwrites deleted rows, so the WAL needs as much room as is trimmed. */
	s->log.most = s->log.trimmed > STEP && !s->log.most ? STEP : ONE_ROW;
	forget_step(s);
	store_rows_clear(s);
	return !was_smallest;
}

void store_clean_end(struct store *s, bool committed)
{
	if (committed)
		s->log.bytes -= s->log.trimmed;
	if (committed && s->log.most)
		s->log.most = STEP;
	s->log.step = committed && s->log.moved == 0
			      ? clamp(2 * s->log.trimmed, STEP, STEP_IDLE_MAX)
			      : STEP;
	look_at_pass(s, committed);
	forget_step(s);
	if (!committed)
		store_rows_clear(s);
}
