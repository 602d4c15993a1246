#include "journal/sqlite/sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "journal/sqlite/backup.h"
#include "journal/sqlite/connection.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/migrate.h"
#include "journal/sqlite/row.h"
#include "journal/sqlite/space.h"
#include "journal/sqlite/vfs.h"

enum statement {
	BEGIN,
	COMMIT,
	PUT_ROW,
	TRIM,
	OLDEST,
	READ_ROW,
	N_STATEMENTS,
};

static const char *const statements[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_ROW] = ROW_INSERT,
	[TRIM] = "DELETE FROM log WHERE number <= ?",
	[OLDEST] = ROW_HEADS "ORDER BY number",
	[READ_ROW] = ROW_SELECT "WHERE number = ?",
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

static struct sqlite_storage *sqlite_of(struct storage *st)
{
	return (struct sqlite_storage *)st;
}

/* A checkpoint writes all pages changed since the last one, and the committer waits for it. So the
 * more is stored, the less often it is made; a small store keeps a small WAL.
 */
enum {
	PAGE_BYTES = 4096,
	CHECKPOINT_MIN = 256, /* pages: 1 MiB */
	CHECKPOINT_MAX = 4000,
	WAL_LIMIT = 4, /* a WAL that was longer is cut to so many times that */
};

static int sqlite_set_checkpoint(struct sqlite_storage *s, uint64_t live_bytes)
{
	uint64_t pages = live_bytes * 8 / PAGE_BYTES;
	int want = pages < CHECKPOINT_MIN   ? CHECKPOINT_MIN
		   : pages < CHECKPOINT_MAX ? (int)pages
					    : CHECKPOINT_MAX;
	int r;

	if (want <= s->checkpoint * 3 / 2 && want >= s->checkpoint / 2)
		return SQLITE_OK;
	r = sqlite3_wal_autocheckpoint(s->db, want);
	if (r == SQLITE_OK)
		r = space_limit_wal(&s->space, s->db, want * WAL_LIMIT * PAGE_BYTES);
	if (r == SQLITE_OK)
		s->checkpoint = want;
	return r;
}

static int trim(sqlite3_stmt *stmt, uint64_t number)
{
	int r = sqlite3_bind_int64(stmt, 1, (sqlite3_int64)number);

	return r == SQLITE_OK ? statement_run(stmt) : r;
}

/* Whether the error may come from one of the rows, and not from the disk. */
static bool is_of_rows(int code)
{
	switch (code & 0xFF) {
	case SQLITE_TOOBIG:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_NOMEM:
		return true;
	default:
		return false;
	}
}

