/* Reads the rows of the log, from the newest to the oldest. */
#include <stdio.h>
#include <stdlib.h>

#include "journal/postgresql/internal.h"

static const char *const reads[] = {
	[STORAGE_ALL] = ROW_SELECT "WHERE number < $1 ORDER BY number DESC",
	[STORAGE_GROUPS] = ROW_SELECT
	"WHERE number < $1 AND (kind = 1 OR kind = 5 OR kind = 6) ORDER BY number DESC",
};

/* The result comes row by row. */
static int send_query(struct postgresql *p, const char *sql, uint64_t number, struct err *err)
{
	char bytes[8];
	const char *const values[] = { bytes };
	const int lengths[] = { sizeof(bytes) }, formats[] = { 1 };
	const Oid types[] = { 20 /* int8 */ };

	row_put_u64(bytes, number < INT64_MAX ? number : INT64_MAX);
	err->reason = ERR_NONE;
	if (PQsendQueryParams(p->session.conn, sql, 1, types, values, lengths, formats, 1) &&
	    PQsetSingleRowMode(p->session.conn))
		return 0;
	return session_failed(&p->session, PQerrorMessage(p->session.conn), err);
}

/* Both readings of a load see the same state of the log, in one transaction. */
static int begin_reading(struct postgresql *p, struct err *err)
{
	CLEANUP(PQclearp) PGresult *now = NULL;
	char sql[240];

	if (p->reading || p->creating)
		return 0;
	postgresql_roll_back(p);
	if (postgresql_connect(p, err) < 0)
		return -1;
	snprintf(sql, sizeof(sql),
		 "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT "
		 "greatest(at, extract(epoch FROM clock_timestamp())), %s, greatest(at, %s) FROM "
		 "head",
		 postgresql_epoch_column(p), postgresql_alive_column(p));
	if (session_run(&p->session, sql, &now, 1, postgresql_deadline(p), err) < 0)
		return -1;
	if (PQntuples(now) != 1)
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: the table head is empty");
	if (postgresql_note_epoch(p, strtol(PQgetvalue(now, 0, 1), NULL, 10), err) < 0)
		return -1;
	postgresql_note_time(p, strtod(PQgetvalue(now, 0, 0), NULL));
	p->alive_at = strtod(PQgetvalue(now, 0, 2), NULL);
	p->reading = true;
	return 0;
}

static void end_reading(struct postgresql *p)
{
	p->reading = false;
	if (!p->creating)
		postgresql_roll_back(p);
}

struct reader {
	struct postgresql *p;
	storage_row_fn fn;
	void *arg;
	struct seen first; /* the newest row of those read */
	int stopped;       /* the result with which fn has stopped the reading */
};

static int give(struct reader *rd, const PGresult *r, struct err *err)
{
	for (int i = 0; i < PQntuples(r); i++) {
		struct row_writer writer;
		struct row row;

		if (!result_row(r, i, &row, &writer))
			return err_set(err, ERR_SYSTEM, 0, "the table log has other columns");
		if (rd->first.number == 0)
			rd->first = (struct seen){ row.number, writer };
		rd->stopped = rd->fn(rd->arg, &row, err);
		if (rd->stopped)
			return -1;
	}
	return 0;
}

/* Closing the connection drops the rest of a query's answer. */
static int give_all(struct reader *rd, struct err *err)
{
	struct session *s = &rd->p->session;
	PGresult *r;

	while ((r = session_next(s, postgresql_deadline(rd->p), err)) != NULL) {
		bool stops;

		if (session_check(s, r, err) < 0)
			return -1;
		stops = give(rd, r, err) < 0;
		PQclear(r);
		if (stops) {
			session_close(s);
			return rd->stopped > 0 ? 0 : -1;
		}
	}
	return err->reason ? -1 : 0;
}

enum storage_load_result postgresql_read(struct storage *st, enum storage_which which,
					 uint64_t below, storage_row_fn fn, void *arg,
					 struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	struct reader rd = { .p = p, .fn = fn, .arg = arg };
	/* Whether a store is loaded: only that reads groups and then all rows. */
	bool loads = p->reading && which == STORAGE_ALL && below == UINT64_MAX;

	if (begin_reading(p, err) < 0)
		return STORAGE_FAILED;
	if (send_query(p, reads[which], below, err) < 0 || give_all(&rd, err) < 0) {
		end_reading(p);
		return rd.stopped ? STORAGE_DAMAGED : STORAGE_FAILED;
	}
	if (which == STORAGE_ALL)
		end_reading(p);
	if (loads) {
		p->seen = rd.first;
		p->changed = false;
	}
	return STORAGE_LOADED;
}
