/*
 * A summed group: contributions, each that of one process, and the base, which holds what is no
 * contribution's any more. What is exposed of a series is the base and what each contribution said
 * last, merged by its family's policy. Knows no store, no clock and no database; the committer
 * alone uses it.
 *
 * A push is taken in three steps: merged_begin() once for each batch; merged_push() and the other
 * calls that change something, each of which can be taken back alone by merged_undo() to the mark
 * before it, as long as it is the last one; and merged_commit() or, for all of the batch, an undo
 * to mark 0.
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
 * One row of the log: the state of a contribution, or of a family with its base. What the row is
 * called there is for who keeps it.
 */
struct document {
	uint64_t id;     /* in its group, from 1 on */
	uint64_t number; /* of the row that says it, when it was first written; 0: none does */
	uint32_t bytes;  /* of that row */
};

/* ---- what is exposed ---- */

struct layout_sums {
	uint32_t n;
	struct exact counts[]; /* at the bounds of the layout */
};

/* Of a sum. Of a histogram or summary the value is its sum. */
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
	uint32_t n_said; /* contributions that say it, of live policies: live ones */
	bool in_base;
	bool stale;                 /* value is to be found again, among the contributions */
	struct sums all, base;      /* MERGE_SUM; MERGE_LIVESUM: all */
	struct native_shape native; /* of histograms that are summed */
	/* Of what is said and of the base; of the base alone. References, or NULL. */
	struct exemplars *exemplars, *base_exemplars;
	/* A gauge histogram that is nobody's any more: the last one that was said. Owned, or NULL.
	 */
	struct part *held;
	double value;      /* other policies; of MERGE_MAX and MERGE_MIN the extreme so far */
	double base_value; /* of MERGE_MAX and MERGE_MIN: what no contribution says any more */
	/* MERGE_MOSTRECENT: the last push that said something of it, 0: none has; whose it was,
	 * NULL: the base has it; and whether it was a value or that there is none. */
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
	bool dropped;       /* another one has taken the name; gone when the batch is committed */
	bool changed;       /* what is exposed of it may be other than it was at the last commit */
	bool shape_changed; /* there are other series, or other bounds */
	bool base_changed;  /* its document is to be written */
	struct merged_series *series;
	uint32_t n, cap;
	struct table by_hash;     /* of series numbers + 1 */
	struct series_list *list; /* of the part that was made last, or NULL */
	struct layout *layouts;
	uint32_t n_layouts, shown_layout;
	uint64_t shown_number; /* first commit of the contribution that shown_layout is of */
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
	bool returned; /* it was folded before: what the base holds of it is in there */
	bool changed;  /* its document is to be written */
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	double source_ttl;           /* seconds; 0: it never counts as silent */
	double resets[3];            /* Unix seconds of the last ones that were assumed */
	/* For who keeps the time: monotonic nanoseconds of the last push, and of what is due then;
	 * and its place among those who wait, + 1. */
	int64_t heard_ns, due_ns;
	size_t wait_at;
	size_t shown_at;     /* its place among those that are shown, + 1 */
	char *failed_why;    /* owned; of the push at failed_at; NULL: not known */
	struct part **parts; /* by number of the family; NULL: nothing */
	uint32_t n_parts;
};

struct undo; /* one step; in internal.h */

struct merged_group {
	struct table by_source;              /* contributions by hash of their names */
	struct contribution **contributions; /* in no order */
	size_t n, cap;
	size_t n_values;                 /* that they hold, for --limits.source-values */
	struct merged_family **families; /* by index; NULL: free */
	uint32_t n_families;
	struct table by_name;          /* of those that are not dropped */
	uint64_t next_number, next_id; /* of pushes, of documents */
	struct undo *undo;
	size_t n_undo, cap_undo;
};

/* ---- pushes ---- */

struct merged_push {
	const struct source *source;
	const struct said *said;
	bool returned;  /* a contribution of that name and start was folded */
	bool replace;   /* PUT: gauges that it leaves out go */
	bool final;     /* the source has ended with it */
	double now;     /* Unix seconds */
	int64_t now_ns; /* monotonic */
	double source_ttl;
};

enum merged_outcome {
	MERGED_RESET = 1 << 0,     /* a count fell without a start that would say why */
	MERGED_INHERITED = 1 << 1, /* counts that are older than their process */
	MERGED_NEW = 1 << 2,       /* the first push of a contribution */
};

struct merged_group *merged_group_new(void);
void merged_group_free(struct merged_group *g);

/* Where the undoing of what follows ends. */
size_t merged_mark(const struct merged_group *g);
void merged_undo(struct merged_group *g, size_t mark);
/*
 * The contributions that have been touched since the last merged_commit(), some more than once; of
 * those that are gone `removed` is set.
 */
void merged_each_touched(const struct merged_group *g,
			 void (*fn)(void *arg, struct contribution *c), void *arg);
/* Has a family been dropped since the last merged_commit()? */
bool merged_drops(const struct merged_group *g);
/* What was taken is final: there is nothing to be undone. */
void merged_commit(struct merged_group *g);

/*
 * -1: *err, ERR_INVALID for a type that others hold, ERR_CONFLICT for the fourth reset in a minute;
 * nothing has changed then. *ret: merged_outcome bits.
 */
int merged_push(struct merged_group *g, const struct merged_push *push, unsigned *ret,
		struct err *err);

/*
 * An increment: what it counts goes into the base at once, and nobody's gauges are live. -1: *err,
 * ERR_INVALID for another type than before; nothing has changed then.
 */
int merged_add(struct merged_group *g, const struct said *said, double now, struct err *err);
/* The last push of the source was wrong: its contribution, if there is one, is noted for it. */
void merged_refused(struct merged_group *g, const struct source *source, double now,
		    const char *why);

/*
 * The contributions of a source, or with a start the one; false: there is none. Those without a
 * start go into the base.
 */
bool merged_end_source(struct merged_group *g, const struct source *source);
/* It has been silent for too long, or is heard of again. */
void merged_set_live(struct merged_group *g, struct contribution *c, bool live);
/* What it said moves into the base, and it is gone. Nothing exposed changes but live gauges. */
void merged_fold(struct merged_group *g, struct contribution *c);

/* The contribution that a push with that body would be of; said NULL: that very start. */
struct contribution *merged_find(const struct merged_group *g, const struct source *source,
				 const struct said *said);

/* Is there a family of that name, shown or not? */
bool merged_has(const struct merged_group *g, struct str family);

/* What is exposed of the family is other than it was, though nothing was said. */
void merged_family_changed(struct merged_group *g, struct merged_family *f);

/* ---- exposition ---- */

/*
 * The family as scrapes are to see it, in the arena; labels are borrowed. n_metrics is 0 when
 * nothing of it is to be seen. Series first exposed within `zero_first` seconds before `now` are
 * shown as zeros if they can be added up. False: the arena is full.
 */
bool merged_family_build(struct merged_group *g, struct merged_family *f, double now,
			 double zero_first, struct arena *a, struct family *ret);

#endif
