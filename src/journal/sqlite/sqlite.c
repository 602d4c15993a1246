#include "journal/sqlite/sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "journal/body.h"
#include "journal/sqlite/connection.h"

enum statement {
	BEGIN,
	COMMIT,
	PUT_GROUP,
	DROP_GROUP,
	PUT_SEGMENT,
	READ_SEGMENT,
	TRIM_SEGMENTS,
	OLDEST_SEGMENTS,
	WIPE_GROUPS,
	WIPE_SEGMENTS,
	N_STATEMENTS,
};

static const char *const statements[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_GROUP] =
		"REPLACE INTO metric_groups (id, key, pushed_at, failed_at) VALUES (?, ?, ?, ?)",
	[DROP_GROUP] = "DELETE FROM metric_groups WHERE id = ?",
	[PUT_SEGMENT] =
		"INSERT INTO segments (id, group_id, pushed_at, whole, body) VALUES (?,?,?,?,?)",
	[READ_SEGMENT] = "SELECT body FROM segments WHERE id = ?",
	[TRIM_SEGMENTS] = "DELETE FROM segments WHERE id <= ?",
	[OLDEST_SEGMENTS] = "SELECT id, group_id, length(body) FROM segments ORDER BY id",
	[WIPE_GROUPS] = "DELETE FROM metric_groups",
	[WIPE_SEGMENTS] = "DELETE FROM segments",
};

struct sqlite_storage {
	struct storage base; /* first */
	struct connection connection;
	sqlite3 *db; /* of the connection */
	sqlite3_stmt *stmt[N_STATEMENTS];
	char *path;
};

static struct sqlite_storage *of(struct storage *st)
{
	return (struct sqlite_storage *)st;
}

/* Steps a statement that returns no row and makes it ready for the next use. */
static int run(sqlite3_stmt *stmt)
{
	int r = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* An empty blob is not NULL: the columns are NOT NULL. */
static void bind_bytes(sqlite3_stmt *stmt, int at, struct str s)
{
	sqlite3_bind_blob64(stmt, at, s.p ? s.p : "", s.n, SQLITE_STATIC);
}

static int put_group(struct sqlite_storage *s, const struct row *c)
{
	sqlite3_stmt *stmt = s->stmt[PUT_GROUP];

	sqlite3_bind_int64(stmt, 1, c->group);
	bind_bytes(stmt, 2, c->bytes);
	sqlite3_bind_double(stmt, 3, c->pushed_at);
	sqlite3_bind_double(stmt, 4, c->failed_at);
	return run(stmt);
}

static int put_segment(struct sqlite_storage *s, const struct row *c)
{
	sqlite3_stmt *stmt = s->stmt[PUT_SEGMENT];

	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)c->row);
	sqlite3_bind_int64(stmt, 2, c->group);
	sqlite3_bind_double(stmt, 3, c->pushed_at);
	sqlite3_bind_int(stmt, 4, c->whole);
	bind_bytes(stmt, 5, c->bytes);
	return run(stmt);
}

static int run_with(sqlite3_stmt *stmt, uint64_t id)
{
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)id);
	return run(stmt);
}

static int move_segment(struct sqlite_storage *s, struct row *c)
{
	sqlite3_stmt *read = s->stmt[READ_SEGMENT];
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	int r;

	sqlite3_bind_int64(read, 1, (sqlite3_int64)c->from);
	r = sqlite3_step(read);
	if (r == SQLITE_ROW) {
		struct str body = { sqlite3_column_blob(read, 0),
				    (size_t)sqlite3_column_bytes(read, 0) };

		r = SQLITE_OK;
		if (c->n_keep && body_keep(body, c->keep, c->n_keep, &kept) < 0)
			r = SQLITE_CORRUPT;
		c->bytes = c->n_keep ? strbuf_str(&kept) : body;
		if (r == SQLITE_OK)
			r = put_segment(s, c);
		c->bytes.p = NULL; /* of what follows only the size is true */
	}
	sqlite3_reset(read);
	return r == SQLITE_DONE ? SQLITE_CORRUPT : r;
}

/* Without a WHERE, SQLite drops the trees and does not visit a row. */
static int wipe(struct sqlite_storage *s)
{
	int r = run(s->stmt[WIPE_GROUPS]);

	return r == SQLITE_OK ? run(s->stmt[WIPE_SEGMENTS]) : r;
}

static int write_change(struct sqlite_storage *s, struct row *c)
{
	switch (c->kind) {
	case ROW_PUT_GROUP:
		return put_group(s, c);
	case ROW_DROP_GROUP:
		return run_with(s->stmt[DROP_GROUP], c->group);
	case ROW_PUT_SEGMENT:
		return put_segment(s, c);
	case ROW_MOVE_SEGMENT:
		return move_segment(s, c);
	case ROW_TRIM:
		return run_with(s->stmt[TRIM_SEGMENTS], c->row);
	case ROW_WIPE:
		return wipe(s);
	}
	return SQLITE_MISUSE;
}

