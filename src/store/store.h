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
#include "pages/copy.h"
#include "pages/snapshot.h"
#include "push/push.h"
#include "store/rows.h"

struct store;

/* Groups have numbers from 1 on, given out densely: a higher one would only take up memory. */
enum { STORE_GROUP_ID_MAX = 1 << 26 };

struct store_limits {
	uint64_t max_groups, max_series; /* series: exposed lines, the time metrics' included */
};

struct store *store_new(const struct store_limits *lim);
void store_free(struct store *s);

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

/*
 * The committer, between two batches: what to write so that nothing is left, and the store without
 * any group. At once for those who scrape, however much there was.
 */
struct rows *store_wipe_rows(struct store *s);
void store_wipe(struct store *s);

/* The committer: what to write for the batch. Good until store_publish() or store_rollback(). */
struct rows *store_rows(struct store *s);

/* The committer: what was staged becomes visible. Cannot fail. */
void store_publish(struct store *s);
/* The committer: forgets what was staged; the state is as before the first store_stage(). */
void store_rollback(struct store *s);

/*
 * The committer, with a database, before it stages a batch: keeps the log of records (rows.h)
 * about twice as long as what is live; four times while there are always pushes to be committed, as
 * then it is they who wait. due: how many bytes of the oldest rows to look at, 0: the log is short
 * enough. Each of these rows goes to clean_row(), in order, with the size of its body;
 * clean_changes() then says what to write, and the changes of the batch are added to these. end()
 * is told whether they are written, before the batch is published; if not, store_rows() gives
 * those of the batch alone. Scrapes see nothing.
 */
uint64_t store_clean_due(const struct store *s, bool idle);
void store_clean_row(struct store *s, uint64_t row, uint32_t group, size_t body);
struct rows *store_clean_rows(struct store *s);
void store_clean_end(struct store *s, bool committed);

/*
 * At start, before any other thread: rows as the database has them, groups first, then segments,
 * the last one first: no other order is free of contradictions. restore_row is told of each
 * segment; restore_segment takes a push that was built of the body for the group's key, if no later
 * segment of the group was a whole one. -1 with a reason when a row contradicts another: the
 * database is damaged.
 */
int store_restore_group(struct store *s, uint32_t id, struct str key, struct str labels,
			double pushed_at, double failed_at, struct err *err);
void store_restore_row(struct store *s, uint64_t row, size_t body);
int store_restore_segment(struct store *s, uint32_t group, uint64_t row, struct push *push,
			  struct err *err);
void store_restore_end(struct store *s);
/*
 * The committer, after staging what another gateway had kept of the push's group: the times it had
 * there, whatever the staged pushes have made of them. Does nothing for a group that is not there.
 */
void store_stage_times(struct store *s, const struct push *push, double pushed_at,
		       double failed_at);
/* The canonical key bytes of a restored group; empty when there is no such group. */
struct str store_group_key(const struct store *s, uint32_t group);

/* Any thread: what pages/snapshot.h and pages/copy.h say. */
struct snapshot *store_snapshot(struct store *s, enum snapshot_slots slots, int form);
void store_age_forms(struct store *s, unsigned max_idle);
int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret);
struct store_counts store_counts(struct store *s);

#endif
