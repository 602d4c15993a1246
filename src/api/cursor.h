/*
 * Cursors of lists: where the next page begins, in text that means nothing to whoever holds it. One
 * is good for the request that it was given for, whatever happens in between, restarts too.
 */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/picks.h"
#include "base/arena.h"
#include "base/err.h"

/* list: of the request, all that decides which items there are and their order. */
void cursor_write(struct strbuf *out, uint64_t list, struct place at);
/* The place lives in the arena. -1: ERR_INVALID, it is from elsewhere or of another request. */
int cursor_read(struct str text, uint64_t list, struct arena *a, struct place *ret,
		struct err *err);

#endif
