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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "push/push.h"
#include "store/changes.h"

struct store;

/* Groups have numbers from 1 on, given out densely: a higher one would only take up memory. */
enum { STORE_GROUP_ID_MAX = 1 << 26 };

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
 * (here, or already when it was built: push->err.reason != ERR_NONE) gets its reason into push->err
 * and moves only its group's failure time. The push has to live until the batch is published or
 * rolled back.
 */
void store_stage(struct store *s, struct push *push);

/*
 * The committer, between two batches: what to write so that nothing is left, and the store without
 * any group. At once for those who scrape, however much there was.
 */
struct changes *store_wipe_changes(struct store *s);
void store_wipe(struct store *s);

/* The committer: what to write for the batch. Good until store_publish() or store_rollback(). */
struct changes *store_changes(struct store *s);

/* The committer: what was staged becomes visible. Cannot fail. */
void store_publish(struct store *s);
/* The committer: forgets what was staged; the state is as before the first store_stage(). */
void store_rollback(struct store *s);

/*
 * The committer, with a database, before it stages a batch: keeps the log of segments (changes.h)
 * about twice as long as what is live; four times while there are always pushes to be committed, as
 * then it is they who wait. due: how many bytes of the oldest rows to look at, 0: the log is short
 * enough. Each of these rows goes to clean_row(), in order, with the size of its body;
 * clean_changes() then says what to write, and the changes of the batch are added to these. end()
 * is told whether they are written, before the batch is published; if not, store_changes() gives
 * those of the batch alone. Scrapes see nothing.
 */
uint64_t store_clean_due(const struct store *s, bool idle);
void store_clean_row(struct store *s, uint64_t row, uint32_t group, size_t body);
struct changes *store_clean_changes(struct store *s);
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

/*
 * One family of a snapshot. Our own metrics that nobody pushed to are not among them.
 */
struct snapshot_family {
	struct bytes *header;    /* # HELP and # TYPE lines */
	struct str name;         /* exposed; inside the header */
	struct bytes *unescaped; /* the name as pushed; NULL: the same */
	uint8_t type;            /* enum metric_type */
	size_t first, n;         /* its pages */
};

/* A slice of a page, in the order of the text. */
struct snapshot_slot {
	uint32_t len;        /* of its text */
	struct bytes *proto; /* the message that was pushed, or NULL: the text says it all */
};

struct snapshot_page {
	struct bytes *text;
	struct snapshot_slot *slots; /* NULL: not needed */
	uint32_t n_slots;
};

/* A consistent view for a scrape: families sorted by exposed name. Holds references, copies
 * nothing. */
struct snapshot {
	struct snapshot_family *families;
	size_t n_families;
	struct snapshot_page *pages;
	size_t n_pages;
};

/* Which pages come with their slots. */
enum snapshot_slots {
	SLOTS_NONE,
	SLOTS_ESCAPED, /* those with an escaped name */
	SLOTS_LOSSY,   /* those whose text does not say all that was pushed */
};

/*
 * Any thread. A page whose text has the form (base/bytes.h) comes without slots: it has been
 * encoded before.
 */
struct snapshot *store_snapshot(struct store *s, enum snapshot_slots slots, int form);
void snapshot_free(struct snapshot *snap);

/*
 * Any thread, from time to time: forms of pages that no scrape has looked up since max_idle calls
 * ago are forgotten, but for those of pages that a scrape holds. The lock is held for one family at
 * a time.
 */
void store_age_forms(struct store *s, unsigned max_idle);

/* A group as it is published, copied: for pages and APIs that show groups and not families. */
struct group_copy_family {
	struct str name, help; /* as pushed; help.p is NULL when there is none */
	uint8_t type;          /* enum metric_type */
	double pushed_at;      /* Unix seconds: of the push that brought it */
	struct str text;       /* sample lines */
	struct str proto;      /* the message that was pushed; empty: the text says it all */
};

struct group_copy {
	struct str key; /* canonical bytes */
	double pushed_at, failed_at;
	struct group_copy_family
		*families; /* by exposed name; the time metrics are not among them */
	uint32_t n_families;
};

/*
 * Any thread. Copies the first group with an id above *cursor (0 to begin) into the arena and moves
 * *cursor to it. 1: copied, 0: there are no more, -1: the arena is full. Between two calls groups
 * may come and go; each is whole.
 */
int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret);

struct store_counts store_counts(struct store *s);

#endif
