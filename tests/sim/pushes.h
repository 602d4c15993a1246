/* Pushes of the naive store as clients send them: in several formats, compressed, in chunks, or so
 * that they cannot be read. */
#ifndef TESTS_SIM_PUSHES_H
#define TESTS_SIM_PUSHES_H

#include <stdbool.h>

#include "lib/naive_store.h"

/* dry_run: asks what it would be answered. options: at the end of its path. False: nobody can read
 * its body, which is a 400. */
bool pushes_add_bytes(uint64_t *rng, const struct naive_push *p, bool dry_run, const char *options,
		      struct strbuf *out);

#endif
