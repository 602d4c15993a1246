/*
 * What a batch of pushes changes in the database: rows, and nothing about any engine. Made by the
 * store, written by a storage engine in one transaction (persist/storage.h).
 *
 * A group is one row; each push is one row more, a segment, whose body is a sequence of delimited
 * MetricFamily messages. Where two segments of a group name one family, the later `seq` wins.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum change_kind {
	CHANGE_PUT_GROUP,      /* insert or replace: group, bytes = key, pushed_at, failed_at */
	CHANGE_DROP_GROUP,     /* group */
	CHANGE_PUT_SEGMENT,    /* insert or replace: row, group, seq, pushed_at, bytes = body */
	CHANGE_DROP_SEGMENT,   /* row */
	CHANGE_SHRINK_SEGMENT, /* row: keep only the messages of the families in keep */
	CHANGE_WIPE,           /* everything */
};

struct change {
	enum change_kind kind;
	uint32_t group, n_keep;
	uint64_t row, seq;
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct str bytes;            /* borrowed until the batch is published or dropped */
	struct str *keep;            /* names as pushed; owned by the changes */
};

struct changes {
	struct change *list;
	size_t n, cap;
};

#endif
