/*
 * All groups and their families, and the index that keeps them consistent.
 *
 * One thread, the committer, changes it, in batches: store_stage() each push, store_rows() into the
 * database, then store_publish() or, when the database failed, store_rollback(). Nobody sees a
 * staged push before it is published. Any thread may take a snapshot or read the counts at any
 * time, with a lock that the committer takes only to publish, for no longer than the batch needs.
 *
 * The state is consistent at all times: one type for each name, no series twice, no suffix
 * collision, over all groups and our own metrics. A push that would break this is refused.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/group_options.h"
#include "config/group_rules.h"
#include "pages/group_copy.h"
#include "pages/group_list.h"
#include "pages/snapshot.h"
#include "push/push.h"
#include "store/large.h"
#include "store/removal.h"
#include "store/rows.h"
#include "store/undo.h"

struct store;

struct store_limits {
	uint64_t max_groups, max_series; /* series: exposed lines, the time metrics' included */
};

/* Of summed groups; 0: none. */
struct source_limits {
	int64_t fold_after_ns; /* a source that is silent for that long becomes part of the base */
	uint64_t max_values;   /* values that are kept of all sources separately */
};

struct store *store_new(const struct store_limits *lim);
/*
 * Before any other thread runs: --limits.stored-bytes (stored_bytes.h); without this call there is
 * no such limit.
 */
void store_limit_bytes(struct store *s, uint64_t max);
/* Before any other thread runs; without this call there are no such limits. */
void store_limit_sources(struct store *s, const struct source_limits *lim);
void store_free(struct store *s);
/*
 * The committer, between two batches, or before it starts: puts the limits of these rules in force
 * (rule_limits.h). Then call store_count_labels() between batches until it returns false: each call
 * counts labels of some groups, for about a millisecond.
 */
void store_use_rules(struct store *s, struct group_rules *rules);
bool store_count_labels(struct store *s);

/*
 * Announces a metric of the gateway's own, before the first push: pushes may use its name only with
 * the same type. The gateway's series of it have no `job`, so they collide with no pushed series.
 */
void store_add_own(struct store *s, struct str name, int32_t type);

/*
 * The committer. Puts the push on top of what the batch holds so far. A push that is refused
 * (here, or already when it was built: push->err.reason != ERR_NONE) gets its reason into push->err
 * and moves only its group's failure time. The push has to live until the batch is published or
 * rolled back.
 */
void store_stage(struct store *s, struct push *push);
/*
 * Before store_stage() of a push in a list: fetches what the next pushes of the list need into the
 * cache.
 */
void store_look_ahead_batch(const struct store *s, const struct push *push);

/*
 * The committer, between two batches: the rows to write for a wipe; when they are written,
 * store_wipe() removes all groups, at once for scrapes, however many there were. The rows of these
 * groups are trimmed later.
 */
const struct rows *store_wipe_rows(struct store *s, double now);
/*
 * The committer, between two batches: the rows to write to note that the gateway has run until now,
 * from which a start knows how long it was down. Then store_publish(), or store_rollback().
 */
const struct rows *store_beat_rows(struct store *s, double now);
void store_wipe(struct store *s);

/* A store without groups, with the own metrics of s and, if lim is NULL, its limits. */
struct store *store_new_like(const struct store *s, const struct store_limits *lim);
/*
 * The committer, between two batches: the content of `other` replaces that of s, at once for
 * scrapes. Takes other, which no other thread may use; store_tidy() frees what s had. now:
 * Unix seconds, by the clock of the times of rows.
 */
void store_take_over(struct store *s, struct store *other, double now);

/*
 * For a log that several gateways write: a digest of the state, which is the same for all gateways
 * that have the same rows (digest.h). store_keep_digest(): keeps it from now on; before the first
 * row or push. store_digest(): the digest of the published state; false: there is none, since
 * something is left out. store_put_digest(): adds a row with it to the batch, before anything is
 * staged and before cleaning.
 */
void store_keep_digest(struct store *s);
bool store_digest(const struct store *s, struct digest *ret);
void store_put_digest(struct store *s);

