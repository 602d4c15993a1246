/* What the files of journal/sqlite that are the engine share: sqlite.c, commit.c and reading.c. */
#ifndef JOURNAL_SQLITE_INTERNAL_H
#define JOURNAL_SQLITE_INTERNAL_H

#include <sqlite3.h>

#include "journal/sqlite/connection.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/space.h"
#include "journal/sqlite/sqlite.h"

enum { PAGE_BYTES = 4096 };

enum statement {
	BEGIN,
	COMMIT,
	PUT_ROW,
	TRIM,
	OLDEST,
	READ_ROW,
	N_STATEMENTS,
};

struct sqlite_storage {
	struct storage base; /* first */
	struct connection connection;
	sqlite3 *db; /* of the connection */
	sqlite3_stmt *stmt[N_STATEMENTS];
	struct space space;
	char *path;
	int checkpoint;                /* pages of the WAL at which it is made */
	struct db_directory directory; /* when it was opened first */
	bool lost;                     /* it was opened again and was damaged */
	struct backup *backup;         /* NULL: none is being made */
	bool backup_ended;             /* it was, of the connection before */
	bool at_odds;                  /* it has a row of a number that the store gave to another */
};

static inline struct sqlite_storage *sqlite_of(struct storage *st)
{
	return (struct sqlite_storage *)st;
}

/* In commit.c. */
enum storage_commit_result sqlite_commit(struct storage *st, const struct rows *rows,
					 struct err *err);
int sqlite_probe(struct storage *st, struct err *err);
/* Makes checkpoints as rare as so many bytes of live rows allow. An SQLite result code. */
int sqlite_set_checkpoint(struct sqlite_storage *s, uint64_t live_bytes);

/* In reading.c. */
enum storage_load_result sqlite_read(struct storage *st, enum storage_which which, uint64_t below,
				     storage_row_fn fn, void *arg, struct err *err);
int sqlite_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		  struct err *err);

#endif
