/*
 * Families as Go's prototext shows messages, for people: on several lines, or a whole family on
 * one. Go varies the blanks from build to build so that nobody relies on them; here they do not
 * vary.
 */
#ifndef FORMAT_PROTOBUF_TEXT_H
#define FORMAT_PROTOBUF_TEXT_H

#include "base/str.h"
#include "metrics/metric.h"

/* name, help and type of f. The metrics follow, and then proto_text_end(). */
void proto_text_head(struct strbuf *out, bool compact, const struct family *f);
void proto_text_metric(struct strbuf *out, bool compact, const struct metric *m);
void proto_text_end(struct strbuf *out);

#endif
