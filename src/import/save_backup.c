#include "import/save_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/new_file.h"
#include "base/secrets.h"
#include "config/flags.h"
#include "import/fetch.h"
#include "journal/sqlite/file.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define PATH "/api/v1/admin/backup"

struct backup_settings {
	char *ca_file;
	int64_t timeout_ns;
};

#define AT(member) offsetof(struct backup_settings, member)

/* clang-format off */
static const struct flag flags[] = {
	{ .name = "help", .short_name = 'h', .kind = FLAG_ACTION, .help = "Show this help." },
	{ .name = "timeout", .kind = FLAG_DURATION, .offset = AT(timeout_ns),
	  .def = "1h", .min = SECOND / 1000, .max = 24 * HOUR,
	  .help = "Time that making and sending it may take." },
	{ .name = "ca-file", .kind = FLAG_STRING, .offset = AT(ca_file), .def = "",
	  .help = FETCH_CA_FILE_HELP },
};
/* clang-format on */

static const struct flag_table table = { .flags = flags, .n = ARRAY_LEN(flags), .max_args = 2 };

static int fetch_into(struct fetch *f, FILE *to, const char *name, struct err *err)
{
	if (fetch_put(f, PATH, to, err) < 0) {
		if (fetch_status(f) == 404)
			err_set(err, ERR_SYSTEM, 0,
				"PUT %s" PATH ": status 404: the gateway needs "
				"--web.enable-admin-api",
				fetch_name(f));
		return -1;
	}
	if (fflush(to) != 0 || fsync(fileno(to)) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot write %s: %s", name,
			       strerrordesc_np(errno));
	if (db_file_kind(name) != DB_FILE_OURS)
		return err_set(err, ERR_SYSTEM, 0, "PUT %s" PATH ": the answer is no database",
			       fetch_name(f));
	return 0;
}

/* Never replaces a file: it may be somebody's only backup. */
static int take_name(const char *part, const char *file, struct err *err)
{
	if (new_file_rename(part, file) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot make %s: %s", file,
			       strerrordesc_np(errno));
	return db_file_sync_directory(file, err);
}

static int save(struct fetch *f, const char *file, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf part = { 0 };
	FILE *to;
	int fd, r;

	if (access(file, F_OK) == 0)
		return err_set(err, ERR_CONFIG, 0, "%s is there already: choose another name",
			       file);
	strbuf_addf(&part, "%s.part-XXXXXX", file);
	fd = mkostemp((char *)strbuf_z(&part), O_CLOEXEC);
	to = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!to)
		return err_set(err, ERR_SYSTEM, 0, "cannot make %s: %s", strbuf_z(&part),
			       strerrordesc_np(errno));
	r = fetch_into(f, to, strbuf_z(&part), err);
	if (fclose(to) != 0 && r == 0)
		r = err_set(err, ERR_SYSTEM, 0, "cannot write %s: %s", strbuf_z(&part),
			    strerrordesc_np(errno));
	if (r == 0)
		r = take_name(strbuf_z(&part), file, err);
	if (r < 0)
		unlink(strbuf_z(&part));
	return r;
}

static int run(const struct backup_settings *s, const char *url, const char *file, struct err *err)
{
	const struct fetch_settings settings = { s->timeout_ns, 0, s->ca_file };
	CLEANUP(fetch_freep) struct fetch *f = fetch_new(url, &settings, err);

	return f ? save(f, file, err) : -1;
}

static void print_help(const char *program)
{
	CLEANUP(strbuf_done) struct strbuf usage = { 0 };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addf(&usage, "%s backup <url> <file>", program);
	flags_help(&table, strbuf_z(&usage),
		   "Saves a copy of a running gateway's database. " FETCH_URL_HELP, &b);
	fwrite(b.p, 1, b.n, stdout);
}

int save_backup(int argc, char **argv, const char *program)
{
	CLEANUP(flags_given_done) struct flags_given given = { 0 };
	struct backup_settings s = { 0 };
	struct err err;
	int r;

	r = flags_scan(&table, argc, argv, &given, &err);
	if (r == 0 && flags_given_has(&given, "help")) {
		print_help(program);
		return 0;
	}
	flags_set_defaults(&table, &s);
	if (r == 0)
		r = flags_set(&given, &s, &err);
	if (r == 0 && given.n_args != 2)
		r = err_set(&err, ERR_CONFIG, 0,
			    "a URL and a file are needed, see %s backup --help", program);
	if (r == 0)
		r = run(&s, given.args[0], given.args[1], &err);
	if (r < 0) {
		hide_passwords(err.msg);
		fprintf(stderr, "%s backup: error: %s\n", program, err.msg);
	}
	flags_done(&table, &s);
	return r < 0 ? 1 : 0;
}
