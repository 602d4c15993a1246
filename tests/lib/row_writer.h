/* Writes a log for tests, with a push in each batch, and changes bytes of its rows. */
#ifndef TESTS_LIB_ROW_WRITER_H
#define TESTS_LIB_ROW_WRITER_H

#include "lib/mem_storage.h"

/*
 * what: "/j/pid/1|x 5" is a push to a summed group, "|" begins the body; "plain /k|x 5" one to a
 * plain group; or "DELETE /j". The push has to be accepted, unless "refused " is in front.
 */
void rows_write(struct store *s, struct mem_storage *rows, const char *what, double now);

/* Puts `to` in place of `from`, which is as long, in the body of each row that has it. */
void rows_change(struct mem_storage *rows, const char *from, const char *to);

#endif
