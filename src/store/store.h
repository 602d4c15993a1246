/*
 * Everything that is exposed: groups, their families, and the index that keeps them consistent.
 *
 * One thread, the committer, changes it, in batches: store_stage() each push, store_rows() into
 * the database, then store_publish() or, when the database failed, store_rollback(). Nobody sees a
 * staged push before it is published. Any thread may take a snapshot or read the counts at any
 * time: they hold a lock that the committer takes only to publish, and never for longer than the
 * batch needs.
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
	uint64_t max_values;   /* that are kept of all sources one by one */
};

struct store *store_new(const struct store_limits *lim);
/* Before any other thread; none hold if it is not called. */
void store_limit_sources(struct store *s, const struct source_limits *lim);
void store_free(struct store *s);
/*
 * The committer, between two batches, or before it starts: the limits of these rules hold from now
 * on (rule_limits.h). Then store_count_labels() between batches until it says false: it counts what
 * some groups have, for a millisecond or so.
 */
void store_use_rules(struct store *s, struct group_rules *rules);
bool store_count_labels(struct store *s);

/*
 * Announces a metric of our own, before the first push: pushes may use the name with the same type
 * only, and our series of it can collide with nothing, since they have no `job`.
 */
void store_add_own(struct store *s, struct str name, int32_t type);

/*
 * The committer. Puts the push on top of what the batch holds so far. A push that is refused
 * (here, or already when it was built: push->err.reason != ERR_NONE) gets its reason into push->err
 * and moves only its group's failure time. The push has to live until the batch is published or
 * rolled back.
 */
void store_stage(struct store *s, struct push *push);
/* Before store_stage() of pushes that are one list: fetches what the next ones need. */
void store_look_ahead_batch(const struct store *s, const struct push *push);

/*
 * The committer, between two batches: what to write so that nothing is left, and the store without
 * any group. At once for those who scrape, however much there was; what the log has of it is
 * trimmed later.
 */
const struct rows *store_wipe_rows(struct store *s, double now);
/*
 * The committer, between two batches: what to write so that a restart knows that the gateway has
 * run until now, by which it knows how long it was down. Then store_publish(), or store_rollback().
 */
const struct rows *store_beat_rows(struct store *s, double now);
void store_wipe(struct store *s);

/* Without a group, with the same metrics of our own and, if lim is NULL, the same limits. */
struct store *store_new_like(const struct store *s, const struct store_limits *lim);
/*
 * The committer, between two batches: what `other` holds takes the place of what s holds, at once
 * for those who scrape. Frees other, which nobody else may know of. now: Unix seconds, by the clock
 * that the rows have their times of.
 */
void store_take_over(struct store *s, struct store *other, double now);

/*
 * For a log that several gateways write: a digest of the state, which is the same for all who have
 * the same rows. Kept from the call on, which is before the first row or push. store_digest():
 * as published; false: there is none, since something is left out. store_put_digest(): a row of the
 * batch says it, before anything is staged and before cleaning.
 */
void store_keep_digest(struct store *s);
bool store_digest(const struct store *s, struct digest *ret);
void store_put_digest(struct store *s);

/* The committer: what to write for the batch. Good until store_publish() or store_rollback(). */
const struct rows *store_rows(struct store *s);

/* The committer: what was staged becomes visible. Cannot fail. */
void store_publish(struct store *s);
/* The committer: forgets what was staged; the state is as before the first store_stage(). */
void store_rollback(struct store *s);

/*
 * The committer, with a database, before it stages a batch: keeps the log (rows.h) about twice as
 * long as what is live; four times while there are always pushes to be committed, as then it is
 * they who wait. due: how many bytes of the oldest rows to look at, 0: the log is short enough.
 * Each of these rows, unharmed, goes to clean_row(), in order; -1: it is not what we wrote, and
 * there is nothing to be done but end(false). clean_rows() then says what to write, and the rows of
 * the batch are added to these. end() is told whether they are written, before the batch is
 * published; if not, store_rows() gives those of the batch alone. Scrapes see nothing.
 */
enum clean_when {
	CLEAN_BUSY, /* pushes wait */
	CLEAN_IDLE,
	CLEAN_FULL, /* the disk is: pushes wait for room, and the log becomes as short as it can */
};
uint64_t store_clean_due(const struct store *s, enum clean_when when);
bool store_clean_look(struct store *s, const struct row *row);
/* Would that be true? Nothing is noted. */
bool store_clean_needs(struct store *s, const struct row *row);
int store_clean_row(struct store *s, const struct row *row, struct err *err);
const struct rows *store_clean_rows(struct store *s);
void store_clean_end(struct store *s, bool committed);
/*
 * In place of end(false) where the disk has no room for the step, or for the batch beside it: up to
 * the end of the pass steps are smaller, down to one row. False: the step was of one row.
 */
bool store_clean_put_off(struct store *s);

/*
 * At start, before any other thread: rows as the database has them, those that make groups first,
 * then all, the newest first; what is superseded is for the caller to know (journal/load.c).
 * restore_row is told of each of them. A record takes a push that was built of the body for the
 * group's key. What contradicts a rule is left out, and kept in the database (store_left_out()):
 * that family of a record, or a whole group.
 */
void store_restore_begin(struct store *s);
void store_restore_group(struct store *s, const struct row *row, struct str labels);
void store_restore_row(struct store *s, const struct row *row);
/* Some records before store_restore_record(): brings near what it will look for, as each of a large
 * store's series is in a place of its own. */