/*
 * The committer: the rows to write for the batch. Good until store_publish() or store_rollback().
 */
const struct rows *store_rows(struct store *s);

/* The committer: publishes what was staged. Cannot fail. */
void store_publish(struct store *s);
/*
 * The committer, between two batches: does what publishing has put off, since it would take longer
 * than that itself. Sorts up to max new families for scrapes, or frees up to max entries, families
 * and groups of what is gone with a large group, a wipe or store_take_over(). False: nothing was
 * left.
 */
bool store_tidy(struct store *s, size_t max);
bool store_is_untidy(struct store *s);
/* The committer: frees a store that nobody else sees any more, and what it has replaced, later. */
void store_free_later(struct store *s, struct store *old);
/* The committer: forgets what was staged; the state is as before the first store_stage(). */
void store_rollback(struct store *s);

/*
 * The committer, with a database, before it stages a batch: keeps the log (rows.h) at most about
 * twice as long as its live rows; four times while pushes always wait, since cleaning would make
 * them wait longer. store_clean_due(): how many bytes of the oldest rows to look at, 0: the log is
 * short enough. Pass each of these rows, in order, to store_clean_look(); if that is true, read its
 * body and pass the intact row to store_clean_row(); -1: the body cannot be read, and
 * store_clean_end(false) is all that may follow. store_clean_rows() then has the rows to write, to
 * which the rows of the batch are added. Call store_clean_end() before the batch is published; if
 * the rows were not written, store_rows() gives those of the batch alone. Scrapes see no
 * difference.
 */
enum clean_when {
	CLEAN_BUSY, /* pushes wait */
	CLEAN_IDLE,
	CLEAN_FULL, /* the disk is full: pushes wait for room, and the log is made as short as
		       possible */
};
uint64_t store_clean_due(const struct store *s, enum clean_when when);
bool store_clean_look(struct store *s, const struct row *row);
/* What store_clean_look() would return; changes nothing. */
bool store_clean_needs(struct store *s, const struct row *row);
int store_clean_row(struct store *s, const struct row *row, struct err *err);
const struct rows *store_clean_rows(struct store *s);
void store_clean_end(struct store *s, bool committed);
/*
 * Instead of store_clean_end(false) if the disk had no room for the step, or for the batch with it:
 * makes steps smaller until the end of the pass, down to one row. False: the step was one row
 * already.
 */
bool store_clean_put_off(struct store *s);

/*
 * At start, before any other thread runs: loads the rows of the database, first those that make
 * groups, then all, the newest first; the caller leaves out superseded ones (journal/load.c).
 * store_restore_row() is called for each row. For a record, the caller builds a push of its body
 * for the group's key. A family of a record, or a whole group, that contradicts a rule is left out,
 * and kept in the database (store_left_out()).
 */
void store_restore_begin(struct store *s);
void store_restore_group(struct store *s, const struct row *row, struct str labels);
void store_restore_row(struct store *s, const struct row *row);
/*
 * Call some records before store_restore_record(): brings what it will look up into the cache,
 * since the series of a large store are scattered in memory.
 */
void store_restore_soon(const struct store *s, const struct row *row, const struct push *push);
void store_restore_record(struct store *s, const struct row *row, struct push *push);
void store_restore_failed(struct store *s, const struct row *row);
/*
 * The same for a ROW_LEFT_OUT. store_show_left_out(), before that, for a store of which groups are
 * copied into another one: it shows these families, and the other one decides about them.
 */
void store_show_left_out(struct store *s);
void store_restore_families_left_out(struct store *s, const struct row *row, struct push *push);
/* A group whose key breaks a rule by itself. */
void store_restore_group_without(struct store *s, const struct row *row, const char *why);
void store_restore_life(struct store *s, const struct row *row);
/*
 * A row of a group that was left out as a whole, so that cleaning knows what of it is live; does
 * nothing for any other row. -1: a record that is not what we wrote.
 */
int store_restore_left_out(struct store *s, const struct row *row);
/* -1: it cannot be read. */
int store_restore_document(struct store *s, const struct row *row);
/* A row with remembered sources or pushes (remembered.h). -1: it cannot be read. */
int store_restore_remembered(struct store *s, const struct row *row);
/*
 * After the last row. now: Unix seconds, by the clock of the times of rows. -1: *err, ERR_STORAGE:
 * a document cannot be read.
 */
