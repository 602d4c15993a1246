/* Which HTTP status a refusal is answered with. No room below api/ knows one. */
#ifndef API_ERROR_STATUS_H
#define API_ERROR_STATUS_H

#include "base/err.h"

int error_status(const struct err *err);

#endif
