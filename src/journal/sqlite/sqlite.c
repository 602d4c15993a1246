#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/sqlite/backup.h"
#include "journal/sqlite/internal.h"
#include "journal/sqlite/look.h"
#include "journal/sqlite/replace.h"
#include "journal/sqlite/row.h"
#include "journal/sqlite/vfs.h"

static const char *const statements[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_ROW] = ROW_INSERT,
	[TRIM] = "DELETE FROM log WHERE number <= ?",
	[OLDEST] = ROW_HEADS "ORDER BY number",
	[READ_ROW] = ROW_SELECT "WHERE number = ?",
};

static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct look at;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return look_at(name, &at) == 0 ? (uint64_t)at.size : 0;
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
	vfs_access(s->db, &s->access);
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
	return !s->db || s->at_odds || vfs_is_doubted(s->db) ? STORAGE_DOUBTED : STORAGE_WELL;
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

int sqlite_storage_replace(const char *path, const struct hold *held,
			   const struct file_access *like, storage_fill_fn fill, void *arg,
			   struct strbuf *ret_kept, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf new = { 0 };

	if (replace_begin(path, like, &new, err) < 0)
		return -1;
	if (fill_new(strbuf_z(&new), fill, arg, err) == 0 && replace_complete(path, err) == 0)
		return replace_put_in_place(path, held, ret_kept, err) < 0 ? -1 : 0;
	/* It could take the last of the disk's space. */
	replace_drop(path);
	return -1;
}

/*
 * Explains an error that comes from a replaced directory: the process may only write to the one
 * from its start (process/sandbox.h).
 */
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
	struct hold held;
	int r;

	if (s->db)
		vfs_access(s->db, &s->access);
	detach(s);
	s->lost = true;
	r = hold_begin(s->path, &held, err);
	if (r == 0) {
		r = sqlite_storage_replace(s->path, &held, &s->access, fill, arg, ret_kept, err);
		hold_end(&held);
	}
	if (r < 0 || attach(s, err) != SQLITE_OPENED) {
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
	opened = replace_check_unused(path, err) < 0 ? SQLITE_OPEN_FAILED : attach(s, err);
	if (opened != SQLITE_OPENED) {
		sqlite_close(&s->base);
		return opened;
	}
	/* What a process has left that was killed while it made these. */
	backup_remove_left(s->db);
	replace_drop(path);
	*ret_storage = &s->base;
	return SQLITE_OPENED;
}

struct sqlite_found sqlite_storage_found(struct storage *st)
{
	return sqlite_of(st)->connection.found;
}
