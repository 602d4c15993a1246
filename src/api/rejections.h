/*
 * The last pushes that were refused because of their content (400, 409, 413, 507), for people who
 * look for the reason. Only some of each peer are kept, so that nobody can flood the list. In
 * memory; any thread.
 */
#ifndef API_REJECTIONS_H
#define API_REJECTIONS_H

#include "api/api.h"

enum { REJECTIONS_MAX = 1000, REJECTIONS_OF_PEER = 50, REJECTION_BODY = 256 };

struct rejections;

/* One of them; all of it is copied. */
struct rejection {
	double at; /* Unix seconds */
	int status;
	const char *method, *peer,
		*user;          /* peer: as client_name(); user: empty where none is known */
	struct str path, group; /* group: as text; empty: the path names none */
	const char *why;
	struct str body; /* its first bytes are kept, as they were sent */
};

struct rejections *rejections_new(void);
void rejections_free(struct rejections *r); /* NULL is fine */

void rejections_add(struct rejections *r, const struct rejection *what);
/* The newest first: JSON objects with commas between them, limit at most. Returns how many are
 * kept. */
size_t rejections_write(struct rejections *r, size_t limit, struct strbuf *out);

#endif
