/* The HTTP status of each reason for a refusal. Rooms below api/ know no status. */
#ifndef API_ERROR_STATUS_H
#define API_ERROR_STATUS_H

#include "base/err.h"

int error_status(const struct err *err);

#endif
