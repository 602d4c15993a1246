/* Shared by the files of the engine itself: sqlite.c, commit.c and reading.c. */
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
	int checkpoint;                /* pages of the WAL at which one is made */
	struct db_directory directory; /* of the file as it was first opened */
	struct file_access access;     /* of the file */
	bool lost;                     /* it was damaged when it was opened again */
	struct backup *backup;         /* NULL: none is being made */
	bool backup_ended;             /* a backup was under way when the connection was closed */
	bool at_odds; /* the log has a row with a number that the store has given to another row */
};

static inline struct sqlite_storage *sqlite_of(struct storage *st)
{
	return (struct sqlite_storage *)st;
}

/* In commit.c. */
enum storage_commit_result sqlite_commit(struct storage *st, const struct rows *rows,
					 struct err *err);
int sqlite_probe(struct storage *st, struct err *err);
/* Sets how often checkpoints are made, for that many bytes of live rows. An SQLite result code. */
int sqlite_set_checkpoint(struct sqlite_storage *s, uint64_t live_bytes);

/* In reading.c. */
enum storage_load_result sqlite_read(struct storage *st, enum storage_which which, uint64_t below,
				     storage_row_fn fn, void *arg, struct err *err);
int sqlite_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		  struct err *err);

#endif
