/* A group as a row of the page's table, as ui/group_row.js makes one. */
#ifndef API_GROUP_ROW_H
#define API_GROUP_ROW_H

#include "base/arena.h"
#include "store/store.h"

/* Long texts are cut, so that it takes at most some 8 kB. bytes: its key, canonical. False: the
 * arena is full. */
bool group_row_add(struct strbuf *b, struct str bytes, const struct group_brief *g,
		   const struct group_details *d, bool linked, struct arena *a);

#endif
