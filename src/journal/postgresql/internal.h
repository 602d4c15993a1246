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
	long digest_every; /* so many transactions of a writer; only under the lock */
};

/*
 * The committer's thread uses all of it, except for `asking`, which belongs to the thread that
 * calls postgresql_newest() (commit/freshness.h), with the settings, which nobody changes.
 */
struct postgresql {
	struct storage base; /* first */
	struct session_settings settings;
	char *url, *schema;
	struct session session;
	struct row_writer writer; /* this process, and its newest batch */
	struct seen seen;
	bool changed; /* the log is not what the store was made of and has written, for why */
	bool newer;   /* it may hold, or holds, what this version does not know, for why */
	struct err why;
	long epoch;           /* of the log (migrate.h), when it was asked last */
	int holder;           /* the server's process that worked for us last; 0: none */
	bool creating;        /* all is one transaction (new_log.c), at whose end head is `head` */
	bool reading;         /* between two readings of one state of the log */
	bool locked;          /* begun: `head` is what it was locked with */
	const char *locks_by; /* the column of the epoch in the session's statement; NULL: none */
	int64_t until_ns;     /* monotonic: no deadline is later; 0: any */
	bool kept_out;        /* another session had the lock for as long as was waited last */
	struct head head;
	double alive_at;       /* see postgresql_alive() */
	double told_at;        /* Unix seconds: what the server has said last that the time is, */
	int64_t told_ns;       /* when, monotonic */
	struct session asking; /* of whoever asks for the newest row */
	struct row_params params;
	struct {
		PGresult *heads, *bodies; /* NULL: none was read */
		uint64_t trimmed;         /* then: the row before the first of them */
	} oldest;                         /* rows, see cleaning.c */
};

static inline struct postgresql *postgresql_of(struct storage *st)
{
	return (struct postgresql *)st;
}

/* Not connected yet; ops are those of whoever opens it. */
struct postgresql *postgresql_new(const struct postgresql_settings *settings);
void postgresql_close(struct storage *st);

/* The committer's thread. */
int64_t postgresql_deadline(const struct postgresql *p);
/* Connects, if it has to, and prepares the statements. */
int postgresql_connect(struct postgresql *p, struct err *err);
/* The store has to be loaded anew. */
void postgresql_changed(struct postgresql *p, const struct err *why);
/* The server says that it is so late; Unix seconds. */
void postgresql_note_time(struct postgresql *p, double now);
double postgresql_now(struct storage *st);
/*
 * The column of `head` that has the epoch: logs of the first epoch have another one, which says
 * something else as soon as there is a second. What it says. -1: this version does not know that
 * epoch, *err says so, and nothing is to be read or written any more.
 */
const char *postgresql_epoch_column(const struct postgresql *p);
int postgresql_note_epoch(struct postgresql *p, long epoch, struct err *err);
/* The log has a row of a kind that this version does not know. */
int postgresql_found_newer(struct postgresql *p, uint64_t number, struct err *err);
/* -1: *err says that the time-out was too short. */
int postgresql_no_time(struct err *err);
/* Whatever transaction there is ends without effect. */
void postgresql_roll_back(struct postgresql *p);

/* In lock.c. */

/* Of the time for the lock, at most: the server says first that the wait was too long. */
enum { GRACE_NS = 500 * 1000 * 1000 };

/* Of the wait for the lock: after each part, what others have written meanwhile is read. */
enum { PART_NS = 200 * 1000 * 1000 };

/* Catching up with more rows, or bytes of them, is not to keep all others waiting. */
enum { BEHIND_MAX = 5000, BEHIND_MAX_BYTES = 1024 * 1024 };

/*
 * The clock is asked in a statement of its own, after the wait. So is what others have written, in
 * *ret_news, which is for the caller to clear; NULL: it is not wanted. It is empty if it is more
 * than is to be read under the lock, and otherwise begins with the newest row that the store has.
 * 1: somebody else has had the lock for part_ns, and the deadline is yet to come.
 */
int postgresql_lock_head(struct postgresql *p, int64_t deadline, int64_t part_ns, struct head *ret,
			 PGresult **ret_news, struct err *err);
/* With all of the time-out, and without looking what others write. */
int postgresql_lock_head_now(struct postgresql *p, struct head *ret, struct err *err);
/* 1: the row of that number was written by that transaction. */
int postgresql_has_written(struct postgresql *p, uint64_t number, const struct row_writer *writer,
			   struct err *err);
/* Under the lock: the log ends where the store does. */
bool postgresql_is_current(const struct postgresql *p, const struct head *head);

/* In batch.c. */
enum storage_commit_result postgresql_commit(struct storage *st, const struct rows *rows,
					     struct err *err);
int postgresql_probe(struct storage *st, struct err *err);
/* In alive.c. */
int postgresql_beat(struct storage *st, struct err *err);
double postgresql_alive(struct storage *st);
/* What `head` has of it: a column, for whatever epoch. */
const char *postgresql_alive_column(const struct postgresql *p);

/* In begin.c. */
int postgresql_begin(struct storage *st, const struct storage_follower *f, int64_t *deadline,
		     double *ret_now, struct err *err);
void postgresql_cancel(struct storage *st);

/* In follow.c. What others have written since is in `news`, all of it; moves `seen`. */
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
