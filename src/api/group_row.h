/* A group as a row of the page's table, as ui/group_row.js makes one. */
#ifndef API_GROUP_ROW_H
#define API_GROUP_ROW_H

#include "base/arena.h"
#include "store/store.h"

/*
 * Whether a row links to its group, and whether the paths of pushes may have any UTF-8 name
 * (--push.enable-utf8-names): a group with a name that no path can have has no link.
 */
struct row_links {
	bool shown, utf8_names;
};

/*
 * Appends a row of at most some 8 kB, since long texts are cut. bytes: the group's key, canonical.
 * False: the arena is full.
 */
bool group_row_add(struct strbuf *b, struct str bytes, const struct group_brief *g,
		   const struct group_details *d, struct row_links links, struct arena *a);

#endif
