#include "journal/postgresql/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#if defined(NEXT_EPOCH)
#include "next_migrations.h" /* those of the version after this one, for tests */
#else
#include "postgresql_migrations.h" /* generated: migrations[] */
#endif

enum { TRIES = 10 };

static const long newest = (long)ARRAY_LEN(migrations);

long postgresql_newest_epoch(void)
{
	return newest;
}

long postgresql_oldest_epoch(void)
{
	return newest - 1;
}

static int64_t deadline_of(const struct session *s)
{
	return clock_mono_ns() + s->settings->timeout_ns;
}

/* Runs a statement that answers with one number. */
static int ask(struct session *s, const char *sql, long *ret, struct err *err)
{
	CLEANUP(PQclearp) PGresult *r = NULL;

	if (session_run(s, sql, &r, 1, deadline_of(s), err) < 0)
		return -1;
	*ret = PQntuples(r) > 0 ? strtol(PQgetvalue(r, 0, 0), NULL, 10) : 0;
	return 0;
}

static void add_literal(struct strbuf *to, const char *text)
{
	strbuf_addc(to, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_addc(to, '\'');
		strbuf_addc(to, *text);
	}
	strbuf_addc(to, '\'');
}

/* Counts tables of that name in the schema; all tables if it is NULL. */
static int count_tables(struct session *s, const char *name, long *ret, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };

	strbuf_addz(&sql, "SELECT count(*) FROM pg_class c JOIN pg_namespace n "
			  "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') "
			  "AND n.nspname = ");
	add_literal(&sql, s->settings->schema);
	if (name) {
		strbuf_addz(&sql, " AND c.relname = ");
		add_literal(&sql, name);
	}
	return ask(s, strbuf_z(&sql), ret, err);
}

static int not_ours(const struct session *s, struct err *err)
{
	return err_set(err, ERR_CONFIG, 0,
		       "the schema %s holds tables of something else: choose another "
		       "--persistence.schema",
		       s->settings->schema);
}

/* *ret: the version of the schema; 0: there is none. */
static int read_version(struct session *s, long *ret, struct err *err)
{
	long tables, heads, logs;

	*ret = 0;
	if (count_tables(s, NULL, &tables, err) < 0)
		return -1;
	if (tables == 0)
		return 0;
	if (count_tables(s, "head", &heads, err) < 0 || count_tables(s, "log", &logs, err) < 0)
		return -1;
	if (heads == 0 || logs == 0)
		return not_ours(s, err);
	if (ask(s, "SELECT max(version) FROM migrations", ret, err) < 0)
		return strcmp(s->state, "42P01") == 0 ? not_ours(s, err) : -1;
	return *ret > 0 ? 0 : not_ours(s, err);
}

/* Whether the schema exists: a user without the right to make schemas may have been given one. */
static int has_schema(struct session *s, long *ret, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };

	strbuf_addz(&sql, "SELECT count(*) FROM pg_namespace WHERE nspname = ");
	add_literal(&sql, s->settings->schema);
	return ask(s, strbuf_z(&sql), ret, err);
}

static void add_schema(struct session *s, long there, struct strbuf *sql)
{
	if (there)
		return;
	strbuf_addz(sql, "CREATE SCHEMA ");
	session_add_name(sql, s->settings->schema);
	strbuf_addz(sql, ";\n");
}

/* Adds the migrations from that number on, and sets the epoch to the newest. */
static void add_migrations(long from, struct strbuf *sql)
{
	for (long i = from; i < newest; i++)
		strbuf_addf(sql, "%sINSERT INTO migrations (version) VALUES (%ld);\n",
			    migrations[i], i + 1);
	strbuf_addf(sql, "UPDATE head SET epoch = %ld;\n", newest);
}

/* In one transaction. */
static int make(struct session *s, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };
	struct err ignored;
	long there;

	if (has_schema(s, &there, err) < 0)
		return -1;
	strbuf_addz(&sql, "BEGIN; ");
	add_schema(s, there, &sql);
	add_migrations(0, &sql);
	strbuf_addz(&sql, "COMMIT");
	if (session_run(s, strbuf_z(&sql), NULL, 0, deadline_of(s), err) == 0)
		return 0;
	if (s->conn)
		session_run(s, "ROLLBACK", NULL, 0, deadline_of(s), &ignored);
	return -1;
}

/* Another gateway has made the schema before, or at the same time. */
static bool was_raced(const struct session *s)
{
	static const char *const states[] = {
		"23505", "42P06", "42P07", "42710", "40P01", "40001"
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(s->state, states[i]) == 0)
			return true;
	return false;
}

static int too_new(const struct session *s, long epoch, struct err *err)
{
	return err_set(err, ERR_CONFIG, 0,
		       "the schema %s is of a newer version (epoch %ld, this one "
		       "knows %ld): upgrade this gateway",
		       s->settings->schema, epoch, newest);
}

