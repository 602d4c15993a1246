#include "process/migrate_database.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/secrets.h"
#include "config/file.h"
#include "config/flags.h"
#include "journal/postgresql/postgresql.h"

static const char description[] = "Brings the gateways' database in PostgreSQL to what this "
				  "version knows, once no gateway of an "
				  "older version uses it: those that still run stop, and say so. "
				  "Gateways of this version go on.";

struct migrate_settings {
	char *url, *url_file, *schema;
	int64_t timeout_ns;
};

enum { SECOND = 1000000000 };

#define AT(member) offsetof(struct migrate_settings, member)

/* clang-format off */
static const struct flag flags[] = {
	{ .name = "help", .short_name = 'h', .kind = FLAG_ACTION, .help = "Show this help." },
	{ .name = "help-man", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "completion-bash", .kind = FLAG_ACTION, .hidden = true },
	{ .name = "persistence.url", .kind = FLAG_STRING, .offset = AT(url), .def = "", .secret = true,
	  .help = "PostgreSQL database, as for the gateways, like "
		  "postgresql://tallygate@db.example.org/metrics." },
	{ .name = "persistence.url-file", .kind = FLAG_STRING, .offset = AT(url_file), .def = "",
	  .help = "File that --persistence.url is read from, as it may have a password." },
	{ .name = "persistence.schema", .kind = FLAG_STRING, .offset = AT(schema), .def = "tallygate",
	  .help = "Schema of the PostgreSQL database that the tables are in." },
	{ .name = "persistence.timeout", .kind = FLAG_DURATION, .offset = AT(timeout_ns), .def = "5s",
	  .min = SECOND, .max = 600LL * SECOND,
	  .help = "Time that PostgreSQL has for an answer." },
};
/* clang-format on */

static const struct flag_table table = { .flags = flags, .n = ARRAY_LEN(flags) };

/* True: help was asked for, and is printed. */
static bool print_help(const struct flags_given *given)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	if (flags_given_has(given, "help"))
		flags_help(&table, "tallygate migrate", description, &b);
	else if (flags_given_has(given, "help-man"))
		flags_man(&table, "tallygate-migrate", description, &b);
	else if (flags_given_has(given, "completion-bash"))
		flags_names(&table, &b);
	else
		return false;
	fwrite(b.p, 1, b.n, stdout);
	return true;
}

static int read_url(struct migrate_settings *m, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf url = { 0 };

	if (!*m->url == !*m->url_file)
		return err_set(err, ERR_CONFIG, 0,
			       "give one of --persistence.url and --persistence.url-file");
	if (!*m->schema)
		return err_set(err, ERR_CONFIG, 0, "--persistence.schema: a schema has a name");
	if (!*m->url_file)
		return 0;
	if (config_file_read_url(m->url_file, &url, err) < 0) {
		err_prefix(err, "--persistence.url-file: ");
		return -1;
	}
	free(m->url);
	m->url = mem_strdup(strbuf_z(&url));
	return 0;
}

static int migrate(struct migrate_settings *m, struct err *err)
{
	struct postgresql_epoch before;

	if (read_url(m, err) < 0)
		return -1;
	const struct postgresql_settings settings = { .url = m->url,
						      .schema = m->schema,
						      .timeout_ns = m->timeout_ns };

	if (postgresql_check_url(m->url, err) < 0 ||
	    postgresql_storage_raise(&settings, &before, err) < 0) {
		err_prefix(err, "--persistence.url: ");
		return -1;
	}
	if (before.is == before.newest)
		printf("schema %s: up to date, its epoch is %ld\n", m->schema, before.is);
	else
		printf("schema %s: its epoch was raised from %ld to %ld; gateways of older "
		       "versions "
		       "stop\n",
		       m->schema, before.is, before.newest);
	return 0;
}

int migrate_database(int argc, char **argv)
{
	CLEANUP(flags_given_done) struct flags_given given = { 0 };
	struct migrate_settings m = { 0 };
	struct err err;
	int r;

	r = flags_scan(&table, argc, argv, &given, &err);
	if (r == 0 && print_help(&given))
		return 0;
	flags_set_defaults(&table, &m);
	if (r == 0)
		r = flags_set(&given, &m, &err);
	if (r == 0)
		r = migrate(&m, &err);
	if (r < 0) {
		hide_passwords(err.msg);
		fprintf(stderr, "tallygate migrate: error: %s\n", err.msg);
	}
	flags_done(&table, &m);
	return r < 0 ? 1 : 0;
}
