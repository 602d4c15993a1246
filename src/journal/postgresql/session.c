#include "journal/postgresql/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

/* Makes one line of a message of libpq or the server, which may have several. */
static void add_line(struct strbuf *to, const char *message)
{
	struct str s = str_of(message);

	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == ' '))
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '\n' || s.p[i] == '\t' ? ' ' : s.p[i];

		if (c != ' ' || (to->n > 0 && to->p[to->n - 1] != ' '))
			strbuf_addc(to, c);
	}
}

static const char *advice(const char *state)
{
	static const struct {
		const char *state, *text;
	} known[] = {
		{ "25006",
		  ": this is a read-only standby; name the primary in --persistence.url, or "
		  "several hosts" },
		{ "26000", ": a pooler hands statements of one session to several servers; connect "
			   "directly, or pool by session" },
		{ "42P05", ": a pooler hands statements of several sessions to one server; connect "
			   "directly, or pool by session" },
		{ "42501", ": grant the user of --persistence.url CREATE on the database, or USAGE "
			   "and CREATE on the schema with its tables; `tallygate migrate` needs "
			   "the owner of the tables" },
		{ "42P01", ": the tables of --persistence.schema are gone; restart the gateway to "
			   "make new ones" },
		{ "55P03", ": another session has held the lock of the log for "
			   "--persistence.timeout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i].state, state) == 0)
			return known[i].text;
	return "";
}

int session_failed(struct session *s, const char *message, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf line = { 0 };

	add_line(&line, message);
	return err_set(err, ERR_STORAGE, 0, SESSION_SAYS "%s%s", strbuf_z(&line), advice(s->state));
}

int session_lost(struct session *s, const char *message, struct err *err)
{
	s->state[0] = '\0';
	session_failed(s, message, err);
	session_close(s);
	return -1;
}

/* ---- waiting ---- */

static int wait_for_socket(struct session *s, bool to_send, int64_t deadline, struct err *err)
{
	struct pollfd fd = { .fd = PQsocket(s->conn), .events = POLLIN };
	int64_t left = deadline - clock_mono_ns();
	int r;

	if (to_send)
		fd.events |= POLLOUT;
	if (left <= 0) {
		s->silent = true;
		return session_lost(s, SESSION_NO_ANSWER, err);
	}
	r = poll(&fd, 1, (int)(left / 1000000) + 1);
	if (r < 0 && errno != EINTR)
		return session_lost(s, strerrordesc_np(errno), err);
	if (r > 0 && (fd.revents & ~POLLOUT) && !PQconsumeInput(s->conn))
		return session_lost(s, PQerrorMessage(s->conn), err);
	return 0;
}

/* Flushes what is still to be sent, and waits until the next result is there. */
static int wait_for_result(struct session *s, int64_t deadline, struct err *err)
{
	for (;;) {
		int unsent = PQflush(s->conn);

		if (unsent < 0)
			return session_lost(s, PQerrorMessage(s->conn), err);
		if (!unsent && !PQisBusy(s->conn))
			return 0;
		if (wait_for_socket(s, unsent, deadline, err) < 0)
			return -1;
	}
}

PGresult *session_next(struct session *s, int64_t deadline, struct err *err)
{
	if (!s->conn || wait_for_result(s, deadline, err) < 0) {
		if (!s->conn && !err->reason)
			err_set(err, ERR_STORAGE, 0, "PostgreSQL: there is no connection");
		return NULL;
	}
	s->silent = false;
	return PQgetResult(s->conn);
}

int session_check(struct session *s, PGresult *r, struct err *err)
{
	CLEANUP(PQclearp) PGresult *result = r;
	const char *state;

	switch (PQresultStatus(r)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_PIPELINE_SYNC:
		result = NULL;
		return 0;
	case PGRES_PIPELINE_ABORTED:
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: a statement before it failed");
	default:
		break;
	}
	state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	snprintf(s->state, sizeof(s->state), "%s", state ? state : "");
	session_failed(s, PQresultErrorMessage(r), err);
	/* The server has ended the session, or is about to. */
	if (!state || PQstatus(s->conn) != CONNECTION_OK)
		session_close(s);
	return -1;
}

static void clear_all(PGresult **list, int n)
{
	for (int i = 0; i < n; i++) {
		PQclear(list[i]);
		list[i] = NULL;
	}
}

/* The first failure is the reason. */
static int read_pipeline(struct session *s, PGresult **ret, int n, int64_t deadline,
			 struct err *err)
{
	struct err first = { 0 };
	bool synced = false;
	int got = 0;

	err->reason = ERR_NONE;
	while (!synced) {
		PGresult *r = session_next(s, deadline, err);

		if (err->reason)
			return -1;
		if (!r)
			continue;
		synced = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
		if (session_check(s, r, err) < 0) {
			if (!first.reason)
				first = *err;
			if (!s->conn)
				break;
			err->reason = ERR_NONE;
		} else if (PQresultStatus(r) == PGRES_TUPLES_OK && got < n) {
			ret[got++] = r;
		} else {
			PQclear(r);
		}
	}
	*err = first;
	if (first.reason)
		return -1;
	return got == n ? 0 : err_set(err, ERR_STORAGE, 0, "PostgreSQL: an answer is missing");
}

int session_sync(struct session *s, PGresult **ret, int n, int64_t deadline, struct err *err)
{
	int failed;

	for (int i = 0; i < n; i++)
		ret[i] = NULL;
	failed = read_pipeline(s, ret, n, deadline, err);
	if (s->conn)
		PQexitPipelineMode(s->conn);
	if (failed)
		clear_all(ret, n);
	return failed;
}

int session_run(struct session *s, const char *sql, PGresult **ret, int n, int64_t deadline,
		struct err *err)
{
	PGresult *r;
	int failed = 0;

	for (int i = 0; i < n; i++)
		ret[i] = NULL;
	err->reason = ERR_NONE;
	if (!s->conn)
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: there is no connection");
	if (!PQsendQuery(s->conn, sql))
		return session_lost(s, PQerrorMessage(s->conn), err);
	while ((r = session_next(s, deadline, err)) != NULL) {
		if (failed || session_check(s, r, err) < 0) {
			if (failed)
				PQclear(r);
			failed = -1;
			continue;
		}
		if (n > 0) {
			PQclear(ret[0]);
			move_bytes(ret, ret + 1, (size_t)(n - 1) * sizeof(PGresult *));
			ret[n - 1] = r;
		} else {
			PQclear(r);
		}
	}
	if (!failed && !err->reason)
		return 0;
	clear_all(ret, n);
	return -1;
}

void session_close(struct session *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
}

void session_add_name(struct strbuf *to, const char *name)
{
	strbuf_addc(to, '"');
	for (; *name; name++) {
		if (*name == '"')
			strbuf_addc(to, '"');
		strbuf_addc(to, *name);
	}
	strbuf_addc(to, '"');
}
