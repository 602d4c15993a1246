/*
 * What is to be done with a group beside storing what is pushed to it. Said by flags, by a rule of
 * --config.file, and by the push itself in pairs of its URL (__ttl__/15m); each option by itself is
 * that of the last of these that says it.
 */
#ifndef CONFIG_GROUP_OPTIONS_H
#define CONFIG_GROUP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "metrics/key.h"

struct group_options {
	/* Which of them are said; the values of others mean nothing. */
	bool has_ttl, has_keep_times, has_expect_every;
	/* Nanoseconds, 0: never. The group ends that long after its last successful push. */
	int64_t ttl_ns;
	int64_t keep_times_ns;   /* its push times stay for that long after its end */
	int64_t expect_every_ns; /* a push is overdue that long after the last successful one */
};

/* What is said in `from` takes the place of what `to` says. */
void group_options_overlay(struct group_options *to, const struct group_options *from);

/* Reads the pairs of a push path. -1: ERR_INVALID, which names the pair and shows a right one. */
int group_options_of_path(const struct key_options *pairs, struct group_options *ret,
			  struct err *err);

#endif
