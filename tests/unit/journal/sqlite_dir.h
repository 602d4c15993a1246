/* A database of SQLite in a folder of its own, and a store that is written to it. */
#ifndef TESTS_UNIT_JOURNAL_SQLITE_DIR_H
#define TESTS_UNIT_JOURNAL_SQLITE_DIR_H

#include <check.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "journal/load.h"
#include "journal/sqlite/sqlite.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/temp_dir.h"

static struct temp_dir top, dir;

static inline void make_dir(void)
{
	temp_dir_make_inside(&dir, &top);
}

static inline struct storage *open_db(void)
{
	struct storage *st;
	struct err err = { 0 };

	ck_assert_msg(sqlite_storage_open(dir.db, &st, &err) == SQLITE_OPENED, "%s", err.msg);
	return st;
}

static inline struct store *new_store(void)
{
	return store_new(&(struct store_limits){ 1000, 100000 });
}

static inline struct store *load(struct storage *st)
{
	struct store *s = new_store();
	struct err err = { 0 };

	ck_assert_msg(load_store(st, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

/* Returns what the commit returned; a failed one is rolled back. */
static inline int push(struct storage *st, struct store *s, enum push_mode mode, const char *path,
		       const char *body, struct err *err)
{
	CLEANUP(push_freep) struct push *p = make_push(mode, path, body, 1.5);
	enum storage_commit_result r;

	store_stage(s, p);
	r = st->ops->commit(st, store_rows(s), err);
	if (r == STORAGE_COMMITTED)
		store_publish(s);
	else
		store_rollback(s);
	return r == STORAGE_COMMITTED ? 0 : -1;
}

static inline void push_ok(struct storage *st, struct store *s, enum push_mode mode,
			   const char *path, const char *body)
{
	struct err err = { 0 };

	ck_assert_msg(push(st, s, mode, path, body, &err) == 0, "%s", err.msg);
}

static inline char *exposed(struct store *s)
{
	struct strbuf b = { 0 };

	exposed_add(s, &b);
	strbuf_z(&b);
	return b.p;
}

#endif
