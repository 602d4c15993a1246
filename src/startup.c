#include "startup.h"

#include <stdio.h>

#include "api/api.h"
#include "persist/import_gob.h"
#include "persist/load.h"
#include "persist/sqlite.h"

static struct store *new_store(const struct store_limits *lim)
{
	struct store *store = store_new(lim);

	api_announce_own(store);
	return store;
}

static struct store *limited_store(const struct config *c)
{
	return new_store(
		&(struct store_limits){ .max_groups = c->groups, .max_series = c->series });
}

/* As text for the log. */
struct number {
	char text[24];
};

static struct number number(uint64_t n)
{
	struct number t;

	snprintf(t.text, sizeof(t.text), "%llu", (unsigned long long)n);
	return t;
}

enum open_result { OPENED, DAMAGED, FAILED };

static enum open_result open_and_load(const struct config *c, struct opened *ret, struct err *err)
{
	struct storage *storage;
	struct store *store;
	enum storage_load_result r;

	switch (sqlite_storage_open(c->persistence_file, &storage, err)) {
	case SQLITE_OPENED:
		break;
	case SQLITE_OPEN_DAMAGED:
		return DAMAGED;
	case SQLITE_OPEN_FAILED:
		return FAILED;
	}
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

static void log_loaded(const char *path, struct store *store)
{
	struct store_counts counts = store_counts(store);

	log_info("metrics loaded", "file", path, "groups", number(counts.groups).text, "series",
		 number(counts.series).text, NULL);
}

/* ---- the file of a Go Pushgateway ---- */

static void log_left_out(void *arg, const char *group, struct str family, const char *why)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };

	strbuf_adds(&name, family);
	if (family.n)
		log_warn("not imported: this family breaks a rule", "file", arg, "group", group,
			 "family", strbuf_z(&name), "err", why, NULL);
	else
		log_warn("not imported: this group breaks a rule", "file", arg, "group", group,
			 "err", why, NULL);
}

static void log_imported(const char *path, struct import_gob_report *report)
{
	const struct import_counts *n = &report->counts;

	log_info("imported the file of a Go Pushgateway", "file", path, "kept",
		 strbuf_z(&report->kept), "groups", number(n->groups).text, "families",
		 number(n->families).text, "groups_left_out", number(n->groups_left_out).text,
		 "families_left_out", number(n->families_left_out).text, NULL);
}

static int import_if_gob(const struct config *c, struct err *err)
{
	const struct store_limits none = { .max_groups = UINT64_MAX, .max_series = UINT64_MAX };
	const struct import_listener listener = { log_left_out, c->persistence_file };
	struct import_gob_report report = { 0 };
	struct store *scratch = new_store(&none);
	enum import_gob_result r = import_gob(c->persistence_file, scratch, &listener, &report,
					      err);

	if (r == IMPORT_GOB_DONE)
		log_imported(c->persistence_file, &report);
	strbuf_done(&report.kept);
	store_free(scratch);
	return r == IMPORT_GOB_FAILED ? -1 : 0;
}

int startup_open(const struct config *c, struct opened *ret, struct err *err)
{
	const char *path = c->persistence_file;
	enum open_result r;
	char aside[4200];

	*ret = (struct opened){ 0 };
	if (!*path) {
		ret->store = limited_store(c);
		log_warn("no --persistence.file: what is pushed is lost at restart", NULL);
		return 0;
	}
	if (import_if_gob(c, err) < 0)
		return -1;
	r = open_and_load(c, ret, err);
	if (r == DAMAGED) {
		struct err why = *err;

		if (sqlite_set_aside(path, aside, sizeof(aside), err) < 0)
			return -1;
		log_error("the database is damaged: it has been set aside, starting with an empty "
			  "one",
			  "file", path, "kept", aside, "err", why.msg, NULL);
		ret->set_aside = true;
		r = open_and_load(c, ret, err);
	}
	if (r != OPENED)
		return -1;
	log_loaded(path, ret->store);
	return 0;
}
