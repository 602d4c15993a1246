#include "journal/sqlite/connection.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "journal/sqlite/crash.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/hold.h"
#include "journal/sqlite/migrate.h"
#include "journal/sqlite/synced.h"
#include "journal/sqlite/vfs.h"

/*
 * Exclusive: one gateway for one file, and one connection for the gateway; no shared-memory index
 * beside the WAL. Not only for speed: the SQLite of Debian 12 can lose commits when two connections
 * write and checkpoint at the same moment (the WAL-reset fault, mended in 3.51.3). So everything
 * that reads the file, a backup for instance, has to use this connection. Deleted rows are
 * overwritten, which is the default in Debian's SQLite: carve.h must not find trimmed rows in a
 * damaged database. FULL: the WAL is synced before a commit returns. When checkpoints are made is
 * set in commit.c.
 */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
			       "PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=FULL;"
			       "PRAGMA secure_delete=ON;"
			       "PRAGMA temp_store=MEMORY;";

/*
 * Settings that durability depends on. They are read back, since SQLite reports no error for a
 * pragma that has no effect.
 */
static const struct {
	const char *sql, *value;
} required[] = {
	{ "PRAGMA locking_mode", "exclusive" },
	{ "PRAGMA journal_mode", "wal" },
	{ "PRAGMA synchronous", "2" },
	{ "PRAGMA secure_delete", "1" },
};

static int check_setting(sqlite3 *db, const char *sql, const char *value, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	const char *got = "nothing";

	if (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		got = (const char *)sqlite3_column_text(stmt, 0);
		r = got && strcmp(got, value) == 0 ? SQLITE_OK : SQLITE_MISUSE;
	}
	if (r == SQLITE_MISUSE)
		err_set(err, ERR_SYSTEM, 0, "SQLite answers \"%s\" with %s instead of %s", sql,
			got ? got : "nothing", value);
	sqlite3_finalize(stmt);
	return r;
}

static int set_up(sqlite3 *db, struct err *err)
{
	int r = sqlite3_exec(db, settings, NULL, NULL, NULL);

	for (size_t i = 0; r == SQLITE_OK && i < ARRAY_LEN(required); i++)
		r = check_setting(db, required[i].sql, required[i].value, err);
	return r;
}

static void explain_open(struct err *err, const char *path, sqlite3 *db, int code)
{
	/* Locking a file that could only be opened for reading is reported as an I/O error. */
	if (db && sqlite3_db_readonly(db, "main") == 1)
		code = SQLITE_READONLY;
	switch (code & 0xFF) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		hold_refuse(path, err);
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		err_set(err, ERR_SYSTEM, 0,
			"cannot write %s (%s): make its directory exist and writable for this "
			"user, or "
			"choose another --persistence.file",
			path, sqlite3_errmsg(db));
		break;
	case SQLITE_FULL:
		err_set(err, ERR_SYSTEM, 0, "no space left for %s: free some on that disk", path);
		break;
	default:
		err_set(err, ERR_SYSTEM, 0, "cannot open %s: %s", path, sqlite3_errmsg(db));
		break;
	}
}

/* SQLite takes ":memory:", "file:..." and "" for something else than the names of files. */
static int open_file(const char *path, sqlite3 **ret, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	const char *vfs = vfs_name();

	if (!*path) {
		err_set(err, ERR_SYSTEM, 0, "the database has no name");
		return SQLITE_CANTOPEN;
	}
	if (!vfs)
		return SQLITE_NOMEM;
	strbuf_addf(&name, "%s%s", *path == '/' ? "" : "./", path);
	return sqlite3_open_v2(strbuf_z(&name), ret,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				       SQLITE_OPEN_EXRESCODE,
			       vfs);
}

/* -1: the file with that name is not ours, or not of this version. */
static int check_ours(const char *path, struct err *err)
{
	if (db_file_check_type(path, err) < 0)
		return -1;
	if (db_file_kind(path) == DB_FILE_NONE)
		return err_set(err, ERR_SYSTEM, 0,
			       "%s is neither a database nor the file of a Go Pushgateway, and has "
			       "been left as it is: choose another --persistence.file, or move it "
			       "away",
			       path);
	return migrate_check_newer(db_file_schema(path), path, err);
}

bool connection_is_damage(int code)
{
	return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB;
}

enum sqlite_open_result connection_refuse(const char *path, sqlite3 *db, int code, struct err *err)
{
	if (!err->reason)
		explain_open(err, path, db, code);
	if ((code & 0xFF) == SQLITE_IOERR && vfs_read_failed(db))
		return SQLITE_OPEN_UNREADABLE;
	/* SQLITE_ERROR for our statements means that the schema has changed. */
	if (!connection_is_damage(code) && (code & 0xFF) != SQLITE_ERROR)
		return SQLITE_OPEN_FAILED;
	if (db_file_kind(path) <= DB_FILE_OURS)
		return SQLITE_OPEN_DAMAGED;
	err_set(err, ERR_SYSTEM, 0,
		"%s is a damaged database of another program: choose another --persistence.file",
		path);
	return SQLITE_OPEN_FAILED;
}

/* ---- marking the database as open ---- */

