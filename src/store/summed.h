/*
 * Summed groups in the store (private to src/store). The group itself is ordinary: entries, pages,
 * times. Beside it stands what its processes have said (merge/group.h), which is the committer's
 * alone. The walk of a batch:
 *
 * - summed_stage(): a push goes into the merged group. If it brings other series, these become a
 *   change (change.h) at once, so that what contradicts other groups is refused with that push, and
 *   is undone; values alone wait for the end of the batch.
 * - summed_finish(): what has changed of the values becomes one change for each group.
 * - summed_rows(): one row for each document (merge/document.h) that has changed.
 * - summed_publish(), or summed_rolled_back(), which undoes all of it.
 *
 * A group is summed as long as it has documents in the log; one of them, the head, says how.
 */
#ifndef STORE_SUMMED_H
#define STORE_SUMMED_H

#include "base/table.h"
#include "merge/document.h"
#include "store/change.h"

struct store;

/* What holds for the group as a whole: as its last push said. */
struct summed_head {
	uint8_t mode; /* enum group_mode */
	int64_t zero_first_ns;
	uint64_t max_sources;
};

struct summed {
	struct merged_group *group;
	struct document doc;             /* of the head; its id is 0 */
	struct summed_head head, before; /* before: the batch */
	bool head_changed;
	bool all_changed;          /* no row has anything of it yet */
	struct restored *restored; /* while the log is loaded */
};

struct summed *summed_new(void);
void summed_free(struct summed *su); /* NULL is fine */
void summed_init(struct store *s);
void summed_done(struct store *s);

/* Is the group summed for the next change of the batch? */
static inline struct summed *group_summed(const struct group *g)
{
	return g->staged ? g->staged->summed : g->summed;
}

/* ---- summed_stage.c ---- */

/* A push with push->said; see store_stage(). */
void summed_stage(struct store *s, struct push *push);
/* The group ends, or all its values go. */
void summed_leave(struct group *g);

/* ---- summed_show.c ---- */

/*
 * Makes a change of the families that are exposed otherwise than before; shape: only of those with
 * other series. take_others: all else that the group has goes. -1: they contradict what is stored,
 * and nothing has changed.
 */
int summed_show(struct store *s, struct group *g, bool shape, bool take_others, double now,
		struct err *err);
/* The same, each by itself; what contradicts is told, if anybody wants to know, and not shown. */
void summed_show_each(struct store *s, struct group *g, double now,
		      void (*refused)(struct store *s, const struct group *g, struct str family,
				      const char *why));
/* Before the rows of the batch are made; again does nothing. */
void summed_finish(struct store *s);
/* The end of a batch, published or not. */
void summed_forget_batch(struct store *s);
/* A family of a plain group, decoded, in the arena. NULL: it cannot be read. */
struct family *summed_decode_entry(const struct entry *e, struct arena *a);

/* ---- summed_rows.c ---- */

/* Adds the rows of the documents of the batch, numbered from *next on. */
void summed_rows(struct store *s, uint64_t *next);
/* The rows are written: which of them are live. */
void summed_know_rows(struct store *s);
void summed_know_row(struct store *s, struct document *doc, uint64_t number, size_t bytes);
bool summed_is_live(const struct store *s, uint64_t number);
bool summed_head_decode(struct str bytes, struct summed_head *ret);
/* Part of publishing a group, under the lock; or it came to nothing. */
void summed_publish(struct store *s, struct group *g);
void summed_rolled_back(struct group *g);

/* ---- summed_restore.c ---- */

void summed_restored_free(struct restored *r); /* NULL is fine */

#endif
