/*
 * One transaction of the log: the lock on `head`, a look at where the log ends, the rows, COMMIT.
 * It is committed if the server answers COMMIT without a notice: a server that gives up waiting for
 * a standby answers COMMIT with a warning, and a promotion can lose the transaction.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/postgresql/internal.h"

/* ---- writing ---- */

struct batch {
	const struct rows *rows;
	struct head head;
	int64_t deadline;
	bool sent; /* COMMIT was sent: the outcome is not known until the answer comes */
};

static int send_trim(struct postgresql *p, const struct batch *b)
{
	char number[24];
	const char *const values[] = { number };

	if (!b->rows->trim)
		return 1;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)b->rows->trim);
	return PQsendQueryPrepared(p->session.conn, "trim", 1, values, NULL, NULL, 0) &&
	       (p->epoch < 2 ||
		PQsendQueryParams(p->session.conn, "UPDATE head SET trimmed = $1::bigint", 1, NULL,
				  values, NULL, NULL, 0));
}

static int send_rows(struct postgresql *p, const struct batch *b)
{
	const struct rows *rows = b->rows;
	size_t n;

	for (size_t i = 0; i < rows->n; i += n) {
		n = row_params_fit(rows->list + i, rows->n - i);
		row_params_make(&p->params, rows->list + i, n, &p->writer, b->head.now);
		if (!PQsendQueryPrepared(p->session.conn, "put", ROW_PARAMS, p->params.values,
					 p->params.lengths, p->params.formats, 0))
			return 0;
	}
	return 1;
}

/* The newest row, once the batch is written. */
static struct seen last_of(const struct postgresql *p, const struct batch *b)
{
	const struct rows *rows = b->rows;

	return rows->n > 0 ? (struct seen){ rows->list[rows->n - 1].number, p->writer }
			   : b->head.last;
}

static uint64_t bytes_after(const struct batch *b)
{
	bool changes = b->rows->n > 0 || b->rows->trim;
	uint64_t bytes = changes ? b->rows->kept_bytes : b->head.bytes;

	for (size_t i = 0; i < b->rows->n; i++)
		bytes += row_bytes_of(b->rows->list[i].body.n);
	return bytes;
}

static int send_head(struct postgresql *p, const struct batch *b)
{
	struct seen last = last_of(p, b);
	const uint64_t integers[] = { last.number, last.writer.process, last.writer.batch,
				      0,           bytes_after(b),      b->head.last.number };
	char text[ARRAY_LEN(integers)][40];
	const char *values[ARRAY_LEN(integers)];

	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		snprintf(text[i], sizeof(text[i]), "%lld", (long long)integers[i]);
		values[i] = text[i];
	}
	snprintf(text[3], sizeof(text[3]), "%.17g", b->head.now);
	return PQsendQueryPrepared(p->session.conn, "move_head", ARRAY_LEN(integers), values, NULL,
				   NULL, 0);
}

static int send_commit(struct postgresql *p)
{
	return PQsendQueryParams(p->session.conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) &&
	       PQpipelineSync(p->session.conn);
}

/*
 * Whether the answer says that COMMIT has committed: in a failed transaction the answer is
 * ROLLBACK.
 */
static bool is_commit(PGresult *r)
{
	return PQresultStatus(r) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(r), "COMMIT") == 0;
}

/* The statement that moves `head` divides by the number of rows that it has changed. Nothing is
 * committed behind it, though COMMIT is sent without waiting for its answer.
 */
static bool has_moved(const struct session *s)
{
	return strcmp(s->state, "22012") == 0;
}

/*
 * Reads all answers up to the synchronisation. 1: the last one was COMMIT. The first failure is the
 * reason: a server that ends the session says why before the connection is lost.
 */
static int read_answers(struct postgresql *p, const struct batch *b, struct err *err)
{
	struct err first = { 0 };
	bool committed = false, synced = false;

	while (!synced && p->session.conn) {
		struct err why = { 0 };
		PGresult *r = session_next(&p->session, b->deadline, &why);

		if (r) {
			synced = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
			committed |= is_commit(r);
			if (session_check(&p->session, r, &why) == 0)
				PQclear(r);
		}
		if (why.reason && !first.reason)
			first = why;
	}
	*err = first;
	if (!synced)
		return -1;
	if (has_moved(&p->session))
		err_set(err, ERR_STORAGE, 0, SESSION_SAYS "the log has moved under the lock");
	return committed ? 1 : 0;
}

/* 1: committed. 0: not committed, *err says why. -1: the answer has not come. */
static int write_batch(struct postgresql *p, struct batch *b, struct err *err)
{
	PGconn *conn = p->session.conn;
	int r;

	p->session.warned = false;
	p->session.state[0] = '\0';
	if (!PQenterPipelineMode(conn) || !send_trim(p, b) || !send_rows(p, b) ||
	    !send_head(p, b) || !send_commit(p)) {
		session_failed(&p->session, PQerrorMessage(conn), err);
		session_close(&p->session);
		return b->sent ? -1 : 0;
	}
	b->sent = true;
	r = read_answers(p, b, err);
	if (p->session.conn)
		PQexitPipelineMode(p->session.conn);
	if (r == 1 && p->session.warned) {
		err_set(err, ERR_STORAGE, 0,
			"PostgreSQL: the commit was not confirmed by the standby");
		session_close(&p->session);
		return -1;
	}
	return r;
}

/* ---- what was not committed ---- */

static bool may_be_the_rows(const struct session *s)
{
	/* Data exceptions, constraints, limits of the program and of its memory. */
	static const char *const classes[] = { "22", "23", "54" };

	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (strncmp(s->state, classes[i], 2) == 0)
			return !has_moved(s);
	return false;
}