void store_restore_soon(const struct store *s, const struct row *row, const struct push *push);
void store_restore_record(struct store *s, const struct row *row, struct push *push);
void store_restore_failed(struct store *s, const struct row *row);
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
/* Of no group: sources and pushes that are remembered. -1: it cannot be read. */
int store_restore_remembered(struct store *s, const struct row *row);
/*
 * After the last row. now: Unix seconds, by the clock that the rows have their times of. -1: *err,
 * ERR_STORAGE: a document cannot be read.
 */
int store_restore_end(struct store *s, double now, struct err *err);
/* Before store_begin_waiting(): some gateway ran until then, Unix seconds, whatever rows say. */
void store_restore_alive(struct store *s, double at);
/* A family of a record that is not in its push, because it breaks a rule by itself. */
void store_restore_without(struct store *s, const struct row *row, struct str family,
			   const char *why);
/* The canonical key bytes of a group that has been restored; empty when there is no such group. */
struct str store_group_key(const struct store *s, uint64_t group);

/* Strings are borrowed until the next batch. */
struct store_left_out {
	struct str key;    /* of the group; canonical bytes */
	struct str family; /* empty: the whole group */
	const char *why;
};

/*
 * The committer, or at start: the next that is left out; *at is 0 at first; false: there are no
 * more. A family stays in the database until its group is pushed to with that name, replaced, or
 * ends. A whole group stays until a push to its key is accepted, or deletes it.
 */
bool store_left_out(const struct store *s, size_t *at, struct store_left_out *ret);

/*
 * The committer, after staging what another gateway had kept of the push's group: the times it had
 * there, whatever the staged pushes have made of them. The push has no families. Does nothing for a
 * group that is not there.
 */
void store_stage_times(struct store *s, struct push *push, double pushed_at, double failed_at,
		       struct str failed_why);

/*
 * Groups that end by themselves, and those whose next push is awaited (lifetime.h). The committer,
 * before it stages the pushes of a batch: stages what is due for up to max groups; returns for how
 * many. now_ns is monotonic, now Unix seconds. next_due: when there is something to stage again;
 * INT64_MAX: never.
 */
size_t store_stage_due(struct store *s, int64_t now_ns, double now, size_t max);
int64_t store_next_due(const struct store *s);
/*
 * What sources have said in another store, likewise: the push has made the group. A family that
 * contradicts what is stored is left out; or, with `all`, -1, push->err says why, and the group is
 * to be ended. now: Unix seconds, from which it counts for how long sources have been silent.
 */
int store_stage_summed(struct store *s, struct push *push, const struct store *from, double now,
		       bool all);
/*
 * Of the sources and pushes that another store remembers, those from *at on, some of them; 0 is
 * where to begin. False: there are no more.
 */
bool store_stage_remembered(struct store *s, const struct store *from, size_t *at);
/* As it was in another store, after the push was staged of what there was of its group. */
void store_stage_life(struct store *s, const struct push *push, const struct life *life);
/*
 * After loading: deadlines count from now on. What was missed while the gateway was down waits for
 * as long as that was, but not longer than grace_ns: pushers had no chance. Nor does anything end
 * before an earlier call has said. now: Unix seconds, by the clock that the rows have their times
 * of.
 */
void store_begin_waiting(struct store *s, int64_t now_ns, double now, int64_t grace_ns);
/* Any thread: the i-th job that groups of have ended by themselves; job is to be freed. "" stands
 * for all that have no place in the list. False: there are no more. */
bool store_expired(struct store *s, size_t i, char **ret_job, uint64_t *ret_n);
/* Likewise: the next job, from *at on, with n groups that several addresses push to in turn. */
bool store_conflicts(struct store *s, size_t *at, char **ret_job, uint64_t *ret_n);

/* Any thread: what pages/snapshot.h, pages/group_copy.h and pages/group_list.h say. */
struct snapshot *store_snapshot(struct store *s, const struct snapshot_wants *wants);
void store_age_forms(struct store *s, unsigned max_idle);
int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret);
bool store_list_groups(struct store *s, uint32_t *cursor, struct group_list *ret);
int store_group_details(struct store *s, const struct group_brief *g, struct arena *a,
			struct group_details *ret);
struct store_counts store_counts(struct store *s);

/* Of the groups of one rule, the label with the most values. */
struct label_use {
	uint64_t values; /* 0: no label has any */
	uint32_t name_n;
	char name[128]; /* may be cut short */
};

/* Any thread. False: the rule has no limit of label values, or they are being counted, or other
 * rules are in force. */
bool store_label_use(struct store *s, const struct group_rules *rules,
		     const struct group_rule *rule, struct label_use *ret);

/* A source of a summed group. */
struct source_copy {
	uint64_t id;     /* in its group; of two, the one that was heard of later has the higher */
	struct str name; /* canonical: labels as key_encode() writes them, or 0xFF and what the push
			    said; empty: the start is the source */
	bool has_start, live, ended;
	bool failing;                       /* its last push was refused */
	double start, pushed_at, failed_at; /* Unix seconds; 0: never */
	double reset_at; /* likewise: when a fall of its counts was last taken for a new process */
	uint32_t n_series;
	struct str failed_why; /* empty: it is not failing */
};

/* Some of those of one group. */
struct sources_copy {
	enum group_mode mode;
	struct source_copy *list; /* in the order in which they were first heard of */
	size_t n;
};

/*
 * Any thread. Copies up to max sources of a summed group into the arena, those that were heard of
 * after the one with that id (0: from the first on). The lock is held for those alone. 1: copied;
 * none: there are no more; 0: the group is not there any more; -1: the arena is full.
 */
int store_copy_sources(struct store *s, const struct group_brief *of, uint64_t after, size_t max,
		       struct arena *a, struct sources_copy *ret);

#endif
