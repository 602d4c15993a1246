/*
 * The account of stored bytes, for --limits.stored-bytes: about what memory the store needs for all
 * groups. It is the sum of what is counted for each group, each family in use and each entry
 * (push/stored.h), and for the sources and sums of summed groups (merge/group.h). Each of these
 * depends on what was pushed alone: not on the order, nor on values, so that the account is the
 * same after a restart. So are rows of groups and families that are left out (left_out_rows.h), as
 * many as the log had of them at start. Not counted: forms of pages that are kept for scrapes
 * (base/bytes.h), and what requests take until they are answered.
 *
 * store.staged_bytes includes what is staged, as store.staged_series does. The committer only.
 */
#ifndef STORE_STORED_BYTES_H
#define STORE_STORED_BYTES_H

#include "base/err.h"
#include "store/internal.h"

enum {
	STORED_GROUP =
		640, /* the group, its record, its writer, its places in indexes, a failure */
	STORED_FAMILY = 768,   /* the family, its header, a page */
	STORED_TIME_LINE = 80, /* a metric that the gateway adds: its name and its value */
	STORED_LIFE = 192,     /* struct lifetime, and its place in the heap of deadlines */
	/* Of a summed group, in addition to its entries. */
	STORED_SOURCE = 512,
	STORED_MERGED_SERIES = 640,
	STORED_MERGED_FAMILY = 2048,
	STORED_PART = 64, /* what a source has of a family */
	STORED_VALUE = 16,
	/*
	 * A push to a summed group takes room for its families' texts and documents until it is
	 * committed, even if little has changed.
	 */
	STORED_TEXT_TIMES = 4,
	/* Of what is left out, in addition to its bytes in rows: see left_out_rows.h. */
	STORED_LEFT_OUT = 256,
	STORED_LEFT_OUT_ROW = 128,
	STORED_BOUND = 40, /* of a bucket, for each series: the exact sum of its counts */
};

/* A line of a metric that the gateway adds to the group. */
static inline uint64_t stored_time_line(const struct group *g)
{
	uint64_t line = STORED_TIME_LINE + g->labels_n;

	/* A message has the name of the label and its value as they are. */
	return g->odd_names ? line + STORED_TIME_LINE + g->key_n : line;
}

static inline uint64_t stored_group(const struct group *g)
{
	return STORED_GROUP + g->key_n + 2 * stored_time_line(g);
}

/* The name is in the two lines of the header, too. */
static inline uint64_t stored_family(const struct store_family *f)
{
	const struct shown_family *sf = &f->shown;
	uint64_t n = STORED_FAMILY + 3 * sf->exposed.n;

	return sf->unescaped ? n + 2 * sf->name.n : n;
}

/* The bytes of the entry of that number; 0, which is none, has 0. */
static inline uint64_t entry_stored(const struct store *s, uint32_t id)
{
	return id ? lines_stored(&store_entry(s, id)->lines) : 0;
}

struct summed;
/* What a summed group takes beside its entries. */
uint64_t stored_summed(const struct group *g, const struct summed *su);

/* All that is stored, what is staged included, except what staged pushes do to summed groups. */
uint64_t stored_bytes(const struct store *s);

/*
 * -1: with a change to the group the store has more than the limit and than `before`. A change that
 * repeats the series that were there (same) may go beyond the limit by a 16th, since messages of
 * histograms get longer with their counts.
 */
int stored_bytes_check(const struct store *s, const struct group *g, uint64_t before, bool same,
		       struct err *err);
/* -1: there is no room for another group. */
int stored_bytes_check_group(const struct store *s, const struct group *g, struct err *err);

#endif
