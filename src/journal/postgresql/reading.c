/* Rows of the log read: all of them at start, the oldest for cleaning. */
#include <stdio.h>
#include <stdlib.h>

#include "journal/postgresql/internal.h"

static const char *const reads[] = {
	[STORAGE_ALL] = ROW_SELECT "WHERE number < $1 ORDER BY number DESC",
	[STORAGE_GROUPS] = ROW_SELECT
	"WHERE number < $1 AND (kind = 1 OR kind = 5 OR kind = 6) ORDER BY number DESC",
};

/* Rows are given out one by one as they come. */
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

/* Nobody writes between two readings of one state of the log: both see the same. */
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
	int stopped;       /* what fn has said when it wanted no more */
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

/* What a query has still to answer goes with its connection. */
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
	/* Whoever reads only this does not make a store of it. */
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

/* ---- the oldest rows ---- */

/* Who looks for a batch whose fate is unknown has to find a row of it. */
enum { KEPT_TIMEOUTS = 10 };

/* Of a small part of the log only. */
static PGresult *read_heads(struct postgresql *p, uint64_t bytes, struct err *err)
{
	char text[3][32];
	const char *const values[] = { text[0], text[1], text[2] };
	PGresult *r, *more;

	const uint64_t numbers[] = {
		(uint64_t)(p->settings.timeout_ns / 1000000000) * KEPT_TIMEOUTS,
		bytes / ROW_BYTES + 1,
		bytes,
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		snprintf(text[i], sizeof(text[i]), "%llu", (unsigned long long)numbers[i]);
	err->reason = ERR_NONE;
	if (!PQsendQueryParams(p->session.conn,
			       "SELECT " ROW_COLUMNS
			       "bytes FROM (SELECT *, sum(bytes + 32) OVER (ORDER BY "
			       "number) - bytes - 32 AS before FROM (SELECT " ROW_COLUMNS
			       "length(body) AS bytes FROM log WHERE written < "
			       "extract(epoch FROM clock_timestamp()) - $1::bigint "
			       "ORDER BY number LIMIT $2::bigint) oldest) counted "
			       "WHERE before < $3::bigint ORDER BY number",
			       3, NULL, values, NULL, NULL, 1)) {
		session_failed(&p->session, PQerrorMessage(p->session.conn), err);
		return NULL;
	}
	r = session_next(&p->session, postgresql_deadline(p), err);
	if (!r || session_check(&p->session, r, err) < 0)
		return NULL;
	while ((more = session_next(&p->session, postgresql_deadline(p), err)) != NULL)
		PQclear(more);
	if (!err->reason)
		return r;
	PQclear(r);
	return NULL;
}

static int clean_row(void *arg, const struct row *row, struct err *err)
{
	const struct storage_cleaner *cleaner = arg;

	if (row_verdict(row) == ROW_BAD_CHECKSUM)
		return err_set(err, ERR_SYSTEM, 0,
			       "row %llu of the log is damaged: its checksum is wrong",
			       (unsigned long long)row->number);
	return cleaner->row(cleaner->arg, row, err);
}

static void add_number(struct strbuf *list, uint64_t number)
{
	strbuf_addf(list, "%s%llu", list->n ? "," : "", (unsigned long long)number);
}

int postgresql_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	struct reader rd = { .p = p, .fn = clean_row, .arg = (void *)cleaner };
	CLEANUP(strbuf_done) struct strbuf wanted = { 0 };
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };
	CLEANUP(PQclearp) PGresult *heads = NULL;
	struct row row;

	if (postgresql_connect(p, err) < 0)
		return -1;
	heads = read_heads(p, bytes, err);
	if (!heads)
		return -1;
	for (int i = 0; i < PQntuples(heads) && result_head(heads, i, &row); i++)
		if (cleaner->look(cleaner->arg, &row))
			add_number(&wanted, row.number);
	if (wanted.n == 0)
		return 0;
	strbuf_addf(&sql, ROW_SELECT "WHERE number < $1 AND number = ANY('{%s}') ORDER BY number",
		    strbuf_z(&wanted));
	if (send_query(p, strbuf_z(&sql), UINT64_MAX, err) < 0)
		return -1;
	return give_all(&rd, err);
}
