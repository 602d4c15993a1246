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
	uint8_t mode;   /* enum group_mode */
	uint64_t birth; /* tells it from another one of the same key before or after */
	int64_t zero_first_ns;
	uint64_t max_sources;
};

struct summed {
	struct summed_brief brief; /* first; as published */
	struct merged_group *group;
	struct document doc;             /* of the head; its id is 0 */
	struct summed_head head, before; /* before: the batch */
	bool head_changed;
	uint64_t n_values; /* of all contributions, as published */
	uint64_t digest;   /* of what is shown, as published */
	/* As published, by id; under the lock of the pages. */
	struct shown_source *shown;
	size_t n_shown, cap_shown;
	size_t n_gone; /* of those: they are not there any more */
	uint32_t n_failing;
	struct lines failing;      /* how many that are, as a metric of the group */
	bool all_changed;          /* no row has anything of it yet */
	int64_t zeros_due_ns;      /* monotonic; see summed_zero.c; 0: no series shows zeros */
	struct restored *restored; /* while the log is loaded */
};

struct shown_source {
	struct contribution *c; /* of which only name and start may be read; NULL: it has gone */
	uint64_t id;
	double pushed_at, failed_at, reset_at;
	uint32_t n_series;
	bool live, ended, failing;
	char *why; /* NULL: it is not failing */
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

/* ---- summed_from_plain.c ---- */

/*
 * Before the push is merged. True: the group was not a summed one before, and what it had is the
 * beginning of its sums.
 */
bool summed_from_plain(struct store *s, struct group *g, const struct push *push);
/* Ends the plain group of the whole key, source included, or its values would be counted twice. */
void summed_end_plain_twin(struct store *s, const struct push *push);

/* ---- summed_show.c ---- */

/*
 * Makes a change of the families that are exposed otherwise than before; shape: only of those with
 * other series. take_others: all else that the group has goes. -1: they contradict what is stored,
 * and nothing has changed.
 */
int summed_show(struct store *s, struct group *g, bool shape, bool take_others, double now,
		struct err *err);
/*
 * The same, each by itself; what contradicts is told, if anybody wants to know, and not shown. -1:
 * so said who was told.
 */
int summed_show_each(struct store *s, struct group *g, double now,
		     int (*refused)(struct store *s, const struct group *g, struct str family,
				    const char *why));
/* Before the rows of the batch are made; again does nothing. */
void summed_finish(struct store *s);
/* The end of a batch, published or not. */
void summed_forget_batch(struct store *s);
/* A family of a plain group, decoded, in the arena. NULL: it cannot be read. */
struct family *summed_decode_entry(const struct entry *e, struct arena *a);

/* ---- summed_rows.c ---- */

/* Notes a document of the batch; body: of its row, with no more than an id if it is gone, or empty.
 */
struct staged_document *summed_list_document(struct store *s, struct group *g, struct document *doc,
					     struct str body);
/* Adds the rows of the documents of the batch, numbered from *next on. */
void summed_rows(struct store *s, uint64_t *next);
/* The rows are written: which of them are live. */
void summed_know_rows(struct store *s);
void summed_know_row(struct store *s, struct document *doc, uint64_t number, size_t bytes);
/* A row with a document, or with what is remembered. */
bool summed_is_live(const struct store *s, const struct row *row);
enum { SUMMED_HEAD_BYTES = 2 + 1 + 8 + 8 + 8 };
struct str summed_head_encode(const struct summed_head *h, char to[SUMMED_HEAD_BYTES]);
bool summed_head_decode(struct str bytes, struct summed_head *ret);
/* Part of publishing a group, under the lock; or it came to nothing. */
void summed_publish(struct store *s, struct group *g);
void summed_rolled_back(struct group *g);

/* ---- summed_sources.c: under the lock of the pages ---- */

/* What the batch has made of sources: before merged_commit(). Or of all there are. */
void summed_show_sources(struct store *s, struct group *g);
void summed_show_all_sources(struct store *s, struct group *g);
/* The group is summed no more. */
void summed_hide_sources(struct store *s, struct summed *su);
void summed_shown_free(struct summed *su);

/* ---- summed_fold.c: the group is touched by the batch ---- */

/* Has a contribution of that name and start been folded, and not come back since? */
bool summed_was_folded(const struct store *s, const struct summed *su, const struct source *source);
/* Increments: has the push of that id been taken? Now it is. */
bool summed_was_taken(const struct store *s, const struct summed *su, struct str push_id);
void summed_take(struct store *s, const struct summed *su, struct str push_id);
/* Has this process added before? From now on it has. */
bool summed_adds_again(struct store *s, const struct summed *su, const struct source *source);
void summed_fold(struct store *s, struct group *g, struct contribution *c);
/*
 * Where there are more values of sources than --limits.source-values: folds those of the group that
 * are not live, or are followed by another start. -1: that is not enough, and the push of that
 * source has added some; before: how many the group had.
 */
int summed_check_values(struct store *s, struct group *g, const struct source *source,
			uint64_t before, struct err *err);
/* The same of all other groups, between two pushes; false: there was nothing to be folded. */
bool summed_fold_others(struct store *s, const struct group *but);
/* Folds what is over limits.sources, but not that one. */
void summed_make_room(struct store *s, struct group *g, const struct source *source);

/* ---- summed_due.c ---- */

size_t summed_stage_due(struct store *s, int64_t now_ns, double now, size_t max);
int64_t summed_next_due(const struct store *s);
/* A batch is published: before merged_commit(). Or it was rolled back. */
void summed_await_touched(struct store *s, struct group *g);
void summed_await_popped(struct store *s);
/* All of its contributions go. */
void summed_stop_waiting(struct store *s, struct summed *su);
/*
 * All sources of a group that comes from elsewhere: they were heard of when they say. now: Unix
 * seconds, by the clock that they have their times of. Then they wait, once it is published.
 */
void summed_were_heard(struct summed *su, int64_t now_ns, double now);
void summed_await_all(struct store *s, struct group *g);
/* At start, or where another store has taken over: deadlines count from when they were heard of. */
void summed_begin_waiting(struct store *s, int64_t now_ns, double now);

/* ---- summed_zero.c ---- */

/* After a change of the group was made: some of its series may show zeros. */
void summed_note_zeros(struct store *s, struct group *g, int64_t now_ns, double now);
void summed_stage_zeros(struct store *s, int64_t now_ns);
/* What is added up is shown anew: zeros are shown for a shorter time than before. */
void summed_show_counts(struct merged_group *m);
int64_t summed_zeros_due(const struct store *s);
void summed_zeros_published(struct store *s);
void summed_zeros_rolled_back(struct store *s);

/* ---- summed_restore.c ---- */

/* All families are to be shown, whatever was shown of them. */
void summed_mark_all(struct merged_group *m);
void summed_restored_free(struct restored *r); /* NULL is fine */

/* ---- summed_apply.c ---- */

struct applied_document;

/*
 * In apply.c: rows of others have said something of the group: those documents of the list that
 * g->staged->documents leads to, over what it has, or in place of what it had as a plain one. -1:
 * *err, and the batch has to be rolled back.
 */
int summed_apply(struct store *s, struct group *g, const struct applied_document *list,
		 struct err *err);

#endif
