/*
 * What is no longer shown and no thread can reach any more, until it is freed: for a group of half
 * a million families that takes longer than to publish its end. So what a large group or a wipe
 * leaves behind is freed some at a time (store_tidy() in store.h), all else at the end of its
 * batch. The committer only.
 */
#ifndef STORE_DEAD_H
#define STORE_DEAD_H

#include <stdbool.h>
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
	struct store *before; /* to be freed later (store_free_later()), linked; NULL: none */
	/* While the store itself is freed: how far that has got. */
	uint32_t n_slots, n_entries;
	size_t n_families;
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

/* Frees up to max of the list. False: nothing was left. */
bool store_free_list(struct store *s, size_t max);
/*
 * In store_free.c. Gives up what is staged of a store that nobody else sees any more, after which
 * store_free_step() frees it; false: that was the last step.
 */
void store_end(struct store *s);
bool store_free_step(struct store *s, size_t max);

#endif
