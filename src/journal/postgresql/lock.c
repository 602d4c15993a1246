/*
 * The lock of the log, which is that of the row of `head`: taking it, and reading `head` under it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/postgresql/internal.h"

#define LOCK_TIMEOUT "55P03"

#define MS_NS INT64_C(1000000)

static uint64_t integer(const PGresult *r, int column)
{
	return (uint64_t)strtoll(PQgetvalue(r, 0, column), NULL, 10);
}

static int read_head(struct postgresql *p, const PGresult *head, const PGresult *now,
		     struct head *ret, struct err *err)
{
	if (PQntuples(head) != 1 || PQntuples(now) != 1)
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: the table head is empty");
	if (postgresql_note_epoch(p, strtol(PQgetvalue(head, 0, 5), NULL, 10), err) < 0)
		return -1;
	*ret = (struct head){
		.last = { integer(head, 0), { integer(head, 1), integer(head, 2) } },
		.at = strtod(PQgetvalue(head, 0, 3), NULL),
		.bytes = integer(head, 4),
		.trimmed = integer(head, 7),
		.digest_every = strtol(PQgetvalue(head, 0, 6), NULL, 10),
		.now = strtod(PQgetvalue(now, 0, 0), NULL),
	};
	/* The server's clock may have been set back, and another server's may be behind. */
	if (ret->now < ret->at)
		ret->now = ret->at;
	postgresql_note_time(p, ret->now);
	return 0;
}

static int64_t grace(const struct postgresql *p)
{
	int64_t quarter = p->settings.timeout_ns / 4;

	return quarter < GRACE_NS ? quarter : GRACE_NS;
}

/*
 * Somebody has the lock for as long as may be waited for it. A gateway that was stopped while it
 * sent a large push, or received what others have written, has, since the server's own time-outs do
 * not count there. One that waits for its client has not committed yet; never one that waits for a
 * standby, nor one that only reads, as while it loads the log.
 */
static void end_holder(struct postgresql *p)
{
	struct err ignored;
	char sql[600];

	snprintf(sql, sizeof(sql),
		 "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.pid <> "
		 "pg_backend_pid() AND a.datname = current_database() AND a.usename = current_user "
		 "AND a.application_name = 'tallygate' AND a.wait_event IN "
		 "('ClientRead', 'ClientWrite') AND "
		 "a.xact_start < clock_timestamp() - interval '%lld ms' AND EXISTS (SELECT FROM "
		 "pg_locks l WHERE l.pid = a.pid AND l.relation = 'head'::regclass AND l.mode IN "
		 "('RowShareLock', 'RowExclusiveLock'))",
		 (long long)((p->settings.timeout_ns - grace(p)) / MS_NS));
	p->until_ns = 0;
	postgresql_roll_back(p);
	if (p->session.conn)
		session_run(&p->session, sql, NULL, 0, postgresql_deadline(p), &ignored);
}

/* Prepares the lock statement, anew after a migration. */
static int prepare_lock(struct postgresql *p, struct err *err)
{
	const char *column = postgresql_epoch_column(p);
	char sql[160];

	if (p->locks_by && strcmp(p->locks_by, column) == 0)
		return 0;
	snprintf(sql, sizeof(sql),
		 "PREPARE lock_%s AS SELECT seq, writer, batch, at, bytes, %s, %s "
		 "FROM head FOR UPDATE",
		 column, column, p->epoch < 2 ? "0, 0" : "digest_every, trimmed");
	if (session_run(&p->session, sql, NULL, 0, postgresql_deadline(p), err) < 0)
		return -1;
	p->locks_by = column;
	return 0;
}

static int send_news(struct postgresql *p)
{
	const uint64_t numbers[] = { p->seen.number, BEHIND_MAX, BEHIND_MAX_BYTES };
	char bytes[ARRAY_LEN(numbers)][8];
	const char *values[ARRAY_LEN(numbers)];
	int lengths[ARRAY_LEN(numbers)], formats[ARRAY_LEN(numbers)];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		row_put_u64(bytes[i], numbers[i]);
		values[i] = bytes[i];
		lengths[i] = sizeof(bytes[i]);
		formats[i] = 1;
	}
	return PQsendQueryPrepared(p->session.conn, "few_news", ARRAY_LEN(numbers), values, lengths,
				   formats, 1);
}