static void roll_back(struct sqlite_storage *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Deletes rows first, so that their pages can be used for new rows. */
static int try_commit(struct sqlite_storage *s, const struct rows *rows)
{
	int r = statement_run(s->stmt[BEGIN]);

	if (r == SQLITE_OK && rows->trim)
		r = trim(s->stmt[TRIM], rows->trim);
	for (size_t i = 0; r == SQLITE_OK && i < rows->n; i++)
		r = row_insert(s->stmt[PUT_ROW], &rows->list[i]);
	return r == SQLITE_OK ? statement_run(s->stmt[COMMIT]) : r;
}

static enum storage_commit_result explain_refusal(struct sqlite_storage *s, int code,
						  struct err *err)
{
	/* Some errors are ours, and SQLite has no message for them. */
	bool own = (sqlite3_errcode(s->db) & 0xFF) != (code & 0xFF);

	err_set(err, ERR_STORAGE, 0, "the push could not be stored: %s",
		own ? sqlite3_errstr(code) : sqlite3_errmsg(s->db));
	if (!own && sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
		s->at_odds = true;
	if ((code & 0xFF) == SQLITE_FULL)
		return STORAGE_REFUSED_FULL;
	return is_of_rows(code) ? STORAGE_REFUSED_ROWS : STORAGE_REFUSED;
}

static enum storage_commit_result sqlite_commit(struct storage *st, const struct rows *rows,
						struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);
	enum storage_commit_result ret;
	int r;

	if (!s->db) {
		err_set(err, ERR_STORAGE, 0, "the push could not be stored: %s is not open",
			s->path);
		return STORAGE_REFUSED;
	}
	connection_mark(&s->connection);
	r = sqlite_set_checkpoint(s, rows->live_bytes);
	if (r == SQLITE_OK)
		r = space_make(&s->space, s->db, rows);
	if (r == SQLITE_OK)
		r = try_commit(s, rows);
	if ((r & 0xFF) == SQLITE_FULL) {
		roll_back(s);
		if (space_regain(s->db, rows))
			r = try_commit(s, rows);
	}
	if (r == SQLITE_OK)
		return STORAGE_COMMITTED;
	ret = explain_refusal(s, r, err);
	roll_back(s);
	return ret;
}

static int sqlite_probe(struct storage *st, struct err *err)
{
	struct row record = { .kind = ROW_RECORD };
	const struct rows any = { .list = &record, .n = 1 };
	struct sqlite_storage *s = sqlite_of(st);
	int r;

	if (!s->db)
		return err_set(err, ERR_STORAGE, 0, "%s is not open", s->path);
	connection_mark(&s->connection);
	r = space_make(&s->space, s->db, &any);
	if (r == SQLITE_OK)
		r = space_commit_nothing(s->db);
	if (r == SQLITE_OK)
		return 0;
	explain_refusal(s, r, err);
	roll_back(s);
	return -1;
}

/* -1 with *err: it cannot be read, or is not what was written. */
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

static int sqlite_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
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

/* The partial index of the schema serves the second. */
static const char *const reads[] = {
	[STORAGE_ALL] = ROW_SELECT "WHERE number < ? ORDER BY number DESC",
	[STORAGE_GROUPS] = ROW_SELECT
	"WHERE number < ? AND (kind = 1 OR kind = 5 OR kind = 6) ORDER BY number DESC",
};

static enum storage_load_result sqlite_read(struct storage *st, enum storage_which which,
					    uint64_t below, storage_row_fn fn, void *arg,
					    struct err *err)
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
	if (!err->reason)
		err_set(err, ERR_SYSTEM, 0, "%s: %s", s->path, sqlite3_errstr(r));
	s->connection.damaged = connection_is_damage(r);
	return s->connection.damaged ? STORAGE_DAMAGED : STORAGE_FAILED;
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct stat sb;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &sb) == 0 ? (uint64_t)sb.st_size : 0;
}

static uint64_t sqlite_bytes(struct storage *st)
{
	return file_bytes(sqlite_of(st)->path, "") + file_bytes(sqlite_of(st)->path, "-wal");
}

static void finalize(struct sqlite_storage *s)
{
	for (int i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(s->stmt[i]);
	space_done(&s->space);
	memset(s->stmt, 0, sizeof(s->stmt));
}

static void sqlite_backup_drop(struct storage *st)
{
	struct sqlite_storage *s = sqlite_of(st);

	backup_free(s->backup);
	s->backup = NULL;
}

static enum storage_backup_result sqlite_backup_step(struct storage *st, struct storage_backup *ret,
						     struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);
	enum storage_backup_result r = STORAGE_BACKUP_FAILED;

	if (s->backup_ended || !s->db)
		err_set(err, ERR_STORAGE, 0,
			"the database was opened again while it was being copied: try again");
	else if (s->backup || (s->backup = backup_begin(s->db, err)))
		r = backup_step(s->backup, ret, err);
	s->backup_ended = false;
	if (r != STORAGE_BACKUP_GOES_ON)
		sqlite_backup_drop(st);
	return r;
}

/* Closes it without a checkpoint, which would change the files. */
static void detach(struct sqlite_storage *s)
{
	s->backup_ended = s->backup != NULL;
	sqlite_backup_drop(&s->base);
	finalize(s);
	if (s->db)
		connection_leave(&s->connection);
	s->db = NULL;
}

static void sqlite_close(struct storage *st)
{
	struct sqlite_storage *s = sqlite_of(st);

	sqlite_backup_drop(st);
	finalize(s);
	if (s->db)
		connection_close(&s->connection);
	free(s->path);
	free(s);
}

static int prepare(struct sqlite_storage *s)
{
	int r = SQLITE_OK;

	for (int i = 0; r == SQLITE_OK && i < N_STATEMENTS; i++)
		r = sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &s->stmt[i], NULL);
	return r == SQLITE_OK ? space_init(&s->space, s->db) : r;
}

static enum sqlite_open_result attach(struct sqlite_storage *s, struct err *err)
{
	enum sqlite_open_result opened = connection_open(s->path, &s->connection, err);
	int r;

