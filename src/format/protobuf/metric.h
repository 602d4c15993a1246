/*
 * One io.prometheus.client.Metric: bytes -> struct metric. The only module that includes the
 * generated metrics.pb-c.h.
 */
#ifndef FORMAT_PROTOBUF_METRIC_H
#define FORMAT_PROTOBUF_METRIC_H

#include "base/arena.h"
#include "base/err.h"
#include "metrics/metric.h"

/*
 * protobuf-c's structs are several times as large as ours, so they live in scratch only until they
 * have been mapped; scratch is empty again on return, whatever the outcome. Nothing in *ret_m
 * borrows from bytes. -1: ERR_INVALID or ERR_TOO_LARGE, as of proto_decode().
 */
int proto_metric_decode(struct str bytes, const struct decode_limits *lim, struct arena *a,
			struct arena *scratch, struct metric **ret_m, struct err *err);

/* ERR_TOO_LARGE: one push may not make us hold more than a's limit. */
int proto_err_memory(const struct arena *a, struct err *err);
/* ERR_TOO_LARGE: "<what> <n>, more than --limits.<flag>=<max>". */
int proto_err_limit(const char *what, uint64_t n, const char *flag, uint64_t max, struct err *err);
/* ERR_INVALID: Go's words for anything wrong inside a message. */
int proto_err_invalid(struct err *err);

#endif
