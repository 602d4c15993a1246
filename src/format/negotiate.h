/* Which format a request's headers name. */
#ifndef FORMAT_NEGOTIATE_H
#define FORMAT_NEGOTIATE_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Whether a pushed body with this Content-Type is delimited io.prometheus.client.MetricFamily
 * messages. Everything else, a malformed or empty header included, is text.
 */
bool content_type_is_protobuf(struct str content_type);

#endif
