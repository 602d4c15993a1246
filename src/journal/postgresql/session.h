/*
 * One connection to PostgreSQL, with a deadline for each request (private to journal/postgresql).
 * When a deadline passes, or the server is lost, the connection is closed: the next session_open()
 * makes a new one. Deadlines are monotonic nanoseconds. One thread.
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
	const char *schema; /* its name, without quotes */
	int64_t timeout_ns;
	bool reads_only; /* a standby will do; the session is read-only */
};

struct session {
	const struct session_settings *settings;
	PGconn *conn;  /* NULL: there is none */
	char state[6]; /* SQLSTATE of the last failure; "": the connection failed */
	bool warned;   /* a notice has come since the caller has set this to false */
	bool silent;   /* what was asked last, or the last server to connect to, said nothing until
			  the deadline */
	/*
	 * Settings of the server that was connected to last, with which a crash of its machine may
	 * lose commits, or leave half-written pages.
	 */
	bool fsync_off, full_page_writes_off;
};

/*
 * Connects, unless there is a connection, to the first host of the URL that accepts us, until the
 * deadline, which silent hosts share; only looking up names of hosts may take longer. -1: *err says
 * what to do, with the words of libpq and the server, but never with a password. A new connection
 * has 2 s to be set up, whatever the deadline.
 */
int session_open(struct session *s, int64_t deadline, struct err *err);
/* The same, but the deadline also holds for setting up the connection. */
int session_open_soon(struct session *s, int64_t deadline, struct err *err);
void session_close(struct session *s);

/*
 * Runs statements, separated by semicolons. All results but the last n are dropped; the caller
 * clears these. -1: one failed, and those after it were not run.
 */
int session_run(struct session *s, const char *sql, PGresult **ret, int n, int64_t deadline,
		struct err *err);

/*
 * Waits for the next result of what was sent. NULL: there are no more, or, with err->reason set,
 * the connection is lost.
 */
PGresult *session_next(struct session *s, int64_t deadline, struct err *err);
/*
 * After PQpipelineSync(): reads all answers up to it, and ends the pipeline. The caller clears the
 * first n results with rows, which go to ret. -1: a statement failed, and those after it were not
 * run.
 */
int session_sync(struct session *s, PGresult **ret, int n, int64_t deadline, struct err *err);
/* 0: the result is no error. -1: it is; clears it, and *err says why. */
int session_check(struct session *s, PGresult *r, struct err *err);

/* Appends the name as a quoted identifier. */
void session_add_name(struct strbuf *to, const char *name);

/* The beginning of messages of libpq and the server. */
#define SESSION_SAYS "PostgreSQL: "
#define SESSION_NO_ANSWER "no answer within --persistence.timeout"
/* Sets *err to the message in one line, with advice for s->state; returns -1. */
int session_failed(struct session *s, const char *message, struct err *err);
/* The same for a lost connection, which it closes. */
int session_lost(struct session *s, const char *message, struct err *err);

DEFINE_CLEANUP(PGresult *, PQclear)

#endif