	if (opened != SQLITE_OPENED)
		return opened;
	s->db = s->connection.db;
	r = prepare(s);
	s->at_odds = false;
	s->checkpoint = 0;
	if (r == SQLITE_OK)
		r = sqlite_set_checkpoint(s, 0);
	/* SQLite's limit for a row; all but the body takes less than a page. */
	s->base.max_body = (uint64_t)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, -1) - PAGE_BYTES;
	if (r == SQLITE_OK)
		return SQLITE_OPENED;
	opened = connection_refuse(s->path, s->db, r, err);
	detach(s);
	return opened;
}

static enum storage_health sqlite_health(struct storage *st, struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);

	if (s->lost || (s->db && vfs_check_files(s->db, err) < 0))
		return STORAGE_LOST;
	return !s->db || s->at_odds || vfs_sync_failed(s->db) ? STORAGE_DOUBTED : STORAGE_WELL;
}

static int sqlite_reopen(struct storage *st, struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);
	enum sqlite_open_result opened;

	/* While the disk fails to sync, opening it again would not help. */
	if (s->db && vfs_sync(s->db) < 0)
		return err_set(err, ERR_STORAGE, 0, "%s: its disk does not sync", s->path);
	detach(s);
	db_file_forget_cached(s->path);
	opened = attach(s, err);
	s->lost = opened == SQLITE_OPEN_DAMAGED;
	return opened == SQLITE_OPENED ? 0 : -1;
}

static int fill_new(const char *path, storage_fill_fn fill, void *arg, struct err *err)
{
	struct storage *st;
	int r;

	if (sqlite_storage_open(path, &st, err) != SQLITE_OPENED)
		return -1;
	r = fill(arg, st, err);
	st->ops->close(st);
	return r;
}

int sqlite_storage_replace(const char *path, storage_fill_fn fill, void *arg,
			   struct strbuf *ret_kept, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf new = { 0 };

	if (db_file_begin_new(path, &new, err) < 0 ||
	    fill_new(strbuf_z(&new), fill, arg, err) < 0 || db_file_end_new(path, err) < 0)
		return -1;
	return db_file_put_in_place(path, ret_kept, err) < 0 ? -1 : 0;
}

/* Where the process may write was settled when it started (process/sandbox.h). */
static void explain_directory(struct sqlite_storage *s, struct err *err)
{
	struct db_directory now = db_file_directory(s->path);

	if (now.inode && (now.device != s->directory.device || now.inode != s->directory.inode))
		err_set(err, ERR_SYSTEM, 0,
			"the directory of %s has been replaced by another one: restart the "
			"gateway, or put the one back that was there when it started",
			s->path);
}

static int sqlite_renew(struct storage *st, storage_fill_fn fill, void *arg,
			struct strbuf *ret_kept, struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);

	detach(s);
	s->lost = true;
	if (sqlite_storage_replace(s->path, fill, arg, ret_kept, err) < 0 ||
	    attach(s, err) != SQLITE_OPENED) {
		explain_directory(s, err);
		return -1;
	}
	s->lost = false;
	return 0;
}

static const struct storage_ops sqlite_ops = {
	.read = sqlite_read,
	.commit = sqlite_commit,
	.oldest = sqlite_oldest,
	.bytes = sqlite_bytes,
	.probe = sqlite_probe,
	.health = sqlite_health,
	.reopen = sqlite_reopen,
	.renew = sqlite_renew,
	.backup_step = sqlite_backup_step,
	.backup_drop = sqlite_backup_drop,
	.close = sqlite_close,
};

enum sqlite_open_result sqlite_storage_open(const char *path, struct storage **ret_storage,
					    struct err *err)
{
	struct sqlite_storage *s = mem_zalloc(sizeof(*s));
	enum sqlite_open_result opened;

	s->base.ops = &sqlite_ops;
	s->path = mem_strdup(path);
	s->directory = db_file_directory(path);
	err->reason = ERR_NONE;
	opened = attach(s, err);
	if (opened == SQLITE_OPENED)
		backup_remove_left(s->db);
	if (opened == SQLITE_OPENED)
		*ret_storage = &s->base;
	else
		sqlite_close(&s->base);
	return opened;
}

struct sqlite_found sqlite_storage_found(struct storage *st)
{
	return sqlite_of(st)->connection.found;
}
