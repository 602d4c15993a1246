/*
 * Headers and sample lines of text 0.0.4 with quoted names, and of OpenMetrics 1.0. Names come
 * escaped (metrics/escape.h); one that is still not classic is put in quotes. The usual case, text
 * with classic names, is text/write.h's.
 *
 * OpenMetrics numbers are written as in text 0.0.4, those of le and quantile too, so that no series
 * gets another name than it has there; for the same reason a gauge histogram is a histogram.
 */
#ifndef FORMAT_SAMPLE_WRITE_H
#define FORMAT_SAMPLE_WRITE_H

#include "base/str.h"
#include "metrics/metric.h"

struct sample_family {
	struct str name;
	int32_t type;
	bool has_help;
	struct str help; /* unescaped */
	struct str unit; /* OpenMetrics only; left out unless the name ends in it */
	bool openmetrics;
	bool unknown; /* OpenMetrics: a counter that is to be of that type */
};

/*
 * Whether OpenMetrics can call it a counter: the name ends in _total, and *ret_base is what is
 * before.
 */
bool sample_counter_base(struct str name, struct str *ret_base);

void sample_write_header(struct strbuf *out, const struct sample_family *f);
/* Exemplars and times of creation are for OpenMetrics only. */
void sample_write_metric(struct strbuf *out, const struct sample_family *f, const struct metric *m);

#endif
