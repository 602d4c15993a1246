/* The content of a database, for commands: read without changing it, or written as a whole. */
#ifndef PROCESS_STORED_H
#define PROCESS_STORED_H

#include "journal/postgresql/postgresql.h"
#include "journal/salvage.h"
#include "journal/sqlite/private_copy.h"
#include "journal/sqlite/sqlite.h"

struct stored {
	struct store *store;       /* with nothing left out because of limits */
	struct sqlite_found found; /* set unless it is damaged */
	struct err damage;         /* ERR_NONE: it is sound */
	/* If it is damaged, the store has what can be read. */
	struct salvage *salvage;
	struct salvage_counts counts;
	struct private_copy copy;
};

/* Reads a file that no gateway has open. -1: *err says why it cannot be read at all. */
int stored_read(const char *name, struct stored *ret, struct err *err);
/* Reads the state of one moment; gateways may be using the log. -1 also if it is damaged. */
int stored_read_postgresql(const struct postgresql_settings *from, struct stored *ret,
			   struct err *err);
void stored_done(struct stored *s);

/* Prints a line to stderr for each group or family that is not shown; returns how many. */
size_t stored_print_left_out(const struct stored *s, const char *name);

/*
 * Writes a new file, which gets its name once it is complete and was read back, and which nobody
 * can read who may not by `like`. -1: there is none.
 */
int stored_write(const char *name, const struct file_access *like, struct store *store,
		 struct err *err);
/*
 * Writes to a new schema, or to one without tables; the tables become visible once all is written
 * and was read back. -1: *err.
 */
int stored_write_postgresql(const struct postgresql_settings *to, struct store *store,
			    struct err *err);

#endif
