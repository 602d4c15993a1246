/*
 * Exposition format 0.0.4, one metric at a time. Names that are not classic come out in the
 * `underscores` escaping, the default scheme of the Go gateway.
 */
#ifndef FORMAT_TEXT_WRITE_H
#define FORMAT_TEXT_WRITE_H

#include "base/str.h"
#include "metrics/metric.h"

/* "counter", "gauge", ...; a gauge histogram is exposed as "histogram". */
const char *text_type_name(int32_t type);

/* # HELP and # TYPE lines. */
void text_write_header(struct strbuf *out, struct str exposed_name, bool has_help, struct str help,
		       int32_t type);

/*
 * Appends `{a="b",c="d"}`, labels in the order given; nothing when there are none. plain: as in
 * struct metric.
 */
void text_write_labels(struct strbuf *out, const struct label *labels, uint32_t n, bool plain);

/*
 * Appends what ends the only line of a counter, gauge or untyped metric: a blank, its value and LF.
 */
void text_write_value(struct strbuf *out, int32_t type, const struct metric *m);

/*
 * Appends the sample lines of m. `labels` is what text_write_labels() made of m's labels.
 * Returns the number of lines.
 */
uint32_t text_write_metric(struct strbuf *out, struct str exposed_name, struct str labels,
			   int32_t type, const struct metric *m);

#endif
