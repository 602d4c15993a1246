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
 * False when no line is of such a series. For the rare case of equal hashes, so it may be slow.
 */
bool series_find(struct str text, struct str exposed_name, uint64_t hash, struct strbuf *ret_id);

/* Length of the first sample line's part up to and with the closing brace (or the name alone). */
size_t series_head(struct str line);

#endif
