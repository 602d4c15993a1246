/*
 * The identity of a series: its exposed name and labels as the exposition writes them, without `le`
 * and `quantile`: a_seconds{instance="",job="x"}. Hashed for the index, compared when hashes meet.
 */
#ifndef METRICS_SERIES_H
#define METRICS_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Finds the series with this hash among the sample lines of a family and appends its identity.
 * False when no line is of such a series. Only for the rare case of equal hashes, so it may be
 * slow.
 */
bool series_find(struct str text, struct str exposed_name, uint64_t hash, struct strbuf *ret_id);

/* How many bytes of the first sample line its name and labels have, the closing brace included. */
size_t series_head(struct str line);

#endif
