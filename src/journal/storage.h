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
	STORAGE_UNKNOWN_ROWS, /* the same: others have written rows of kinds that this version does
				 not know */
};

enum storage_commit_result {
	STORAGE_COMMITTED, /* durable */
	/* Nothing of the batch is stored, and *err (ERR_STORAGE) says why. */
	STORAGE_REFUSED,
	STORAGE_REFUSED_ROWS, /* the same; one of the rows may be the reason, and others may be
				 taken */
	/* The same, because the disk is full: rows that end groups, and cleaning, may still be
	 * committed, in a transaction without other rows.
	 */
	STORAGE_REFUSED_FULL,
	/* The same, because others have written since begin: it was made of an older state, and can
	 * be made once more. */
	STORAGE_REFUSED_OUTDATED,
	/*
	 * It may be stored, and *err says so. Where others write, what is found out later comes
	 * with their rows; otherwise it has not taken place in this process, but may have after a
	 * crash.
	 */
	STORAGE_UNKNOWN,
};

/* Called for a row, which is borrowed. 1: no more rows are wanted. -1: nor are any, since this one
 * is damaged; *err says how. */
typedef int (*storage_row_fn)(void *arg, const struct row *row, struct err *err);

enum storage_which {
	STORAGE_ALL,
	STORAGE_GROUPS, /* only rows that make or end groups; quick */
};

/* Is given the oldest rows. */
struct storage_cleaner {
	/* First called with a row that has only the size of its body. True: call row() for it. */
	bool (*look)(void *arg, const struct row *row);
	/* Would it be? Nothing is noted. */
	bool (*needs)(void *arg, const struct row *row);
	storage_row_fn row;
	void *arg;
};

struct storage;

enum storage_health {
	STORAGE_WELL,
	STORAGE_DOUBTED, /* a sync has failed: what is read may come from the kernel's memory, not
			    from the disk. Or it holds rows that the store does not know of */
	STORAGE_LOST, /* the file under its name is not the one that was written; *err says why */
	STORAGE_CHANGED, /* the log is sound, but not what the store was made of and has written:
			    the store has to be loaded from it anew; *err says why */
	STORAGE_NEWER,   /* a newer version of this program has written, or may write, what this one
			    does not know; *err says so. Whether it still does is seen by follow */
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

/* Is given rows that others have written. */
struct storage_follower {
	/* In order; -1: the store cannot follow, and has to be loaded anew. Before a ROW_DIGEST
	 * that is the first row of its transaction comes an end, and before and after a transaction
	 * that begins with a row of many groups (store/removal.h). */
	storage_row_fn row;
	/*
	 * After the rows of one or more whole transactions, or, failed, where no more can be given.
	 * now: Unix seconds, by the clock of the server. log_bytes: of all rows, row_bytes_of()
	 * each: about.
	 */
	int (*end)(void *arg, double now, uint64_t log_bytes, bool failed, struct err *err);
	void *arg;
};

/* A row of the log and who has written it, since in another log it is another one. */
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
	 * These are of a log that several gateways write; NULL: nobody else does.
	 *
	 * begin: nobody else writes from now until commit or cancel; what others have written is
	 * given first. -1: *err, and nothing is begun. 1: nor is it yet; what others have written
	 * is given, and it is to be called again. At the deadline (monotonic), about, it is -1;
	 * that is moved on by the time that reading what others have written has taken, so that
	 * much of it is no reason to give up. *ret_now: the time of what is committed.
	 * follow: the same without keeping others from writing.
	 * newest: the newest row of the log. Asked over a connection of its own, by one thread
	 * at a time, which may be another one. -1: it has none, and at the deadline (monotonic)
	 * that is the answer; deadline 0: when all has been tried to reach a server.
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
	/* After begin: what is written next is to say the digest of the state (store_digest()). */
	bool (*digest_due)(struct storage *st);
	/* The newest row that the store has. */
	struct storage_row_id (*seen)(struct storage *st);
	/* Which kinds of rows the log may hold, as it said when it was asked last: a number that
	 * is raised when no older version writes any more. NULL: it is always the same. */
	long (*epoch)(struct storage *st);
	/*
	 * Unix seconds by the clock that the rows have their times of, which may be another one
	 * than this machine's: asked at the last reading, begin or follow, and gone on from there.
	 * NULL: it is this machine's. For everybody else: storage_now().
	 */
	double (*now)(struct storage *st);
	/*
	 * Where others write, too; NULL: rows say it (ROW_BEAT). beat: some gateway runs now; all
	 * of them may say so, and one is enough. 1: rows have to say it. alive: Unix seconds: when
	 * that was said last, or rows were written, before the log was read last; 0: not known.
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
	/* Where others write, too, before begin: reads what `oldest` will be asked for; NULL: there
	 * is nothing to be gained. */
	int (*read_oldest)(struct storage *st, uint64_t bytes,
			   const struct storage_cleaner *cleaner, struct err *err);
	/* The oldest rows, in order, until they make up `bytes`. -1 also if a wanted row is
	 * damaged; others are not read.
	 */
	int (*oldest)(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err);
	uint64_t (*bytes)(struct storage *st); /* that the data takes on disk */
	/* Writes something without effect, to find out whether a commit would succeed. -1: *err
	 * says why it would not.
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
	/* Gives up one that goes on. */
	void (*backup_drop)(struct storage *st);
	void (*close)(struct storage *st);
};

struct storage {
	const struct storage_ops *ops;
	int64_t poll_ns;    /* how often others' rows are looked for; 0: nobody else writes */
	int64_t timeout_ns; /* for all of begin; 0: nobody else writes */
	uint64_t max_body;  /* the largest body that a row can have */
};

/* What the times of rows are compared with. */
static inline double storage_now(struct storage *st)
{
	return st->ops->now ? st->ops->now(st) : clock_wall();
}

#endif
