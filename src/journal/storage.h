/*
 * A storage engine: keeps what the store says in its changes, one transaction for a batch, and
 * gives the rows back at start. Used by one thread at a time: main while loading, the committer
 * afterwards. SQLite is the engine there is (sqlite.c); nothing here is about SQL.
 */
#ifndef JOURNAL_STORAGE_H
#define JOURNAL_STORAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "store/rows.h"

struct storage_segment {
	uint64_t row;
	uint32_t group;
	bool whole;
	double pushed_at;
	struct str body; /* good until the sink returns */
};

/*
 * Receives rows while loading: all groups, then all segments, those with the highest row first. -1
 * with *err stops: damaged.
 */
struct storage_sink {
	int (*group)(void *arg, uint32_t id, struct str key, double pushed_at, double failed_at,
		     struct err *err);
	int (*segment)(void *arg, const struct storage_segment *seg, struct err *err);
	void *arg;
};

/* Is told of a segment: its row, its group, the size of its body. */
typedef void (*storage_row_fn)(void *arg, uint64_t row, uint32_t group, size_t body);

enum storage_load_result {
	STORAGE_LOADED,
	STORAGE_DAMAGED, /* *err says how; the caller may set the data aside */
	STORAGE_FAILED,  /* *err says what to do; data untouched */
};

struct storage;

struct storage_ops {
	enum storage_load_result (*load)(struct storage *st, const struct storage_sink *sink,
					 struct err *err);
	/* Durable on 0. On -1 nothing of it is there, and *err (ERR_STORAGE) says why. */
	int (*commit)(struct storage *st, struct rows *rows, struct err *err);
	/* Tells of the segments with the lowest rows, in order, until their bodies make up `bytes`.
	 */
	int (*oldest)(struct storage *st, uint64_t bytes, storage_row_fn row, void *arg,
		      struct err *err);
	uint64_t (*bytes)(struct storage *st); /* that the data takes on disk */
	void (*close)(struct storage *st);
};

struct storage {
	const struct storage_ops *ops;
};

#endif
