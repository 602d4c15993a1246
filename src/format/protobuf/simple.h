/*
 * Nearly all metrics of a protobuf push are a value with labels, encoded in the usual order. These
 * are read here in one pass; proto_metric_decode() reads all others.
 */
#ifndef FORMAT_PROTOBUF_SIMPLE_H
#define FORMAT_PROTOBUF_SIMPLE_H

#include "base/arena.h"
#include "format/shared_labels.h"
#include "metrics/metric.h"

/*
 * NULL: it is no such metric, it is over a limit, or the arena is full; proto_metric_decode() then
 * reads it. The labels borrow from bytes and are shared between metrics that have the same.
 */
struct metric *proto_simple_decode(struct str bytes, const struct decode_limits *lim,
				   struct arena *a, struct shared_labels **last);

#endif
