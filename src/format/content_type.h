/* Which format a request's headers name. */
#ifndef FORMAT_CONTENT_TYPE_H
#define FORMAT_CONTENT_TYPE_H

#include <stdbool.h>

#include "base/str.h"
#include "codec/compress.h"

/*
 * Whether a pushed body with this Content-Type is delimited io.prometheus.client.MetricFamily
 * messages. Everything else, a malformed or empty header included, is text.
 */
bool content_type_is_protobuf(struct str content_type);
/* Whether it is OpenMetrics text, whatever the parameters. */
bool content_type_is_openmetrics(struct str content_type);

/*
 * The coding of a reply to this Accept-Encoding: the listed one of gzip and zstd with the highest
 * quality, gzip if they are equal; identity unless that quality is higher than identity's and
 * '*''s, as the Go gateway has it. No header, and what cannot be read, give identity.
 */
enum compression negotiate_compression(struct str accept_encoding);

#endif
