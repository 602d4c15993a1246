/*
 * Families -> io.prometheus.client.MetricFamily, delimited: what the database stores and what a
 * protobuf scrape is made of. Fields are written in ascending order, absent ones not at all.
 */
#ifndef FORMAT_PROTOBUF_ENCODE_H
#define FORMAT_PROTOBUF_ENCODE_H

#include "base/str.h"
#include "metrics/metric.h"

/*
 * Appends one delimited message with the metrics of f in list order. Everything in struct metric
 * survives a round trip through proto_decode().
 */
void proto_encode_family(const struct family *f, struct strbuf *out);

/* Writes the length that stands before a delimited message of n bytes; returns its size. */
#define PROTO_LENGTH_MAX 10
unsigned proto_put_length(char to[PROTO_LENGTH_MAX], size_t n);

/*
 * The same in pieces, if the length is known: name, help and type of f, each metric as a field of
 * its family, and the rest.
 */
void proto_encode_head(const struct family *f, struct strbuf *out);
void proto_encode_metric(const struct metric *m, struct strbuf *out);
/*
 * The same for labels that several metrics have: *labels is where in out they were written before
 * (n 0: nowhere yet), and is set if it can be.
 */
void proto_encode_metric_again(const struct metric *m, struct extent *labels, struct strbuf *out);
/* The unit; after the metrics, where proto_encode_family() has it. */
void proto_encode_tail(const struct family *f, struct strbuf *out);

#endif
