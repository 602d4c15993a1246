/* A storage engine: writes the rows that the store makes (store/rows.h), each batch in one
 * transaction, and reads them at start. Used by one thread at a time: main while loading, the
 * committer afterwards. SQLite is the default (sqlite/sqlite.h), PostgreSQL the other one
 * (postgresql/postgresql.h); nothing here is about SQL.
 */
#ifndef JOURNAL_STORAGE_H
#define JOURNAL_STORAGE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/rows.h"

enum storage_load_result {
	STORAGE_LOADED,
	STORAGE_DAMAGED,      /* *err says how; the caller may set the data aside */
	STORAGE_FAILED,       /* *err says what to do; data untouched */
	STORAGE_UNKNOWN_ROWS, /* like STORAGE_FAILED: other gateways have written rows of kinds that
				 this version does not know */
};

/* The pushes of that batch alone are told so. */
#define STORAGE_MAYBE "the push may have been stored, and can be repeated: "

enum storage_commit_result {
	STORAGE_COMMITTED, /* durable */
	/* Nothing of the batch is stored, and *err (ERR_STORAGE) says why. */
	STORAGE_REFUSED,
	STORAGE_REFUSED_ROWS, /* the same; one of the rows may be the reason, so a commit of others
				 may succeed */
	/* The same, because the disk is full: rows that end groups, and cleaning, may still be
	 * committed, in a transaction without other rows.
	 */
	STORAGE_REFUSED_FULL,
	/* The same, because others have written since begin: it was made of an older state, and can
	 * be made once more. */
	STORAGE_REFUSED_OUTDATED,
	/*
	 * The batch may be stored, and *err says so, beginning with STORAGE_MAYBE. If several
	 * gateways write, its rows come later with those of the others if they are stored;
	 * otherwise the batch has not taken place for this process, but may have after a crash.
	 */
	STORAGE_UNKNOWN,
};

/*
 * Called for a row, which is borrowed. 1: no more rows are wanted. -1: the same, because this row
 * is damaged; *err says how.
 */
typedef int (*storage_row_fn)(void *arg, const struct row *row, struct err *err);

enum storage_which {
	STORAGE_ALL,
	STORAGE_GROUPS, /* only rows that make or end groups; quick */
};

/* Receives the oldest rows. */
struct storage_cleaner {
	/* First called with a row that has only the size of its body. True: call row() for it. */
	bool (*look)(void *arg, const struct row *row);
	/* What look() would return; changes nothing. */
	bool (*needs)(void *arg, const struct row *row);
	storage_row_fn row;
	void *arg;
};

struct storage;

enum storage_health {
	STORAGE_WELL,
	STORAGE_DOUBTED, /* a sync has failed, so that reads may show the kernel's memory and not
			    the disk; or the data has rows that the store does not know of */
	STORAGE_LOST, /* the file under its name is not the one that was written; *err says why */
	STORAGE_CHANGED, /* the log is sound, but it is not the one that the store was loaded from
			    and has written to: the store has to be loaded anew; *err says why */
	STORAGE_NEWER, /* a newer version of this program has written, or may write, rows that this
			  one does not know; *err says so. Call follow to ask whether that still
			  holds */
};

enum storage_backup_result {
	STORAGE_BACKUP_GOES_ON,
	STORAGE_BACKUP_COMPLETE,
	STORAGE_BACKUP_FAILED, /* *err says why; nothing is left of it */
};

/* A copy of the data in a file that has no name. */
struct storage_backup {
	int fd; /* the caller's */
	uint64_t bytes;
};

/* Writes into an empty storage. */
typedef int (*storage_fill_fn)(void *arg, struct storage *st, struct err *err);

/* Receives rows that other gateways have written. */
struct storage_follower {
	/*
	 * In order; -1: the store cannot follow, and has to be loaded anew. end() is called before
	 * a ROW_DIGEST that is the first row of its transaction, and before and after a transaction
	 * that begins with a row of many groups (store/removal.h).
	 */
	storage_row_fn row;
	/*
	 * Called after the rows of one or more whole transactions, or, failed, when no more can be
	 * read. now: Unix seconds, by the server's clock. log_bytes: about the sum of
	 * row_bytes_of() of all rows of the log.
	 */
	int (*end)(void *arg, double now, uint64_t log_bytes, bool failed, struct err *err);
	void *arg;
};

/*
 * Identifies a row by its number and the transaction that wrote it: another log has another row of
 * that number.
 */
struct storage_row_id {
	uint64_t number; /* 0: there is none */
	uint64_t process, batch;
};

static inline bool storage_row_id_eq(const struct storage_row_id *a, const struct storage_row_id *b)
{
	return a->number == b->number && a->process == b->process && a->batch == b->batch;
}

