/* Shared by the files of a summed group (private to src/merge). */
#ifndef MERGE_INTERNAL_H
#define MERGE_INTERNAL_H

#include <math.h>

#include "merge/group.h"

/* ---- undo.c: the changes of a batch, which are taken back in reverse order ---- */

enum undo_kind {
	UNDO_PART,      /* contribution, family, old part, new part */
	UNDO_BASE,      /* family, a part's value at a place that went into or out of the base */
	UNDO_STATE,     /* family, series: the state of the series but for its sums */
	UNDO_FIELDS,    /* contribution: its times, resets and flags */
	UNDO_LIVE,      /* contribution */
	UNDO_ADDED,     /* contribution */
	UNDO_REMOVED,   /* contribution */
	UNDO_FAMILY,    /* it was added */
	UNDO_DROPPED,   /* it was dropped */
	UNDO_SERIES,    /* one was added to a family */
	UNDO_LAYOUT,    /* one was added to a family */
	UNDO_SHOWN,     /* another layout is shown */
	UNDO_FLAGS,     /* of a family: its three flags `...changed` */
	UNDO_OWNED,     /* a part without a contribution, freed by undo and by commit */
	UNDO_EXEMPLARS, /* of a series: both sets */
	UNDO_HELD,      /* of a series: old part, new part */
	UNDO_SUMS,      /* of a series: its base before */
};

struct series_state {
	bool in_base, there;
	struct native_shape native;
	double since, value, base_value;
	uint64_t number;
	struct contribution *by;
};

