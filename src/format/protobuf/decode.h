/*
 * Delimited io.prometheus.client.MetricFamily messages (each preceded by its length as a varint)
 * -> families. Metrics are read one at a time (simple.h) or, if there is more to them,
 * unpacked by protobuf-c (metric.h); nothing is allocated because a length was
 * announced. Names, help, unit and labels borrow from the body.
 */
#ifndef FORMAT_PROTOBUF_DECODE_H
#define FORMAT_PROTOBUF_DECODE_H

#include "base/arena.h"
#include "base/err.h"
#include "metrics/metric.h"

/*
 * Returns 0 and the families in the order pushed; of two with one name the last replaces the
 * earlier one entirely. Families without metrics are kept (a POST of one hides the old family).
 * -1: ERR_INVALID ("unexpected EOF", "proto: variable length integer overflow", "proto: cannot
 * parse invalid wire-format data", ...) or ERR_TOO_LARGE that names the limit.
 */
int proto_decode(struct str body, const struct decode_limits *lim, struct arena *a,
		 struct family **ret_families, struct err *err);

#endif
