/*
 * A group as it is published: its key, its times, its entries. Only the committer changes it, and
 * other threads read it under the lock of the pages (pages.h). `staged` holds the changes of the
 * current batch.
 */
#ifndef PAGES_GROUP_H
#define PAGES_GROUP_H

#include "config/group_options.h"
#include "pages/lifetime.h"
#include "pages/writers.h"

enum { TIME_PUSHED, TIME_FAILED };

struct staged;
struct summed;

/* The last push that was refused. */
struct failure {
	uint64_t number; /* of its row when it was first written */
	double at;       /* Unix seconds */
	uint32_t why_n;
	char why[]; /* the message of the answer; empty: not known */
};

/* What other threads may read of a summed group: the first member of struct summed. */
struct summed_brief {
	enum group_mode mode;
	uint32_t n_sources;
};

struct group {
	uint64_t id;   /* the number of the row that made it; never used again. 0: not written */
	uint32_t slot; /* > 0; its place in the store's table, reused after the group has ended */
	uint32_t key_n : 29;
	uint32_t odd_names : 1;  /* the key has label names that text can only show escaped */
	uint32_t exists : 1;     /* published */
	uint32_t has_rivals : 1; /* rivalry_of() is not NULL */
	uint32_t n_series;       /* of the entries: exposed lines */
	uint32_t written_at;     /* whole Unix seconds: of the last accepted push, by `writer` */
	uint64_t n_bytes;        /* of the entries: messages in the journal */
	uint64_t labels_n;       /* length of its labels in the exposition */
	struct entry_table entries;
	struct record *last;     /* of the last accepted push; NULL: there was none */
	struct failure *failure; /* NULL: no push was refused */
	struct lifetime *life;   /* NULL: it stays until somebody deletes it */
	struct summed *summed;   /* its sources and sums (store/summed.h); NULL: a plain group */
	struct writer *writer;   /* of the last accepted push; NULL: not known */
	struct staged *staged; /* see store/change.h; NULL: the current batch has not changed it */
	/*
	 * TIME_PUSHED, TIME_FAILED. The first also holds the hash of its series, which stands for
	 * both.
	 */
	struct lines time_lines[2];
	char key[]; /* canonical bytes */
};

/* Unix seconds; 0: never. */
static inline double group_pushed_at(const struct group *g)
{
	return g->last ? g->last->pushed_at : 0;
}

static inline double group_failed_at(const struct group *g)
{
	return g->failure ? g->failure->at : 0;
}

/* The hash of the series of TIME_PUSHED, which no two groups may share. */
static inline uint64_t group_time_hash(const struct group *g)
{
	return lines_hashes(&g->time_lines[TIME_PUSHED])[0];
}

static inline struct str group_key(const struct group *g)
{
	return (struct str){ g->key, g->key_n };
}

struct group *group_new(uint32_t slot, struct str key);
/* Frees the group with its entries. */
void group_free(struct group *g, struct pool *entries);

/* Of a plain group: GROUP_PLAIN without sources. */
static inline struct summed_brief group_summed_brief(const struct group *g)
{
	if (!g->summed)
		return (struct summed_brief){ GROUP_PLAIN, 0 };
	return *(const struct summed_brief *)g->summed;
}

#endif
