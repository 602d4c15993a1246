#include "process/startup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "expose/own_metrics.h"
#include "format/text/write.h"
#include "import/gob_file.h"
#include "journal/load.h"
#include "journal/postgresql/postgresql.h"
#include "journal/sqlite/bad_blocks.h"
#include "journal/sqlite/carve.h"
#include "journal/sqlite/file.h"
#include "journal/sqlite/replace.h"
#include "journal/sqlite/sqlite.h"
#include "process/salvage_database.h"

struct store *startup_new_store(const struct store_limits *lim)
{
	struct store *store = store_new(lim);

	own_announce(store);
	return store;
}

static struct store *limited_store(const struct config *c)
{
	struct store *store = startup_new_store(
		&(struct store_limits){ .max_groups = c->groups, .max_series = c->series });

	store_limit_sources(store, &(struct source_limits){ .fold_after_ns = c->merge_fold_after_ns,
							    .max_values = c->source_values });
	store_limit_bytes(store, c->stored_bytes);
	return store;
}

enum open_result { OPENED, DAMAGED, FAILED };

/*
 * A few bad sectors are damage like any other. While a disk does not read most of it, or does at
 * the second try, nothing is known: all of it may be there tomorrow.
 */
static enum open_result judge_unreadable(const char *path, struct err *err)
{
	struct bad_blocks bad;

	if (bad_blocks_count(path, &bad) < 0 || !bad_blocks_are_few(&bad) ||
	    !carve_finds_a_row(path))
		return FAILED;
	bad_blocks_say(&bad, path, err);
	return DAMAGED;
}

static enum open_result open_and_load(const struct config *c,
				      const struct startup_listener *listener, struct opened *ret,
				      struct err *err)
{
	struct storage *storage;
	struct store *store;
	enum storage_load_result r;

	switch (sqlite_storage_open(c->persistence_file, &storage, err)) {
	case SQLITE_OPENED:
		break;
	case SQLITE_OPEN_DAMAGED:
		return DAMAGED;
	case SQLITE_OPEN_UNREADABLE:
		return judge_unreadable(c->persistence_file, err);
	case SQLITE_OPEN_FAILED:
		return FAILED;
	}
	listener->loading(listener->arg);
	store = limited_store(c);
	r = load_store(storage, store, err);
	if (r == STORAGE_LOADED) {
		ret->store = store;
		ret->storage = storage;
		return OPENED;
	}
	store_free(store);
	storage->ops->close(storage);
	return r == STORAGE_DAMAGED ? DAMAGED : FAILED;
}

static void log_found(const char *path, const struct sqlite_found *found)
{
	if (found->doubt.reason)
		log_warn("the last commit of the process before is not whole: after a power cut it "
			 "was not answered, otherwise it is lost",
			 "file", path, "err", found->doubt.msg, NULL);
	if (found->mended.reason)
		log_warn("the header of the WAL was damaged, as a power cut does, and has been "
			 "made again from what follows it",
			 "file", path, "err", found->mended.msg, NULL);
	if (found->schema > 0 && found->schema < found->schema_now)
		log_info("the database's schema has been upgraded: older versions cannot read it "
			 "any more",
			 "file", path, LOG_NUMBER("from"), log_count((uint64_t)found->schema).text,
			 LOG_NUMBER("to"), log_count((uint64_t)found->schema_now).text, NULL);
}

static void log_epoch(const struct config *c, struct storage *storage)
{
	struct postgresql_epoch epoch = postgresql_storage_epoch(storage);

	if (epoch.is < epoch.newest)
		log_info(
			"gateways of the version before can use the database, too: once none does, "
			"`tallygate migrate` ends that",
			"schema", c->persistence_schema, LOG_NUMBER("epoch"),
			log_count((uint64_t)epoch.is).text, LOG_NUMBER("newest"),
			log_count((uint64_t)epoch.newest).text, NULL);
}

