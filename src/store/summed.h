/*
 * Summed groups in the store (private to src/store). The group itself is ordinary: entries, pages,
 * times. Beside it there is its merged group (merge/group.h), which only the committer uses. A
 * batch goes through:
 *
 * - summed_stage(): a push goes into the merged group. If that changes which series there are, a
 *   change (change.h) follows at once, so that a push that contradicts other groups is refused and
 *   undone; changed values wait for the end of the batch.
 * - summed_finish(): all changed values become one change for each group.
 * - summed_rows(): one row for each document (merge/document.h) that has changed.
 * - summed_publish(), or summed_rolled_back(), which undoes all of it.
 *
 * A group is summed as long as it has documents in the log; one of them is the head.
 */
#ifndef STORE_SUMMED_H
#define STORE_SUMMED_H

#include "base/table.h"
#include "merge/document.h"
#include "store/change.h"

struct store;

/* Options of the group as a whole, as of its last push. */
struct summed_head {
	uint8_t mode;   /* enum group_mode */
	uint64_t birth; /* tells it from an earlier or later group with the same key */
	int64_t zero_first_ns;
	uint64_t max_sources;
	/*
	 * No series that was first exposed then or before shows a zero any more, whatever the clock
	 * or zero_first become. It is in the log before the first count is shown, and only grows.
	 * Unix seconds; -1: the row does not say it, as those of earlier versions do not.
	 */
	double counted_since;
};

