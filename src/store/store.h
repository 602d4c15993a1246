/*
 * Everything that is exposed: groups, their families, and the index that keeps them consistent.
 *
 * One thread, the committer, changes it, in batches: store_stage() each push, store_changes() into
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

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "model/push.h"
#include "store/changes.h"

struct store;

struct store_limits {
	uint64_t max_groups, max_series; /* series: exposed lines, the time metrics' included */
};

struct store_counts {
	uint64_t groups, series, families, pages;
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
 * (here, or already when it was built: push->err.status != 0) gets its reason into push->err and
 * moves only its group's failure time. The push has to live until the batch is published or rolled
 * back.
 */
void store_stage(struct store *s, struct push *push);

/* The committer: what to write for the batch. Good until store_publish() or store_rollback(). */
const struct changes *store_changes(struct store *s);

/* The committer: what was staged becomes visible. Cannot fail. */
void store_publish(struct store *s);
/* The committer: forgets what was staged; the state is as before the first store_stage(). */
void store_rollback(struct store *s);

/*
 * At start, before any other thread: rows as the database has them, groups first. restore_segment
 * takes a push that was built of the row's body for the group's key. -1 with a reason when a row
 * contradicts another: the database is damaged.
 */
int store_restore_group(struct store *s, uint32_t id, struct str key, struct str labels,
			double pushed_at, double failed_at, struct err *err);
int store_restore_segment(struct store *s, uint32_t group, uint64_t row, uint64_t seq,
			  struct push *push, struct err *err);
/* The canonical key bytes of a restored group; empty when there is no such group. */
struct str store_group_key(const struct store *s, uint32_t group);

/*
 * One family of a snapshot. Our own metrics that nobody pushed to are not among them.
 */
struct snapshot_family {
	struct bytes *header; /* # HELP and # TYPE lines */
	struct str name;      /* exposed; inside the header */
	size_t first, n;      /* its pages */
};

/* A consistent view for a scrape: families sorted by exposed name. Holds references, copies
 * nothing. */
struct snapshot {
	struct snapshot_family *families;
	size_t n_families;
	struct bytes **pages;
	size_t n_pages;
};

/* Any thread. */
struct snapshot *store_snapshot(struct store *s);
void snapshot_free(struct snapshot *snap);
struct store_counts store_counts(struct store *s);

#endif
