#include "process/stored.h"

#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal/compare.h"
#include "journal/load.h"
#include "journal/rewrite.h"
#include "journal/sqlite/carve.h"
#include "journal/sqlite/file.h"
#include "process/startup.h"

/* Stored groups are kept, whatever limits a gateway's flags would set. */
static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };

/* ---- reading ---- */

static int read_damaged(struct stored *s, const char *path, struct err *err)
{
	s->damage = *err;
	s->store = startup_new_store(&unlimited);
	s->salvage = salvage_new();
	if (carve_rows(path, salvage_row, s->salvage, err) == 0 &&
	    salvage_into(s->salvage, s->store, &s->counts, err) == 0)
		return 0;
	/* Nothing can be read then. */
	store_free(s->store);
	s->store = startup_new_store(&unlimited);
	return 0;
}

static int read_copy(struct stored *s, const char *path, struct err *err)
{
	enum storage_load_result loaded;
	struct storage *st;

	switch (sqlite_storage_open(path, &st, err)) {
	case SQLITE_OPENED:
		break;
	case SQLITE_OPEN_DAMAGED:
		return read_damaged(s, path, err);
	case SQLITE_OPEN_UNREADABLE:
	case SQLITE_OPEN_FAILED:
		return -1;
	}
	s->found = sqlite_storage_found(st);
	s->store = startup_new_store(&unlimited);
	loaded = load_store(st, s->store, err);
	st->ops->close(st);
	if (loaded == STORAGE_LOADED)
		return 0;
	store_free(TAKE(s->store));
	return loaded == STORAGE_DAMAGED ? read_damaged(s, path, err) : -1;
}

int stored_read(const char *name, struct stored *ret, struct err *err)
{
	*ret = (struct stored){ 0 };
	err->reason = ERR_NONE;
	if (private_copy_make(name, &ret->copy, err) == 0 &&
	    read_copy(ret, strbuf_z(&ret->copy.db), err) == 0) {
		if (ret->damage.reason && ret->copy.bad.n > 0)
			bad_blocks_say(&ret->copy.bad, name, &ret->damage);
		return 0;
	}
	stored_done(ret);
	return -1;
}

int stored_read_postgresql(const struct postgresql_settings *from, struct stored *ret,
			   struct err *err)
{
	enum storage_load_result loaded;
	struct storage *st;

	*ret = (struct stored){ 0 };
	err->reason = ERR_NONE;
	if (postgresql_check_url(from->url, err) < 0 || postgresql_storage_open(from, &st, err) < 0)
		return -1;
	ret->store = startup_new_store(&unlimited);
	loaded = load_store(st, ret->store, err);
	st->ops->close(st);
	if (loaded == STORAGE_LOADED)
		return 0;
	if (loaded == STORAGE_DAMAGED)
		err_prefix(err, "the database is damaged: restore a backup of PostgreSQL: ");
	stored_done(ret);
	return -1;
}

void stored_done(struct stored *s)
{
	if (s->store)
		store_free(s->store);
	salvage_free(s->salvage);
	private_copy_done(&s->copy);
	*s = (struct stored){ 0 };
}

size_t stored_print_left_out(const struct stored *s, const char *name)
{
	struct store_left_out left;
	size_t n = 0;

	for (size_t at = 0; store_left_out(s->store, &at, &left); n++) {
		CLEANUP(strbuf_done) struct strbuf group = { 0 };

		startup_write_group(left.key, &group);
		fprintf(stderr, "%s: not shown, since it breaks a rule: %.*s%s%s: %s\n", name,
			STR_ARG(left.family), left.whole ? "" : " of ", strbuf_z(&group), left.why);
	}
	return n;
}

/* ---- writing ---- */

static int fill(void *arg, struct storage *st, struct err *err)
{
	struct store *store = arg;
	struct store *again = startup_new_store(&unlimited);
	int r = rewrite_store(store, st, err);

	if (r == 0 &&
	    (load_store(st, again, err) != STORAGE_LOADED || !compare_stores(store, again, err)))
		r = -1;
	store_free(again);
	return r;
}

int stored_write(const char *name, const struct file_access *like, struct store *store,
		 struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	const struct hold nothing = { .fd = -1 };

	if (access(name, F_OK) == 0)
		return err_set(err, ERR_CONFIG, 0, "%s is there already: choose another name",
			       name);
	return sqlite_storage_replace(name, &nothing, like, fill, store, &kept, err);
}

int stored_write_postgresql(const struct postgresql_settings *to, struct store *store,
			    struct err *err)
{
	if (postgresql_check_url(to->url, err) < 0)
		return -1;
	return postgresql_storage_create(to, fill, store, err);
}
