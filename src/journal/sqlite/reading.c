#include "journal/sqlite/internal.h"
#include "journal/sqlite/row.h"

/* -1 with *err: the row cannot be read, or is damaged. */
static int read_row(struct sqlite_storage *s, uint64_t number,
		    const struct storage_cleaner *cleaner, struct err *err)
{
	sqlite3_stmt *stmt = s->stmt[READ_ROW];
	int r = sqlite3_bind_int64(stmt, 1, (sqlite3_int64)number), ret = -1;
	struct row row;

	if (r == SQLITE_OK)
		r = sqlite3_step(stmt);
	if (r != SQLITE_ROW) {
		err_set(err, ERR_SYSTEM, 0, "%s: %s", s->path, sqlite3_errstr(r));
	} else {
		row_get(stmt, &row);
		if (row_verdict(&row) == ROW_BAD_CHECKSUM)
			err_set(err, ERR_SYSTEM, 0,
				"%s: row %llu of the log is damaged: its checksum is wrong",
				s->path, (unsigned long long)number);
		else
			ret = cleaner->row(cleaner->arg, &row, err);
	}
	sqlite3_reset(stmt);
	return ret;
}

int sqlite_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		  struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);
	sqlite3_stmt *stmt = s->stmt[OLDEST];
	uint64_t seen = 0;
	int r = SQLITE_DONE, ret = 0;

	if (!stmt)
		return err_set(err, ERR_SYSTEM, 0, "%s is not open", s->path);
	while (ret == 0 && seen < bytes && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct row row;

		row_get_head(stmt, &row);
		seen += row_bytes_of(row.body.n);
		if (cleaner->look(cleaner->arg, &row))
			ret = read_row(s, row.number, cleaner, err);
	}
	sqlite3_reset(stmt);
	if (ret < 0 || r == SQLITE_ROW || r == SQLITE_DONE)
		return ret;
	return err_set(err, ERR_SYSTEM, 0, "%s: %s", s->path, sqlite3_errstr(r));
}

/* The second uses the partial index of the schema. */
static const char *const reads[] = {
	[STORAGE_ALL] = ROW_SELECT "WHERE number < ? ORDER BY number DESC",
	[STORAGE_GROUPS] = ROW_SELECT
	"WHERE number < ? AND (kind = 1 OR kind = 5 OR kind = 6) ORDER BY number DESC",
};

enum storage_load_result sqlite_read(struct storage *st, enum storage_which which, uint64_t below,
				     storage_row_fn fn, void *arg, struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);
	sqlite3_int64 most = below < INT64_MAX ? (sqlite3_int64)below : INT64_MAX;
	sqlite3_stmt *stmt = NULL;
	int wanted;

	if (!s->db) {
		err_set(err, ERR_SYSTEM, 0, "%s is not open", s->path);
		return STORAGE_FAILED;
	}
	int r = sqlite3_prepare_v2(s->db, reads[which], -1, &stmt, NULL);

	err->reason = ERR_NONE;
	if (r == SQLITE_OK)
		r = sqlite3_bind_int64(stmt, 1, most);
	while (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct row row;

		row_get(stmt, &row);
		wanted = fn(arg, &row, err);
		r = wanted == 0 ? SQLITE_OK : wanted > 0 ? SQLITE_DONE : SQLITE_CORRUPT;
	}
	sqlite3_finalize(stmt);
	if (r == SQLITE_DONE)
		return STORAGE_LOADED;
	if (!err->reason && (r == SQLITE_NOMEM || r == SQLITE_IOERR_NOMEM))
		err_set(err, ERR_BUSY, 0, "not enough memory to read the database, try again");
	else if (!err->reason)
		err_set(err, ERR_SYSTEM, 0, "%s: %s", s->path, sqlite3_errstr(r));
	s->connection.damaged = connection_is_damage(r);
	return s->connection.damaged ? STORAGE_DAMAGED : STORAGE_FAILED;
}
