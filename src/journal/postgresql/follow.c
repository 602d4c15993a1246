/*
 * Reads rows that others have written, from the newest row on that the store has. If another row
 * has its number now, or none, or the rows have a gap, then the log is not the one that the store
 * was loaded from, or missing rows were dropped.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "journal/postgresql/internal.h"
#include "store/removal.h"

struct catching_up {
	struct postgresql *p;
	const struct storage_follower *follower;
	struct seen seen;
	bool first; /* the row that the store has comes next */
	bool many;  /* a row since then is of many groups, which the follower takes alone */
	/* Rows since end() was called last, and bytes of their bodies. */
	size_t n, bytes;
};

/*
 * After this many rows or bytes end() is called at the next end of a transaction, since the
 * follower keeps all rows until then.
 */
enum { ROWS_MAX = 1000, BYTES_MAX = 16 * 1024 * 1024 };

static int changed(struct postgresql *p, const char *how, struct err *err)
{
	err_set(err, ERR_STORAGE, 0, "the log in schema %s %s", p->settings.schema, how);
	postgresql_changed(p, err);
	return -1;
}

/* Called when a transaction has ended with the newest row. */
static int end(struct catching_up *c, struct err *err)
{
	c->n = c->bytes = 0;
	c->many = false;
	if (c->follower->end(c->follower->arg, c->p->head.now, c->p->head.bytes, false, err) == 0) {
		c->p->seen = c->seen;
		return 0;
	}
	postgresql_changed(c->p, err);
	return -1;
}

static bool same_writer(const struct row_writer *a, const struct row_writer *b)
{
	return a->process == b->process && a->batch == b->batch;
}

/* Whether end() has to be called before the row, if that is the first of its transaction. */
static bool begins_alone(const struct catching_up *c, const struct row *row)
{
	return c->n >= ROWS_MAX || c->bytes >= BYTES_MAX || c->many || row->kind == ROW_DIGEST ||
	       removal_is_of_many(row);
}

static int take_row(struct catching_up *c, const struct row *row, const struct row_writer *writer,
		    struct err *err)
{
	bool known = c->first;

	c->first = false;
	if (known && (row->number != c->seen.number || !same_writer(writer, &c->seen.writer)))
		return changed(c->p,
			       row->number == c->seen.number
				       ? "has become another one"
				       : "was dropped beyond what this gateway has read",
			       err);
	if (known)
		return 0;
	if (row->number != c->seen.number + 1)
		return changed(c->p,
			       c->seen.number ? "has a gap"
					      : "was dropped beyond what this gateway has read",
			       err);
	if (c->n > 0 && begins_alone(c, row) && !same_writer(writer, &c->seen.writer) &&
	    end(c, err) < 0)
		return -1;
	if (!row_kind_is_known(row->kind) && row_verdict(row) == ROW_UNKNOWN)
		return postgresql_found_newer(c->p, row->number, err);
	c->seen = (struct seen){ row->number, *writer };
	c->n++;
	c->bytes += row->body.n;
	c->many |= removal_is_of_many(row);
	if (c->follower->row(c->follower->arg, row, err) == 0)
		return 0;
	postgresql_changed(c->p, err);
	return -1;
}

static int take_rows(struct catching_up *c, const PGresult *r, struct err *err)
{
	for (int i = 0; i < PQntuples(r); i++) {
		struct row_writer writer;
		struct row row;

		if (!result_row(r, i, &row, &writer))
			return changed(c->p, "has other columns", err);
		if (take_row(c, &row, &writer, err) < 0)
			return -1;
	}
	return 0;
}

static int send_query(struct postgresql *p, uint64_t from, struct err *err)
{
	char bytes[8];
	const char *const values[] = { bytes };
	const int lengths[] = { sizeof(bytes) }, formats[] = { 1 };

	row_put_u64(bytes, from);
	err->reason = ERR_NONE;
	if (PQsendQueryPrepared(p->session.conn, "news", 1, values, lengths, formats, 1) &&
	    PQsetSingleRowMode(p->session.conn))
		return 0;
	return session_failed(&p->session, PQerrorMessage(p->session.conn), err);
}

/* Takes each row as it comes, so that memory need not have room for all. */
static int take_each(struct catching_up *c, struct err *err)
{
	struct session *s = &c->p->session;
	PGresult *r;
	int failed;

	while ((r = session_next(s, postgresql_deadline(c->p), err)) != NULL) {
		if (session_check(s, r, err) < 0)
			return -1;
		failed = take_rows(c, r, err);
		PQclear(r);
		if (failed)
			return -1;
	}
	return err->reason ? -1 : 0;
}

