/* Shared by the lists of groups: GET /api/v1/groups, with and without by=. */
#ifndef API_GROUPS_LIST_H
#define API_GROUPS_LIST_H

#include "api/group_filter.h"
#include "api/picks.h"
#include "api/v1_reply.h"

enum { LIST_LIMIT = 100, LIST_LIMIT_MAX = 1000 };

enum list_sort { SORT_KEY, SORT_AGE, SORT_SERIES, SORT_BYTES, SORT_FAILED, N_LIST_SORTS };

/* The parameters of a request for any list. */
struct list_request {
	struct group_filter filter;
	enum list_sort sort;
	bool descending;
	uint64_t limit;
	uint64_t hash; /* for cursors */
	bool has_after;
	bool hides_others;  /* the reader may not know of all groups: no reason names another one */
	struct place after; /* owned */
	double now;         /* Unix seconds */
};

/* what: a name for the list; a cursor is valid only for that list. */
int list_request_parse(const struct params *p, struct str what, const struct caller *reader,
		       struct arena *a, struct list_request *ret, struct err *err);
void list_request_done(struct list_request *r);

/* by=: a row for each value of a label. Takes the request over. */
void groups_by_label(struct api_worker *w, struct http_request *req, struct list_request *asked,
		     struct str label, struct str warning);

#endif
