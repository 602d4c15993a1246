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
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum change_kind {
	CHANGE_PUT_GROUP,    /* insert or replace: group, bytes = key, pushed_at, failed_at */
	CHANGE_DROP_GROUP,   /* group */
	CHANGE_PUT_SEGMENT,  /* append: row, group, pushed_at, whole, bytes = body */
	CHANGE_MOVE_SEGMENT, /* append as `row` what `from` holds; of it only the families in keep,
				if there are any; sets bytes.n to the size of the body */
	CHANGE_TRIM,         /* drop all segments up to row */
	CHANGE_WIPE,         /* drop everything */
};

struct change {
	enum change_kind kind;
	bool whole;
	uint32_t group, n_keep;
	uint64_t row, from;
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct str bytes;            /* borrowed until the batch is published or dropped */
	struct str *keep;            /* names as pushed; owned by the changes */
};

struct changes {
	struct change *list;
	size_t n, cap;
};

#endif
