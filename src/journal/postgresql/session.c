#include "journal/postgresql/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

enum { SERVER_MIN = 130000 };

/* What libpq and the server say has several lines. */
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
	return err_set(err, ERR_STORAGE, 0, "PostgreSQL: %s%s", strbuf_z(&line), advice(s->state));
}

static int lost(struct session *s, const char *message, struct err *err)
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
	if (left <= 0)
		return lost(s, "no answer within --persistence.timeout", err);
	r = poll(&fd, 1, (int)(left / 1000000) + 1);
	if (r < 0 && errno != EINTR)
		return lost(s, strerrordesc_np(errno), err);
	if (r > 0 && (fd.revents & ~POLLOUT) && !PQconsumeInput(s->conn))
		return lost(s, PQerrorMessage(s->conn), err);
	return 0;
}

/* Sends what is to be sent, and waits until the next result is there. */
static int wait_for_result(struct session *s, int64_t deadline, struct err *err)
{
	for (;;) {
		int unsent = PQflush(s->conn);

		if (unsent < 0)
			return lost(s, PQerrorMessage(s->conn), err);
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

/* What has failed first is the reason. */
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
		return lost(s, PQerrorMessage(s->conn), err);
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

/* ---- connecting ---- */

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

/* A wait for a standby that was given up is a notice, too. */
static void note(void *arg, const PGresult *r)
{
	struct session *s = arg;

	(void)r;
	s->warned = true;
}

/*
 * The server finds out that the other end is gone, and gives up the lock of the schema: with the
 * defaults of Linux that takes two hours, in which no gateway could take the place of one whose
 * machine is lost. Nor does a firewall forget a connection that has something to say so often.
 */
static void add_keepalives(const struct session *s, struct strbuf *sql)
{
	enum { PROBES = 3 };
	long long idle = s->settings->timeout_ns / 1000000000 / 2;
	long long between = idle / PROBES;

	strbuf_addf(sql,
		    "SET tcp_keepalives_idle = %lld; SET tcp_keepalives_interval = %lld; "
		    "SET tcp_keepalives_count = %d; ",
		    idle > 0 ? idle : 1, between > 0 ? between : 1, PROBES);
}

/*
 * Whatever the role's or the database's defaults are. Who holds the lock and says nothing has half
 * as long as those who wait for it: with equal times they would fail together.
 */
static void add_setup(const struct session *s, struct strbuf *sql)
{
	long long ms = s->settings->timeout_ns / 1000000;

	strbuf_addz(sql, "SET client_min_messages = warning; SET search_path = ");
	session_add_name(sql, s->settings->schema);
	strbuf_addf(sql,
		    ", pg_catalog; SET jit = off; SET statement_timeout = 0; "
		    "SET lock_timeout = %lld; SET idle_in_transaction_session_timeout = %lld; "
		    "SET tcp_user_timeout = %lld; ",
		    ms, ms / 2, ms);
	add_keepalives(s, sql);
	/* All that is read or dropped is a piece of the log from a number on, in order. */
	strbuf_addz(sql, "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; "
			 "SET enable_sort = off; ");
	if (s->settings->reads_only)
		strbuf_addz(sql, "SET default_transaction_read_only = on; ");
	if (PQserverVersion(s->conn) >= 140000)
		strbuf_addz(sql, "SET idle_session_timeout = 0; ");
	strbuf_addz(sql, "SELECT set_config('synchronous_commit', 'on', false) "
			 "WHERE current_setting('synchronous_commit') <> 'remote_apply'");
}

static int set_up(struct session *s, int64_t deadline, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };

	if (PQserverVersion(s->conn) < SERVER_MIN)
		return err_set(err, ERR_STORAGE, 0,
			       "PostgreSQL: the server's version is %d: it has to be 13 or newer",
			       PQserverVersion(s->conn) / 10000);
	add_setup(s, &sql);
	return session_run(s, strbuf_z(&sql), NULL, 0, deadline, err);
}

static bool is_open(struct session *s)
{
	if (s->conn && PQstatus(s->conn) == CONNECTION_OK)
		return true;
	session_close(s);
	return false;
}

/* deadline: 0: as long as an answer may take. */
static int connected(struct session *s, int64_t deadline, struct err *err)
{
	if (PQstatus(s->conn) != CONNECTION_OK)
		return lost(s, PQerrorMessage(s->conn), err);
	PQsetNoticeReceiver(s->conn, note, s);
	if (PQsetnonblocking(s->conn, 1) < 0)
		return lost(s, PQerrorMessage(s->conn), err);
	if (!deadline)
		deadline = clock_mono_ns() + s->settings->timeout_ns;
	if (set_up(s, deadline, err) == 0)
		return 0;
	session_close(s);
	return -1;
}

static PGconn *connect_by(struct session *s, int64_t deadline,
			  PGconn *(*how)(const char *const *names, const char *const *values,
					 int expand))
{
	int64_t timeout = (deadline - clock_mono_ns() + 999999999) / 1000000000;
	char seconds[24];

	/* libpq takes less than 2 seconds as 2. What the URL says comes later and counts. */
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(timeout < 2 ? 2 : timeout));
	const char *const names[] = { "connect_timeout", "target_session_attrs",
				      "fallback_application_name", "dbname", NULL };
	const char *const values[] = { seconds, s->settings->reads_only ? "any" : "read-write",
				       "tallygate", s->settings->url, NULL };

	return how(names, values, 1);
}

int session_open(struct session *s, int64_t deadline, struct err *err)
{
	if (is_open(s))
		return 0;
	s->conn = connect_by(s, deadline, PQconnectdbParams);
	return connected(s, 0, err);
}

int session_open_soon(struct session *s, int64_t deadline, struct err *err)
{
	PostgresPollingStatusType wants = PGRES_POLLING_WRITING;

	if (is_open(s))
		return 0;
	s->conn = connect_by(s, deadline, PQconnectStartParams);
	while (PQstatus(s->conn) != CONNECTION_BAD && wants != PGRES_POLLING_OK) {
		struct pollfd fd = { .fd = PQsocket(s->conn),
				     .events = wants == PGRES_POLLING_WRITING ? POLLOUT : POLLIN };
		int64_t left = deadline - clock_mono_ns();

		if (left <= 0)
			return lost(s, "no connection in time", err);
		if (poll(&fd, 1, (int)(left / 1000000) + 1) != 0)
			wants = PQconnectPoll(s->conn);
	}
	return connected(s, deadline, err);
}