static bool is_known(struct postgresql *p, struct err *err)
{
	if (p->changed)
		*err = p->why;
	return !p->changed;
}

/*
 * The end of the answer. One statement sees one state of the log, which ends with a whole
 * transaction.
 */
static int end_of_news(struct catching_up *c, int failed, struct err *err)
{
	struct postgresql *p = c->p;
	struct err ignored;

	if (!failed && c->first)
		failed = changed(p, "is shorter than what this gateway has read", err);
	if (failed) {
		c->follower->end(c->follower->arg, p->head.now, p->head.bytes, true, &ignored);
		/* Closing the connection drops the rest of the answer. */
		session_close(&p->session);
		return -1;
	}
	return c->n > 0 ? end(c, err) : 0;
}

static struct catching_up from_seen(struct postgresql *p, const struct storage_follower *f)
{
	return (struct catching_up){
		.p = p, .follower = f, .seen = p->seen, .first = p->seen.number > 0
	};
}

int postgresql_take_news(struct postgresql *p, const struct storage_follower *f,
			 const PGresult *news, struct err *err)
{
	struct catching_up c = from_seen(p, f);

	return is_known(p, err) ? end_of_news(&c, take_rows(&c, news, err), err) : -1;
}

static int catch_up(struct postgresql *p, const struct storage_follower *f, struct err *err)
{
	struct catching_up c = from_seen(p, f);

	if (!is_known(p, err) || send_query(p, p->seen.number, err) < 0)
		return -1;
	return end_of_news(&c, take_each(&c, err), err);
}

/* ---- without the lock ---- */

static uint64_t integer(const PGresult *r, int column)
{
	return (uint64_t)strtoll(PQgetvalue(r, 0, column), NULL, 10);
}

/* Reads the head without a lock: all but the time of the newest transaction. epoch: a column. */
static int look(struct session *s, int64_t deadline, const char *epoch, struct head *ret,
		long *ret_epoch, struct err *err)
{
	CLEANUP(PQclearp) PGresult *r = NULL;
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SELECT seq, writer, batch, bytes, extract(epoch FROM clock_timestamp()), %s "
		 "FROM head",
		 epoch);
	if (session_run(s, sql, &r, 1, deadline, err) < 0)
		return -1;
	if (PQntuples(r) != 1)
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: the table head is empty");
	*ret = (struct head){
		.last = { integer(r, 0), { integer(r, 1), integer(r, 2) } },
		.bytes = integer(r, 3),
		.now = strtod(PQgetvalue(r, 0, 4), NULL),
	};
	*ret_epoch = strtol(PQgetvalue(r, 0, 5), NULL, 10);
	return 0;
}

/*
 * Called on the other thread, which does not know the epoch; the committer's thread reads new rows.
 */
static int ask(struct session *s, int64_t deadline, struct head *ret, struct err *err)
{
	long ignored;

	return look(s, deadline, "0", ret, &ignored, err);
}

int postgresql_follow(struct storage *st, const struct storage_follower *f, struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	double before = p->head.now;
	struct head head;
	long epoch;

	postgresql_roll_back(p);
	if (postgresql_connect(p, err) < 0 ||
	    look(&p->session, postgresql_deadline(p), postgresql_epoch_column(p), &head, &epoch,
		 err) < 0 ||
	    postgresql_note_epoch(p, epoch, err) < 0)
		return -1;
	if (head.now < before)
		head.now = before;
	postgresql_note_time(p, head.now);
	if (head.last.number == p->seen.number && same_writer(&head.last.writer, &p->seen.writer))
		return 0;
	p->head = head;
	return catch_up(p, f, err);
}

int postgresql_newest(struct storage *st, int64_t deadline, struct storage_row_id *ret,
		      struct err *err)
{
	struct postgresql *p = postgresql_of(st);
	struct head head;
	int r;

	if (deadline == 0) {
		deadline = clock_mono_ns() + p->settings.timeout_ns;
		r = session_open(&p->asking, deadline, err);
		if (r == 0)
			r = ask(&p->asking, clock_mono_ns() + p->settings.timeout_ns, &head, err);
	} else {
		r = ask(&p->asking, deadline, &head, err);
		/* An idle connection may have been lost long ago, so a second try connects anew. */
		if (r < 0 && session_open_soon(&p->asking, deadline, err) == 0)
			r = ask(&p->asking, deadline, &head, err);
	}
	if (r == 0)
		*ret = row_id_of(&head.last);
	return r;
}
