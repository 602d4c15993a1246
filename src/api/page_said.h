/*
 * The parameters of the address of the page "/", which its links repeat. What is repeated has a
 * bound, so that the page stays small.
 */
#ifndef API_PAGE_SAID_H
#define API_PAGE_SAID_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum page_said {
	SAID_Q,
	SAID_OLDER,
	SAID_FAILED,
	SAID_OVERDUE,
	SAID_CONFLICT,
	SAID_SORT,
	SAID_BY,
	SAID_CURSOR, /* of any length, since no link repeats it */
	N_SAID
};

/*
 * Reads them from a query, without spaces around; those that are not there are empty. All of it
 * lives in the arena or borrows from the query. -1: *err; a value that is too long to be repeated
 * is then empty, and so are all if the query cannot be parsed.
 */
int page_said_read(struct str query, struct arena *a, struct str said[N_SAID], struct err *err);

/* Appends a link to the page with one parameter changed, or left out if it has no value. */
void page_said_link(struct strbuf *b, const struct str said[N_SAID], enum page_said changed,
		    struct str value);
/*
 * Appends hidden inputs for a form that has fields for SAID_Q and SAID_OLDER, so that the other
 * filters and the sort stay as they are.
 */
void page_said_inputs(struct strbuf *b, const struct str said[N_SAID]);

#endif
