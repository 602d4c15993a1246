#include "journal/sqlite/upgrade.h"

#include <stdlib.h>

#include "base/mem.h"
#include "journal/sqlite/row.h"

/*
 * Schema 2: a row for a group, with its key and its times, and a log of segments. Where two
 * segments name one family the later one wins; one that is `whole` ends all that its group had
 * before, and an empty one of those ends the group, whose number the next new group had. A group's
 * last push is as late as its row or its segments say, whichever is later.
 */
struct old_group {
	uint64_t id; /* in the log; 0: there is no such group */
	double failed_at, row_at;
	double max_at, last_at; /* of its segments */
	bool ended; /* it has ended once, so older segments may be of another group with its number
		     */
};

struct upgrade {
	sqlite3 *db;
	sqlite3_stmt *insert;
	uint64_t number; /* of the last row */
	struct old_group *groups;
	sqlite3_int64 n;
};

static int append(struct upgrade *u, struct row *row)
{
	row->number = ++u->number;
	if (row->kind == ROW_GROUP)
		row->group = row->number;
	row->checksum = row_checksum(row);
	return row_insert(u->insert, row);
}

/* NULL: the number is out of range. */
static struct old_group *old_group(struct upgrade *u, sqlite3_int64 id)
{
	enum { MOST = 1 << 26 }; /* groups that schema 2 had numbers for */

	if (id <= 0 || id > MOST)
		return NULL;
	if (id >= u->n) {
		sqlite3_int64 n = id * 2 > 1024 ? id * 2 : 1024;

		u->groups = mem_realloc(u->groups, (size_t)n * sizeof(*u->groups));
		memset(u->groups + u->n, 0, (size_t)(n - u->n) * sizeof(*u->groups));
		u->n = n;
	}
	return &u->groups[id];
}

/* Calls fn for each row that sql selects. */
static int for_each(struct upgrade *u, const char *sql,
		    int (*fn)(struct upgrade *u, sqlite3_stmt *stmt))
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(u->db, sql, -1, &stmt, NULL);

	while (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW)
		r = fn(u, stmt);
	sqlite3_finalize(stmt);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static struct str bytes_at(sqlite3_stmt *stmt, int column)
{
	return (struct str){ sqlite3_column_blob(stmt, column),
			     (size_t)sqlite3_column_bytes(stmt, column) };
}

static int add_group(struct upgrade *u, sqlite3_stmt *stmt)
{
	struct old_group *g = old_group(u, sqlite3_column_int64(stmt, 0));
	struct row row = { .kind = ROW_GROUP, .body = bytes_at(stmt, 1) };

	if (!g)
		return SQLITE_CORRUPT;
	g->row_at = sqlite3_column_double(stmt, 2);
	g->failed_at = sqlite3_column_double(stmt, 3);
	int r = append(u, &row);

	g->id = row.group;
	return r;
}

static int note_end(struct upgrade *u, sqlite3_stmt *stmt)
{
	struct old_group *g = old_group(u, sqlite3_column_int64(stmt, 0));

	if (!g)
		return SQLITE_CORRUPT;
	g->ended = true;
	return SQLITE_OK;
}

static int add_segment(struct upgrade *u, sqlite3_stmt *stmt)
{
	struct old_group *g = old_group(u, sqlite3_column_int64(stmt, 0));
	struct row row = {
		.kind = sqlite3_column_int(stmt, 2) ? ROW_WHOLE : ROW_RECORD,
		.at = sqlite3_column_double(stmt, 1),
		.body = bytes_at(stmt, 3),
	};

	if (!g || (!g->id && !g->ended))
		return SQLITE_CORRUPT;
	if (!g->id)
		return SQLITE_OK;
	row.group = g->id;
	if (row.kind == ROW_WHOLE)
		g->max_at = 0;
	if (row.body.n > 0 && row.at > g->max_at)
		g->max_at = row.at;
	g->last_at = row.at;
	return append(u, &row);
}

/* Of all groups: what the last push and the last refusal were. */
static int add_times(struct upgrade *u)
{
	int r = SQLITE_OK;

	for (sqlite3_int64 i = 1; r == SQLITE_OK && i < u->n; i++) {
		const struct old_group *g = &u->groups[i];
		double at = g->max_at > g->row_at ? g->max_at : g->row_at;
		struct row pushed = { .kind = ROW_RECORD, .group = g->id, .at = at };
		struct row failed = { .kind = ROW_FAILED, .group = g->id, .at = g->failed_at };

		if (g->id && at != g->last_at)
			r = append(u, &pushed);
		if (r == SQLITE_OK && g->id && g->failed_at != 0)
			r = append(u, &failed);
	}
	return r;
}

int upgrade_to_rows(sqlite3 *db)
{
	struct upgrade u = { .db = db };
	int r = sqlite3_prepare_v2(db, ROW_INSERT, -1, &u.insert, NULL);

	if (r == SQLITE_OK)
		r = for_each(&u,
			     "SELECT id, key, pushed_at, failed_at FROM metric_groups ORDER BY id",
			     add_group);
	if (r == SQLITE_OK)
		r = for_each(&u,
			     "SELECT DISTINCT group_id FROM segments WHERE whole AND body = x''",
			     note_end);
	if (r == SQLITE_OK)
		r = for_each(&u,
			     "SELECT group_id, pushed_at, whole, body FROM segments ORDER BY id",
			     add_segment);
	if (r == SQLITE_OK)
		r = add_times(&u);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, "DROP TABLE segments; DROP TABLE metric_groups", NULL, NULL,
				 NULL);
	sqlite3_finalize(u.insert);
	free(u.groups);
	return r;
}
