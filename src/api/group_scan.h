/*
 * Looks at all groups for those that a request is about: counts them, and picks the first ones
 * behind the cursor in the order asked for. For lists and for the page; in turns, on the background
 * thread. "By key" means by job, then by the rest of the key, as people read them.
 */
#ifndef API_GROUP_SCAN_H
#define API_GROUP_SCAN_H

#include "api/groups_list.h"

struct group_scan {
	struct store *store;
	struct list_request asked;
	uint32_t cursor;
	struct group_list some;  /* of all groups */
	struct arena arena;      /* for writing a group; reset between two steps */
	struct strbuf place_key; /* of the current group */
	bool of_sources;         /* only groups with sources count */
	uint64_t total;          /* groups that match */
	uint64_t n_sources;      /* sources of these groups */
	struct picks picks; /* sorted once the scan is done; one more than asked for, if there are
			       more */
};

/* Takes the request over. */
void group_scan_init(struct group_scan *s, struct store *store, const struct list_request *asked);
void group_scan_done(struct group_scan *s);
/* True: it is complete, or *err has a reason. */
bool group_scan_step(struct group_scan *s, struct err *err);

/* The picks to show. */
static inline size_t group_scan_n(const struct group_scan *s)
{
	return s->picks.n < s->asked.limit ? s->picks.n : s->asked.limit;
}

/* The canonical bytes of the i-th pick; the pick's own key is its place in the order. */
struct str group_scan_key(const struct group_scan *s, size_t i);
/*
 * What a list shows of a pick, in the scan's arena, as the reader may know it. 0: the group has
 * been deleted since; -1: the arena is full.
 */
int group_scan_details(struct group_scan *s, const struct pick *it, struct group_details *ret);
/* Writes a cursor for the groups after the i-th pick. */
void group_scan_cursor(const struct group_scan *s, size_t i, struct strbuf *out);

#endif
