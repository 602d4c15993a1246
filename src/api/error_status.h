/* The HTTP status of each reason for a refusal. Rooms below api/ know no status. */
#ifndef API_ERROR_STATUS_H
#define API_ERROR_STATUS_H

#include "base/arena.h"
#include "base/err.h"

int error_status(const struct err *err);

/*
 * Before a request is refused that the arena is of: what was too large only because the machine has
 * no memory at the moment becomes ERR_BUSY, so that the client tries again. True: it has.
 */
bool error_is_want_of_memory(const struct arena *a, struct err *err);

#endif