static void log_unsafe(const struct config *c, struct storage *storage)
{
	struct postgresql_unsafe unsafe = postgresql_storage_unsafe(storage);

	if (unsafe.fsync_off)
		log_warn("PostgreSQL runs with fsync=off: a crash of its machine loses pushes that "
			 "were answered 200, and can damage the database",
			 "schema", c->persistence_schema, NULL);
	if (unsafe.full_page_writes_off)
		log_warn("PostgreSQL runs with full_page_writes=off: unless its file system never "
			 "leaves a page half written, as ZFS, a crash of its machine can damage "
			 "the database",
			 "schema", c->persistence_schema, NULL);
}

/* A log in PostgreSQL is never set aside: a server is repaired by its owner. */
static int open_postgresql(const struct config *c, struct opened *ret, struct err *err)
{
	const struct postgresql_settings settings = {
		.url = c->persistence_url,
		.schema = c->persistence_schema,
		.timeout_ns = c->persistence_timeout_ns,
		.poll_ns = c->persistence_poll_interval_ns,
	};
	struct storage *storage;

	if (postgresql_check_url(c->persistence_url, err) < 0 ||
	    postgresql_storage_open(&settings, &storage, err) < 0) {
		err_prefix(err, "--persistence.url: ");
		return -1;
	}
	ret->store = limited_store(c);
	store_keep_digest(ret->store);
	if (load_store(storage, ret->store, err) == STORAGE_LOADED) {
		ret->storage = storage;
		log_epoch(c, storage);
		log_unsafe(c, storage);
		return 0;
	}
	storage->ops->close(storage);
	store_free(ret->store);
	*ret = (struct opened){ 0 };
	err_prefix(err, "--persistence.url: ");
	return -1;
}

/* Deadlines count from now on. */
static void begin_waiting(const struct config *c, struct store *store, double now)
{
	store_begin_waiting(store, clock_mono_ns(), now, c->push_ttl_restart_grace_ns);
}

static void log_loaded(const char *key, const char *name, struct store *store)
{
	struct store_counts counts = store_counts(store);

	log_info("metrics loaded", key, name, LOG_NUMBER("groups"), log_count(counts.groups).text,
		 LOG_NUMBER("series"), log_count(counts.series).text, NULL);
}

void startup_write_group(struct str key_bytes, struct strbuf *out)
{
	CLEANUP(arena_done) struct arena a;
	struct key key;

	arena_init(&a, ARENA_MUST);
	if (key_decode(key_bytes, &a, &key) == 0)
		text_write_labels(out, key.labels, key.n_labels, false);
}

/* Logs what is not shown: rules have changed since the push, or there is a new own metric. */
static void log_left_out(const char *key, const char *name, const struct store *store)
{
	struct store_left_out left;

	for (size_t at = 0; store_left_out(store, &at, &left);) {
		CLEANUP(strbuf_done) struct strbuf group = { 0 };
		CLEANUP(strbuf_done) struct strbuf family = { 0 };

		startup_write_group(left.key, &group);
		strbuf_adds(&family, left.family);
		if (!left.whole)
			log_warn("a stored family breaks a rule: it is not shown, and kept until "
				 "its group is pushed to with that name, replaced, or deleted, or "
				 "what it contradicts has gone",
				 key, name, "group", strbuf_z(&group), "family", strbuf_z(&family),
				 "err", left.why, NULL);
		else
			log_warn("a stored group breaks a rule: it is not shown, and kept until "
				 "it is pushed to, or deleted",
				 key, name, "group", strbuf_z(&group), "err", left.why, NULL);
	}
}

/* ---- imports ---- */

void startup_log_left_out(void *arg, const char *group, struct str family, const char *why)
{
	const struct startup_origin *from = arg;
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	strbuf_adds(&name, family);
	if (family.n)
		log_warn("not imported: this family breaks a rule", from->key, from->value, "group",
			 group, "family", strbuf_z(&name), "err", why, NULL);
	else
		log_warn("not imported: this group breaks a rule", from->key, from->value, "group",
			 group, "err", why, NULL);
}