struct summed {
	struct summed_brief brief; /* first; as published */
	struct merged_group *group;
	struct document doc;             /* of the head; its id is 0 */
	struct summed_head head, before; /* `before`: before the batch */
	bool head_changed;
	uint64_t n_values; /* of all contributions, as published */
	uint64_t n_bytes;  /* stored_summed(), as published */
	uint64_t digest;   /* of the families shown, as published */
	/* As published, by id; under the lock of the pages. */
	struct shown_source *shown;
	size_t n_shown, cap_shown;
	size_t n_gone; /* how many of them are gone */
	uint32_t n_failing;
	struct lines failing;      /* n_failing as a metric of the group */
	bool all_changed;          /* no document of it is in a row yet */
	int64_t zeros_due_ns;      /* monotonic; see summed_zero.c; 0: no series shows zeros */
	uint64_t zeros_number;     /* no other summed group has it; 0: none has been needed */
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

/* The group as a summed one for the next change of the batch; NULL: it is plain. */
static inline struct summed *group_summed(const struct group *g)
{
	return g->staged ? g->staged->summed : g->summed;
}

/* ---- summed_stage.c ---- */

/* A push with push->said; see store_stage(). */
void summed_stage(struct store *s, struct push *push);
/* Call when the group ends, or all its values go. */
void summed_leave(struct group *g);

/* ---- summed_from_plain.c ---- */

/*
 * Before the push is merged. True: the group was plain before, and its values are now the beginning
 * of its sums.
 */
bool summed_from_plain(struct store *s, struct group *g, const struct push *push);
/* Ends the plain group of the whole key, source included, or its values would be counted twice. */
void summed_end_plain_twin(struct store *s, const struct push *push);

/* ---- summed_show.c ---- */

/*
 * Makes a change of the families whose exposition has changed; shape: only of those with other
 * series. take_others: all other entries of the group go. -1: the families contradict what is
 * stored, and nothing has changed.
 */
int summed_show(struct store *s, struct group *g, bool shape, bool take_others, double now,
		struct err *err);
/*
 * The same with a change for each family; one that contradicts what is stored is not shown, and
 * `refused` is called, unless it is NULL. -1: `refused` returned -1.
 */
int summed_show_each(struct store *s, struct group *g, double now,
		     int (*refused)(struct store *s, const struct group *g, struct str family,
				    const char *why));
/* Before the rows of the batch are made; a second call does nothing. */
void summed_finish(struct store *s);
/* The end of a batch, published or not. */
void summed_forget_batch(struct store *s);
/* A family of a plain group, decoded, in the arena. NULL: it cannot be read. */
struct family *summed_decode_entry(const struct entry *e, struct arena *a);

/* ---- summed_rows.c ---- */

/*
 * Notes a document of the batch; body: of its row, only the id if the document is gone; or empty.
 */
struct staged_document *summed_list_document(struct store *s, struct group *g, struct document *doc,
					     struct str body);
/* Adds the rows of the documents of the batch, numbered from *next on. */
void summed_rows(struct store *s, uint64_t *next);
/* Call when rows are written: notes which are live. */
void summed_know_rows(struct store *s);
void summed_know_row(struct store *s, struct document *doc, uint64_t number, size_t bytes);
/* Whether a row with a document or with remembered hashes is live. */
bool summed_is_live(const struct store *s, const struct row *row);
enum { SUMMED_HEAD_BYTES = 2 + 1 + 8 + 8 + 8 + 8 };
struct str summed_head_encode(const struct summed_head *h, char to[SUMMED_HEAD_BYTES]);
bool summed_head_decode(struct str bytes, struct summed_head *ret);
/* Part of publishing a group, under the lock of the pages, or of rolling it back. */
void summed_publish(struct store *s, struct group *g);
void summed_rolled_back(struct group *g);

/* ---- summed_sources.c: under the lock of the pages ---- */

/* Shows the sources that the batch has changed, before merged_commit(); or all sources. */
void summed_show_sources(struct store *s, struct group *g);
void summed_show_all_sources(struct store *s, struct group *g);
/* Call when the group is no longer summed. */
void summed_hide_sources(struct store *s, struct summed *su);
void summed_shown_free(struct summed *su);

/* ---- summed_fold.c: the group is touched by the batch ---- */

/* Whether a contribution of that name and start has been folded, and has not come back since. */
bool summed_was_folded(const struct store *s, const struct summed *su, const struct source *source);
/* For increments: whether the push with that id has been taken; summed_take() notes it. */
bool summed_was_taken(const struct store *s, const struct summed *su, struct str push_id);
void summed_take(struct store *s, const struct summed *su, struct str push_id);
/* Whether this process has pushed increments before; notes that it has. */
bool summed_adds_again(struct store *s, const struct summed *su, const struct source *source);
void summed_fold(struct store *s, struct group *g, struct contribution *c);
/* How much a group holds before a push. */
struct summed_use {
	uint64_t values, bytes;
};
struct summed_use summed_use_of(const struct group *g);
/*
 * If there are more values of sources than --limits.source-values, or more bytes than
 * --limits.stored-bytes: folds sources of the group that are not live, or have a newer start. -1:
 * that is not enough, and this push has added some.
 */
int summed_check_room(struct store *s, struct group *g, const struct source *source,
		      const struct summed_use *before, struct err *err);
/* The same in all groups but this one, between two pushes; false: no source could be folded. */
bool summed_fold_others(struct store *s, const struct group *but);
/* Folds sources above limits.sources, but not this one. */
void summed_make_room(struct store *s, struct group *g, const struct source *source);

/* ---- summed_due.c ---- */

size_t summed_stage_due(struct store *s, int64_t now_ns, double now, size_t max);
int64_t summed_next_due(const struct store *s);
/*
 * Call when a batch is published, before merged_commit(); or, the second, when it is rolled back.
 */
void summed_await_touched(struct store *s, struct group *g);
void summed_await_popped(struct store *s);
/* Call when all of its contributions go. */
void summed_stop_waiting(struct store *s, struct summed *su);
/*
 * For a group from another store: sets when its sources were heard of, from the times in its
 * documents. now: Unix seconds, by the clock of these times. summed_await_all(), once the group is
 * published, sets what they wait for.
 */
void summed_were_heard(struct summed *su, int64_t now_ns, double now);
void summed_await_all(struct store *s, struct group *g);
/* At start: deadlines of sources count from when they were heard of. */
void summed_begin_waiting(struct store *s, int64_t now_ns, double now);
/* The same when s has taken the place of `old`: of sources that both have, nothing is heard anew.
 */
void summed_go_on(struct store *s, const struct store *old, int64_t now_ns, double now);

/* ---- summed_zero.c ---- */

/* Which series show zeros at that time, or at the latest before it. */
struct merged_zeros summed_zeros(struct store *s, const struct summed *su, double now);
/* counted_since, once the counts of all series but these zeros are shown; or once all are. */
double summed_counted_since(const struct merged_group *m, const struct merged_zeros *z);
double summed_newest_since(const struct merged_group *m);
/* After a change of the group was made: notes that these of its series show zeros. */
void summed_note_zeros(struct store *s, struct group *g, const struct merged_zeros *z, double now);
void summed_stage_zeros(struct store *s, int64_t now_ns);
/* Marks all sums as changed, since zeros are to be shown for a shorter time than before. */
void summed_show_counts(struct merged_group *m);
int64_t summed_zeros_due(const struct store *s);
void summed_zeros_published(struct store *s);
void summed_zeros_rolled_back(struct store *s);

/* ---- summed_restore.c ---- */

/* Marks all families as changed, so that all are shown. */
void summed_mark_all(struct merged_group *m);
void summed_restored_free(struct restored *r); /* NULL is fine */

/* ---- summed_apply.c ---- */

struct applied_document;

/*
 * Called by apply.c for rows of other gateways: puts those documents of the list that
 * g->staged->documents leads to over the group's, or in place of the entries of a plain group. -1:
 * *err, and the batch has to be rolled back.
 */
int summed_apply(struct store *s, struct group *g, const struct applied_document *list,
		 struct err *err);

#endif
