/*
 * Strict readers of every format that a scrape is answered in. Written from the specifications
 * (exposition format 0.0.4 with the quoted names of 1.0.0, OpenMetrics 1.0, io.prometheus.client,
 * the protobuf text format), without anything of src/, so that both do not share errors. They build
 * alone, as a library that the integration tests load.
 */
#ifndef TESTS_LIB_STRICT_STRICT_H
#define TESTS_LIB_STRICT_STRICT_H

#include <stdbool.h>
#include <stddef.h>

enum strict_format {
	STRICT_TEXT,
	STRICT_OPENMETRICS,
	STRICT_PROTO,      /* delimited */
	STRICT_PROTO_TEXT, /* both forms for people */
	N_STRICT_FORMATS,
};

/*
 * 0, or -1 with what is wrong. utf8_names: names may be any UTF-8 without NUL (quoted in the text
 * formats); otherwise they are classic. Also wrong, in any format: a family or series twice, a
 * label twice or called __name__, samples that their family's type does not have, native
 * histograms that contradict themselves; in OpenMetrics two families that share a name.
 */
int strict_check(enum strict_format format, bool utf8_names, const char *p, size_t n, char *why,
		 size_t why_size);

#endif
