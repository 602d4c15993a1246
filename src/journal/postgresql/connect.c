/* Makes a session: which host is tried until when, and what is set whatever the defaults are. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "journal/postgresql/hosts.h"
#include "journal/postgresql/session.h"

enum { SERVER_MIN = 130000 };

/* The time to set up a connection, which it has even after the deadline. */
#define SET_UP_NS INT64_C(2000000000)

/* Notes notices, which tell of a given up wait for a standby, too. */
static void note(void *arg, const PGresult *r)
{
	struct session *s = arg;

	(void)r;
	s->warned = true;
}

/*
 * With keepalives the server notices that a gateway is gone, and releases its locks: with the
 * defaults of Linux that takes two hours, in which no gateway could take the place of one whose
 * machine is lost. They also keep firewalls from forgetting an idle connection.
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
 * Settings in place of the role's or the database's defaults. A silent holder of the lock has half
 * the time of those who wait for it: with equal times all would fail together.
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
	/* Times are read as text: each digit counts. */
	strbuf_addz(sql, "SET extra_float_digits = 1; ");
	/* All statements read or drop a range of the log by number, in order. */
	strbuf_addz(sql, "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; "
			 "SET enable_sort = off; ");
	if (s->settings->reads_only)
		strbuf_addz(sql, "SET default_transaction_read_only = on; ");
	if (PQserverVersion(s->conn) >= 140000)
		strbuf_addz(sql, "SET idle_session_timeout = 0; ");
	strbuf_addz(sql, "SELECT set_config('synchronous_commit', 'on', false) "
			 "WHERE current_setting('synchronous_commit') <> 'remote_apply'; "
			 "SELECT current_setting('fsync') = 'off', "
			 "current_setting('full_page_writes') = 'off'");
}

static int set_up(struct session *s, int64_t deadline, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };
	CLEANUP(PQclearp) PGresult *r = NULL;

	if (PQserverVersion(s->conn) < SERVER_MIN)
		return err_set(err, ERR_STORAGE, 0,
			       "PostgreSQL: the server's version is %d: it has to be 13 or newer",
			       PQserverVersion(s->conn) / 10000);
	add_setup(s, &sql);
	if (session_run(s, strbuf_z(&sql), &r, 1, deadline, err) < 0)
		return -1;
	s->fsync_off = *PQgetvalue(r, 0, 0) == 't';
	s->full_page_writes_off = *PQgetvalue(r, 0, 1) == 't';
	return 0;
}

static bool is_open(struct session *s)
{
	if (s->conn && PQstatus(s->conn) == CONNECTION_OK)
		return true;
	session_close(s);
	return false;
}

static int silent(struct session *s, const struct host *host, struct err *err)
{
	char what[300];

	s->silent = true;
	snprintf(what, sizeof(what), "no connection%s%s%s%s in time", host->name ? " to " : "",
		 host->name ? host->name : "", host->port ? ":" : "", host->port ? host->port : "");
	return session_lost(s, what, err);
}

static int connected(struct session *s, int64_t deadline, struct err *err)
{
	if (PQstatus(s->conn) != CONNECTION_OK)
		return session_lost(s, PQerrorMessage(s->conn), err);
	PQsetNoticeReceiver(s->conn, note, s);
	if (PQsetnonblocking(s->conn, 1) < 0)
		return session_lost(s, PQerrorMessage(s->conn), err);
	if (set_up(s, deadline, err) == 0)
		return 0;
	session_close(s);
	return -1;
}

/* Parameters in front of the URL are defaults for it; `host` follows it and replaces the URL's. */
static PGconn *begin_to_connect(const struct session *s, const struct host *host)
{
	const char *const names[] = { "target_session_attrs",
				      "fallback_application_name",
				      "dbname",
				      "host",
				      "hostaddr",
				      "port",
				      NULL };
	const char *const values[] = { s->settings->reads_only ? "any" : "read-write",
				       "tallygate",
				       s->settings->url,
				       host->name,
				       host->address,
				       host->port,
				       NULL };

	return PQconnectStartParams(names, values, 1);
}

static int connect_to(struct session *s, const struct host *host, int64_t deadline, struct err *err)
{
	PostgresPollingStatusType wants = PGRES_POLLING_WRITING;

	s->conn = begin_to_connect(s, host);
	while (PQstatus(s->conn) != CONNECTION_BAD && wants != PGRES_POLLING_OK) {
		struct pollfd fd = { .fd = PQsocket(s->conn),
				     .events = wants == PGRES_POLLING_WRITING ? POLLOUT : POLLIN };
		int64_t left = deadline - clock_mono_ns();

		if (left <= 0)
			return silent(s, host, err);
		if (poll(&fd, 1, (int)(left / 1000000) + 1) != 0)
			wants = PQconnectPoll(s->conn);
	}
	return PQstatus(s->conn) == CONNECTION_OK ? 0
						  : session_lost(s, PQerrorMessage(s->conn), err);
}

/*
 * Tries the hosts in order; those that are left share the time that is left. libpq would give each
 * host all of the time, or wait for a silent one for ever.
 */
static int connect_to_one(struct session *s, int64_t deadline, struct err *err)
{
	CLEANUP(hosts_done) struct hosts hosts = hosts_of(s->settings->url);
	CLEANUP(strbuf_done) struct strbuf why = { 0 };
	int failed = -1;

	for (size_t i = 0; i < hosts.n && failed; i++) {
		int64_t now = clock_mono_ns();
		int64_t share = (deadline - now) / (int64_t)(hosts.n - i);
		struct err one = { 0 };

		if (hosts.timeout_ns && hosts.timeout_ns < share)
			share = hosts.timeout_ns;
		failed = connect_to(s, &hosts.list[i], now + share, &one);
		if (failed)
			strbuf_addf(&why, "%s%s", i > 0 ? "; " : "",
				    one.msg + (i > 0 ? strlen(SESSION_SAYS) : 0));
	}
	return failed ? err_set(err, ERR_STORAGE, 0, "%s", strbuf_z(&why)) : 0;
}

int session_open(struct session *s, int64_t deadline, struct err *err)
{
	int64_t least;

	if (is_open(s))
		return 0;
	if (connect_to_one(s, deadline, err) < 0)
		return -1;
	least = clock_mono_ns() + SET_UP_NS;
	return connected(s, deadline > least ? deadline : least, err);
}

int session_open_soon(struct session *s, int64_t deadline, struct err *err)
{
	if (is_open(s))
		return 0;
	return connect_to_one(s, deadline, err) < 0 ? -1 : connected(s, deadline, err);
}
