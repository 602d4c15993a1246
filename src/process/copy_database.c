#include "process/copy_database.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/secrets.h"
#include "config/file.h"
#include "config/flags.h"
#include "process/stored.h"

struct side {
	char *place, *url_file, *schema;
};

struct copy_settings {
	struct side from, to;
	int64_t timeout_ns;
};

enum { SECOND = 1000000000 };

#define AT(member) offsetof(struct copy_settings, member)

/* clang-format off */
static const struct flag flags[] = {
	{ .name = "help", .short_name = 'h', .kind = FLAG_ACTION, .help = "Show this help." },
	{ .name = "from", .kind = FLAG_STRING, .offset = AT(from.place), .def = "", .secret = true,
	  .help = "Database that stays as it is: a file that no gateway has open, or "
		  "postgresql://USER@HOST/DATABASE, which gateways may use meanwhile." },
	{ .name = "from-url-file", .kind = FLAG_STRING, .offset = AT(from.url_file), .def = "",
	  .help = "File that holds the URL of --from, as it may have a password." },
	{ .name = "from-schema", .kind = FLAG_STRING, .offset = AT(from.schema), .def = "tallygate",
	  .help = "Its schema in PostgreSQL." },
	{ .name = "to", .kind = FLAG_STRING, .offset = AT(to.place), .def = "", .secret = true,
	  .help = "Database to make, a file or a URL. It is there when all has been written, and "
		  "was read back." },
	{ .name = "to-url-file", .kind = FLAG_STRING, .offset = AT(to.url_file), .def = "",
	  .help = "File that holds the URL of --to." },
	{ .name = "to-schema", .kind = FLAG_STRING, .offset = AT(to.schema), .def = "tallygate",
	  .help = "Its schema in PostgreSQL, which is made, or has no tables." },
	{ .name = "timeout", .kind = FLAG_DURATION, .offset = AT(timeout_ns), .def = "1m",
	  .min = SECOND, .max = 3600LL * SECOND,
	  .help = "Time that PostgreSQL has for an answer." },
};
/* clang-format on */

static const struct flag_table table = { .flags = flags, .n = ARRAY_LEN(flags) };

static void print_help(void)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	flags_help(&table, "tallygate copy",
		   "Copies what is stored into a new database, without what is superseded.", &b);
	fwrite(b.p, 1, b.n, stdout);
}

static bool is_url(const struct side *s)
{
	return str_has_prefix(str_of(s->place), STR("postgresql://")) ||
	       str_has_prefix(str_of(s->place), STR("postgres://"));
}

/* The name of a side in messages: not its URL, which may have a password. */
static const char *name_of(const struct side *s, struct strbuf *to)
{
	if (!is_url(s))
		return s->place;
	to->n = 0;
	strbuf_addf(to, "schema %s in PostgreSQL", s->schema);
	return strbuf_z(to);
}

static int resolve(struct side *s, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf url = { 0 };

	if (!*s->schema)
		return err_set(err, ERR_CONFIG, 0, "a schema has a name");
	if (!*s->url_file)
		return 0;
	if (*s->place)
		return err_set(err, ERR_CONFIG, 0, "it is given twice, as a file of its URL, too");
	if (config_file_read_url(s->url_file, &url, err) < 0)
		return -1;
	free(s->place);
	s->place = mem_strdup(strbuf_z(&url));
	if (!is_url(s))
		return err_set(err, ERR_CONFIG, 0, "%s does not begin with postgresql://",
			       s->url_file);
	return 0;
}

static struct postgresql_settings settings_of(const struct side *s, int64_t timeout_ns)
{
	return (struct postgresql_settings){ .url = s->place,
					     .schema = s->schema,
					     .timeout_ns = timeout_ns };
}

static int read_all(const struct copy_settings *c, struct stored *s, struct err *err)
{
	struct postgresql_settings from = settings_of(&c->from, c->timeout_ns);

	from.reads_only = true;
	if (is_url(&c->from))
		return stored_read_postgresql(&from, s, err);
	if (stored_read(c->from.place, s, err) < 0)
		return -1;
	if (!s->damage.reason)
		return 0;
	err_set(err, ERR_SYSTEM, 0,
		"%s is damaged: a gateway that is started on it saves what can be read: %s",
		c->from.place, s->damage.msg);
	stored_done(s);
	return -1;
}

/* A copy is not for others than the database is; PostgreSQL asks for a password. */
static int write_file(const struct copy_settings *c, struct store *store, struct err *err)
{
	struct file_access like = FILE_ACCESS_OWNER;

	if (!is_url(&c->from))
		like = file_access_at(c->from.place);
	return stored_write(c->to.place, like.known ? &like : &FILE_ACCESS_OWNER, store, err);
}

static int write_all(const struct copy_settings *c, struct store *store, struct err *err)
{
	const struct postgresql_settings to = settings_of(&c->to, c->timeout_ns);

	return is_url(&c->to) ? stored_write_postgresql(&to, store, err)
			      : write_file(c, store, err);
}

/* Puts the flag in front of a message about a URL; one about a file names the file. */
static int blame(const struct side *s, const char *flag, struct err *err)
{
	if (is_url(s))
		err_prefix(err, flag);
	return -1;
}

static int copy(struct copy_settings *c, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	struct store_counts counts;
	struct stored s;
	int r;

	if (resolve(&c->from, err) < 0) {
		err_prefix(err, "--from: ");
		return -1;
	}
	if (resolve(&c->to, err) < 0) {
		err_prefix(err, "--to: ");
		return -1;
	}
	if (!*c->from.place || !*c->to.place)
		return err_set(err, ERR_CONFIG, 0, "--from and --to are needed");
	hash_init();
	if (read_all(c, &s, err) < 0)
		return blame(&c->from, "--from: ", err);
	r = write_all(c, s.store, err);
	if (r < 0) {
		blame(&c->to, "--to: ", err);
	} else {
		counts = store_counts(s.store);
		stored_print_left_out(&s, name_of(&c->from, &name));
		printf("%s: groups %llu, series %llu\n", name_of(&c->to, &name),
		       (unsigned long long)counts.groups, (unsigned long long)counts.series);
	}
	stored_done(&s);
	return r;
}

int copy_database(int argc, char **argv)
{
	CLEANUP(flags_given_done) struct flags_given given = { 0 };
	struct copy_settings c = { 0 };
	struct err err;
	int r;

	r = flags_scan(&table, argc, argv, &given, &err);
	if (r == 0 && flags_given_has(&given, "help")) {
		print_help();
		return 0;
	}
	flags_set_defaults(&table, &c);
	if (r == 0)
		r = flags_set(&given, &c, &err);
	if (r == 0)
		r = copy(&c, &err);
	if (r < 0) {
		hide_passwords(err.msg);
		fprintf(stderr, "tallygate copy: error: %s\n", err.msg);
	}
	flags_done(&table, &c);
	return r < 0 ? 1 : 0;
}
