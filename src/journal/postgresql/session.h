/*
 * One connection to PostgreSQL, with a deadline for whatever is asked of it (private to
 * journal/postgresql). When a deadline passes, or the server is lost, the connection is closed: the
 * next session_open() makes a new one. Deadlines are monotonic nanoseconds. One thread.
 */
#ifndef JOURNAL_POSTGRESQL_SESSION_H
#define JOURNAL_POSTGRESQL_SESSION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct session_settings {
	const char *url;    /* as libpq takes it */
	const char *schema; /* by any name */
	int64_t timeout_ns;
	bool reads_only; /* a standby will do, and nothing can be changed */
};

struct session {
	const struct session_settings *settings;
	PGconn *conn;  /* NULL: there is none */
	char state[6]; /* SQLSTATE of what failed last; "": the connection did */
	bool warned;   /* a notice has come; whoever wants to know sets it to false before */
	bool silent;   /* what was asked last, or the last server to connect to, said nothing until
			  the deadline */
	/* Settings of the server that was connected to last: a crash of its machine may lose what
	 * was committed, and leave pages of its files half written. */
	bool fsync_off, full_page_writes_off;
};

/*
 * Connects unless there is a connection, to the first host of the URL that lets us, until the
 * deadline, except that names of hosts may take longer to be found: hosts that say nothing share
 * that time. -1: *err says what to do. What libpq and the server say is in there, but never a
 * password. A new connection has 2 s to be set up, whatever the deadline.
 */
int session_open(struct session *s, int64_t deadline, struct err *err);
/* The same, set up until the deadline, too. */
int session_open_soon(struct session *s, int64_t deadline, struct err *err);
void session_close(struct session *s);

/*
 * Statements, separated by semicolons. All results but the last n are dropped; those are for the
 * caller to clear. -1: one failed, and those after it were not done.
 */
int session_run(struct session *s, const char *sql, PGresult **ret, int n, int64_t deadline,
		struct err *err);

/* What was sent has to be answered. The next result, or NULL: there are no more, or, with
 * err->reason set, the connection is lost.
 */
PGresult *session_next(struct session *s, int64_t deadline, struct err *err);
/*
 * After PQpipelineSync(): all answers up to it, and the end of the pipeline. The first n that have
 * rows are for the caller to clear. -1: one failed, and those after it were not done.
 */
int session_sync(struct session *s, PGresult **ret, int n, int64_t deadline, struct err *err);
/* Is it a result without a fault? If not: clears it, and *err says why. */
int session_check(struct session *s, PGresult *r, struct err *err);

/* The name with quotes, so that it is an identifier. */
void session_add_name(struct strbuf *to, const char *name);

/* In front of what it says. */
#define SESSION_SAYS "PostgreSQL: "
#define SESSION_NO_ANSWER "no answer within --persistence.timeout"
/* What was meant, in one line, for whoever reads `what`: something that failed. */
int session_failed(struct session *s, const char *message, struct err *err);
/* The same of the connection, which is closed. */
int session_lost(struct session *s, const char *message, struct err *err);

DEFINE_CLEANUP(PGresult *, PQclear)

#endif
