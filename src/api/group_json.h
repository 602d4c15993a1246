/* A group as the endpoints below /api/v1 show it. */
#ifndef API_GROUP_JSON_H
#define API_GROUP_JSON_H

#include "base/arena.h"
#include "store/store.h"

/* {"labels":{...}}; with a comma in front unless it is the first of a list. False: the arena is
 * full. */
bool group_json_add_labels(struct strbuf *b, struct str key, struct arena *a);
/*
 * The same for a group, or a family of it, that is left out of a change, and why; family empty: the
 * whole group. Resets the arena. A list shows the first LEFT_OUT_SHOWN.
 */
enum { LEFT_OUT_SHOWN = 100 };
void group_json_add_left_out(struct strbuf *b, struct str key, struct str family, const char *why,
			     struct arena *a);
/* Appends the group with all details. False: the arena is full. */
bool group_json_add(struct strbuf *b, struct str key, const struct group_brief *g,
		    const struct group_details *d, struct arena *a);

#endif
