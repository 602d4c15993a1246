/*
 * What a batch of pushes changes in the database: rows, and nothing about any engine. Made by the
 * store, written by a storage engine in one transaction (persist/storage.h).
 *
 * A group is one row; what a push leaves of itself at the end of its batch is one row more, a
 * segment, whose body is a sequence of delimited MetricFamily messages; empty when the group ends.
 * Segments are a log: each has a higher number than all before it, and none changes. Where two
 * segments of a group name one family, the later one wins; a `whole` segment ends all of its group
 * that come before it. When most of the log is superseded, its oldest rows are taken away, after
 * those of them that still say something have been appended once more.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum row_kind {
	ROW_PUT_GROUP,    /* insert or replace: group, bytes = key, pushed_at, failed_at */
	ROW_DROP_GROUP,   /* group */
	ROW_PUT_SEGMENT,  /* append: row, group, pushed_at, whole, bytes = body */
	ROW_MOVE_SEGMENT, /* append as `row` what `from` holds; of it only the families in keep,
				if there are any; sets bytes.n to the size of the body */
	ROW_TRIM,         /* drop all segments up to row */
	ROW_WIPE,         /* drop everything */
};

struct row {
	enum row_kind kind;
	bool whole;
	uint32_t group, n_keep;
	uint64_t row, from;
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct str bytes;            /* borrowed until the batch is published or dropped */
	struct str *keep;            /* names as pushed; owned by the changes */
};

struct rows {
	struct row *list;
	size_t n, cap;
};

/* What a row with a body of that size takes in the log: its bytes, and some for itself. */
enum { ROW_BYTES = 32 };

static inline uint32_t row_bytes_of(size_t body)
{
	return body < UINT32_MAX - ROW_BYTES ? (uint32_t)body + ROW_BYTES : UINT32_MAX;
}

#endif
