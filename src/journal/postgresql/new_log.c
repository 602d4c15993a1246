/*
 * Makes a log, with its schema, in one transaction, so that nobody sees any of it before COMMIT. A
 * gateway that starts meanwhile and makes the same schema waits for that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/postgresql/internal.h"
#include "journal/postgresql/migrate.h"

/* ---- the functions that `fill` calls ---- */

static int put_rows(struct postgresql *p, const struct row *list, size_t n, struct err *err)
{
	PGresult *r;

	row_params_make(&p->params, list, n, &p->writer, p->head.now);
	if (!PQsendQueryParams(p->session.conn, ROW_INSERT, ROW_PARAMS, NULL, p->params.values,
			       p->params.lengths, p->params.formats, 0))
		return session_failed(&p->session, PQerrorMessage(p->session.conn), err);
	err->reason = ERR_NONE;
	while ((r = session_next(&p->session, postgresql_deadline(p), err)) != NULL) {
		if (session_check(&p->session, r, err) < 0)
			return -1;
		PQclear(r);
	}
	return err->reason ? -1 : 0;
}

static enum storage_commit_result commit(struct storage *st, const struct rows *rows,
					 struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	struct head *head = &p->head;
	size_t n;

	p->writer.batch++;
	for (size_t i = 0; i < rows->n; i += n) {
		n = row_params_fit(rows->list + i, rows->n - i);
		if (put_rows(p, rows->list + i, n, err) < 0)
			return STORAGE_REFUSED;
	}
	for (size_t i = 0; i < rows->n; i++)
		head->bytes += row_bytes_of(rows->list[i].body.n);
	if (rows->n > 0)
		head->last = (struct seen){ rows->list[rows->n - 1].number, p->writer };
	return STORAGE_COMMITTED;
}

static const struct storage_ops ops = {
	.now = postgresql_now,
	.read = postgresql_read,
	.commit = commit,
	.close = postgresql_close,
};

/* ---- the transaction ---- */

/* This session may be idle for long, since nobody waits for what it has locked. */
static int begin(struct postgresql *p, struct err *err)
{
	CLEANUP(PQclearp) PGresult *now = NULL;

	if (session_open(&p->session, postgresql_deadline(p), err) < 0 ||
	    session_run(&p->session,
			"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
			"SET LOCAL idle_in_transaction_session_timeout = 0; "
			"SELECT extract(epoch FROM clock_timestamp())",
			&now, 1, postgresql_deadline(p), err) < 0)
		return -1;
	p->head.at = p->head.now = strtod(PQgetvalue(now, 0, 0), NULL);
	postgresql_note_time(p, p->head.now);
	return postgresql_make_schema(&p->session, err);
}

static int put_head(struct postgresql *p, struct err *err)
{
	const struct head *h = &p->head;
	char sql[256];

	snprintf(
		sql, sizeof(sql),
		"UPDATE head SET seq = %llu, writer = %lld, batch = %llu, at = %.17g, bytes = %llu",
		(unsigned long long)h->last.number, (long long)h->last.writer.process,
		(unsigned long long)h->last.writer.batch, h->at, (unsigned long long)h->bytes);
	return session_run(&p->session, sql, NULL, 0, postgresql_deadline(p), err);
}

/* A failed transaction answers COMMIT with ROLLBACK; a wait for a standby that was given up warns.
 */
static int end(struct postgresql *p, struct err *err)
{
	CLEANUP(PQclearp) PGresult *r = NULL;

	p->session.warned = false;
	if (session_run(&p->session, "COMMIT", &r, 1, postgresql_deadline(p), err) < 0) {
		if (!p->session.conn)
			err_prefix(err,
				   "whether it is there, all of it, is not known, as COMMIT was "
				   "not answered: ");
		return -1;
	}
	if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: the transaction was rolled back");
	if (p->session.warned)
		return err_set(err, ERR_STORAGE, 0,
			       "all of it is there, but no standby has confirmed it: a promotion "
			       "may lose it");
	return 0;
}

int postgresql_storage_create(const struct postgresql_settings *settings, storage_fill_fn fill,
			      void *arg, struct err *err)
{
	struct postgresql *p = postgresql_new(settings);
	int r = -1;

	p->base.ops = &ops;
	p->creating = true;
	if (begin(p, err) == 0 && fill(arg, &p->base, err) == 0 && put_head(p, err) == 0)
		r = end(p, err);
	postgresql_close(&p->base);
	return r;
}
