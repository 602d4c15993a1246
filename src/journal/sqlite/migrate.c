#include "journal/sqlite/migrate.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/upgrade.h"
#include "migrations.h" /* generated: migrations[] */

int migrate_read_int(sqlite3 *db, const char *sql, int *ret)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (r != SQLITE_OK)
		return r;
	r = sqlite3_step(stmt);
	*ret = r == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

int migrate_read_id(sqlite3 *db, int *ret)
{
	return migrate_read_int(db, "PRAGMA application_id", ret);
}

static int run_one(sqlite3 *db, int version)
{
	char pragma[64];
	int r = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(db, migrations[version], NULL, NULL, NULL);
	if (r == SQLITE_OK && version + 1 == UPGRADE_TO_ROWS)
		r = upgrade_to_rows(db);
	if (r == SQLITE_OK) {
		sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version=%d", version + 1);
		r = sqlite3_exec(db, pragma, NULL, NULL, NULL);
	}
	if (r == SQLITE_OK && version == 0) {
		sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA application_id=%d", DB_ID_CLOSED);
		r = sqlite3_exec(db, pragma, NULL, NULL, NULL);
	}
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (r != SQLITE_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int read_schema(sqlite3 *db, struct strbuf *out)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema ORDER BY name", -1, &stmt,
				   NULL);

	while (r == SQLITE_OK && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(stmt, 0);

		strbuf_addf(out, "%s;", sql ? sql : "");
		r = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/*
 * Every migration changes the schema, so a higher version number with the newest schema is damaged.
 */
static bool has_newest_schema(sqlite3 *db)
{
	CLEANUP(strbuf_done) struct strbuf is = { 0 };
	CLEANUP(strbuf_done) struct strbuf ours = { 0 };
	sqlite3 *new = NULL;
	int r = sqlite3_open(":memory:", &new);

	for (int version = 0; r == SQLITE_OK && version < (int)ARRAY_LEN(migrations); version++)
		r = run_one(new, version);
	if (r == SQLITE_OK)
		r = read_schema(new, &ours);
	sqlite3_close(new);
	return r == SQLITE_OK && read_schema(db, &is) == SQLITE_OK &&
	       str_eq(strbuf_str(&is), strbuf_str(&ours));
}

/* Whether the version is the newest one with one bit flipped. */
static bool is_flipped(int version)
{
	return __builtin_popcount((unsigned)version ^ (unsigned)ARRAY_LEN(migrations)) == 1;
}

static int refuse_newer(int schema, const char *path, struct err *err)
{
	return err_set(err, ERR_SYSTEM, 0,
		       "%s was written by a newer version (schema %d, this one knows %d): run that "
		       "version, or choose another --persistence.file",
		       path, schema, (int)ARRAY_LEN(migrations));
}

int migrate_check_newer(int schema, const char *path, struct err *err)
{
	return schema > (int)ARRAY_LEN(migrations) && !is_flipped(schema)
		       ? refuse_newer(schema, path, err)
		       : 0;
}

int migrate(sqlite3 *db, const char *path, struct sqlite_found *ret_found, struct err *err)
{
	const int newest = (int)ARRAY_LEN(migrations);
	int version, id, tables;
	int r = migrate_read_int(db, "PRAGMA user_version", &version);

	if (r == SQLITE_OK)
		r = migrate_read_id(db, &id);
	if (r == SQLITE_OK)
		r = migrate_read_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r != SQLITE_OK)
		return r;
	if (tables > 0 && db_id(id) == DB_ID_OURS_DAMAGED) {
		err_set(err, ERR_SYSTEM, 0, "%s is damaged: its application_id has a wrong bit",
			path);
		return SQLITE_CORRUPT;
	}
	if (tables > 0 && db_id(id) == DB_ID_OTHERS) {
		err_set(err, ERR_SYSTEM, 0,
			"%s is a database of another program: choose another --persistence.file",
			path);
		return SQLITE_MISMATCH;
	}
	/* After the first migration a database of ours has a version above 0. */
	if (version < 0 || (version == 0 && tables > 0) ||
	    (version > newest && is_flipped(version) && has_newest_schema(db))) {
		err_set(err, ERR_SYSTEM, 0, "%s is damaged: it says that its schema is %d", path,
			version);
		return SQLITE_CORRUPT;
	}
	if (version > newest) {
		refuse_newer(version, path, err);
		return SQLITE_MISMATCH;
	}
	ret_found->schema = version;
	ret_found->schema_now = newest;
	for (; r == SQLITE_OK && version < newest; version++)
		r = run_one(db, version);
	return r;
}
