/* A group as a row of the page's table, as ui/group_row.js makes one. */
#ifndef API_GROUP_ROW_H
#define API_GROUP_ROW_H

#include "base/arena.h"
#include "store/store.h"

/*
 * Appends a row of at most some 8 kB, since long texts are cut. bytes: the group's key, canonical.
 * False: the arena is full.
 */
bool group_row_add(struct strbuf *b, struct str bytes, const struct group_brief *g,
		   const struct group_details *d, bool linked, struct arena *a);

#endif
