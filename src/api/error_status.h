/* The HTTP status of each reason for a refusal. Rooms below api/ know no status. */
#ifndef API_ERROR_STATUS_H
#define API_ERROR_STATUS_H

#include "base/arena.h"
#include "base/err.h"

int error_status(const struct err *err);

/*
 * Before a request with this arena is refused: turns ERR_TOO_LARGE into ERR_BUSY if only the
 * machine's memory ran out, so that the client tries again. True: it did.
 */
bool error_is_want_of_memory(const struct arena *a, struct err *err);

#endif
