#include "journal/postgresql/postgresql.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "journal/postgresql/internal.h"
#include "journal/postgresql/migrate.h"

/* A value of PostgreSQL has at most 1 GiB, and passes through its memory several times. */
enum { BODY_MAX = 256 * 1024 * 1024 };

#define SET_UP_NS INT64_C(2000000000)

int64_t postgresql_deadline(const struct postgresql *p)
{
	int64_t at = clock_mono_ns() + p->settings.timeout_ns;

	return p->until_ns && p->until_ns < at ? p->until_ns : at;
}

int postgresql_no_time(struct err *err)
{
	return err_set(err, ERR_STORAGE, 0, SESSION_SAYS SESSION_NO_ANSWER);
}

/*
 * The locks of the previous session are released when the server notices that the session is lost.
 * A server that takes it for alive is told to end it; never while it commits, since it may wait for
 * a standby.
 */
static int end_own_session(struct postgresql *p, struct err *err)
{
	enum { PAUSE_MS = 20 };
	int64_t end = postgresql_deadline(p);
	char sql[512];

	snprintf(
		sql, sizeof(sql),
		"SELECT CASE WHEN a.wait_event IN ('ClientRead', 'ClientWrite') THEN "
		"pg_terminate_backend(a.pid) END "
		"FROM pg_stat_activity a WHERE a.pid = %d AND a.pid <> pg_backend_pid() AND EXISTS "
		"(SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'head'::regclass)",
		p->holder);
	while (p->holder && p->holder != PQbackendPID(p->session.conn)) {
		CLEANUP(PQclearp) PGresult *r = NULL;

		if (session_run(&p->session, sql, &r, 1, end, err) < 0)
			return -1;
		if (PQntuples(r) == 0)
			break;
		if (clock_mono_ns() >= end)
			return err_set(err, ERR_STORAGE, 0,
				       "PostgreSQL: what this gateway has asked for before is "
				       "still being committed");
		poll(NULL, 0, PAUSE_MS);
	}
	p->holder = PQbackendPID(p->session.conn);
	return 0;
}

static int prepare_one(struct postgresql *p, const char *name, const char *sql, struct err *err)
{
	PGresult *r;

	err->reason = ERR_NONE;
	if (!PQsendPrepare(p->session.conn, name, sql, 0, NULL))
		return session_failed(&p->session, PQerrorMessage(p->session.conn), err);
	while ((r = session_next(&p->session, postgresql_deadline(p), err)) != NULL) {
		if (session_check(&p->session, r, err) < 0)
			return -1;
		PQclear(r);
	}
	return err->reason ? -1 : 0;
}

static int prepare(struct postgresql *p, struct err *err)
{
	char sql[1000];

	snprintf(sql, sizeof(sql),
		 "PREPARE trim (bigint) AS DELETE FROM log WHERE number <= $1; "
		 "PREPARE move_head (bigint, bigint, bigint, double precision, bigint, bigint) AS "
		 "WITH moved AS (UPDATE head SET seq = $1, writer = $2, batch = $3, at = $4, "
		 "bytes = $5 WHERE seq = $6 RETURNING 1) SELECT 1 / count(*) FROM moved; "
		 "PREPARE look (text) AS SELECT "
		 "extract(epoch FROM clock_timestamp())::double precision, "
		 "set_config('lock_timeout', $1, true)");
	p->locks_by = NULL;
	if (session_run(&p->session, sql, NULL, 0, postgresql_deadline(p), err) < 0)
		return -1;
	return prepare_one(p, "put", ROW_INSERT, err) < 0 ||
			       prepare_one(p, "news", ROW_NEWS, err) < 0 ||
			       prepare_one(p, "few_news", ROW_FEW_NEWS, err) < 0
		       ? -1
		       : 0;
}

static int set_up(struct postgresql *p, struct err *err)
{
	struct session *s = &p->session;
	bool reads = p->settings.reads_only;
	long epoch;

	if ((reads ? postgresql_check_schema : postgresql_open_schema)(s, &epoch, err) == 0 &&
	    postgresql_note_epoch(p, epoch, err) == 0 &&
	    (reads || (end_own_session(p, err) == 0 && prepare(p, err) == 0)))
		return 0;
	session_close(&p->session);
	return -1;
}

