/*
 * Looks at all groups for those that a request means: counts them, and picks the first of the order
 * behind the cursor. For lists and for the page; by turns, on the background thread. By key
 * means by job, then by the rest: as people read them.
 */
#ifndef API_GROUP_SCAN_H
#define API_GROUP_SCAN_H

#include "api/groups_list.h"

struct group_scan {
	struct store *store;
	struct list_request asked;
	uint32_t cursor;
	struct group_list some;  /* of all groups */
	struct arena arena;      /* for whoever writes a group; reset between two steps */
	struct strbuf place_key; /* of the group at hand */
	bool of_sources;         /* only groups that have some are meant */
	uint64_t total;          /* that are meant */
	uint64_t n_sources;      /* that they have */
	struct picks picks; /* in order once it is done; one more than asked for, if there is one */
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

/* The canonical bytes of the i-th pick, whose own key says where it is in the order. */
struct str group_scan_key(const struct group_scan *s, size_t i);
/* A cursor for what comes after the i-th pick. */
void group_scan_cursor(const struct group_scan *s, size_t i, struct strbuf *out);

#endif
