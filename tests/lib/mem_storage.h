/*
 * A storage engine that keeps its rows in memory, to see which rows the store makes. It checks that
 * numbers have no gaps, that checksums are right, and that whatever a row refers to is there.
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
	uint64_t moves,
		shrinks; /* records that were moved so far, and those of which only a part was */
	atomic_uint trims;
	atomic_bool refuse;      /* every commit fails while this is set */
	atomic_uint full;        /* how many commits fail because the disk is full */
	atomic_bool refuse_trim; /* every commit that trims fails while this is set */
	atomic_uint
		too_long; /* commits with a longer body fail with STORAGE_REFUSED_ROWS; 0: none */
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
