/* Which exposition format a scraper asks for; read as the Go gateway reads it. */
#ifndef FORMAT_ACCEPT_HEADER_H
#define FORMAT_ACCEPT_HEADER_H

#include <stdbool.h>

#include "base/str.h"
#include "metrics/escape.h"

enum exposition_format {
	FORMAT_TEXT,        /* 0.0.4 */
	FORMAT_OPENMETRICS, /* 1.0.0 */
	FORMAT_PROTO,       /* delimited */
	FORMAT_PROTO_TEXT,  /* for people */
	FORMAT_PROTO_COMPACT,
	N_FORMATS,
};

struct accepted {
	enum exposition_format format;
	enum escaping escaping;
};

/*
 * Takes the first clause, by falling quality, that names a format; text if none does. Each clause
 * up to there that has a known escaping= sets the escaping, whether it names a format or not.
 * openmetrics: whether OpenMetrics is offered.
 */
struct accepted accept_parse(struct str accept, bool openmetrics);

/* Room for accept_content_type(). */
enum { CONTENT_TYPE_MAX = 160 };
const char *accept_content_type(struct accepted a, char out[CONTENT_TYPE_MAX]);

#endif
