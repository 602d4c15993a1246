/* The ids by which deletes are undone; POST /api/v1/undo/ID itself is in endpoints.h. */
#ifndef API_UNDO_H
#define API_UNDO_H

#include "base/str.h"
#include "store/undo.h"

/* Makes a random id, which cannot be guessed. */
void undo_new_id(unsigned char id[UNDO_ID]);
void undo_add_id(struct strbuf *b, const unsigned char id[UNDO_ID]);

#endif
