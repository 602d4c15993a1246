/*
 * A summed group: a contribution for each process, which is the last values that the process has
 * pushed, and the base, which holds what has been counted by contributions that are gone. A series
 * is exposed as the base and the values of all contributions, merged by its family's policy. Knows
 * no store, no clock and no database; only the committer uses it.
 *
 * Pushes are taken in two steps: merged_push() and the other calls that change the group, each of
 * which merged_undo() can take back, to the mark before it, as long as it is the last one; and at
 * the end of the batch merged_commit(), or an undo to mark 0 for all of the batch.
 */
#ifndef MERGE_GROUP_H
#define MERGE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/table.h"
#include "merge/native_sums.h"
#include "merge/part.h"
#include "merge/said.h"
#include "merge/source.h"
#include "merge/total.h"

/*
 * One row of the log with the state of a contribution, or of a family with its base (document.h).
 */
struct document {
	uint64_t id;     /* in its group, from 1 on */
	uint64_t number; /* of the row that holds it, when it was first written; 0: none yet */
	uint32_t bytes;  /* of that row */
};

/* ---- what is exposed ---- */

struct layout_sums {
	uint32_t n;
	struct exact counts[]; /* at the bounds of the layout */
};

/* The running sum of a series; `value` of a histogram or summary is its sum. */
struct sums {
	struct total value;
	struct exact count;
	struct layout_sums **layouts; /* by number; NULL: all are 0 */
	uint32_t n_layouts;
	struct native_sums native;
};

struct contribution;

struct merged_series {
	struct label *labels; /* owned, in one block with their text */
	uint32_t n_labels;
	uint64_t hash;
	bool plain;      /* as in struct metric */
	double since;    /* Unix seconds: when it was first exposed */
	uint32_t n_said; /* contributions that have it; with a live policy: live ones */
	bool in_base;
	bool stale;            /* the extreme has to be looked for again among the contributions */
	struct sums all, base; /* MERGE_SUM; MERGE_LIVESUM: all */
	struct native_shape native; /* of summed histograms */
	/* Those of all contributions and the base; those of the base alone. References, or NULL. */
	struct exemplars *exemplars, *base_exemplars;
	/* The last gauge histogram, if the contribution that pushed it is gone. Owned, or NULL. */
	struct part *held;
	double value;      /* other policies; of MERGE_MAX and MERGE_MIN the extreme so far */
	double base_value; /* of MERGE_MAX and MERGE_MIN: the extreme of values that no contribution
			      has any more */
	/*
	 * MERGE_MOSTRECENT: number of the last push about the series, 0: none; the contribution of
	 * that push, NULL: the base has the value; and whether that push had a value or left the
	 * series out.
	 */
	uint64_t number;
	struct contribution *by;
	bool there;
};

struct layout {
	uint32_t n;
	double *bounds; /* finite, ascending */
};

struct merged_family {
	uint32_t index; /* in its group */
	struct document doc;
	struct str name, help, unit; /* owned */
	bool has_help;
	uint8_t type, policy;
	bool dropped; /* another family has taken the name; freed when the batch is committed */
	bool changed; /* its exposition may differ from that at the last commit */
	bool shape_changed; /* it has other series or other bounds than at the last commit */
	bool base_changed;  /* the document has to be written */
	struct merged_series *series;
	uint32_t n, cap;
	struct table by_hash;     /* of series numbers + 1 */
	struct series_list *list; /* of the part that was made last, or NULL */
	struct layout *layouts;
	uint32_t n_layouts, shown_layout;
	uint64_t shown_number; /* number of the first push of the contribution whose layout is shown
				*/
};

/* ---- what contributions say ---- */

struct contribution {
	struct str name; /* owned; see struct source */
	bool has_start;
	double start;
	uint64_t hash; /* of the name */
	size_t at;     /* in its group's list */
	struct document doc;
	uint64_t first; /* number of its first push */
	bool live, ended, removed;
	bool returned;               /* it was folded before: the base holds what it had counted */
	bool changed;                /* the document has to be written */
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	double source_ttl;           /* seconds; 0: it never counts as silent */
	double resets[3];            /* Unix seconds of the last resets that were assumed */
	/*
	 * For store/, which keeps the time: monotonic nanoseconds of the last push, and of the next
	 * thing that is due; and its place in the queue of what is due, + 1.
	 */
	int64_t heard_ns, due_ns;
	size_t wait_at;
	size_t shown_at;     /* for store/: its place among the contributions that are shown, + 1 */
	char *failed_why;    /* owned; why the push at failed_at was refused; NULL: not known */
	struct part **parts; /* by number of the family; NULL: nothing */
	uint32_t n_parts;
};

struct undo; /* one step; in internal.h */