/*
 * A connection that was made too late, because the first of several hosts was silent, is of use
 * next time, so it gets a while to be set up.
 */
int postgresql_connect(struct postgresql *p, struct err *err)
{
	int64_t until = p->until_ns, least;
	int failed;

	if (p->session.conn && PQstatus(p->session.conn) == CONNECTION_OK)
		return 0;
	p->reading = p->locked = false;
	if (session_open(&p->session, postgresql_deadline(p), err) < 0)
		return -1;
	least = clock_mono_ns() + SET_UP_NS;
	if (until && until < least)
		p->until_ns = least;
	failed = set_up(p, err);
	p->until_ns = until;
	return failed;
}

void postgresql_changed(struct postgresql *p, const struct err *why)
{
	p->changed = true;
	p->why = *why;
	postgresql_forget_oldest(p);
}

void postgresql_roll_back(struct postgresql *p)
{
	struct err ignored = { 0 };

	if (p->session.conn && PQtransactionStatus(p->session.conn) != PQTRANS_IDLE &&
	    session_run(&p->session, "ROLLBACK", NULL, 0, postgresql_deadline(p), &ignored) < 0)
		session_close(&p->session);
}

/* ---- what time it is ---- */

void postgresql_note_time(struct postgresql *p, double now)
{
	p->told_at = now;
	p->told_ns = clock_mono_ns();
}

/* Before anything was read or written no times are compared, so any value will do. */
double postgresql_now(struct storage *st)
{
	const struct postgresql *p = postgresql_of(st);

	return p->told_at + (double)(clock_mono_ns() - p->told_ns) / 1e9;
}

/* ---- ---- */

static uint64_t postgresql_bytes(struct storage *st)
{
	struct postgresql *p = postgresql_of(st);
	CLEANUP(PQclearp) PGresult *r = NULL;
	struct err ignored = { 0 };

	if (!p->session.conn || session_run(&p->session, "SELECT pg_total_relation_size('log')", &r,
					    1, postgresql_deadline(p), &ignored) < 0)
		return 0;
	return strtoull(PQgetvalue(r, 0, 0), NULL, 10);
}

/* With several writers, all together write digests as often as a single one would. */
static bool postgresql_digest_due(struct storage *st)
{
	const struct postgresql *p = postgresql_of(st);
	long every = p->head.digest_every;

	return p->locked && every > 0 && (p->writer.batch + 1) % (uint64_t)every == 0;
}

static struct storage_row_id postgresql_seen(struct storage *st)
{
	return row_id_of(&postgresql_of(st)->seen);
}

static bool postgresql_timed_out(struct storage *st)
{
	const struct postgresql *p = postgresql_of(st);

	return p->session.silent || p->kept_out;
}

static long postgresql_epoch(struct storage *st)
{
	return postgresql_of(st)->epoch;
}

static enum storage_health postgresql_health(struct storage *st, struct err *err)
{
	const struct postgresql *p = postgresql_of(st);

	if (!p->changed && !p->newer)
		return STORAGE_WELL;
	*err = p->why;
	return p->newer ? STORAGE_NEWER : STORAGE_CHANGED;
}

static int postgresql_reopen(struct storage *st, struct err *err)
{
	session_close(&postgresql_of(st)->session);
	return postgresql_connect(postgresql_of(st), err);
}

/* Not supported: a server is repaired by its owner. */
static int postgresql_renew(struct storage *st, storage_fill_fn fill, void *arg,
			    struct strbuf *ret_kept, struct err *err)
{
	(void)st;
	(void)fill;
	(void)arg;
	(void)ret_kept;
	return err_set(err, ERR_UNSUPPORTED, 0, "a log in PostgreSQL is not written anew");
}

void postgresql_close(struct storage *st)
{
	struct postgresql *p = postgresql_of(st);

	postgresql_roll_back(p);
	session_close(&p->session);
	session_close(&p->asking);
	row_params_done(&p->params);
	postgresql_forget_oldest(p);
	free(p->url);
	free(p->schema);
	free(p);
}