struct storage_ops {
	/*
	 * For a log that several gateways write; NULL: only this process writes.
	 *
	 * begin: keeps others from writing until commit or cancel, after it has passed on the rows
	 * that others have written. 0: begun. 1: not begun yet, rows of others were passed on; call
	 * it again. -1: *err, nothing is begun; this is also the result at about the deadline
	 * (monotonic), which is moved on by the time that reading rows of others takes, so that
	 * many rows are no reason to give up. *ret_now: the time for rows of this batch.
	 *
	 * follow: passes on rows of others without keeping them from writing.
	 *
	 * newest: the newest row of the log, asked over a connection of its own, by one thread at a
	 * time, which need not be that of the other functions. -1: *err; the answer has not come by
	 * the deadline (monotonic), or, with deadline 0, after every attempt to reach a server.
	 */
	int (*begin)(struct storage *st, const struct storage_follower *f, int64_t *deadline,
		     double *ret_now, struct err *err);
	void (*cancel)(struct storage *st);
	int (*follow)(struct storage *st, const struct storage_follower *f, struct err *err);
	int (*newest)(struct storage *st, int64_t deadline, struct storage_row_id *ret,
		      struct err *err);
	/* What it was asked last, newest() apart, has taken all of the time-out, without success:
	 * as much for the next one is more than its client expects. NULL: it never has. */
	bool (*timed_out)(struct storage *st);
	/*
	 * After begin: whether the next commit has to begin with a digest of the state
	 * (store_put_digest()).
	 */
	bool (*digest_due)(struct storage *st);
	/* The newest row that the store has. */
	struct storage_row_id (*seen)(struct storage *st);
	/*
	 * The epoch of the log, as read last: a number that tells which kinds of rows it may hold,
	 * raised when no older version writes any more. NULL: the engine has no epochs.
	 */
	long (*epoch)(struct storage *st);
	/*
	 * Unix seconds by the clock of the times of rows, if that is not this machine's: the time
	 * at the last reading, begin or follow, advanced by the time since. NULL: it is this
	 * machine's clock. Use storage_now().
	 */
	double (*now)(struct storage *st);
	/*
	 * For a log that several gateways write; NULL: a row notes it (ROW_BEAT). beat: notes that
	 * a gateway runs now; all may call it, one is enough. 1: a ROW_BEAT has to be written
	 * instead. alive: Unix seconds of the last beat or row before the log was read last; 0: not
	 * known.
	 */
	int (*beat)(struct storage *st, struct err *err);
	double (*alive)(struct storage *st);
	/*
	 * Rows with numbers below `below`, the newest first. Rows are not checked: see
	 * row_verdict(). To skip a part that cannot be read, call again with a lower number.
	 * STORAGE_DAMAGED also if fn returns -1.
	 */
	enum storage_load_result (*read)(struct storage *st, enum storage_which which,
					 uint64_t below, storage_row_fn fn, void *arg,
					 struct err *err);
	enum storage_commit_result (*commit)(struct storage *st, const struct rows *rows,
					     struct err *err);
	/*
	 * For a log that several gateways write, before begin: reads ahead what `oldest` will be
	 * asked for; NULL: not needed.
	 */
	int (*read_oldest)(struct storage *st, uint64_t bytes,
			   const struct storage_cleaner *cleaner, struct err *err);
	/* The oldest rows, in order, until they make up `bytes`. -1 also if a wanted row is
	 * damaged; others are not read.
	 */
	int (*oldest)(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err);
	uint64_t (*bytes)(struct storage *st); /* that the data takes on the disk */
	/*
	 * Writes something without effect, to find out whether a commit would succeed. -1: *err
	 * says why not.
	 */
	int (*probe)(struct storage *st, struct err *err);
	/* These three are called between two commits. health is cheap: called every second, and
	 * after a commit that failed.
	 */
	enum storage_health (*health)(struct storage *st, struct err *err);
	/* Closes the data and opens it again, without anything cached. -1: *err says why it cannot
	 * be opened; until this or renew succeeds, every commit is refused.
	 */
	int (*reopen)(struct storage *st, struct err *err);
	/* Replaces the data by new data that `fill` writes. The old data is kept under the name
	 * *ret_kept (empty: there was none).
	 */
	int (*renew)(struct storage *st, storage_fill_fn fill, void *arg, struct strbuf *ret_kept,
		     struct err *err);
	/*
	 * A copy of all that is committed, made in steps between commits: what is committed between
	 * two steps is in it, too. The first step begins it; the data may not be renewed or opened
	 * again meanwhile, which makes the next step fail. NULL: this engine has tools of its own.
	 */
	enum storage_backup_result (*backup_step)(struct storage *st, struct storage_backup *ret,
						  struct err *err);
	/* Gives up a backup that is under way. */
	void (*backup_drop)(struct storage *st);
	void (*close)(struct storage *st);
};

struct storage {
	const struct storage_ops *ops;
	int64_t poll_ns;    /* how often to look for rows of others; 0: only this process writes */
	int64_t timeout_ns; /* for all of begin; 0: only this process writes */
	uint64_t max_body;  /* the largest body that a row can have */
};

/* The current time, Unix seconds, by the clock of the times of rows. */
static inline double storage_now(struct storage *st)
{
	return st->ops->now ? st->ops->now(st) : clock_wall();
}

#endif
