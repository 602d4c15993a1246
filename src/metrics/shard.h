/*
 * One of n parts of all groups, as in GET /metrics?shard=2/8: together they are all of them, and no
 * group is in two. A group is in the shard numbered, from 0, XXH64(bytes) modulo n: XXH64 with the
 * seed 0, and bytes as key_encode() makes them of the grouping key: for each label, `job` among
 * them, sorted bytewise by name: name, 0xFF, value, 0xFF. Names and values are UTF-8, without the
 * encodings of the path; a label whose value is empty is one of them; those of the sources of a
 * summed group are not. {instance="i",job="j"} is "instance\xFFi\xFFjob\xFFj\xFF".
 *
 * This is fixed for ever: with any other rule the series of all groups would move from one target
 * to another, and gateways of two versions would not show the same shards.
 */
#ifndef METRICS_SHARD_H
#define METRICS_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { SHARDS_MAX = 65536 };

struct shard {
	uint32_t at, n; /* at < n; n 0: all groups */
};

/* Reads "2/8": shards are numbered from 1. -1: ERR_INVALID, which says what to write. */
int shard_parse(struct str text, struct shard *ret, struct err *err);

/* The XXH64 of a key's bytes, as key_encode() makes them. */
uint64_t shard_hash(struct str key);

static inline bool shard_has(struct shard s, uint64_t hash)
{
	return s.n == 0 || hash % s.n == s.at;
}

#endif
