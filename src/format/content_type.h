/* What the headers of a request say about formats and compression. */
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
 * The compression of a reply to this Accept-Encoding: gzip or zstd, whichever has the higher
 * quality, gzip if they are equal. None unless that quality is higher than those of identity and
 * '*', as the Go gateway has it; none without the header, or if it cannot be read.
 */
enum compression negotiate_compression(struct str accept_encoding);

#endif
