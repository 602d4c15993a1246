/*
 * A storage engine: keeps the log of rows that the store says (store/rows.h), one transaction for a
 * batch, and gives them back at start. Used by one thread at a time: main while loading, the
 * committer afterwards. SQLite is the engine there is (sqlite.c); nothing here is about SQL.
 */
#ifndef JOURNAL_STORAGE_H
#define JOURNAL_STORAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "store/rows.h"

enum storage_load_result {
	STORAGE_LOADED,
	STORAGE_DAMAGED, /* *err says how; the caller may set the data aside */
	STORAGE_FAILED,  /* *err says what to do; data untouched */
};

enum storage_commit_result {
	STORAGE_COMMITTED, /* durable */
	/* Nothing of it is there, and *err (ERR_STORAGE) says why. */
	STORAGE_REFUSED,
	STORAGE_REFUSED_ROWS, /* the same, and it may be for one of the rows: they are too much */
	/*
	 * The same, and the disk is full: groups that end, and cleaning, may be committed all the
	 * same, by themselves.
	 */
	STORAGE_REFUSED_FULL,
};

/* A row, borrowed for the call. -1 with *err ends it. */
typedef int (*storage_row_fn)(void *arg, const struct row *row, struct err *err);

enum storage_which {
	STORAGE_ALL,
	STORAGE_GROUPS, /* only rows that make or end groups; quick */
};

/* Who looks at the oldest rows. */
struct storage_cleaner {
	/* First without its body, of which only the size is there. True: it is wanted. */
	bool (*look)(void *arg, const struct row *row);
	storage_row_fn row;
	void *arg;
};

struct storage;

enum storage_health {
	STORAGE_WELL,
	STORAGE_DOUBTED, /* a sync has failed: what is read back need not be what is on the disk */
	STORAGE_LOST,    /* whoever opens it next does not find what was committed; *err says why */
};

/* Writes into an empty storage. */
typedef int (*storage_fill_fn)(void *arg, struct storage *st, struct err *err);

struct storage_ops {
	/*
	 * Rows with numbers below `below`, the newest first. A row is given as it stands there,
	 * harmed or not (row_verdict()). Who wants what is behind a part that cannot be read asks
	 * again with a lower number. STORAGE_DAMAGED also when fn has returned -1.
	 */
	enum storage_load_result (*read)(struct storage *st, enum storage_which which,
					 uint64_t below, storage_row_fn fn, void *arg,
					 struct err *err);
	enum storage_commit_result (*commit)(struct storage *st, const struct rows *rows,
					     struct err *err);
	/*
	 * The oldest rows, in order, until they make up `bytes`. -1 also if one that is wanted is
	 * harmed: what nobody wants is not read.
	 */
	int (*oldest)(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err);
	uint64_t (*bytes)(struct storage *st); /* that the data takes on disk */
	/*
	 * A commit of nothing that anybody would see. -1: the disk takes none now, *err says why.
	 */
	int (*probe)(struct storage *st, struct err *err);
	/* All three between two commits. Cheap: for every second, and after a commit that failed.
	 */
	enum storage_health (*health)(struct storage *st, struct err *err);
	/*
	 * Forgets all it has read and opens what is on the disk. -1: it cannot be had, and *err
	 * says why; every commit is refused until this, or renew, succeeds.
	 */
	int (*reopen)(struct storage *st, struct err *err);
	/*
	 * Puts a new one in place of what is there; that is kept, under the name that goes to
	 * *ret_kept (empty: there was nothing).
	 */
	int (*renew)(struct storage *st, storage_fill_fn fill, void *arg, struct strbuf *ret_kept,
		     struct err *err);
	void (*close)(struct storage *st);
};

struct storage {
	const struct storage_ops *ops;
	uint64_t max_body; /* the largest body that a row can have */
};

#endif
