/*
 * Applies rows that other gateways have written into a shared log (journal/storage.h) on top of the
 * state of the store. No limit, no rule and no clock refuses a row.
 *
 * The committer calls, between two batches: store_apply_begin(), the rows in order, then
 * store_apply_end(), which publishes all of them at once. To a row, a group that a pending removal
 * (removal.h) still has to remove is gone already. -1 from any of these: the store cannot follow
 * the rows, ERR_STORAGE says why; call store_apply_drop(). Then, if a removal is pending, what is
 * still to go may be in the way: finish it and try again. Otherwise load the store from the log
 * anew.
 */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H

#include "push/push.h"
#include "store/rows.h"

struct store;

/* False for a moved row, whose content the store has already. */
static inline bool apply_is_news(const struct row *row)
{
	return row->from == 0;
}

/* Whether the row takes effect at once, so that store_apply_drop() does not take it back. */
static inline bool apply_is_at_once(const struct row *row)
{
	return row->kind == ROW_FOLDED || row->kind == ROW_PUSH_IDS || row->kind == ROW_UNDO ||
	       row->kind == ROW_UNDONE;
}

/* For each row, moved ones too: notes its number, size and time. */
void store_apply_any(struct store *s, const struct row *row);

/*
 * Takes all entries, or those of a family, out of the group. Called before the rows that do so are
 * applied as well, so that no row contradicts entries that a later row removes or replaces. Does
 * nothing for a group that is not there.
 */
void store_apply_hide(struct store *s, uint64_t group);
void store_apply_hide_family(struct store *s, uint64_t group, struct str family);

/* labels: of the key, as in the exposition; borrowed until the end, like the key. */
int store_apply_group(struct store *s, const struct row *row, const struct str *labels,
		      struct err *err);
/*
 * The canonical bytes of the group's key; empty: there is no such group. *ret_plain: it is a plain
 * group, whose records have families.
 */
struct str store_apply_key(struct store *s, uint64_t group, bool *ret_plain);
/*
 * Whether the group was left out as a whole when the log was loaded. Then store_apply_left_out()
 * takes its records: nothing of them is shown, and cleaning keeps what is live.
 */
bool store_apply_is_left_out(const struct store *s, uint64_t group);
/* A ROW_LEFT_OUT of a group that is shown. */
int store_apply_families_left_out(struct store *s, const struct row *row, struct err *err);
int store_apply_left_out(struct store *s, const struct row *row, struct err *err);
/*
 * push: built of the row's body for the group's key, without families that a later row replaces or
 * removes. It has to live until the end.
 */
int store_apply_record(struct store *s, const struct row *row, struct push *push, struct err *err);
/* A wipe: no row before it counts. */
void store_apply_wipe(struct store *s, const struct row *row);
/* All other kinds. The body is borrowed until the end. */
int store_apply_other(struct store *s, const struct row *row, struct err *err);

int store_apply_end(struct store *s, struct err *err);
void store_apply_drop(struct store *s);

/*
 * now: Unix seconds by the database server's clock, with which times of rows are compared.
 * log_bytes: about how long the log is with all of the rows, in row_bytes_of() of each.
 */
void store_apply_begin(struct store *s, double now, uint64_t log_bytes);

#endif
