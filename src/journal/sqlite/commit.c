#include "journal/sqlite/internal.h"
#include "journal/sqlite/row.h"
#include "journal/sqlite/vfs.h"

/*
 * A checkpoint writes all pages changed since the last one, and the committer, with all pushes that
 * have come by then, waits for it: some 4 us for a page, and two syncs. So the more rows are
 * stored, the rarer checkpoints are, up to where writing takes longer than the syncs of most disks;
 * a small store keeps a small WAL.
 */
enum {
	CHECKPOINT_MIN = 256, /* pages: 1 MiB */
	CHECKPOINT_MAX = 1000,
	WAL_LIMIT = 4, /* a longer WAL is cut to this many times the checkpoint's pages */
};

int sqlite_set_checkpoint(struct sqlite_storage *s, uint64_t live_bytes)
{
	uint64_t pages = live_bytes * 16 / PAGE_BYTES;
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

/*
 * Deletes rows first, so that their pages can be used for new rows. *ret_begun: nothing of an
 * earlier commit is left in the WAL, so that what has to be cut off afterwards comes from these
 * rows.
 */
static int try_commit(struct sqlite_storage *s, const struct rows *rows, bool *ret_begun)
{
	int r;

	*ret_begun = vfs_cut(s->db) == 0;
	if (!*ret_begun)
		return SQLITE_IOERR_FSYNC;
	r = statement_run(s->stmt[BEGIN]);
	if (r == SQLITE_OK && rows->trim)
		r = trim(s->stmt[TRIM], rows->trim);
	for (size_t i = 0; r == SQLITE_OK && i < rows->n; i++)
		r = row_insert(s->stmt[PUT_ROW], &rows->list[i]);
	return r == SQLITE_OK ? statement_run(s->stmt[COMMIT]) : r;
}

static enum storage_commit_result explain_refusal(struct sqlite_storage *s, int code,
						  struct err *err)
{
	/* Some codes come from our own code, and SQLite has no message for them. */
	bool own = (sqlite3_errcode(s->db) & 0xFF) != (code & 0xFF);

	err_set(err, ERR_STORAGE, 0, "the push could not be stored: %s",
		own ? sqlite3_errstr(code) : sqlite3_errmsg(s->db));
	if (!own && sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
		s->at_odds = true;
	if ((code & 0xFF) == SQLITE_FULL)
		return STORAGE_REFUSED_FULL;
	return is_of_rows(code) ? STORAGE_REFUSED_ROWS : STORAGE_REFUSED;
}

/*
 * The disk has taken neither the commit nor its removal: after a crash the commit may be whole in
 * the WAL. For this process it has not taken place, and nothing else is committed before it is cut
 * off.
 */
static enum storage_commit_result unknown(struct sqlite_storage *s, int code, struct err *err)
{
	err_set(err, ERR_STORAGE, 0,
		STORAGE_MAYBE "the disk has failed to sync it, and to take it back: %s",
		sqlite3_errstr(code));
	roll_back(s);
	return STORAGE_UNKNOWN;
}

enum storage_commit_result sqlite_commit(struct storage *st, const struct rows *rows,
					 struct err *err)
{
	struct sqlite_storage *s = sqlite_of(st);
	enum storage_commit_result ret;
	bool begun = false;
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
		r = try_commit(s, rows, &begun);
	if ((r & 0xFF) == SQLITE_FULL) {
		roll_back(s);
		if (space_regain(s->db, rows))
			r = try_commit(s, rows, &begun);
	}
	if (r == SQLITE_OK)
		return STORAGE_COMMITTED;
	if (begun && vfs_cut_is_due(s->db))
		return unknown(s, r, err);
	ret = explain_refusal(s, r, err);
	roll_back(s);
	return ret;
}

int sqlite_probe(struct storage *st, struct err *err)
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
