/*
 * Which groups a request is about, by its parameters match[], older_than, failed, overdue, conflict
 * and search. A group has to satisfy all of them, but only one of several match[].
 * group_filter_key() checks what depends on the key alone, and so never changes;
 * group_filter_state() checks the rest.
 */
#ifndef API_GROUP_FILTER_H
#define API_GROUP_FILTER_H

#include "api/caller.h"
#include "api/params.h"
#include "metrics/selector.h"
#include "store/store.h"

enum { GROUP_FILTER_SELECTORS = 16 };

/* For lists of known parameters. */
#define GROUP_FILTER_PARAMS "match[]", "older_than", "failed", "overdue", "conflict", "search"

struct group_filter {
	struct selector *selectors[GROUP_FILTER_SELECTORS];
	size_t n_selectors;
	bool has_older_than, has_failed, has_overdue, has_conflict;
	int64_t older_than_ns;
	bool failed, overdue, conflict;
	struct strbuf search; /* ASCII letters in lower case; empty: all */
	const struct caller
		*narrowed; /* a caller who may not read all groups; NULL: all groups may be read */
	uint64_t hash;     /* of the parameters: the same after restarts */
};

/*
 * -1: ERR_INVALID; group_filter_done() has to be called all the same. reader: the caller, if there
 * are groups that it may not read (caller_if_narrowed()); NULL: all groups may be shown.
 */
int group_filter_parse(const struct params *p, const struct caller *reader,
		       struct group_filter *ret, struct err *err);
void group_filter_done(struct group_filter *f);

/*
 * Whether the key passes. 1: yes, 0: no, -1: *err: an expression took too long, or there is no
 * memory. scratch is used during the call.
 */
int group_filter_key(const struct group_filter *f, struct str bytes, struct arena *scratch,
		     struct err *err);
/*
 * Whether the state passes. now: Unix seconds. A group's age is that of its last successful push,
 * or, if there was none, of its last failure.
 */
bool group_filter_state(const struct group_filter *f, const struct group_brief *g, double now);

static inline double group_brief_age(const struct group_brief *g, double now)
{
	return now - (g->pushed_at > 0 ? g->pushed_at : g->failed_at);
}

static inline bool group_brief_failed(const struct group_brief *g)
{
	return g->failed_at > g->pushed_at;
}

#endif
