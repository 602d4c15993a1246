/*
 * A second implementation of the store's rules, as simple as possible, with which
 * test_store_model.c compares the real one: a few groups and names in plain arrays, and every
 * question answered by looking at everything.
 */
#ifndef TESTS_LIB_NAIVE_STORE_H
#define TESTS_LIB_NAIVE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "push/push.h"

enum { NAIVE_GROUPS = 8, NAIVE_NAMES = 42, NAIVE_SERIES = 3, NAIVE_PUSHED = 26 };
/* Names that have nothing to do with each other: enough for a group's table to be hashed. */
enum { NAIVE_PLAIN = 15, NAIVE_PLAIN_NAMES = 26 };
enum { NAIVE_TIME = NAIVE_NAMES - 1 }; /* the name of the time of the last push */

/* A name as pushed and as exposed; own: the type if it is an own metric, else -1. */
struct naive_name {
	const char *name, *exposed;
	int32_t own;
};

extern const char *const naive_paths[NAIVE_GROUPS];
extern const struct naive_name naive_names[NAIVE_NAMES];

struct naive_series {
	const char *a, *job, *instance; /* values of pushed labels; NULL: not pushed */
	bool padded;                    /* one more label, a long one */
	int value;
};

struct naive_family {
	bool there;
	int name; /* index into naive_names */
	int32_t type;
	int help; /* 0: none */
	int n;
	struct naive_series series[NAIVE_SERIES];
	double pushed_at;
};

struct naive_push {
	enum push_mode mode;
	int group; /* index into naive_paths */
	bool with_timestamp;
	int n;
	struct naive_family families[NAIVE_PUSHED];
	double now;
	int64_t now_ns;        /* monotonic */
	int ttl;               /* of its group, in seconds; 0: it stays */
	bool own_ttl;          /* by the push itself: only another such push changes it */
	int keep, expect;      /* how long its push times stay, when the next push is expected */
	uint64_t max_of_group; /* series that its group may have; 0: as many as fit */
};

struct naive_group {
	bool there;
	double pushed_at, failed_at;
	/* When it was last pushed to, from which its end counts: Unix seconds, and monotonic. */
	double heard_at;
	int64_t heard_ns;
	int ttl, keep, expect;
	bool own_ttl, expired, overdue;
	double expired_at; /* as heard_at */
	int64_t expired_ns;
	struct naive_family families[NAIVE_NAMES];
};

struct naive_store {
	uint64_t max_groups, max_series;
	struct naive_group groups[NAIVE_GROUPS];
};

#define NAIVE_PADDING 2500

/* Applies a push; returns why it has to be refused, ERR_NONE: accepted. */
enum err_reason naive_apply(struct naive_store *s, const struct naive_push *p);
/*
 * Applies a push that was refused for this reason, even if there is no such reason in this store.
 */
void naive_refuse(struct naive_store *s, const struct naive_push *p, enum err_reason reason);
/* Whether everything in the group agrees with everything that is there; whether another group shows
 * itself with the same labels. */
bool naive_is_consistent(const struct naive_store *s, int group);
bool naive_has_twin(const struct naive_store *s, int group);
uint64_t naive_groups(const struct naive_store *s);
uint64_t naive_lines(const struct naive_store *s);
/* The value that the key of the group gives the label, else what was pushed. */
const char *naive_label(int group, const char *name, const char *pushed);
/* naive_expose.c: writes the exposition as exposed_add() does. */
void naive_expose(const struct naive_store *s, struct strbuf *out);

#endif