/*
 * Sends all statements in one round trip, so that the lock is not held while the network is waited
 * for.
 */
static int send_lock(struct postgresql *p, int64_t wait_ns, bool wants_news)
{
	PGconn *conn = p->session.conn;
	char wait[60], name[24], timeout[24];
	const char *const values[] = { timeout };

	snprintf(wait, sizeof(wait), "SET LOCAL lock_timeout = %lld", (long long)(wait_ns / MS_NS));
	snprintf(name, sizeof(name), "lock_%s", p->locks_by);
	snprintf(timeout, sizeof(timeout), "%lld", (long long)(p->settings.timeout_ns / MS_NS));
	return PQenterPipelineMode(conn) &&
	       PQsendQueryParams(conn, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", 0, NULL,
				 NULL, NULL, NULL, 0) &&
	       PQsendQueryParams(conn, wait, 0, NULL, NULL, NULL, NULL, 0) &&
	       PQsendQueryPrepared(conn, name, 0, NULL, NULL, NULL, 0) &&
	       PQsendQueryPrepared(conn, "look", 1, values, NULL, NULL, 0) &&
	       (!wants_news || send_news(p)) && PQpipelineSync(conn);
}

static int ask_for_lock(struct postgresql *p, int64_t deadline, int64_t part_ns, PGresult *ret[3],
			int n, struct err *err)
{
	int64_t left = deadline - clock_mono_ns() - grace(p);
	int64_t wait = left < part_ns ? left : part_ns;

	/* A lock_timeout of 0 would mean none. */
	if (left < MS_NS)
		return postgresql_no_time(err);
	if (!send_lock(p, wait, n > 2)) {
		session_failed(&p->session, PQerrorMessage(p->session.conn), err);
		session_close(&p->session);
		return -1;
	}
	if (session_sync(&p->session, ret, n, deadline, err) == 0) {
		p->kept_out = false;
		return 0;
	}
	if (strcmp(p->session.state, LOCK_TIMEOUT) != 0)
		return -1;
	if (left > part_ns)
		return 1;
	p->kept_out = true;
	end_holder(p);
	return -1;
}

int postgresql_lock_head(struct postgresql *p, int64_t deadline, int64_t part_ns, struct head *ret,
			 PGresult **ret_news, struct err *err)
{
	PGresult *r[3] = { NULL };
	int failed;

	if (postgresql_connect(p, err) < 0)
		return -1;
	postgresql_roll_back(p);
	if (prepare_lock(p, err) < 0)
		return -1;
	p->session.state[0] = '\0';
	failed = ask_for_lock(p, deadline, part_ns, r, ret_news ? 3 : 2, err);
	if (failed)
		return failed;
	failed = read_head(p, r[0], r[1], ret, err);
	PQclear(r[0]);
	PQclear(r[1]);
	if (failed || !ret_news)
		PQclear(r[2]);
	else
		*ret_news = r[2];
	return failed;
}

int postgresql_lock_head_now(struct postgresql *p, struct head *ret, struct err *err)
{
	return postgresql_lock_head(p, postgresql_deadline(p), INT64_MAX, ret, NULL, err);
}

int postgresql_has_written(struct postgresql *p, uint64_t number, const struct row_writer *writer,
			   struct err *err)
{
	CLEANUP(PQclearp) PGresult *r = NULL;
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SELECT 1 FROM log WHERE number = %llu AND writer = %lld AND batch = %llu",
		 (unsigned long long)number, (long long)writer->process,
		 (unsigned long long)writer->batch);
	if (session_run(&p->session, sql, &r, 1, postgresql_deadline(p), err) < 0)
		return -1;
	return PQntuples(r) > 0;
}

bool postgresql_is_current(const struct postgresql *p, const struct head *head)
{
	return head->last.number == p->seen.number &&
	       head->last.writer.process == p->seen.writer.process &&
	       head->last.writer.batch == p->seen.writer.batch;
}
