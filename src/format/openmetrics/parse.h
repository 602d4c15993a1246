/*
 * OpenMetrics 1.0 text -> families, by the lexer of the text format. The counter c of OpenMetrics
 * is the family c_total here, as everywhere else; an info c is the gauge c_info, and a stateset is
 * a gauge with a label of its own name. Exemplars, creation times and units are kept. More lenient
 * than the specification in blanks, comments and the order of lines.
 *
 * Where Prometheus reads what the specification does not allow, it is read as there: a backslash
 * before a character that needs none, a counter whose family is called c_total, and c_created
 * without a c, or with a value that is no time, which is a gauge.
 */
#ifndef FORMAT_OPENMETRICS_PARSE_H
#define FORMAT_OPENMETRICS_PARSE_H

#include "base/arena.h"
#include "base/err.h"
#include "metrics/metric.h"

/*
 * Same contract as text_parse(). Nothing may follow "# EOF"; "# EOF" may be missing, but not the
 * last line feed.
 */
int openmetrics_parse(struct str body, const struct decode_limits *lim, struct arena *a,
		      struct family **ret_families, struct err *err);

#endif
