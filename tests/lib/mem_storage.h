/*
 * A storage engine that keeps its rows in memory, to see what the store says. It is strict: numbers
 * go on without a gap, checksums are right, and what a row refers to has to be there.
 */
#ifndef TESTS_LIB_MEM_STORAGE_H
#define TESTS_LIB_MEM_STORAGE_H

#include <stdatomic.h>

#include "journal/storage.h"
#include "store/store.h"

struct mem_storage {
	struct storage base; /* first */
	struct row *rows;    /* in order; with their bodies */
	size_t n_rows;
	uint64_t moves, shrinks; /* records that were moved so far, and not as a whole */
	atomic_uint trims;
	atomic_bool refuse;      /* every commit fails while this is set */
	atomic_uint full;        /* so many commits fail because the disk is full */
	atomic_bool refuse_trim; /* those that trim do */
	atomic_uint too_long;    /* with STORAGE_REFUSED_ROWS those with a longer body; 0: none */
};

void mem_storage_init(struct mem_storage *m);
void mem_storage_done(struct mem_storage *m);

/* Appends a row as it is, without looking at it; copies the body. */
void mem_storage_add(struct mem_storage *m, const struct row *row);
/* Lets the store look at the oldest rows of any storage. */
int storage_clean(struct storage *st, struct store *s, uint64_t bytes, struct err *err);
/* How many rows of that kind there are. */
size_t mem_storage_count(const struct mem_storage *m, enum row_kind kind);

#endif
