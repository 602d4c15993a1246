/*
 * The oldest rows, for cleaning. They never change, so they are read before the lock is taken;
 * under it only a check follows whether they are still the oldest. What is moved of them is sent
 * back with the other rows of the batch: INSERT ... SELECT of 25,000 rows of 770 bytes takes the
 * server 2.6 s, where writing them as a client does takes 2.4 to 3.3 s, and it fits only rows that
 * are moved whole.
 */
#include <stdio.h>
#include <stdlib.h>

#include "journal/postgresql/internal.h"

/*
 * Rows are kept for this many time-outs, so that a gateway that looks for a batch with an unknown
 * outcome still finds a row of it.
 */
enum { KEPT_TIMEOUTS = 10 };

static PGresult *the_answer(struct postgresql *p, struct err *err)
{
	PGresult *more, *r = session_next(&p->session, postgresql_deadline(p), err);

	if (!r || session_check(&p->session, r, err) < 0)
		return NULL;
	while ((more = session_next(&p->session, postgresql_deadline(p), err)) != NULL)
		PQclear(more);
	if (!err->reason)
		return r;
	PQclear(r);
	return NULL;
}

/* Only for a small part of the log. */
static PGresult *read_heads(struct postgresql *p, uint64_t bytes, struct err *err)
{
	char text[3][32];
	const char *const values[] = { text[0], text[1], text[2] };
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
	return the_answer(p, err);
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

void postgresql_forget_oldest(struct postgresql *p)
{
	PQclear(TAKE(p->oldest.heads));
	PQclear(TAKE(p->oldest.bodies));
}

/* Reads the bodies of the rows that may be live. */
static PGresult *read_bodies(struct postgresql *p, const PGresult *heads,
			     const struct storage_cleaner *cleaner, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf wanted = { 0 };
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };
	struct row row;

	for (int i = 0; i < PQntuples(heads) && result_head(heads, i, &row); i++)
		if (cleaner->needs(cleaner->arg, &row))
			add_number(&wanted, row.number);
	strbuf_addf(&sql, ROW_SELECT "WHERE number = ANY('{%s}') ORDER BY number",
		    strbuf_z(&wanted));
	err->reason = ERR_NONE;
	if (PQsendQueryParams(p->session.conn, strbuf_z(&sql), 0, NULL, NULL, NULL, NULL, 1))
		return the_answer(p, err);
	session_failed(&p->session, PQerrorMessage(p->session.conn), err);
	return NULL;
}

int postgresql_read_oldest(struct storage *st, uint64_t bytes,
			   const struct storage_cleaner *cleaner, struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	struct row first;

	postgresql_forget_oldest(p);
	if (postgresql_connect(p, err) < 0)
		return -1;
	p->oldest.heads = read_heads(p, bytes, err);
	if (p->oldest.heads)
		p->oldest.bodies = read_bodies(p, p->oldest.heads, cleaner, err);
	if (!p->oldest.bodies) {
		postgresql_forget_oldest(p);
		return -1;
	}
	p->oldest.trimmed = PQntuples(p->oldest.heads) > 0 &&
					    result_head(p->oldest.heads, 0, &first)
				    ? first.number - 1
				    : 0;
	return 0;
}

/*
 * Whether the rows that were read before the lock are still the oldest. A log of the first epoch
 * does not say what others have dropped since.
 */
static bool is_still_oldest(const struct postgresql *p)
{
	return p->oldest.heads && p->locked && p->epoch >= 2 &&
	       p->oldest.trimmed == p->head.trimmed;
}

/*
 * Stops at a row that was not needed when the bodies were read and is needed now: it and the rows
 * behind it are for the next time.
 */
static int give_oldest(struct postgresql *p, const struct storage_cleaner *cleaner, struct err *err)
{
	const PGresult *heads = p->oldest.heads, *bodies = p->oldest.bodies;
	struct row row = { 0 }, whole = { 0 };
	struct row_writer ignored;
	int at = 0;

	for (int i = 0; i < PQntuples(heads) && result_head(heads, i, &row); i++) {
		while (at < PQntuples(bodies) && result_u64(bodies, at, 0) < row.number)
			at++;
		bool has = at < PQntuples(bodies) && result_row(bodies, at, &whole, &ignored) &&
			   whole.number == row.number;

		if (!has && cleaner->needs(cleaner->arg, &row))
			return 0;
		if (cleaner->look(cleaner->arg, &row) &&
		    clean_row((void *)cleaner, &whole, err) < 0)
			return -1;
	}
	return 0;
}

int postgresql_oldest(struct storage *st, uint64_t bytes, const struct storage_cleaner *cleaner,
		      struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	int r = 0;

	if (!is_still_oldest(p))
		r = postgresql_read_oldest(st, bytes, cleaner, err);
	if (r == 0)
		r = give_oldest(p, cleaner, err);
	postgresql_forget_oldest(p);
	return r;
}