struct contribution_fields {
	bool ended, returned, changed, has_why;
	double pushed_at, failed_at, source_ttl, resets[3];
	int64_t heard_ns;
	char *why; /* owned; if has_why */
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
/* Call before a series or a contribution is changed for the first time. */
void undo_save_state(struct merged_group *g, struct merged_family *f, uint32_t series);
void undo_save_fields(struct merged_group *g, struct contribution *c);
/* The same, and leaves the contribution without a reason for the refusal. */
void undo_save_refusal(struct merged_group *g, struct contribution *c);
/* Sets the `...changed` flags of a family; shape and base say which. */
void family_changed(struct merged_group *g, struct merged_family *f, bool shape, bool base);

/* ---- family.c ---- */

/* One series of a new part, and where its value comes from. */
struct pick {
	uint32_t series;
	uint32_t at; /* in what was said, or in the old part */
	bool old;
	double created; /* Unix seconds; 0: not known */
};

struct merged_family *family_find(const struct merged_group *g, struct str name);
/* By the number of its document. NULL: there is none, or it was dropped. */
struct merged_family *family_by_id(const struct merged_group *g, uint64_t id);
/* Gives the family that document. */
void family_is_document(struct merged_group *g, struct merged_family *f,
			const struct document *doc);
struct merged_family *family_add(struct merged_group *g, const struct said_family *sf);
/* Frees the name for another family; the parts of this one stay until the commit. */
void family_drop(struct merged_group *g, struct merged_family *f);
void family_free(struct merged_family *f);
/* Takes the family out of where it is found, or puts it back. */
void family_unlink(struct merged_group *g, struct merged_family *f);
void family_link(struct merged_group *g, struct merged_family *f);
/* Nothing refers to the family's index any more. */
void family_free_index(struct merged_group *g, uint32_t index);
/* The number of a series, which is added if it is new; *hint is where to look first. */
uint32_t family_series(struct merged_group *g, struct merged_family *f, const struct said_metric *m,
		       uint32_t *hint);
/*
 * The series of sf, sorted by number; new ones are added, exposed since `now`. The caller frees the
 * list.
 */
struct pick *family_picks(struct merged_group *g, struct merged_family *f,
			  const struct said_family *sf, double now);
/*
 * Shows another layout from now on; number: the first push of the contribution that it comes from.
 */
void family_show_layout(struct merged_group *g, struct merged_family *f, uint32_t layout,
			uint64_t number);
/* UINT32_MAX: there is none. */
uint32_t family_lookup(const struct merged_family *f, const struct said_metric *m);
uint32_t family_layout(struct merged_group *g, struct merged_family *f, const struct said_dist *d);
/*
 * All layouts stay, and each document of the family has all of them: -1, if a push has brought more
 * than there were before, and they are too many.
 */
int family_check_layouts(const struct merged_family *f, uint32_t before, struct err *err);
void family_pop_series(struct merged_group *g, struct merged_family *f);
void family_pop_layout(struct merged_group *g, struct merged_family *f);

/* ---- sums.c ---- */

/* Adds a part's value at a place `times` times, 1 or -1. */
void sums_add(const struct merged_family *f, struct sums *to, const struct part *p, uint32_t at,
	      int times);
void sums_done(struct sums *s);
/* Adds all of `from`, `times` times, 1 or -1. */
void sums_add_sums(const struct merged_family *f, struct sums *to, const struct sums *from,
		   int times);
/* Drops the counts of layouts from number n on. */
void sums_cut_layouts(struct sums *s, uint32_t n);
/* The counts of a layout, which are made if they are not there. */
struct exact *sums_layout(const struct merged_family *f, struct sums *s, uint32_t layout);
/* Counts the new part instead of the old one; either may be NULL. */
void sums_recount(struct merged_family *f, const struct part *old, const struct part *new);
/* Into the base (1) or out of it (-1); the contribution itself is not touched. */
void base_add(struct merged_group *g, struct merged_family *f, const struct part *p, uint32_t at,
	      int times);

/* ---- extremes ---- */

/*
 * Whether v is larger (up) or smaller (not up) than `than`. Any number beats NaN, and 0 is larger
 * than -0, so that the extreme does not depend on the order.
 */
static inline bool is_more_extreme(bool up, double v, double than)
{
	if (isnan(v) || isnan(than))
		return !isnan(v);
	if (v == than)
		return signbit(up ? than : v) && !signbit(up ? v : than);
	return up ? v > than : v < than;
}

/*
 * ---- held.c: call when one of these comes (sign 1) or goes (-1) ----
 *
 * The second in place of the first, either of which may be NULL; a family with all of its layouts
 * and series; a layout when it is not yet, or no longer, in f->n_layouts.
 */
void held_part(struct merged_group *g, const struct merged_family *f, const struct part *old,
	       const struct part *new);
void held_series(struct merged_group *g, const struct merged_family *f,
		 const struct merged_series *s, int sign);
void held_layout(struct merged_group *g, const struct merged_family *f, const struct layout *l,
		 int sign);
void held_family(struct merged_group *g, const struct merged_family *f, int sign);

/* ---- contribution.c ---- */

struct contribution *contribution_add(struct merged_group *g, const struct source *source);
/* Takes c out of the group; its memory is freed by merged_commit(). */
void contribution_remove(struct merged_group *g, struct contribution *c);
void contribution_free(struct contribution *c);
void contribution_link(struct merged_group *g, struct contribution *c);
void contribution_unlink(struct merged_group *g, struct contribution *c);
/* Replaces the part that c has of the family by `new`, which it then owns; NULL: by none. */
void contribution_say(struct merged_group *g, struct contribution *c, struct merged_family *f,
		      struct part *new);
/* Sets c->live, and adds its values to families with live policies, or takes them out. */
void contribution_count_live(struct merged_group *g, struct contribution *c, bool live);
/* Adds the exemplars of a part to those of the series; base: to those of the base as well. */
void series_note_exemplars(struct merged_group *g, struct merged_family *f, const struct part *p,
			   uint32_t at, bool base);
/* Keeps the gauge histogram of a part whose contribution goes away. */
void series_hold(struct merged_group *g, struct merged_family *f, const struct part *p,
		 uint32_t at);
/*
 * Updates the native shape of the series with a pushed histogram; v is NULL if that has no native
 * part, after which the series is shown without one.
 */
void series_note_native(struct merged_group *g, struct merged_family *f, uint32_t series,
			const struct native *v);
/* Finds the live extremes again that are not known any more. */
void family_refresh(struct merged_group *g, struct merged_family *f);
static inline struct part *contribution_part(const struct contribution *c,
					     const struct merged_family *f)
{
	return f->index < c->n_parts ? c->parts[f->index] : NULL;
}
/* Whether the values of c count in the family. */
static inline bool part_counts(const struct contribution *c, const struct merged_family *f)
{
	return !merge_policy_is_live(f->policy) || c->live;
}

/* Bytes in front of the native part, aligned for its doubles. */
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

/* Keeps the extreme of a value that no contribution has any more in the base. */
void keep_extreme(struct merged_group *g, struct merged_family *f, uint32_t series, double v);
/* Updates the extreme with a pushed value, before the value is in a part of its contribution. */
void set_extreme(struct merged_group *g, struct merged_family *f, uint32_t series, double v);
/* Ends c: its live gauges are removed; without a start it is folded. */
void merged_end(struct merged_group *g, struct contribution *c);

/* ---- part.c ---- */

/*
 * Makes a part of the picks, which ascend by series, and of the series that the push leaves out
 * (gone); NULL when there are neither. number: that of the push.
 */
struct part *part_make(struct merged_group *g, struct merged_family *f, const struct pick *picks,
		       uint32_t n, const struct said_family *sf, const struct part *old,
		       const uint32_t *gone, uint32_t n_gone, uint64_t number);
/* A part with only the value at this place. */
struct part *part_alone(const struct merged_family *f, const struct part *p, uint32_t at);
/* How many values the part holds, as --limits.source-values counts them. */
size_t part_values(const struct merged_family *f, const struct part *p);
bool part_same(const struct merged_family *f, const struct part *a, uint32_t i,
	       const struct part *b, uint32_t j);

#endif
