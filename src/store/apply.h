/*
 * Rows that others have written into the log, put on top of what the store has (a log that several
 * gateways write, journal/storage.h). The rows decide: no limit, no rule and no clock refuses one.
 *
 * The committer, between two batches and while nothing is being removed: the rows in order, then
 * store_apply_end(), which shows what they come to, at once for those who scrape. -1 from any of
 * these: the store cannot follow the rows, *err says why; store_apply_drop() is due, and the store
 * has to be loaded from the log anew.
 */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H

#include "push/push.h"
#include "store/rows.h"

struct store;

/* A moved row says nothing that the store does not have. */
static inline bool apply_is_news(const struct row *row)
{
	return row->from == 0;
}

/* store_apply_drop() takes back nothing of it. */
static inline bool apply_is_at_once(const struct row *row)
{
	return row->kind == ROW_FOLDED || row->kind == ROW_PUSH_IDS || row->kind == ROW_UNDO ||
	       row->kind == ROW_UNDONE;
}

/* What all rows have, moved ones too. */
void store_apply_any(struct store *s, const struct row *row);

/*
 * What the group has, all of it or a family, goes. Also before all rows, so that none contradicts
 * what one after it takes away or replaces. Does nothing for a group that is not there.
 */
void store_apply_hide(struct store *s, uint64_t group);
void store_apply_hide_family(struct store *s, uint64_t group, struct str family);

/* labels: of the key, as in the exposition; it and the key are borrowed until the end. */
int store_apply_group(struct store *s, const struct row *row, const struct str *labels,
		      struct err *err);
/*
 * Is the group plain, so that a record of it has families? Canonical bytes of its key; empty: there
 * is no such group.
 */
struct str store_apply_key(const struct store *s, uint64_t group, bool *ret_plain);
/*
 * Has it been left out as a whole when the log was loaded? Then its records are noted as they are:
 * nothing of them is shown, and cleaning keeps what is live.
 */
bool store_apply_is_left_out(const struct store *s, uint64_t group);
int store_apply_left_out(struct store *s, const struct row *row, struct err *err);
/*
 * The push was built of the body for the key, without the families that a later row replaces or
 * takes away. It lives until the end.
 */
int store_apply_record(struct store *s, const struct row *row, struct push *push, struct err *err);
/* A wipe; no row before it counts. */
void store_apply_wipe(struct store *s, const struct row *row);
/* All other kinds. The body is borrowed until the end. */
int store_apply_other(struct store *s, const struct row *row, struct err *err);

int store_apply_end(struct store *s, struct err *err);
void store_apply_drop(struct store *s);

/*
 * First. now: the time of the server that all count from, Unix seconds: what a row's time is
 * compared with. log_bytes: how long the log is with all of the rows, row_bytes_of() each: about.
 */
void store_apply_begin(struct store *s, double now, uint64_t log_bytes);

#endif
