#include "journal/sqlite/row.h"

int statement_run(sqlite3_stmt *stmt)
{
	int r = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

int row_insert(sqlite3_stmt *insert, const struct row *row)
{
	const sqlite3_int64 numbers[] = {
		(sqlite3_int64)row->number,
		row->kind,
		(sqlite3_int64)row->group,
		(sqlite3_int64)row->from,
	};
	int r = SQLITE_OK;

	for (int i = 0; r == SQLITE_OK && i < 4; i++)
		r = sqlite3_bind_int64(insert, i + 1, numbers[i]);
	if (r == SQLITE_OK)
		r = sqlite3_bind_double(insert, 5, row->at);
	if (r == SQLITE_OK)
		r = sqlite3_bind_int64(insert, 6, (sqlite3_int64)row->checksum);
	/* An empty blob is not NULL: the column is NOT NULL. */
	if (r == SQLITE_OK)
		r = sqlite3_bind_blob64(insert, 7, row->body.n ? row->body.p : "", row->body.n,
					SQLITE_STATIC);
	return r == SQLITE_OK ? statement_run(insert) : r;
}

static void get_ids(sqlite3_stmt *select, struct row *ret)
{
	*ret = (struct row){
		.number = (uint64_t)sqlite3_column_int64(select, 0),
		.kind = (enum row_kind)sqlite3_column_int64(select, 1),
		.group = (uint64_t)sqlite3_column_int64(select, 2),
		.from = (uint64_t)sqlite3_column_int64(select, 3),
	};
}

void row_get_head(sqlite3_stmt *heads, struct row *ret)
{
	get_ids(heads, ret);
	ret->body = (struct str){ NULL, (size_t)sqlite3_column_int64(heads, 4) };
}

void row_get(sqlite3_stmt *select, struct row *ret)
{
	get_ids(select, ret);
	ret->at = sqlite3_column_double(select, 4);
	ret->checksum = (uint64_t)sqlite3_column_int64(select, 5);
	ret->body = (struct str){ sqlite3_column_blob(select, 6),
				  (size_t)sqlite3_column_bytes(select, 6) };
}
