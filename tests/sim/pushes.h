/*
 * Pushes of the naive store as clients send them: in several formats, compressed, in chunks, or
 * spoiled.
 */
#ifndef TESTS_SIM_PUSHES_H
#define TESTS_SIM_PUSHES_H

#include <stdbool.h>

#include "lib/naive_store.h"

/* Limits of what one push may have, in bytes, series and families; 0: none that matters. */
struct pushes_limits {
	size_t body, value;
	unsigned series, families;
};

/* dry_run: it only asks for the answer. options: the end of its path. */
struct pushes_how {
	bool dry_run;
	const char *options;
	const struct pushes_limits *limits;
	bool long_ones; /* some bodies are as long as CROWDS_LEAST and CROWDS_MOST say */
};

/* spoiled: its body cannot be read, which is a 400; too_large: it is over a limit, which is a 413.
 */
struct pushes_made {
	bool spoiled, too_large;
};

/* Makes a valid push of as many series, or families, as the limits allow, or of one more. */
void pushes_fill(uint64_t *rng, const struct pushes_limits *l, struct naive_push *p);
/* Appends a request. With a limit of bytes some bodies have just as many, or one more. */
struct pushes_made pushes_add_bytes(uint64_t *rng, const struct naive_push *p,
				    const struct pushes_how *how, struct strbuf *out);

#endif
