/*
 * Cursors of lists: where the next page begins, as text that means nothing to clients. A cursor is
 * valid only for the request that it was given for, and stays so, even after a restart.
 */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/picks.h"
#include "base/arena.h"
#include "base/err.h"

/* list: a hash of all parameters that decide which items there are and in which order. */
void cursor_write(struct strbuf *out, uint64_t list, struct place at);
/*
 * Reads a cursor into a place in the arena. -1: ERR_INVALID, it is not a cursor of this API, or of
 * another request.
 */
int cursor_read(struct str text, uint64_t list, struct arena *a, struct place *ret,
		struct err *err);

#endif
