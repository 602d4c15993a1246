/* A log that a test writes, a push for each of its batches, and what it changes of its rows. */
#ifndef TESTS_LIB_ROW_WRITER_H
#define TESTS_LIB_ROW_WRITER_H

#include "lib/mem_storage.h"

/*
 * "/j/pid/1|x 5": a push to a summed group, "|" begins the body; "plain /k|x 5" to a plain one;
 * "DELETE /j". It has to be accepted, unless "refused " is in front of it.
 */
void rows_write(struct store *s, struct mem_storage *rows, const char *what, double now);

/* Puts `to` in place of `from`, which is as long, in the body of each row that has it. */
void rows_change(struct mem_storage *rows, const char *from, const char *to);

#endif
