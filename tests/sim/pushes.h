/*
 * Pushes of the naive store as clients send them: in several formats, compressed, in chunks, or
 * spoiled.
 */
#ifndef TESTS_SIM_PUSHES_H
#define TESTS_SIM_PUSHES_H

#include <stdbool.h>

#include "lib/naive_store.h"

/*
 * Appends a request. dry_run: it only asks for the answer. options: the end of its path. False: its
 * body cannot be read, which is a 400.
 */
bool pushes_add_bytes(uint64_t *rng, const struct naive_push *p, bool dry_run, const char *options,
		      struct strbuf *out);

#endif
