#include "journal/sqlite/space.h"

#include "journal/sqlite/connection.h"
#include "journal/sqlite/migrate.h"
#include "journal/sqlite/vfs.h"

/*
 * OTHER_BYTES: of pages that a transaction changes beside those that it fills. ROW_OVERHEAD: bytes
 * of a row beside its body.
 */
enum { PAGE = 4096, OTHER_BYTES = 16 * PAGE, ROW_OVERHEAD = 64 };

static int ask(sqlite3_stmt *stmt, sqlite3_int64 *ret)
{
	int r = sqlite3_step(stmt);

	*ret = r == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	return r == SQLITE_ROW ? SQLITE_OK : r;
}

int space_init(struct space *s, sqlite3 *db)
{
	int r = sqlite3_prepare_v3(db, "PRAGMA page_count", -1, SQLITE_PREPARE_PERSISTENT,
				   &s->pages, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_prepare_v3(db, "PRAGMA freelist_count", -1, SQLITE_PREPARE_PERSISTENT,
				       &s->free_pages, NULL);
	return r;
}

void space_done(struct space *s)
{
	sqlite3_finalize(s->pages);
	sqlite3_finalize(s->free_pages);
	*s = (struct space){ 0 };
}

static sqlite3_int64 estimate(const struct rows *rows)
{
	sqlite3_int64 bytes = OTHER_BYTES;

	for (size_t i = 0; i < rows->n; i++)
		bytes += (sqlite3_int64)rows->list[i].body.n + ROW_OVERHEAD;
	/* A frame of the WAL and a page that continues a row have headers. */
	return bytes + bytes / 64;
}

/* Writes the first page as it is. */
int space_commit_nothing(sqlite3 *db)
{
	char pragma[64];
	int version;
	int r = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (r == SQLITE_OK)
		r = migrate_read_int(db, "PRAGMA user_version", &version);
	if (r == SQLITE_OK) {
		sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version=%d", version);
		r = sqlite3_exec(db, pragma, NULL, NULL, NULL);
	}
	return r == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : r;
}

static int limit_wal(sqlite3 *db, int bytes)
{
	char pragma[64];

	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA journal_size_limit=%d", bytes);
	return sqlite3_exec(db, pragma, NULL, NULL, NULL);
}

int space_limit_wal(struct space *s, sqlite3 *db, int bytes)
{
	s->wal_limit = bytes;
	return limit_wal(db, bytes);
}

/*
 * Cuts a long WAL, so that the database gets its room. All of the WAL is in the database, and it
 * begins anew with the next commit.
 */
static void shorten_wal(struct space *s, sqlite3 *db)
{
	if (limit_wal(db, (int)s->least_wal) == SQLITE_OK &&
	    space_commit_nothing(db) != SQLITE_OK && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	limit_wal(db, s->wal_limit);
}

/* Reserves room for a database of that size and a WAL that ends at wal_end. */
static bool keep(const struct space *s, sqlite3 *db, sqlite3_int64 database, sqlite3_int64 wal_end)
{
	return vfs_keep_space(db, database, wal_end > s->least_wal ? wal_end : s->least_wal) == 0;
}

static sqlite3_int64 least_wal(const struct space *s, const struct rows *rows)
{
	sqlite3_int64 least = s->least_wal > SPACE_KEPT ? s->least_wal : SPACE_KEPT;

	for (size_t i = 0; i < rows->n; i++) {
		sqlite3_int64 body = (sqlite3_int64)rows->list[i].body.n;
		sqlite3_int64 takes = body + body / 32 + OTHER_BYTES;

		if (takes > least)
			least = takes;
	}
	return least;
}

int space_make(struct space *s, sqlite3 *db, const struct rows *rows)
{
	sqlite3_int64 bytes = estimate(rows), pages, free_pages, more, database;
	int r;

	s->least_wal = least_wal(s, rows);
	if (bytes <= s->ahead && keep(s, db, s->database, vfs_wal_end(db) + bytes)) {
		s->ahead -= bytes;
		return SQLITE_OK;
	}
	s->ahead = 0;
	r = ask(s->pages, &pages);
	if (r == SQLITE_OK)
		r = ask(s->free_pages, &free_pages);
	if (r != SQLITE_OK)
		return r;
	/* Free pages of the database count as reserved room. */
	more = bytes + SPACE_KEPT - free_pages * PAGE;
	database = pages * PAGE + (more > 0 ? more : 0);
	if (keep(s, db, database + SPACE_AHEAD, vfs_wal_end(db) + bytes)) {
		s->database = database + SPACE_AHEAD;
		s->ahead = SPACE_AHEAD;
		return SQLITE_OK;
	}
	if (keep(s, db, database, vfs_wal_end(db) + bytes) || rows_free(rows))
		return SQLITE_OK;
	/* Once all of the WAL is in the database it begins anew, and needs less room. */
	if (!connection_move_all(db))
		return SQLITE_FULL;
	if (keep(s, db, database, bytes))
		return SQLITE_OK;
	if (vfs_wal_room(db) <= bytes + s->least_wal)
		return SQLITE_FULL;
	shorten_wal(s, db);
	return keep(s, db, database, vfs_wal_end(db) + bytes) ? SQLITE_OK : SQLITE_FULL;
}

bool space_regain(sqlite3 *db, const struct rows *rows)
{
	return rows_free(rows) && connection_move_all(db);
}