static enum storage_commit_result refuse(struct postgresql *p, struct err *err)
{
	bool full = strcmp(p->session.state, "53100") == 0;
	bool rows = may_be_the_rows(&p->session);

	postgresql_roll_back(p);
	err_prefix(err, "the push could not be stored: ");
	err->reason = ERR_STORAGE;
	return full ? STORAGE_REFUSED_FULL : rows ? STORAGE_REFUSED_ROWS : STORAGE_REFUSED;
}

/* ---- an unknown outcome ---- */

/*
 * If the rows are not there under the lock, that is final. If they are there, a crash of the server
 * or a promotion may still lose them, until the next commit, which follows them in the server's own
 * log.
 */
static int look_for_batch(struct postgresql *p, struct batch *b, struct err *err)
{
	const struct rows nothing = { .list = NULL };
	struct batch again = { .rows = &nothing, .deadline = b->deadline };
	int found;

	if (postgresql_lock_head_now(p, &again.head, err) < 0)
		return -1;
	b->head = again.head;
	found = again.head.last.number < b->rows->list[0].number
			? 0
			: postgresql_has_written(p, b->rows->list[0].number, &p->writer, err);
	if (found <= 0)
		return found;
	return write_batch(p, &again, err) == 1 ? 1 : -1;
}

static enum storage_commit_result unknown(struct postgresql *p, struct err *err)
{
	session_close(&p->session);
	err_prefix(err, STORAGE_MAYBE);
	err->reason = ERR_STORAGE;
	return STORAGE_UNKNOWN;
}

/*
 * Finds out, within the time-out, whether the batch was committed. *err: how the answer was lost.
 */
static enum storage_commit_result resolve(struct postgresql *p, struct batch *b, struct err *err)
{
	enum { PAUSE_MS = 50 };
	int64_t end = postgresql_deadline(p);
	const struct err lost = *err;
	int found;

	if (b->rows->n == 0)
		return STORAGE_REFUSED;
	b->deadline = end;
	while ((found = look_for_batch(p, b, err)) < 0) {
		session_close(&p->session);
		if (clock_mono_ns() >= end)
			return unknown(p, err);
		poll(NULL, 0, PAUSE_MS);
	}
	if (found == 0 && !postgresql_is_current(p, &b->head)) {
		*err = lost;
		return refuse(p, err);
	}
	/* Nobody has written since, and the lock is held: write it once more. */
	if (found == 0 && write_batch(p, b, err) != 1)
		return unknown(p, err);
	p->seen = (struct seen){ b->rows->list[b->rows->n - 1].number, p->writer };
	return STORAGE_COMMITTED;
}

/* ---- */

/*
 * The server has given the transaction up for another one's sake, or to end a deadlock, or what was
 * locked was not what is in the log.
 */
static bool is_worth_a_try(const struct session *s)
{
	return has_moved(s) || strcmp(s->state, "40001") == 0 || strcmp(s->state, "40P01") == 0;
}

/*
 * Whether the batch still fits the log. If the store was caught up under the lock, what to trim was
 * decided under it, too.
 */
static bool is_as_before(const struct postgresql *p, const struct head *head, bool was_locked)
{
	return postgresql_is_current(p, head) && (!was_locked || head->trimmed == p->head.trimmed);
}

enum storage_commit_result postgresql_commit(struct storage *st, const struct rows *rows,
					     struct err *err)
{
	enum { TRIES = 3 };
	struct postgresql *p = postgresql_of(st);
	struct err why = { 0 };
	struct batch b;
	int r = 0;

	bool locked = p->locked && p->session.conn;

	p->writer.batch++;
	if (p->locked && !locked && p->session.silent) {
		p->locked = false;
		postgresql_no_time(err);
		return refuse(p, err);
	}
	p->locked = false;
	postgresql_forget_oldest(p);
	if (locked) {
		b = (struct batch){ .rows = rows,
				    .head = p->head,
				    .deadline = postgresql_deadline(p) };
		r = write_batch(p, &b, err);
		if (r == 0 && !is_worth_a_try(&p->session))
			return refuse(p, err);
		why = *err;
	}
	for (int i = 0; i < TRIES && r == 0; i++) {
		b = (struct batch){ .rows = rows, .deadline = postgresql_deadline(p) };
		/* An idle connection may have been lost long ago, so a second try connects anew. */
		if (postgresql_lock_head_now(p, &b.head, err) < 0) {
			if (i == 0 && !p->session.conn)
				continue;
			return refuse(p, err);
		}
		if (!is_as_before(p, &b.head, locked)) {
			err_set(err, ERR_STORAGE, 0, "another gateway has written to the log%s%s",
				why.reason ? " after this: " : "", why.msg);
			refuse(p, err);
			return STORAGE_REFUSED_OUTDATED;
		}
		r = write_batch(p, &b, err);
		if (r == 0 && !is_worth_a_try(&p->session))
			return refuse(p, err);
		why = *err;
	}
	if (r < 0)
		return resolve(p, &b, err);
	if (r == 0)
		return refuse(p, err);
	p->seen = last_of(p, &b);
	return STORAGE_COMMITTED;
}

int postgresql_probe(struct storage *st, struct err *err)
{
	const struct rows nothing = { .list = NULL };
	struct postgresql *p = postgresql_of(st);
	struct batch b = { .rows = &nothing, .head = p->head, .deadline = postgresql_deadline(p) };
	bool locked = p->locked && p->session.conn;

	p->locked = false;
	if ((locked || postgresql_lock_head_now(p, &b.head, err) == 0) &&
	    write_batch(p, &b, err) == 1)
		return 0;
	postgresql_roll_back(p);
	return -1;
}
