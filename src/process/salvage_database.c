#include "process/salvage_database.h"

#include <limits.h>

#include "base/log.h"
#include "journal/rewrite.h"
#include "journal/salvage.h"
#include "journal/sqlite/bad_blocks.h"
#include "journal/sqlite/carve.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/sqlite.h"
#include "process/startup.h"

DEFINE_CLEANUP(struct store *, store_free)
DEFINE_CLEANUP(struct salvage *, salvage_free)

static int fill(void *store, struct storage *st, struct err *err)
{
	return rewrite_store(store, st, err);
}

static void log_harmed(const char *path, const struct salvage *sv)
{
	struct str key;

	for (size_t i = 0; salvage_harmed_group(sv, i, &key); i++) {
		CLEANUP(strbuf_done) struct strbuf group = { 0 };

		startup_write_group(key, &group);
		log_warn("a push to this group is damaged in the database: what is shown may be "
			 "older",
			 "file", path, "group", strbuf_z(&group), NULL);
	}
}

static void log_salvaged(const char *path, const char *kept, const struct err *why, uint64_t groups,
			 const struct salvage_counts *n)
{
	log_error(
		"the database is damaged: it has been set aside, and what can be read of it is in "
		"a new one; the newest pushes, or deletes, may be missing",
		"file", path, "kept", kept, "err", why->msg, LOG_NUMBER("groups"),
		log_count(groups).text, LOG_NUMBER("rows"), log_count(n->rows).text,
		LOG_NUMBER("rows_lost"), log_count(n->rows_lost).text, LOG_NUMBER("groups_lost"),
		log_count(n->groups_lost).text, NULL);
}

static int start_empty(const char *path, const struct err *why, struct err *err)
{
	struct bad_blocks bad;
	char aside[PATH_MAX];

	/* What has not been read now may be read by the next start. */
	if (bad_blocks_count(path, &bad) < 0 || bad.n > 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "%s is damaged (%s), and its disk does not read all of it: it has "
			       "been left as it is",
			       path, why->msg);
	if (db_file_set_aside(path, aside, sizeof(aside), err) < 0)
		return -1;
	log_error("the database is damaged: it has been set aside, and nothing of it could be "
		  "read: starting with an empty one",
		  "file", path, "kept", aside, "err", why->msg, NULL);
	return 0;
}

static int salvage_held(const char *path, const struct hold *held, const struct err *why,
			uint64_t *ret_groups, struct err *err)
{
	/* Everything stored stays, even if a limit has been lowered below it. */
	const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };
	const struct file_access as_it_was = { 0 };
	CLEANUP(salvage_freep) struct salvage *sv = salvage_new();
	CLEANUP(store_freep) struct store *store = startup_new_store(&unlimited);
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	struct salvage_counts counts;

	/* What could not be opened may be whole. */
	if (carve_rows(path, salvage_row, sv, err) < 0)
		return -1;
	if (salvage_into(sv, store, &counts, err) < 0 || counts.rows == 0)
		return start_empty(path, why, err);
	if (sqlite_storage_replace(path, held, &as_it_was, fill, store, &kept, err) < 0)
		return -1;
	*ret_groups = store_counts(store).groups;
	log_salvaged(path, strbuf_z(&kept), why, *ret_groups, &counts);
	log_harmed(path, sv);
	return 0;
}

int salvage_database(const char *path, const struct err *why, uint64_t *ret_groups, struct err *err)
{
	struct hold held;
	int r;

	*ret_groups = 0;
	if (hold_begin(path, &held, err) < 0)
		return -1;
	r = salvage_held(path, &held, why, ret_groups, err);
	hold_end(&held);
	return r;
}