void startup_log_imported(const char *msg, const struct startup_origin *from, const char *key,
			  const char *value, const struct import_counts *n)
{
	log_info(msg, from->key, from->value, key, value, LOG_NUMBER("groups"),
		 log_count(n->groups).text, LOG_NUMBER("families"), log_count(n->families).text,
		 LOG_NUMBER("groups_left_out"), log_count(n->groups_left_out).text,
		 LOG_NUMBER("families_left_out"), log_count(n->families_left_out).text, NULL);
}

static int import_if_gob(const struct config *c, struct err *err)
{
	const struct store_limits none = { .max_groups = UINT64_MAX, .max_series = UINT64_MAX };
	struct startup_origin origin = { "file", c->persistence_file };
	const struct import_listener listener = { startup_log_left_out, &origin };
	struct import_gob_report report = { 0 };
	struct store *scratch = startup_new_store(&none);
	enum import_gob_result r = import_gob(c->persistence_file, scratch, &listener, &report,
					      err);

	if (r == IMPORT_GOB_DONE)
		startup_log_imported("imported the file of a Go Pushgateway", &origin, "kept",
				     strbuf_z(&report.kept), &report.counts);
	strbuf_done(&report.kept);
	store_free(scratch);
	return r == IMPORT_GOB_FAILED ? -1 : 0;
}

void startup_choose_database(struct config *c)
{
	/*
	 * A database that exists, or may exist, must not be ignored because the directory cannot be
	 * written.
	 */
	if (!c->persistence_by_default || access(c->persistence_file, F_OK) == 0 ||
	    errno != ENOENT || access(".", W_OK) == 0)
		return;
	log_warn("--persistence.file is not given, and there can be no database in the working "
		 "directory",
		 "err", strerrordesc_np(errno), NULL);
	*c->persistence_file = '\0';
}

/* Gives a new database its name, if the last process was killed after it had written it. */
static int finish_new_database(const char *path, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	struct hold held;
	int r;

	if (hold_begin(path, &held, err) < 0)
		return -1;
	r = replace_put_in_place(path, &held, &kept, err);
	hold_end(&held);

	if (r > 0)
		log_warn("a new database was complete when the gateway ended: it is used now",
			 "file", path, "kept", kept.n ? strbuf_z(&kept) : "nothing", NULL);
	return r < 0 ? -1 : 0;
}

int startup_open(const struct config *c, const struct startup_listener *listener,
		 struct opened *ret, struct err *err)
{
	const char *path = c->persistence_file;
	enum open_result r;
	struct sqlite_found found;
	uint64_t salvaged = 0;
	bool damaged;

	*ret = (struct opened){ 0 };
	if (*c->persistence_url) {
		listener->loading(listener->arg);
		if (open_postgresql(c, ret, err) < 0)
			return -1;
		begin_waiting(c, ret->store, storage_now(ret->storage));
		log_loaded("schema", c->persistence_schema, ret->store);
		log_left_out("schema", c->persistence_schema, ret->store);
		return 0;
	}
	if (!*path) {
		ret->store = limited_store(c);
		listener->loading(listener->arg);
		begin_waiting(c, ret->store, clock_wall());
		log_warn("no --persistence.file: what is pushed is lost at restart", NULL);
		return 0;
	}
	if (finish_new_database(path, err) < 0)
		return -1;
	if (db_file_check_type(path, err) < 0 || import_if_gob(c, err) < 0)
		return -1;
	r = open_and_load(c, listener, ret, err);
	damaged = r == DAMAGED;
	if (damaged) {
		struct err why = *err;

		if (salvage_database(path, &why, &salvaged, err) < 0)
			return -1;
		r = open_and_load(c, listener, ret, err);
	}
	if (r != OPENED)
		return -1;
	ret->set_aside = damaged;
	ret->salvaged_groups = salvaged;
	begin_waiting(c, ret->store, storage_now(ret->storage));
	found = sqlite_storage_found(ret->storage);
	log_found(path, &found);
	log_loaded("file", path, ret->store);
	log_left_out("file", path, ret->store);
	return 0;
}