static const struct storage_ops ops = {
	.begin = postgresql_begin,
	.cancel = postgresql_cancel,
	.follow = postgresql_follow,
	.newest = postgresql_newest,
	.timed_out = postgresql_timed_out,
	.digest_due = postgresql_digest_due,
	.seen = postgresql_seen,
	.epoch = postgresql_epoch,
	.now = postgresql_now,
	.beat = postgresql_beat,
	.alive = postgresql_alive,
	.read = postgresql_read,
	.commit = postgresql_commit,
	.read_oldest = postgresql_read_oldest,
	.oldest = postgresql_oldest,
	.bytes = postgresql_bytes,
	.probe = postgresql_probe,
	.health = postgresql_health,
	.reopen = postgresql_reopen,
	.renew = postgresql_renew,
	.close = postgresql_close,
};

struct postgresql *postgresql_new(const struct postgresql_settings *settings)
{
	struct postgresql *p = mem_zalloc(sizeof(*p));

	p->base = (struct storage){ .ops = &ops,
				    .max_body = BODY_MAX,
				    .timeout_ns = settings->timeout_ns,
				    .poll_ns = settings->poll_ns };
	p->url = mem_strdup(settings->url);
	p->schema = mem_strdup(settings->schema);
	p->settings = (struct session_settings){ p->url, p->schema, settings->timeout_ns,
						 settings->reads_only };
	p->session.settings = p->asking.settings = &p->settings;
	p->writer.process = random_number();
	return p;
}

struct postgresql_epoch postgresql_storage_epoch(struct storage *st)
{
	return (struct postgresql_epoch){ postgresql_of(st)->epoch, postgresql_newest_epoch() };
}

struct postgresql_unsafe postgresql_storage_unsafe(struct storage *st)
{
	const struct session *s = &postgresql_of(st)->session;

	return (struct postgresql_unsafe){ s->fsync_off, s->full_page_writes_off };
}

int postgresql_storage_raise(const struct postgresql_settings *settings,
			     struct postgresql_epoch *ret_before, struct err *err)
{
	struct postgresql *p = postgresql_new(settings);
	int r = session_open(&p->session, postgresql_deadline(p), err);

	ret_before->newest = postgresql_newest_epoch();
	if (r == 0)
		r = postgresql_raise_epoch(&p->session, &ret_before->is, err);
	postgresql_close(&p->base);
	return r;
}

int postgresql_storage_open(const struct postgresql_settings *settings,
			    struct storage **ret_storage, struct err *err)
{
	struct postgresql *p = postgresql_new(settings);

	if (postgresql_connect(p, err) == 0) {
		*ret_storage = &p->base;
		return 0;
	}
	postgresql_close(&p->base);
	return -1;
}

/* Checks a list of ports, one for each host. */
static bool are_numbers(const char *ports)
{
	return !ports || ports[strspn(ports, "0123456789, ")] == '\0';
}

/*
 * Whether a password has an unescaped @. libpq ends the password at the first @ or slash, so a
 * second @ means that pieces of the password stand where host and database belong.
 */
static bool has_stray_at(const char *url)
{
	const char *at = strstr(url, "://"), *end;

	if (!at || !(str_has_prefix(str_of(url), STR("postgresql:")) ||
		     str_has_prefix(str_of(url), STR("postgres:"))))
		return false;
	at += strlen("://");
	at += strcspn(at, "@/");
	end = at + strcspn(at, "?");
	return at < end && memchr(at + 1, '@', (size_t)(end - at - 1)) != NULL;
}

static const char *port_of(const PQconninfoOption *options)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, "port") == 0)
			return options->val;
	return NULL;
}

/* libpq's messages repeat host, port and database, which may be pieces of a password. */
int postgresql_check_url(const char *url, struct err *err)
{
	char *ignored = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &ignored);
	bool sound = options && are_numbers(port_of(options)) && !has_stray_at(url);

	PQfreemem(ignored);
	PQconninfoFree(options);
	if (sound)
		return 0;
	return err_set(err, ERR_CONFIG, 0,
		       "it is no address that libpq can read%s (it is not repeated here, as a "
		       "password may be in it): write postgresql://USER@HOST:PORT/DATABASE, with "
		       "%%2F and %%40 for / and @ in the password",
		       options ? ", as its port is no number, or an @ is where none can be" : "");
}
