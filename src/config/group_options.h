/*
 * What is to be done with a group beside storing what is pushed to it. Options are given by flags,
 * by a rule of --config.file, and by the push itself in pairs of its URL (__ttl__/15m). For each
 * option by itself, the last of these three that gives it wins.
 */
#ifndef CONFIG_GROUP_OPTIONS_H
#define CONFIG_GROUP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "config/gauge_policies.h"
#include "metrics/key.h"

/* What a push to a group is. */
enum group_mode {
	GROUP_PLAIN, /* what the group shows from now on, as with the Go gateway */
	GROUP_SUM,   /* what one of its sources has counted so far */
	GROUP_ADD,   /* an increment */
};

/* The labels of a key that name the source of a push to a summed group. */
struct source_labels {
	const struct str *names;
	uint32_t n; /* 0: no label names the source */
};

/* instance, pid, worker */
extern const struct source_labels source_labels_usual;
#define SOURCE_TTL_USUAL (INT64_C(900) * 1000000000)
enum { SOURCES_USUAL = 10000 };

struct group_options {
	/* Which options are given; the values of others mean nothing. */
	bool has_ttl, has_keep_times, has_expect_every;
	bool has_mode, has_source_labels, has_source_ttl, has_zero_first, has_runtime_metrics;
	bool has_max_sources;
	/* Nanoseconds, 0: never. The group ends that long after its last successful push. */
	int64_t ttl_ns;
	int64_t keep_times_ns;   /* its push times stay for that long after its end */
	int64_t expect_every_ns; /* a push is overdue that long after the last successful one */

	enum group_mode mode;
	/* Of summed and added groups. Borrowed members live as long as the rules that give them. */
	struct source_labels source_labels;  /* borrowed */
	const struct gauge_policies *gauges; /* borrowed; NULL: not given */
	int64_t source_ttl_ns; /* a source that is silent for longer is not live; 0: never */
	int64_t zero_first_ns; /* new counters show zeros for that long; 0: not at all */
	bool keep_runtime_metrics;
	uint64_t max_sources; /* contributions that are kept separately */
};

/* What only a push itself can say, of the process that it comes from. Borrowed from its path. */
struct push_says {
	bool has_source, has_start, has_push_id;
	bool final;         /* the source has ended with this push */
	struct str source;  /* the source's name, in place of labels */
	struct str push_id; /* a push that is sent again has the same */
	double start;       /* Unix seconds at which its process started */
};

/* Options given in `from` replace those in `to`. */
void group_options_overlay(struct group_options *to, const struct group_options *from);

/* "group", "sum", "add" */
const char *group_mode_name(enum group_mode mode);
bool group_mode_by_name(struct str name, enum group_mode *ret);

/* Reads the pairs of a push path. -1: ERR_INVALID, which names the pair and shows a right one. */
int group_options_of_path(const struct key_options *pairs, struct group_options *ret,
			  struct push_says *ret_says, struct err *err);

#endif
