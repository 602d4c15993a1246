/*
 * What is no longer shown and no thread can reach any more, until it is freed: for a group of half
 * a million families that takes longer than to publish its end. So what a large group leaves behind
 * is freed some at a time (store_free_dead() in store.h), all else at the end of its batch. The
 * committer only.
 */
#ifndef STORE_DEAD_H
#define STORE_DEAD_H

#include <stddef.h>
#include <stdint.h>

struct store;
struct store_family;

struct dead {
	struct dead_one {
		struct store_family *family; /* NULL: an entry */
		uint32_t entry;
	} * list;
	size_t n, cap;
	size_t begun;   /* how many there were before the current group, or rollback */
	size_t at_once; /* how many of the current batch are not of large groups */
};

/* Around what one group, or a rollback, adds. */
void dead_begin(struct store *s);
void dead_add_entry(struct store *s, uint32_t id);
void dead_add_family(struct store *s, struct store_family *f);
void dead_end(struct store *s);
/* At the end of a batch, without the lock of the pages. */
void dead_end_batch(struct store *s);

#endif
