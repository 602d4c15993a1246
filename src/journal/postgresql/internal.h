/* What the files of journal/postgresql share. */
#ifndef JOURNAL_POSTGRESQL_INTERNAL_H
#define JOURNAL_POSTGRESQL_INTERNAL_H

#include "journal/postgresql/postgresql.h"
#include "journal/postgresql/row.h"
#include "journal/postgresql/session.h"

/* The newest row that the store has. */
struct seen {
	uint64_t number; /* 0: the log is empty */
	struct row_writer writer;
};

static inline struct storage_row_id row_id_of(const struct seen *s)
{
	return (struct storage_row_id){ s->number, s->writer.process, s->writer.batch };
}

struct head {
	struct seen last;  /* the newest row of the log */
	double at, now;    /* Unix seconds: of the newest transaction, and by the server's clock */
	uint64_t bytes;    /* of all rows: row_bytes_of() */
	uint64_t trimmed;  /* the row before the first one; only under the lock */
	long digest_every; /* a digest is due every so many transactions of a writer; only under the
			      lock */
};

/*
 * The committer's thread uses all of it, except for `asking`, which belongs to the thread that
 * calls postgresql_newest() (commit/freshness.h). Both read `settings`, which never change.
 */
struct postgresql {
	struct storage base; /* first */
	struct session_settings settings;
	char *url, *schema;
	struct session session;
	struct row_writer writer; /* this process, and its newest batch */
	struct seen seen;
	bool changed; /* the log is not the one that the store was loaded from and has written to:
			 `why` */
	bool newer;   /* it may hold, or holds, rows that this version does not know: `why` */
	struct err why;
	long epoch;    /* of the log (migrate.h), as read last */
	int holder;    /* process id of the last session's server process; 0: none */
	bool creating; /* all is one transaction (new_log.c), at whose end `head` is written */
	bool reading;  /* between two readings of one state of the log */
	bool locked;   /* a batch is begun, and `head` was read under the lock */
	const char *locks_by; /* the column of the epoch in the prepared lock statement; NULL: not
				 prepared */
	int64_t until_ns;     /* monotonic: all deadlines end by then; 0: no such limit */
	bool kept_out;        /* another session had the lock for as long as was waited last */
	struct head head;
	double alive_at;       /* see postgresql_alive() */
	double told_at;        /* Unix seconds: the server's time, as read last */
	int64_t told_ns;       /* monotonic: when that was read */
	struct session asking; /* of the thread that asks for the newest row */
	struct row_params params;
	struct {
		PGresult *heads, *bodies; /* NULL: none was read */
		uint64_t trimmed;         /* the row before the first of these */
	} oldest;                         /* the oldest rows, see cleaning.c */
};

static inline struct postgresql *postgresql_of(struct storage *st)
{
	return (struct postgresql *)st;
}

/* Makes it without connecting; the caller sets ops. */
struct postgresql *postgresql_new(const struct postgresql_settings *settings);
void postgresql_close(struct storage *st);

/* The committer's thread. */
int64_t postgresql_deadline(const struct postgresql *p);
/* Connects, if it has to, and prepares the statements. */
int postgresql_connect(struct postgresql *p, struct err *err);
/* Notes that the store has to be loaded anew, and why. */
void postgresql_changed(struct postgresql *p, const struct err *why);
/* Notes the server's time, Unix seconds. */
void postgresql_note_time(struct postgresql *p, double now);
double postgresql_now(struct storage *st);
/*
 * postgresql_epoch_column(): the column of `head` with the epoch, which is another one in logs of
 * the first epoch. postgresql_note_epoch(): notes its value. -1: this version does not know that
 * epoch, *err says so, and the log must not be read or written any more.
 */
const char *postgresql_epoch_column(const struct postgresql *p);
int postgresql_note_epoch(struct postgresql *p, long epoch, struct err *err);
/* Notes that the log has a row of a kind that this version does not know; -1. */
int postgresql_found_newer(struct postgresql *p, uint64_t number, struct err *err);
/* -1: *err says that the time-out was too short. */
int postgresql_no_time(struct err *err);
/* Rolls back the open transaction, if there is one. */
void postgresql_roll_back(struct postgresql *p);

/* In lock.c. */

/* Of the time for the lock, at most: the server says first that the wait was too long. */
enum { GRACE_NS = 500 * 1000 * 1000 };

/* A part of the wait for the lock, after which rows are read that others have written meanwhile. */
enum { PART_NS = 200 * 1000 * 1000 };

/*
 * With more rows or bytes to catch up with, that is not done under the lock, where others would
 * wait.
 */
enum { BEHIND_MAX = 5000, BEHIND_MAX_BYTES = 1024 * 1024 };

/*
 * Takes the lock and reads `head`; the clock is read after the wait, in a statement of its own.
 * *ret_news: rows that others have written, beginning with the newest row that the store has, or no
 * rows if they are too many to be read under the lock; the caller clears it. ret_news NULL: not
 * wanted. 1: others have had the lock for part_ns, but the deadline has not come.
 */
int postgresql_lock_head(struct postgresql *p, int64_t deadline, int64_t part_ns, struct head *ret,
			 PGresult **ret_news, struct err *err);
/* The same with all of the time-out, and without rows of others. */
int postgresql_lock_head_now(struct postgresql *p, struct head *ret, struct err *err);
/* 1: that transaction has written the row with that number; 0: not; -1: *err. */
int postgresql_has_written(struct postgresql *p, uint64_t number, const struct row_writer *writer,
			   struct err *err);
/* Under the lock: whether the log ends with the newest row that the store has. */
bool postgresql_is_current(const struct postgresql *p, const struct head *head);

/* In batch.c. */
enum storage_commit_result postgresql_commit(struct storage *st, const struct rows *rows,
					     struct err *err);
int postgresql_probe(struct storage *st, struct err *err);
/* In alive.c. */
int postgresql_beat(struct storage *st, struct err *err);
double postgresql_alive(struct storage *st);
/* The column of `head` with that time, in any epoch. */
const char *postgresql_alive_column(const struct postgresql *p);

/* In begin.c. */
int postgresql_begin(struct storage *st, const struct storage_follower *f, int64_t *deadline,
		     double *ret_now, struct err *err);
void postgresql_cancel(struct storage *st);

/* In follow.c. Passes on the rows of others in `news`, which has all of them; moves `seen`. */
int postgresql_take_news(struct postgresql *p, const struct storage_follower *f,
			 const PGresult *news, struct err *err);
int postgresql_follow(struct storage *st, const struct storage_follower *f, struct err *err);
int postgresql_newest(struct storage *st, int64_t deadline, struct storage_row_id *ret,
		      struct err *err);

/* In reading.c. */
enum storage_load_result postgresql_read(struct storage *st, enum storage_which which,
					 uint64_t below, storage_row_fn fn, void *arg,
					 struct err *err);

/* In cleaning.c. */
int postgresql_read_oldest(struct storage *st, uint64_t bytes,
			   const struct storage_cleaner *cleaner, struct err *err);
int postgresql_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err);
void postgresql_forget_oldest(struct postgresql *p);

#endif