int store_restore_end(struct store *s, double now, struct err *err);
/*
 * Before store_begin_waiting(): notes that a gateway ran until then, Unix seconds, even if no row
 * does.
 */
void store_restore_alive(struct store *s, double at);
/* Leaves out a family of a record, which is not in its push because it breaks a rule by itself. */
void store_restore_without(struct store *s, const struct row *row, struct str family,
			   const char *why);
/* The canonical key bytes of a group that has been restored; empty when there is no such group. */
struct str store_group_key(const struct store *s, uint64_t group);

/* Strings are borrowed until the next batch. */
struct store_left_out {
	struct str key;    /* of the group; canonical bytes */
	bool whole;        /* the whole group */
	struct str family; /* otherwise; a family that breaks a rule may have an empty name */
	const char *why;
	/* Of a family that stands in a record: what was pushed, and when (Unix seconds). */
	struct str message;
	double at;
	bool contradicts; /* what was pushed to others, when it was left out first */
};

/*
 * The committer, or at start: the next family or group that is left out; *at is 0 at first; false:
 * there are no more. A family stays in the database until a push replaces it or its whole group, or
 * the group ends. A group stays until a push to its key is accepted, or deletes it.
 */
bool store_left_out(const struct store *s, size_t *at, struct store_left_out *ret);

/*
 * Which of two families that contradict each other is left out depends on which was pushed last,
 * and on nothing else only if that is settled by a row (ROW_LEFT_OUT): otherwise a start could show
 * what has been left out, or leave out what has been shown, once one of them is pushed again or
 * deleted. The committer, before the first batch after loading: while store_has_unsettled(),
 * commits store_settle_rows(), and then calls store_settled() and store_publish(); or
 * store_rollback().
 */
bool store_has_unsettled(const struct store *s);
const struct rows *store_settle_rows(struct store *s);
void store_settled(struct store *s);
/*
 * The committer, between two batches: the next family that is settled and that nothing known is in
 * the way of any more; looks at up to max of them. False: it was none of these, and there are more
 * to look at while store_is_looking_for_free(). store_finds_free(): whether there is one, which is
 * still the next one then. store_look_for_free(): at all of them once more,
 * which publishing does itself when something goes.
 */
void store_look_for_free(struct store *s);
bool store_is_looking_for_free(const struct store *s);
bool store_finds_free(struct store *s, size_t max);
bool store_next_free(struct store *s, size_t max, struct store_left_out *ret);
/*
 * Inside a batch that only this stages: the family is pushed again, though not as the group's last
 * push. push: of its message, with its time; empty: for the same group, without families. Both have
 * to live until the batch is published or rolled back. False: something is in the way, and nothing
 * is staged.
 */
bool store_show_again(struct store *s, const struct store_left_out *left, struct push *push,
		      struct push *empty);

/*
 * For a group that is copied from elsewhere. The committer, after it has staged the group's
 * families: sets the times that the group had there, in place of those that the staged pushes gave
 * it. The push has no families. Does nothing for a group that is not there.
 */
void store_stage_times(struct store *s, struct push *push, double pushed_at, double failed_at,
		       struct str failed_why);

/*
 * Groups that end by themselves, and groups whose next push is expected (lifetime.h). The
 * committer, before it stages the pushes of a batch: stages what is due for up to max groups, and
 * returns for how many. now_ns is monotonic, now Unix seconds. store_next_due(): when something is
 * due next, monotonic; INT64_MAX: never.
 */
size_t store_stage_due(struct store *s, int64_t now_ns, double now, size_t max);
int64_t store_next_due(const struct store *s);
/*
 * The committer, after a full disk has refused what was staged, and that was rolled back: sources
 * that are silent for too long, whose end takes room, stay for another five seconds. False: none
 * was due.
 */
