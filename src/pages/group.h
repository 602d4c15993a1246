/*
 * What is kept of a group (private to pages and store). A push makes one segment, with a slice for each
 * family; a group's state names the slices that are live, whichever segment they came with. States
 * and slices that are published only change their places (group_state_compact()): a push builds the
 * next state beside the current one.
 * Only the committer touches any of it; what scrapes see are the pages (page.h).
 */
#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "push/push.h"

struct page;
struct room;
struct store_family;

/* A help text, shared by the slices that came with the same one. */
struct help {
	uint32_t refs, n;
	char p[];
};

/* Of a slice that is not one series which its text says. In the block of its segment. */
struct slice_more {
	struct bytes *proto; /* the pushed message when the text does not say it all, or NULL */
	uint64_t n_series;
	uint64_t hashes[];
};

/* One family of one group: what a POST replaces. There is one for nearly each series. */
struct slice {
	struct store_family *family;
	struct help *help; /* or NULL: none */
	struct page *page; /* holds the text; NULL: not published, or there are no lines */
	union {
		uint64_t hash; /* of the one series */
		struct slice_more *more;
	};
	uint32_t at; /* its place in its segment */
	uint32_t n_lines : 24, type : 4;
	uint32_t has_more : 1;
	uint32_t lossy : 1;   /* more->proto is there */
	uint32_t escaped : 1; /* the text holds a name that is not the one pushed */
};

/* What one push brought to one group, and the database row that holds it. */
struct segment {
	uint64_t row;     /* later segments win where two name one family */
	double pushed_at; /* Unix seconds */
	union {
		const struct push *push; /* borrowed until published, then NULL: its families are
					    the slices */
		struct room *room;       /* in group_state_compact(), else NULL */
	};
	uint32_t row_bytes;  /* what the row takes in the log */
	uint32_t row_slices; /* that the row holds, dead ones too */
	uint32_t text_len;   /* of these */
	uint32_t refs;       /* slices that states list, and states that have all of them */
	uint32_t n;
	bool moving; /* store_clean_row() has seen it */
	struct slice slices[];
};

static inline struct segment *slice_segment(const struct slice *s)
{
	return (struct segment *)((char *)(s - s->at) - offsetof(struct segment, slices));
}

struct group_state {
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct segment *whole;       /* the slices are all of this one, and no others, or NULL */
	uint32_t n;
	bool exists;
	struct slice *listed[]; /* otherwise */
};

enum { TIME_PUSHED, TIME_FAILED };

struct group {
	uint32_t id; /* > 0; also the database row */
	uint32_t key_n : 31;
	uint32_t odd_names : 1; /* of the key: the text of times does not say them all */
	uint64_t time_hash;
	struct group_state *cur;    /* published; NULL: not there */
	struct group_state *staged; /* by the batch at hand; NULL: untouched */
	struct group *next_touched;
	const struct str *labels; /* of the exposition; from a push of the batch, else NULL */
	double stored_pushed_at;  /* what the database row says */
	struct slice times[2];    /* TIME_PUSHED, TIME_FAILED; in no segment */
	char key[];               /* canonical bytes */
};

struct group *group_new(uint32_t id, struct str key);
void group_free(struct group *g);

static inline struct str group_key(const struct group *g)
{
	return (struct str){ g->key, g->key_n };
}

/* In times.c. Finds out, once, whether times need a message beside their text. */
void times_look_at_key(struct group *g);
/* Makes that of one of them. */
void times_make_proto(struct group *g, int which, double value);

/* The state that the next push of the batch finds: NULL when the group is not there. */
static inline struct group_state *group_state(const struct group *g)
{
	struct group_state *st = g->staged ? g->staged : g->cur;

	return st && st->exists ? st : NULL;
}

struct group_state *group_state_new(uint32_t n);
/* With the slices of one segment, which may be NULL. Takes a reference. */
struct group_state *group_state_whole(struct segment *seg);
/* The i-th slice by exposed name, then name. */
static inline struct slice *group_state_slice(const struct group_state *st, uint32_t i)
{
	return st->whole ? &st->whole->slices[i] : st->listed[i];
}

/* The segments of the slices, in no order; some come up more than once. */
static inline uint32_t group_state_n_segments(const struct group_state *st)
{
	return st->whole ? 1 : st->n;
}

static inline struct segment *group_state_segment(const struct group_state *st, uint32_t i)
{
	return st->whole ? st->whole : slice_segment(st->listed[i]);
}

/* Takes a reference on the segment of each slice put into a state. */
void group_state_put(struct group_state *st, struct slice *slice);
/* NULL is fine. Segments that no state needs go with it. */
void group_state_free(struct group_state *st);

/*
 * Of a published state that lists its slices: segments of which it has a fourth of the bytes or
 * less are replaced by such as have no others. Otherwise a slice would keep all that came with it.
 * Costs what the segments hold.
 */
void group_state_compact(struct group_state *st);

/* A segment with an empty slice for each of the push's families, and no references. */
struct segment *segment_new(const struct push *push);
void segment_unref(struct segment *seg);
/* A slice that no state will have any more: what it has beside its place is given up. */
void slice_done(struct slice *s);

static inline uint64_t slice_n_series(const struct slice *s)
{
	return s->has_more ? s->more->n_series : 1;
}

static inline const uint64_t *slice_hashes(const struct slice *s)
{
	return s->has_more ? s->more->hashes : &s->hash;
}

static inline struct bytes *slice_proto(const struct slice *s)
{
	return s->lossy ? s->more->proto : NULL;
}

/* The slice's sample lines, published or not. */
struct str slice_text(const struct slice *s);

/* The live slice of that family, or NULL. */
struct slice *group_state_find(const struct group_state *st, const struct store_family *family);

/* What a row with a body of that size takes in the log: its bytes, and some for itself. */
enum { ROW_BYTES = 32 };

static inline uint32_t row_bytes_of(size_t body)
{
	return body < UINT32_MAX - ROW_BYTES ? (uint32_t)body + ROW_BYTES : UINT32_MAX;
}

/*
 * The share in its row of a slice with a text of that length. The shares of all slices that a row
 * holds make up the whole.
 */
static inline uint64_t slice_row_bytes(const struct slice *s, size_t text_len)
{
	const struct segment *seg = slice_segment(s);

	return (uint64_t)seg->row_bytes * (text_len + 1) /
	       ((uint64_t)seg->text_len + seg->row_slices);
}

#endif
