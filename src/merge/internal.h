/* Shared by the files of a summed group (private to src/merge). */
#ifndef MERGE_INTERNAL_H
#define MERGE_INTERNAL_H

#include <math.h>

#include "merge/group.h"

/* ---- undo.c: what has been done, so that it can be taken back in the reverse order ---- */

enum undo_kind {
	UNDO_PART,      /* contribution, family, old part, new part */
	UNDO_BASE,      /* family, a part's value at a place that went into or out of the base */
	UNDO_STATE,     /* family, series: all of it but sums */
	UNDO_FIELDS,    /* contribution: what says when and how it was last heard of */
	UNDO_LIVE,      /* contribution */
	UNDO_ADDED,     /* contribution */
	UNDO_REMOVED,   /* contribution */
	UNDO_FAMILY,    /* it was added */
	UNDO_DROPPED,   /* it was dropped */
	UNDO_SERIES,    /* one was added to a family */
	UNDO_LAYOUT,    /* one was added to a family */
	UNDO_SHOWN,     /* another layout is shown */
	UNDO_FLAGS,     /* of a family: what has changed of it */
	UNDO_OWNED,     /* a part that is no contribution's, to be freed either way */
	UNDO_EXEMPLARS, /* of a series: both sets */
	UNDO_HELD,      /* of a series: old part, new part */
	UNDO_SUMS,      /* of a series: the base that it had */
};

struct series_state {
	bool in_base, there;
	struct native_shape native;
	double since, value, base_value;
	uint64_t number;
	struct contribution *by;
};

struct contribution_fields {
	bool ended, returned, changed;
	double pushed_at, failed_at, source_ttl, resets[3];
	int64_t heard_ns;
};

struct undo {
	enum undo_kind kind;
	bool flag;
	int times;
	uint32_t series, at;
	struct contribution *c;
	struct merged_family *f;
	struct part *old, *new;
	union {
		struct series_state state;
		struct contribution_fields fields;
		uint64_t number;
		bool flags[3];
		struct exemplars *exemplars[2]; /* references */
		struct sums *sums;              /* owned */
	};
};

struct undo *undo_add(struct merged_group *g, enum undo_kind kind);
/* Call before the first change of each. */
void undo_save_state(struct merged_group *g, struct merged_family *f, uint32_t series);
void undo_save_fields(struct merged_group *g, struct contribution *c);
/* Marks what has changed of a family. */
void family_changed(struct merged_group *g, struct merged_family *f, bool shape, bool base);

/* ---- family.c ---- */

/* What becomes of one series of a part. */
struct pick {
	uint32_t series;
	uint32_t at; /* in what was said, or in the old part */
	bool old;
	double created; /* Unix seconds; 0: not known */
};

struct merged_family *family_find(const struct merged_group *g, struct str name);
struct merged_family *family_add(struct merged_group *g, const struct said_family *sf);
/* Its name is free for another one; its parts stay until the commit. */
void family_drop(struct merged_group *g, struct merged_family *f);
void family_free(struct merged_family *f);
/* Takes the family out of where it is found, or puts it back. */
void family_unlink(struct merged_group *g, struct merged_family *f);
void family_link(struct merged_group *g, struct merged_family *f);
/* The number of a series, which is added if there is none; *hint is where to look first. */
uint32_t family_series(struct merged_group *g, struct merged_family *f, const struct said_metric *m,
		       uint32_t *hint);
/*
 * What was said, by number of the series; those that nobody has said yet get one, and a time since
 * when they are exposed. To be freed.
 */
struct pick *family_picks(struct merged_group *g, struct merged_family *f,
			  const struct said_family *sf, double now);
/* Shows another layout from now on, that of the push of that number. */
void family_show_layout(struct merged_group *g, struct merged_family *f, uint32_t layout,
			uint64_t number);
/* UINT32_MAX: there is none. */
uint32_t family_lookup(const struct merged_family *f, const struct said_metric *m);
uint32_t family_layout(struct merged_group *g, struct merged_family *f, const struct said_dist *d);
void family_pop_series(struct merged_family *f);
void family_pop_layout(struct merged_family *f);

/* ---- sums.c ---- */

/* Adds a part's value at a place `times` times, 1 or -1. */
void sums_add(const struct merged_family *f, struct sums *to, const struct part *p, uint32_t at,
	      int times);
void sums_done(struct sums *s);
/* The same of all that the other one has. */
void sums_add_sums(const struct merged_family *f, struct sums *to, const struct sums *from,
		   int times);