bool store_put_off_sources(struct store *s, int64_t now_ns);
/*
 * Copies the sources of a summed group from another store; the push has made the group. A family
 * that contradicts what is stored is left out; with `all` instead: -1, push->err says why, and the
 * caller has to end the group. now: Unix seconds, from which the silence of sources is counted.
 */
int store_stage_summed(struct store *s, struct push *push, const struct store *from, double now,
		       bool all);
/*
 * Stages some of the remembered sources and pushes of another store, from *at on, 0 at first.
 * False: there are no more.
 */
bool store_stage_remembered(struct store *s, const struct store *from, size_t *at);
/*
 * Stages what another store leaves out, before anything else is staged: it is older than what is
 * shown, which it may contradict. Borrows from that store until the batch is committed. A group as
 * a whole, from *at on, 0 at first; false: there are no more. A family of a group that is there;
 * false: it is not, or the family is in documents.
 */
bool store_stage_left_out_group(struct store *s, const struct store *from, size_t *at);
bool store_stage_left_out_family(struct store *s, const struct store_left_out *left);
/*
 * Gives the push's group the lifetime that it had in another store, after its families were staged.
 */
void store_stage_life(struct store *s, const struct push *push, const struct life *life);
/*
 * After loading: deadlines hold from now on. No group ends within the time for which the gateway
 * was down, but at most grace_ns, since pushers could not push; nor before the time that an earlier
 * call has set. now: Unix seconds, by the clock of the times of rows.
 */
void store_begin_waiting(struct store *s, int64_t now_ns, double now, int64_t grace_ns);
/*
 * Any thread: the i-th job whose groups have ended by themselves, and how many; the caller frees
 * *ret_job. "" stands for all jobs without a place in the list. False: there are no more.
 */
bool store_expired(struct store *s, size_t i, char **ret_job, uint64_t *ret_n);
/*
 * The same for the next job, from *at on, and its number of groups to which several addresses push
 * in turn.
 */
bool store_conflicts(struct store *s, size_t *at, char **ret_job, uint64_t *ret_n);

/* Any thread: the functions of pages/snapshot.h, pages/group_copy.h and pages/group_list.h. */
struct snapshot *store_snapshot(struct store *s, const struct snapshot_wants *wants);
void store_age_forms(struct store *s, unsigned max_idle);
int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret);
int store_hold_group(struct store *s, uint32_t *cursor, bool with_series, struct arena *a,
		     struct held_group *ret);
bool store_list_groups(struct store *s, uint32_t *cursor, struct group_list *ret);
uint32_t store_find_group(struct store *s, struct str key);
int store_group_details(struct store *s, const struct group_brief *g, struct arena *a,
			struct group_details *ret);
struct store_counts store_counts(struct store *s);

/* The label with the most values in the groups of one rule. */
struct label_use {
	uint64_t values; /* 0: no label has any */
	uint32_t name_n;
	char name[128]; /* may be cut short */
};

/*
 * Any thread. False: the rule does not limit label values, or they are still being counted, or
 * other rules are in force.
 */
bool store_label_use(struct store *s, const struct group_rules *rules,
		     const struct group_rule *rule, struct label_use *ret);

/* A source of a summed group. */
struct source_copy {
	uint64_t id;     /* in its group; newer sources have higher ids */
	struct str name; /* canonical bytes, see struct source in merge/source.h */
	bool has_start, live, ended;
	bool failing;                       /* its last push was refused */
	double start, pushed_at, failed_at; /* Unix seconds; 0: never */
	double reset_at; /* the same: when falling counts were last taken for a new process */
	uint32_t n_series;
	struct str failed_why; /* empty: it is not failing */
};

/* Some sources of one group. */
struct sources_copy {
	enum group_mode mode;
	struct source_copy *list; /* in the order in which they first pushed */
	size_t n;
};

/*
 * Any thread. Copies up to max sources of a summed group into the arena, those with ids above
 * `after` (0: from the first on). The lock is held only for these. 1: copied, or none if there are
 * no more; 0: the group is not there any more; -1: the arena is full.
 */
int store_copy_sources(struct store *s, const struct group_brief *of, uint64_t after, size_t max,
		       struct arena *a, struct sources_copy *ret);

#endif
