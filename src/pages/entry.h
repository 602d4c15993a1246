/*
 * An entry is one family of one group: what a POST replaces. A record is one row of the journal:
 * the entries that came with one push. It is live as long as one of them is.
 *
 * There are nearly as many entries as series, so they lie in a pool and are named by its numbers
 * (base/pool.h). Until its batch is published, an entry is staged and borrows its text from the
 * push. Afterwards it does not change, and its text is in a page.
 *
 * Only the committer makes and frees entries. Other threads read them under the lock of the pages
 * (pages.h).
 */
#ifndef PAGES_ENTRY_H
#define PAGES_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/pool.h"
#include "push/push.h"

struct group;
struct page;
struct shown_family;

/* A family's help text, shared by the entries that came with the same one. */
struct help {
	struct shown_family *family;
	uint32_t refs, n;
	uint32_t n_shown; /* entries with lines that are published */
	bool given;       /* false: the entries came without a help text; n is 0 */
	char p[];
};

/*
 * Kept beside an entry that has several series, or a message beside its text, or that is too large
 * for `stored` in struct lines.
 */
struct entry_more {
	struct bytes *proto; /* the pushed message; NULL: the text says everything */
	uint64_t stored;     /* bytes that the store counts for it (push/stored.h) */
	uint32_t n_series, n_lines;
	uint64_t hashes[];
};

/* The sample lines of an entry, or of a metric that the gateway adds to a group, in a page. */
struct lines {
	union {
		struct page *page;                /* holds the text; NULL: there are no lines */
		const struct push_family *pushed; /* while it is staged */
	};
	union {
		uint64_t hash; /* if there is only one series */
		struct entry_more *more;
	};
	union {
		uint32_t bytes; /* length of its message in the journal */
		uint32_t slot;  /* of a metric that the gateway adds to a group: the group's slot */
	};
	uint32_t stored : 24; /* see struct entry_more, if that is not there */
	uint32_t type : 4;
	uint32_t has_more : 1;
	uint32_t lossy : 1;   /* more->proto is not NULL */
	uint32_t escaped : 1; /* the text has an escaped name instead of a pushed one */
	uint32_t staged : 1;
};

struct record {
	uint64_t number;           /* of its row when it was first written; 0: not written yet */
	double pushed_at;          /* Unix seconds */
	struct push *push;         /* borrowed while it is staged, then NULL */
	const struct group *group; /* outlives its entries */
	uint32_t refs;             /* its entries, its group if it is the last one, the batch */
	uint32_t n_live : 31;      /* references of published entries, and of the group */
	/* Of a summed group: its entries are made of documents, and no row holds them. */
	uint32_t merged : 1;
};

struct entry {
	struct lines lines;
	struct help *help; /* also says which family it is */
	struct record *record;
};

/* The text, published or not. */
struct str lines_text(const struct lines *l);

static inline uint64_t lines_n_series(const struct lines *l)
{
	return l->has_more ? l->more->n_series : 1;
}

/* How many there are. An entry without struct entry_more is a single line. */
static inline uint32_t lines_n(const struct lines *l)
{
	return l->has_more ? l->more->n_lines : 1;
}

static inline uint64_t lines_stored(const struct lines *l)
{
	return l->has_more ? l->more->stored : l->stored;
}

static inline const uint64_t *lines_hashes(const struct lines *l)
{
	return l->has_more ? l->more->hashes : &l->hash;
}

static inline struct bytes *lines_proto(const struct lines *l)
{
	return l->lossy ? l->more->proto : NULL;
}

/* Frees everything of the lines, which must be in no page any more. */
void lines_done(struct lines *l);

struct record *record_new(struct push *push, const struct group *g);
void record_unref(struct record *r);
void help_unref(struct help *h);

/*
 * A staged entry of the pushed family. Takes the reference to help; takes one to the record and
 * borrows the rest. The number goes to *ret_id.
 */
struct entry *entry_new(struct pool *entries, const struct push_family *pf, struct help *help,
			struct record *record, uint32_t *ret_id);
/* The entry is in no page. */
void entry_free(struct pool *entries, uint32_t id);

/* True if both have the same series, as when a push repeats: an index of series stays as it is. */
bool entry_same_series(const struct entry *a, const struct entry *b);

/* The entries of one group by family: an array while they are few, then a hash table. */
struct entry_table {
	union {
		uint32_t *ids;   /* 0: free; an array has its free places at the end */
		uint32_t few[2]; /* the array while it has no more places than this */
	};
	uint32_t n, cap;
};

enum {
	ENTRY_ARRAY_FEW = 2,
	ENTRY_ARRAY_MAX = 16 /* the places of an array; more entries are hashed */
};

/* The entry at place i; 0: the place is free. All entries are at places below cap. */
static inline uint32_t entries_at(const struct entry_table *t, uint32_t i)
{
	return t->cap > ENTRY_ARRAY_FEW ? t->ids[i] : t->few[i];
}

void entries_done(struct entry_table *t);
/* Empties it, with room for n. */
void entries_reset(struct entry_table *t, uint32_t n);
/*
 * The number of the group's entry of this family; 0: there is none. *hint: where to look first; 0
 * at the beginning, and set by each call.
 */
uint32_t entries_find(const struct entry_table *t, const struct pool *entries,
		      const struct shown_family *family, uint32_t *hint);
/*
 * Call some steps before a search for a family of that hash, like table_prefetch(): the first
 * brings the place into the cache, the second, some steps later, the entry.
 */
void entries_prefetch(const struct entry_table *t, uint64_t hash);
void entries_prefetch_entry(const struct entry_table *t, const struct pool *entries, uint64_t hash);
/* The same for all entries of a table that is an array. */
void entries_prefetch_few(const struct entry_table *t, const struct pool *entries);
/* The table has no entry of that family yet. */
void entries_add(struct entry_table *t, const struct pool *entries, uint32_t id);
/* Puts id in the place of old, which must be there. id 0: removes old. */
void entries_replace(struct entry_table *t, const struct pool *entries, uint32_t old, uint32_t id);

#endif
