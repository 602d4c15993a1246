/* Series as /api/v1/metrics shows them: numbers are strings, labels and buckets are objects. */
#ifndef IMPORT_JSON_METRIC_H
#define IMPORT_JSON_METRIC_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "metrics/metric.h"

/* A string's bytes, borrowed; .p NULL when v is NULL or no string. */
struct str json_bytes(const json_t *v);

/* An object of strings, sorted by name. False: something else. */
bool json_labels(json_t *v, struct arena *a, struct label **ret_labels, uint32_t *ret_n);

/* "COUNTER" ...; false: none that we know. */
bool json_metric_type(const json_t *v, int32_t *ret_type);

/*
 * The value of one element of "metrics", whose labels are in *ret already. NULL, or why it cannot
 * be had from JSON.
 */
const char *json_metric_value(json_t *v, int32_t type, struct arena *a, struct metric *ret);

/* RFC 3339 as Unix seconds; 0 for Go's zero time. False: no time. */
bool json_time(const json_t *v, double *ret_seconds);

#endif