/* Nothing is counted in layouts from that one on. */
void sums_cut_layouts(struct sums *s, uint32_t n);
/* The counts of a layout, which are made if they are not there. */
struct exact *sums_layout(const struct merged_family *f, struct sums *s, uint32_t layout);
/* Counts what the new part says instead of the old one; either may be NULL. */
void sums_recount(struct merged_family *f, const struct part *old, const struct part *new);
/* Into the base (1) or out of it (-1); the contribution itself is not touched. */
void base_add(struct merged_group *g, struct merged_family *f, const struct part *p, uint32_t at,
	      int times);

/* ---- extremes ---- */

/*
 * Is v the larger one (up), or the smaller one? A number is in place of a NaN, and 0 is larger than
 * -0: the extreme of several is the same in whatever order they come.
 */
static inline bool is_more_extreme(bool up, double v, double than)
{
	if (isnan(v) || isnan(than))
		return !isnan(v);
	if (v == than)
		return signbit(up ? than : v) && !signbit(up ? v : than);
	return up ? v > than : v < than;
}

/* ---- contribution.c ---- */

struct contribution *contribution_add(struct merged_group *g, const struct source *source);
/* It is found no more; its memory goes with the commit. */
void contribution_remove(struct merged_group *g, struct contribution *c);
void contribution_free(struct contribution *c);
void contribution_link(struct merged_group *g, struct contribution *c);
void contribution_unlink(struct merged_group *g, struct contribution *c);
/* Puts another part in the place of what it said of the family; takes it. NULL: nothing. */
void contribution_say(struct merged_group *g, struct contribution *c, struct merged_family *f,
		      struct part *new);
/* Sets c->live, and counts what it says of live families, or no more. */
void contribution_count_live(struct merged_group *g, struct contribution *c, bool live);
/* Those that a part has, or that move into the base with it. */
void series_note_exemplars(struct merged_group *g, struct merged_family *f, const struct part *p,
			   uint32_t at, bool base);
/* What the part says of a gauge histogram is nobody's from now on. */
void series_hold(struct merged_group *g, struct merged_family *f, const struct part *p,
		 uint32_t at);
/* Its series are shown natively as long as all that is said of them is. */
void series_note_native(struct merged_group *g, struct merged_family *f, uint32_t series,
			const struct native *v);
/* Finds a live extreme again. */
void series_refresh(struct merged_group *g, struct merged_family *f, uint32_t series);
static inline struct part *contribution_part(const struct contribution *c,
					     const struct merged_family *f)
{
	return f->index < c->n_parts ? c->parts[f->index] : NULL;
}
/* Does what a part says count in its family? */
static inline bool part_counts(const struct contribution *c, const struct merged_family *f)
{
	return !merge_policy_is_live(f->policy) || c->live;
}

/* What comes before the native part, which holds doubles. */
static inline size_t dist_room(uint32_t n, unsigned width)
{
	return (offsetof(struct part_dist, counts) + (size_t)n * width + 7) & ~(size_t)7;
}
/* NULL: it has no native part. */
static inline const struct native *dist_native(const struct merged_family *f,
					       const struct part_dist *d)
{
	return d->has_native ? (const void *)((const char *)d +
					      dist_room(f->layouts[d->layout].n, d->width))
			     : NULL;
}

/* ---- push.c, group.c ---- */

/* An extreme that nobody says any more goes on counting, in the base. */
void keep_extreme(struct merged_group *g, struct merged_family *f, uint32_t series, double v);
/* One that is said; before it is part of what its contribution says. */
void set_extreme(struct merged_group *g, struct merged_family *f, uint32_t series, double v);
/* Its live gauges go; without a start, it goes as a whole. */
void merged_end(struct merged_group *g, struct contribution *c);

/* ---- part.c ---- */

/*
 * The part that these make, which ascend by series; NULL when there is nothing to say. The number
 * is that of the push.
 */
struct part *part_make(struct merged_group *g, struct merged_family *f, const struct pick *picks,
		       uint32_t n, const struct said_family *sf, const struct part *old,
		       const uint32_t *gone, uint32_t n_gone, uint64_t number);
/* The same of one value alone. */
struct part *part_alone(const struct merged_family *f, const struct part *p, uint32_t at);
/* The values that it holds. */
size_t part_values(const struct merged_family *f, const struct part *p);
bool part_same(const struct merged_family *f, const struct part *a, uint32_t i,
	       const struct part *b, uint32_t j);

#endif