/* How much a group holds, beside its contributions; dropped families until the commit. */
struct held {
	size_t families, series;
	size_t parts;  /* families of all contributions */
	size_t bounds; /* of each layout: for each series of its family, and for the layout itself
			*/
	size_t text;   /* bytes of names, labels, help texts, exemplars and names of sources */
};

struct merged_group {
	struct table by_source;              /* contributions by hash of their names */
	struct contribution **contributions; /* in no order */
	size_t n, cap;
	size_t n_values; /* values that contributions hold, for --limits.source-values */
	struct held held;
	struct merged_family **families; /* by index; NULL: free */
	uint32_t n_families;
	uint32_t free_from;            /* no lower index is free */
	struct table by_name, by_id;   /* families that are not dropped */
	uint64_t next_number, next_id; /* of pushes, of documents */
	struct undo *undo;
	size_t n_undo, cap_undo;
};

/* ---- pushes ---- */

struct merged_push {
	const struct source *source;
	const struct said *said;
	bool returned;  /* a contribution of that name and start was folded */
	bool replace;   /* PUT: gauges that the push leaves out are removed */
	bool final;     /* the source ends with this push */
	double now;     /* Unix seconds */
	int64_t now_ns; /* monotonic */
	double source_ttl;
};

enum merged_outcome {
	MERGED_RESET = 1 << 0,     /* a count fell, and no start of a process explains it */
	MERGED_INHERITED = 1 << 1, /* the counts are older than their process */
	MERGED_NEW = 1 << 2,       /* the first push of a contribution */
};

struct merged_group *merged_group_new(void);
void merged_group_free(struct merged_group *g);

/* The mark to which merged_undo() takes back all changes that follow. */
size_t merged_mark(const struct merged_group *g);
void merged_undo(struct merged_group *g, size_t mark);
/*
 * Calls fn for the contributions that have been changed since the last merged_commit(), for some
 * more than once; `removed` is set of those that are gone.
 */
void merged_each_touched(const struct merged_group *g,
			 void (*fn)(void *arg, struct contribution *c), void *arg);
/* Whether a family has been dropped since the last merged_commit(). */
bool merged_drops(const struct merged_group *g);
/* Makes all changes final, so that they can no longer be undone. */
void merged_commit(struct merged_group *g);

/*
 * Takes a push of one process. -1: ERR_INVALID for a family that live contributions hold with
 * another type, ERR_CONFLICT for the fourth reset in a minute; nothing has changed then. *ret:
 * merged_outcome bits.
 */
int merged_push(struct merged_group *g, const struct merged_push *push, unsigned *ret,
		struct err *err);

/*
 * Adds a push of increments to the base; a group with mode add has no contributions. -1:
 * ERR_INVALID for another type than before; nothing has changed then.
 */
int merged_add(struct merged_group *g, const struct said *said, double now, struct err *err);
/*
 * Notes at the contribution of the source, if there is one, that its last push was refused, and
 * why.
 */
void merged_refused(struct merged_group *g, const struct source *source, double now,
		    const char *why);

/*
 * Ends the contributions of a source, or, if it has a start, the one with that start; false: there
 * is none. Contributions without a start are folded into the base.
 */
bool merged_end_source(struct merged_group *g, const struct source *source);
/*
 * Sets whether c counts for live policies: not when it has been silent for too long, again when it
 * pushes.
 */
void merged_set_live(struct merged_group *g, struct contribution *c, bool live);
/* Moves the values of c into the base and removes c. Of the exposition only live gauges change. */
void merged_fold(struct merged_group *g, struct contribution *c);

/*
 * The contribution that a push of this source with this body belongs to, or NULL; said NULL: only
 * the one with exactly that start.
 */
struct contribution *merged_find(const struct merged_group *g, const struct source *source,
				 const struct said *said);

/* Whether there is a family of that name, shown or not. */
bool merged_has(const struct merged_group *g, struct str family);

/* Marks that the exposition of the family has changed without a push. */
void merged_family_changed(struct merged_group *g, struct merged_family *f);

/* ---- exposition ---- */

/* Which series that can be added up are shown as zeros, since they are new. Unix seconds. */
struct merged_zeros {
	double first; /* those first exposed within so many seconds before `now`; 0: none */
	double now;
	double counted_since; /* none that was first exposed then or before */
};

static inline bool merged_is_zero(const struct merged_zeros *z, const struct merged_series *s)
{
	return z->first > 0 && s->since > z->counted_since && z->now < s->since + z->first;
}

/*
 * Makes the family as scrapes see it, in the arena; labels are borrowed. n_metrics is 0 when no
 * series of it is shown. False: the arena is full.
 */
bool merged_family_build(struct merged_group *g, struct merged_family *f,
			 const struct merged_zeros *zeros, struct arena *a, struct family *ret);

#endif
