/*
 * Prometheus text format 0.0.4, with the quoted names of 1.0.0: bytes -> families.
 *
 * Needs no NUL after the body and reads not one byte past it. Names, help and values that hold no
 * escape borrow from the body; the rest is in the arena. No allocation for each sample beyond
 * bumping the arena. Families without samples are dropped.
 */
#ifndef FORMAT_TEXT_PARSE_H
#define FORMAT_TEXT_PARSE_H

#include "base/arena.h"
#include "base/err.h"
#include "metrics/metric.h"

/*
 * Returns 0 and the families in the order pushed (NULL: none), or -1 with ERR_INVALID whose message
 * is "text format parsing error in line N: ...", or ERR_TOO_LARGE that names the limit.
 */
int text_parse(struct str body, const struct decode_limits *lim, struct arena *a,
	       struct family **ret_families, struct err *err);

#endif
