/*
 * A pushed body, decoded but not checked: the decoders of all formats make it, and everything else
 * reads it. All of it lives in the request's arena or borrows from the body, so it ends with the
 * request. Field meanings: io.prometheus.client (proto/metrics.proto).
 */
#ifndef METRICS_METRIC_H
#define METRICS_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Numbered as in io.prometheus.client.MetricType; others can arrive and are refused later. */
enum metric_type {
	METRIC_COUNTER = 0,
	METRIC_GAUGE = 1,
	METRIC_SUMMARY = 2,
	METRIC_UNTYPED = 3,
	METRIC_HISTOGRAM = 4,
	METRIC_GAUGE_HISTOGRAM = 5,
};

struct label {
	struct str name, value; /* unescaped */
};

struct quantile {
	double quantile, value;
};

struct timestamp { /* google.protobuf.Timestamp */
	bool set;
	int64_t seconds;
	int32_t nanos;
};

struct exemplar {
	const struct label *labels;
	uint32_t n_labels;
	double value;
	struct timestamp ts;
};

struct summary {
	uint64_t count;
	double sum;
	struct quantile *quantiles; /* in the order pushed */
	uint32_t n_quantiles;
	struct timestamp created;
};

struct bucket {
	double upper_bound;
	uint64_t count;            /* cumulative */
	double count_float;        /* cumulative; used instead of count when > 0 */
	struct exemplar *exemplar; /* or NULL */
};

struct span {
	int32_t offset;
	uint32_t length;
};

struct histogram {
	uint64_t count;
	double count_float; /* used instead of count when > 0 */
	double sum;
	struct bucket *buckets; /* in the order pushed */
	uint32_t n_buckets;
	struct timestamp created;
	/* Native part. */
	bool has_schema, has_zero_threshold, has_zero_count, has_zero_count_float;
	int32_t schema;
	double zero_threshold;
	uint64_t zero_count;
	double zero_count_float;
	struct span *neg_spans, *pos_spans;
	int64_t *neg_deltas, *pos_deltas;
	double *neg_counts, *pos_counts;
	uint32_t n_neg_spans, n_pos_spans, n_neg_deltas, n_pos_deltas, n_neg_counts, n_pos_counts;
	struct exemplar *exemplars; /* of the native part */
	uint32_t n_exemplars;
};

/* Which value kinds a metric carries; protobuf can carry several or none. */
enum {
	HAS_GAUGE = 1 << 0,
	HAS_COUNTER = 1 << 1,
	HAS_UNTYPED = 1 << 2,
	HAS_SUMMARY = 1 << 3,
	HAS_HISTOGRAM = 1 << 4,
};

struct metric {
	struct metric *next; /* in the order pushed */
	/* In the order pushed, without le and quantile of the text format. Metrics may share them.
	 */
	const struct label *labels;
	uint32_t n_labels;
	uint32_t line; /* first line that named it, 1-based; 0: protobuf */
	uint8_t has;   /* HAS_* */
	bool has_timestamp;
	/*
	 * It is known that label names are classic, and that label values are valid UTF-8 and need
	 * no escape.
	 */
	bool plain;
	double gauge, counter, untyped;
	struct exemplar *exemplar;        /* of the counter, or NULL */
	struct timestamp counter_created; /* of the counter */
	struct summary *summary;
	struct histogram *histogram;
};

struct family {
	struct family *next; /* in the order pushed */
	struct str name;     /* unescaped */
	struct str help;
	struct str unit;
	bool has_help; /* an empty help is not the same as none */
	int32_t type;  /* enum metric_type, or whatever protobuf said */
	uint32_t n_metrics;
	struct metric *metrics, *last;
};

/* Limits on one body, whichever format it is in. 0 never means "no limit" here. */
struct decode_limits {
	uint32_t max_labels;      /* labels of one series */
	uint32_t max_label_name;  /* bytes */
	uint32_t max_label_value; /* bytes */
	uint64_t max_series;      /* exposed samples (lines) of one push */
	bool utf8_names;          /* --push.enable-utf8-names */
};

/* No limits, for what was accepted before: lowering a flag loses nothing. */
#define DECODE_UNLIMITED                                                                     \
	{                                                                                    \
		.max_labels = UINT32_MAX, .max_label_name = UINT32_MAX,                      \
		.max_label_value = UINT32_MAX, .max_series = UINT64_MAX, .utf8_names = true, \
	}

#endif
