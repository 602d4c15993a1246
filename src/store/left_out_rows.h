/*
 * The rows of groups and families that are left out, as the database has them: what is shown is
 * built from rows, but what is left out can only be carried over as it is into a database that is
 * written anew. The committer, or at start.
 */
#ifndef STORE_LEFT_OUT_ROWS_H
#define STORE_LEFT_OUT_ROWS_H

#include "store/rows.h"

/* Owns its rows and their bodies. */
struct left_out_rows {
	struct row *list;
	size_t n, cap;
};

void left_out_rows_add(struct left_out_rows *rows, const struct row *row);
void left_out_rows_done(struct left_out_rows *rows);

/* What of a record's body is of this family; empty: nothing, or it is there twice. Borrowed. */
struct str left_out_message(struct str body, struct str family);

#endif