static int sqlite_commit(struct storage *st, struct rows *changes, struct err *err)
{
	struct sqlite_storage *s = of(st);
	int r;

	connection_mark(&s->connection);
	r = run(s->stmt[BEGIN]);

	for (size_t i = 0; r == SQLITE_OK && i < changes->n; i++)
		r = write_change(s, &changes->list[i]);
	if (r == SQLITE_OK)
		r = run(s->stmt[COMMIT]);
	if (r == SQLITE_OK)
		return 0;
	/* Not all that goes wrong here is SQLite's. */
	bool own = (sqlite3_errcode(s->db) & 0xFF) != (r & 0xFF);

	err_set(err, ERR_STORAGE, 0, "the push could not be stored: %s",
		own ? sqlite3_errstr(r) : sqlite3_errmsg(s->db));
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int sqlite_oldest(struct storage *st, uint64_t bytes, storage_row_fn row, void *arg,
			 struct err *err)
{
	struct sqlite_storage *s = of(st);
	sqlite3_stmt *stmt = s->stmt[OLDEST_SEGMENTS];
	uint64_t seen = 0;
	int r = SQLITE_DONE;

	while (seen < bytes && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		size_t body = (size_t)sqlite3_column_int64(stmt, 2);

		seen += body;
		row(arg, (uint64_t)sqlite3_column_int64(stmt, 0),
		    (uint32_t)sqlite3_column_int64(stmt, 1), body);
	}
	sqlite3_reset(stmt);
	if (r == SQLITE_ROW || r == SQLITE_DONE)
		return 0;
	return err_set(err, ERR_SYSTEM, 0, "%s: %s", s->path, sqlite3_errstr(r));
}

static int load_groups(struct sqlite_storage *s, const struct storage_sink *sink, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(s->db, "SELECT id, key, pushed_at, failed_at FROM metric_groups",
				   -1, &stmt, NULL);

	while (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		sqlite3_int64 id = sqlite3_column_int64(stmt, 0);
		struct str key = { sqlite3_column_blob(stmt, 1),
				   (size_t)sqlite3_column_bytes(stmt, 1) };

		r = SQLITE_OK;
		if (id <= 0 || id >= UINT32_MAX ||
		    sink->group(sink->arg, (uint32_t)id, key, sqlite3_column_double(stmt, 2),
				sqlite3_column_double(stmt, 3), err) < 0)
			r = SQLITE_CORRUPT;
	}
	sqlite3_finalize(stmt);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_segment(sqlite3_stmt *stmt, const struct storage_sink *sink, struct err *err)
{
	sqlite3_int64 id = sqlite3_column_int64(stmt, 0);
	sqlite3_int64 group = sqlite3_column_int64(stmt, 1);
	struct storage_segment seg = {
		.row = (uint64_t)id,
		.group = (uint32_t)group,
		.pushed_at = sqlite3_column_double(stmt, 2),
		.whole = sqlite3_column_int(stmt, 3) != 0,
		.body = { sqlite3_column_blob(stmt, 4), (size_t)sqlite3_column_bytes(stmt, 4) },
	};

	if (group <= 0 || group >= UINT32_MAX || id <= 0 || sink->segment(sink->arg, &seg, err) < 0)
		return SQLITE_CORRUPT;
	return SQLITE_OK;
}

static int load_segments(struct sqlite_storage *s, const struct storage_sink *sink, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(
		s->db, "SELECT id, group_id, pushed_at, whole, body FROM segments ORDER BY id DESC",
		-1, &stmt, NULL);

	while (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW)
		r = load_segment(stmt, sink, err);
	sqlite3_finalize(stmt);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static enum storage_load_result sqlite_load(struct storage *st, const struct storage_sink *sink,
					    struct err *err)
{
	struct sqlite_storage *s = of(st);
	int r;

	err->reason = ERR_NONE;
	r = load_groups(s, sink, err);
	if (r == SQLITE_OK)
		r = load_segments(s, sink, err);
	if (r == SQLITE_OK)
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
	return file_bytes(of(st)->path, "") + file_bytes(of(st)->path, "-wal");
}

static void sqlite_close(struct storage *st)
{
	struct sqlite_storage *s = of(st);

	for (int i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(s->stmt[i]);
	connection_close(&s->connection);
	free(s->path);
	free(s);
}

static const struct storage_ops sqlite_ops = {
	.load = sqlite_load,
	.commit = sqlite_commit,
	.oldest = sqlite_oldest,
	.bytes = sqlite_bytes,
	.close = sqlite_close,
};

static int prepare(struct sqlite_storage *s)
{
	int r = SQLITE_OK;

	for (int i = 0; r == SQLITE_OK && i < N_STATEMENTS; i++)
		r = sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &s->stmt[i], NULL);
	return r;
}

enum sqlite_open_result sqlite_storage_open(const char *path, struct storage **ret_storage,
					    struct err *err)
{
	struct sqlite_storage *s;
	enum sqlite_open_result opened;
	struct connection c;
	int r;

	opened = connection_open(path, &c, err);
	if (opened != SQLITE_OPENED)
		return opened;
	s = mem_zalloc(sizeof(*s));
	s->base.ops = &sqlite_ops;
	s->path = mem_strdup(path);
	s->connection = c;
	s->db = c.db;
	r = prepare(s);
	if (r == SQLITE_OK) {
		*ret_storage = &s->base;
		return SQLITE_OPENED;
	}
	opened = connection_refuse(path, s->db, r, err);
	sqlite_close(&s->base);
	return opened;
}

struct sqlite_found sqlite_storage_found(struct storage *st)
{
	return of(st)->connection.found;
}
