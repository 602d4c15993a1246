/* Copies of published groups, for those that look at them group by group. */
#ifndef PAGES_GROUP_COPY_H
#define PAGES_GROUP_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/str.h"
#include "config/group_options.h"
#include "pages/lifetime.h"

struct pages;

struct group_copy_family {
	struct str name, help; /* as pushed; help.p is NULL when there is none */
	struct str exposed;    /* the name in the exposition */
	uint8_t type;          /* enum metric_type */
	double pushed_at;      /* Unix seconds: of the family's last push */
	uint64_t number;       /* of that push; newer pushes have higher numbers */
	struct str text;       /* sample lines */
	struct str proto;      /* the message that was pushed; empty: the text says it all */
};

struct group_copy {
	struct str key;              /* canonical bytes */
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct life life;            /* all 0: the group has no lifetime */
	enum group_mode mode;
	struct str failed_why; /* why the last refused push was refused; empty: not known */
	struct group_copy_family
		*families; /* by exposed name; the time metrics are not among them */
	uint32_t n_families;
};

/*
 * Any thread. Copies the next group behind *cursor (0 to begin) into the arena and moves
 * *cursor to it. 1: copied, 0: there are no more, -1: the arena is full. Between two calls groups
 * may come and go, but each copy is of one moment.
 */
int pages_copy_group(struct pages *p, uint32_t *cursor, struct arena *a, struct group_copy *ret);

/* What the store knows of a family's series. */
struct held_series {
	uint64_t hash;    /* of the exposed name */
	uint64_t *hashes; /* n */
	uint32_t n, n_lines;
	uint64_t stored; /* see push/stored.h */
	bool lossy, escaped;
};

/*
 * The same without a copy of texts and messages: they are held by reference, as by a scrape, so
 * that the lock is held for a moment however large the group is. Families come in no order. Once
 * done with it, and before the arena is reset, call held_group_done(); all zeros: nothing is held.
 */
struct held_group {
	struct group_copy copy;
	struct held_series *series; /* of each family; NULL unless asked for */
	struct bytes **refs;
	size_t n_refs;
};

int pages_hold_group(struct pages *p, uint32_t *cursor, bool with_series, struct arena *a,
		     struct held_group *ret);
void held_group_done(struct held_group *h);

#endif