static int set_id(sqlite3 *db, int id)
{
	char pragma[64];

	snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d", id);
	return sqlite3_exec(db, pragma, NULL, NULL, NULL);
}

bool connection_move_all(sqlite3 *db)
{
	int in_wal = 0, moved = 0;

	return sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved) ==
		       SQLITE_OK &&
	       in_wal == moved;
}

void connection_mark(struct connection *c)
{
	/* The WAL must not be empty as long as the database is marked as open. */
	if (c->marked || set_id(c->db, DB_ID_OPEN) != SQLITE_OK)
		return;
	/* This holds even if the new id is only in the WAL. */
	c->was_open = true;
	c->marked = connection_move_all(c->db);
}

/* False: the WAL is still needed. */
static bool say_closed(struct connection *c)
{
	if (!c->marked && !c->was_open)
		return true;
	/* The rest is moved first: a database with the new id does not need its WAL. */
	return connection_move_all(c->db) && set_id(c->db, DB_ID_CLOSED) == SQLITE_OK;
}

static void leave_as_it_is(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void connection_close(struct connection *c)
{
	CLEANUP(strbuf_done) struct strbuf wal = { 0 };
	CLEANUP(strbuf_done) struct strbuf note = { 0 };
	const char *name = sqlite3_db_filename(c->db, "main");

	strbuf_addf(&wal, "%s-wal", name);
	strbuf_addf(&note, "%s" SYNCED_SUFFIX, name);
	if ((c->damaged && c->had_wal) || (!c->damaged && !say_closed(c)))
		leave_as_it_is(c->db);
	sqlite3_close(c->db);
	if (access(strbuf_z(&wal), F_OK) < 0)
		unlink(strbuf_z(&note));
}

void connection_leave(struct connection *c)
{
	leave_as_it_is(c->db);
	sqlite3_close(c->db);
	c->db = NULL;
}

/* ---- opening ---- */

/*
 * Reading the tree does not notice a page that has lost the count of its last rows; SQLite's check
 * does, since it looks whether all bytes of a page are in use or free. It walks over all pages,
 * which are read next anyway.
 */
static int check_structure(sqlite3 *db, const char *path, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	const char *says = "";

	if (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		says = (const char *)sqlite3_column_text(stmt, 0);
		r = says && strcmp(says, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
		/* SQLite's check reports a page that cannot be read as a damaged one. */
		if (r != SQLITE_OK && vfs_read_failed(db)) {
			err_set(err, ERR_SYSTEM, 0, "cannot read %s: its disk gives errors", path);
			r = SQLITE_IOERR;
		} else if (r != SQLITE_OK)
			err_set(err, ERR_SYSTEM, 0, "%s is damaged: %.*s", path,
				(int)strcspn(says ? says : "", "\n"), says ? says : "");
	}
	sqlite3_finalize(stmt);
	return r;
}

static enum sqlite_open_result look(const char *path, struct connection *ret, struct err *err)
{
	switch (crash_look(path, &ret->had_wal, err)) {
	case CRASH_SOUND:
		break;
	case CRASH_DOUBT:
		ret->found.doubt = *err;
		break;
	case CRASH_MENDED:
		ret->found.mended = *err;
		break;
	case CRASH_DAMAGED:
		return db_file_kind(path) <= DB_FILE_OURS ? SQLITE_OPEN_DAMAGED
							  : SQLITE_OPEN_FAILED;
	case CRASH_IN_USE:
		/* If that process were killed now, its WAL could be opened without a look. */
		hold_refuse(path, err);
		return SQLITE_OPEN_FAILED;
	case CRASH_UNREADABLE:
		return SQLITE_OPEN_UNREADABLE;
	case CRASH_FAILED:
		return SQLITE_OPEN_FAILED;
	}
	return SQLITE_OPENED;
}

enum sqlite_open_result connection_open(const char *path, struct connection *ret, struct err *err)
{
	enum sqlite_open_result looked;
	int r, id;

	*ret = (struct connection){ 0 };
	if (check_ours(path, err) < 0)
		return SQLITE_OPEN_FAILED;
	looked = look(path, ret, err);
	if (looked != SQLITE_OPENED)
		return looked;
	/* Without this sync, rows that are loaded now could be lost in a power cut. */
	if (ret->had_wal && db_file_sync_wal(path, err) < 0)
		return SQLITE_OPEN_FAILED;
	err->reason = ERR_NONE;
	r = open_file(path, &ret->db, err);
	if (r == SQLITE_OK)
		r = set_up(ret->db, err);
	if (r == SQLITE_OK)
		r = check_structure(ret->db, path, err);
	if (r == SQLITE_OK)
		r = migrate(ret->db, path, &ret->found, err);
	if (r == SQLITE_OK)
		r = migrate_read_id(ret->db, &id);
	if (r == SQLITE_OK) {
		ret->was_open = id == DB_ID_OPEN;
		return SQLITE_OPENED;
	}
	looked = connection_refuse(path, ret->db, r, err);
	if (ret->had_wal)
		leave_as_it_is(ret->db);
	sqlite3_close(ret->db);
	return looked;
}