static int too_old(const struct session *s, long epoch, struct err *err)
{
	return err_set(
		err, ERR_CONFIG, 0,
		"the schema %s is of an older version (epoch %ld, this one needs %ld): run "
		"`tallygate migrate` of this version, which ends what gateways of older ones do",
		s->settings->schema, epoch, postgresql_oldest_epoch());
}

static int absent(const struct session *s, struct err *err)
{
	return err_set(err, ERR_CONFIG, 0, "there is no database of a gateway in the schema %s",
		       s->settings->schema);
}

static int check_epoch(const struct session *s, long epoch, struct err *err)
{
	return epoch < postgresql_oldest_epoch() ? too_old(s, epoch, err) : 0;
}

int postgresql_open_schema(struct session *s, long *ret_epoch, struct err *err)
{
	for (int tries = 0;;) {
		if (read_version(s, ret_epoch, err) < 0)
			return -1;
		if (*ret_epoch > 0)
			return check_epoch(s, *ret_epoch, err);
		if (make(s, err) < 0 && (!was_raced(s) || ++tries == TRIES))
			return -1;
	}
}

int postgresql_check_schema(struct session *s, long *ret_epoch, struct err *err)
{
	if (read_version(s, ret_epoch, err) < 0)
		return -1;
	return *ret_epoch > 0 ? check_epoch(s, *ret_epoch, err) : absent(s, err);
}

/*
 * While this waits for the lock everybody else waits behind it, so it does so only for a part of
 * the time-out. If another process raises the epoch first, that is seen when the epoch is read
 * under the lock.
 */
static int lock_to_raise(struct session *s, long *ret_from, struct err *err)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = %lld; "
		 "LOCK TABLE head IN ACCESS EXCLUSIVE MODE",
		 (long long)(s->settings->timeout_ns / 1000000 / 2));
	if (session_run(s, sql, NULL, 0, deadline_of(s), err) == 0)
		return ask(s, "SELECT max(version) FROM migrations", ret_from, err);
	if (strcmp(s->state, "55P03") == 0)
		err_set(err, ERR_STORAGE, 0,
			"the log in schema %s was in use for all of the time, as while a gateway "
			"loads it: try again, or with a longer --persistence.timeout",
			s->settings->schema);
	return -1;
}

static int raise_from(struct session *s, long from, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };
	CLEANUP(PQclearp) PGresult *r = NULL;

	add_migrations(from, &sql);
	if (session_run(s, strbuf_z(&sql), NULL, 0, deadline_of(s), err) < 0)
		return -1;
	s->warned = false;
	if (session_run(s, "COMMIT", &r, 1, deadline_of(s), err) < 0) {
		if (!s->conn)
			err_prefix(err, "whether it is raised is not known, as COMMIT was not "
					"answered; ask again: ");
		return -1;
	}
	if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
		return err_set(err, ERR_STORAGE, 0, "PostgreSQL: the transaction was rolled back");
	if (s->warned)
		return err_set(
			err, ERR_STORAGE, 0,
			"it is raised, but no standby has confirmed it: a promotion may lose "
			"it; ask again then");
	return 0;
}

int postgresql_raise_epoch(struct session *s, long *ret_from, struct err *err)
{
	struct err ignored;
	int r = -1;

	if (read_version(s, ret_from, err) < 0)
		return -1;
	if (*ret_from == 0)
		return absent(s, err);
	if (*ret_from > newest)
		return too_new(s, *ret_from, err);
	if (*ret_from == newest)
		return 0;
	if (lock_to_raise(s, ret_from, err) == 0) {
		if (*ret_from < newest)
			return raise_from(s, *ret_from, err);
		r = *ret_from == newest ? 0 : too_new(s, *ret_from, err);
	}
	if (s->conn)
		session_run(s, "ROLLBACK", NULL, 0, deadline_of(s), &ignored);
	return r;
}

static int refuse_used(struct session *s, struct err *err)
{
	long rows;

	if (ask(s, "SELECT seq FROM head", &rows, err) < 0)
		return -1;
	return err_set(err, ERR_CONFIG, 0,
		       "the schema %s holds a database already, %s, and gateways may be using "
		       "it: choose another schema, or drop this one",
		       s->settings->schema, rows > 0 ? "with data" : "if without data");
}

int postgresql_make_schema(struct session *s, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf sql = { 0 };
	long version, there;

	if (read_version(s, &version, err) < 0 || has_schema(s, &there, err) < 0)
		return -1;
	if (version > 0)
		return refuse_used(s, err);
	add_schema(s, there, &sql);
	add_migrations(0, &sql);
	if (session_run(s, strbuf_z(&sql), NULL, 0, deadline_of(s), err) == 0)
		return 0;
	if (was_raced(s))
		err_set(err, ERR_CONFIG, 0,
			"a gateway has just made the schema %s, and is using it: choose another "
			"schema, or drop this one",
			s->settings->schema);
	return -1;
}
