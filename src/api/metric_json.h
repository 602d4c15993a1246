/* A metric as GET /api/v1/metrics shows it. */
#ifndef API_METRIC_JSON_H
#define API_METRIC_JSON_H

#include "base/str.h"
#include "metrics/metric.h"

/* Appends the name of a member, with a comma in front unless it is the object's first. */
void json_add_member(struct strbuf *b, const char *name);
void json_add_labels(struct strbuf *b, const struct label *labels, uint32_t n);
/* type: enum metric_type, of the family. */
void json_add_metric(struct strbuf *b, int32_t type, const struct metric *m);

#endif
