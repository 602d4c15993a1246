/* What is stored under a name, for commands: read without changing it, or written as a whole. */
#ifndef PROCESS_STORED_H
#define PROCESS_STORED_H

#include "journal/postgresql/postgresql.h"
#include "journal/salvage.h"
#include "journal/sqlite/private_copy.h"
#include "journal/sqlite/sqlite.h"

struct stored {
	struct store *store;       /* with nothing left out because of limits */
	struct sqlite_found found; /* unless it is damaged */
	struct err damage;         /* ERR_NONE: it is sound */
	/* If it is damaged, the store has what can be read. */
	struct salvage *salvage;
	struct salvage_counts counts;
	struct private_copy copy;
};

/* NAME is a file that no gateway has open. -1: *err says why nothing can be said of it. */
int stored_read(const char *name, struct stored *ret, struct err *err);
/* As of one moment, and gateways may be using it. -1, too, if it is damaged. */
int stored_read_postgresql(const struct postgresql_settings *from, struct stored *ret,
			   struct err *err);
void stored_done(struct stored *s);

/* What is in there and not shown, a line for each to stderr; returns how many. */
size_t stored_print_left_out(const struct stored *s, const char *name);

/* A new file: it has that name when it is complete, and it was read back. -1: there is none. */
int stored_write(const char *name, struct store *store, struct err *err);
/* A new schema, or one without tables: they are there when all is, and was read back. */
int stored_write_postgresql(const struct postgresql_settings *to, struct store *store,
			    struct err *err);

#endif
