/*
 * Reads the file of the Go Pushgateway (--persistence.file): a gob stream, which describes its
 * types first and then holds one value, a map of groups. The descriptions in the stream are
 * followed, so the numbers, orders and sizes that a Go program happened to use do not matter. No
 * announced length is allocated.
 */
#ifndef IMPORT_GOB_H
#define IMPORT_GOB_H

#include <stdbool.h>

#include "base/err.h"
#include "metrics/metric.h"

struct gob_family {
	struct str name;    /* its key in the map of its group */
	double timestamp;   /* Unix seconds of the push that brought it; 0: none */
	struct str message; /* an io.prometheus.client.MetricFamily, not looked into */
};

struct gob_group {
	struct label *labels; /* the grouping key, in the order of the file */
	uint32_t n_labels;
	struct gob_family *families; /* in the order of the file */
	uint32_t n_families;
};

/* Everything borrows from the file; the arrays end with the call. -1 with *err stops the reading.
 */
typedef int (*gob_group_fn)(void *arg, const struct gob_group *g, struct err *err);

/* How many bytes of a file gob_recognise() wants, unless it has fewer. */
#define GOB_HEAD 16

/* Whether a file that begins like this is a gob stream. At least three bytes are needed. */
bool gob_recognise(struct str head);

/*
 * Reads a whole file. -1: *err says how it is truncated or damaged, or that it is no file of a
 * Pushgateway. fn has been called for the groups before the fault.
 */
int gob_read(struct str file, gob_group_fn fn, void *arg, struct err *err);

#endif
