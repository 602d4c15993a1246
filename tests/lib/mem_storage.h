/*
 * A storage engine that keeps its rows in memory, to see what the store says in its changes. It is
 * strict: what a row refers to has to be there.
 */
#ifndef TESTS_LIB_MEM_STORAGE_H
#define TESTS_LIB_MEM_STORAGE_H

#include <stdatomic.h>

#include "journal/storage.h"

struct mem_group {
	uint32_t id;
	double pushed_at, failed_at;
	char *key;
	size_t key_n;
};

struct mem_segment {
	uint64_t row;
	uint32_t group;
	bool whole;
	double pushed_at;
	char *body;
	size_t body_n;
};

struct mem_storage {
	struct storage base; /* first */
	struct mem_group *groups;
	struct mem_segment *segments;
	size_t n_groups, n_segments;
	uint64_t moves, shrinks; /* segments that were moved so far, and not as a whole */
	atomic_uint trims;
	atomic_bool refuse;      /* every commit fails while this is set */
	atomic_bool refuse_trim; /* those that trim do */
};

void mem_storage_init(struct mem_storage *m);
void mem_storage_done(struct mem_storage *m);

#endif
