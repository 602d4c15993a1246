/*
 * `tallygate import URL`: copies the groups of a live Pushgateway into a new database, in one
 * transaction, so that an import that fails leaves at most an empty one. No gateway may have the
 * database open, and it may hold no group. This is a program of its own, which main.c starts, so
 * that the gateway does not contain an HTTP client.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/secrets.h"
#include "config/config.h"
#include "config/flags.h"
#include "import/fetch.h"
#include "import/json.h"
#include "import/save_backup.h"
#include "journal/load.h"
#include "journal/sqlite/sqlite.h"
#include "process/startup.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define GIB (INT64_C(1) << 30)

/* Asks for names that are not classic, unescaped. Old Go gateways ignore the parameter. */
#define PROTOBUF                                                                     \
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; " \
	"encoding=delimited; escaping=allow-utf-8"

struct import_settings {
	char *persistence_file, *telemetry_path, *ca_file;
	int64_t timeout_ns;
	uint64_t max_response_size;
	bool skip_scrape;
	enum log_level log_level;
	enum log_format log_format;
};

#define AT(member) offsetof(struct import_settings, member)

/* clang-format off */
static const struct flag flags[] = {
	{ .name = "help", .short_name = 'h', .kind = FLAG_ACTION,
	  .help = "Show this help." },
	{ .name = "persistence.file", .kind = FLAG_STRING, .offset = AT(persistence_file),
	  .def = CONFIG_DATABASE_NAME,
	  .help = "Database to import into: a new one, or one without groups. The default is that of "
		  "the gateway." },
	{ .name = "telemetry-path", .kind = FLAG_STRING, .offset = AT(telemetry_path),
	  .def = "/metrics",
	  .help = "--web.telemetry-path of the other gateway." },
	{ .name = "skip-scrape", .kind = FLAG_BOOL, .offset = AT(skip_scrape), .def = "false",
	  .help = "Read /api/v1/metrics only, as from a gateway whose scrapes fail. Native histograms, "
		  "exemplars, creation times and units stay behind." },
	{ .name = "timeout", .kind = FLAG_DURATION, .offset = AT(timeout_ns),
	  .def = "10m", .min = SECOND / 1000, .max = 24 * HOUR,
	  .help = "Time that one answer of the other gateway may take." },
	{ .name = "max-response-size", .kind = FLAG_SIZE, .offset = AT(max_response_size),
	  .def = "1GiB", .min = 1024, .max = 64 * GIB,
	  .help = "Bytes of one answer. Some ten times as much memory is used." },
	{ .name = "ca-file", .kind = FLAG_STRING, .offset = AT(ca_file), .def = "",
	  .help = FETCH_CA_FILE_HELP },
	{ .name = "log.level", .kind = FLAG_LOG_LEVEL, .offset = AT(log_level), .def = "info",
	  .help = "Only log messages with the given severity or above. One of: [debug, info, warn, "
		  "error]" },
	{ .name = "log.format", .kind = FLAG_LOG_FORMAT, .offset = AT(log_format), .def = "logfmt",
	  .help = "Output format of log messages. One of: [logfmt, json]" },
};
/* clang-format on */

static const struct flag_table table = { .flags = flags, .n = ARRAY_LEN(flags), .max_args = 1 };

/* ---- the other gateway ---- */

static int advise(const struct fetch *f, const struct import_settings *s, struct err *err)
{
	if (fetch_status(f) == 404)
		return err_set(err, ERR_SYSTEM, 0, "GET %s%s: status 404: see --telemetry-path",
			       fetch_name(f), s->telemetry_path);
	if (fetch_status(f) == 500)
		return err_set(err, ERR_SYSTEM, 0,
			       "GET %s%s: status 500: its scrapes fail. What /api/v1/metrics shows "
			       "is imported with --skip-scrape",
			       fetch_name(f), s->telemetry_path);
	return -1;
}

static int read_scrape(struct fetch *f, const struct import_settings *s, struct strbuf *body,
		       struct source_scrape **ret, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf where = { 0 };

	if (s->skip_scrape)
		return 0;
	if (fetch_get(f, s->telemetry_path, PROTOBUF, body, err) < 0)
		return advise(f, s, err);
	if (scrape_read(strbuf_str(body), ret, err) == 0)
		return 0;
	strbuf_addf(&where, "GET %s%s: ", fetch_name(f), s->telemetry_path);
	err_prefix(err, strbuf_z(&where));
	return -1;
}

static int read_groups(struct fetch *f, struct source_scrape *scrape, struct strbuf *body,
		       struct import *im, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf where = { 0 };

	if (import_json(strbuf_str(body), scrape, im, err) == 0)
		return 0;
	strbuf_addf(&where, "GET %s/api/v1/metrics: ", fetch_name(f));
	err_prefix(err, strbuf_z(&where));
	return -1;
}

/*
 * Groups are read before the scrape: a series that is deleted in between is then taken from the
 * JSON.
 */
static int read_gateway(struct fetch *f, const struct import_settings *s, struct import *im,
			struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf groups = { 0 };
	CLEANUP(strbuf_done) struct strbuf series = { 0 };
	CLEANUP(scrape_freep) struct source_scrape *scrape = NULL;

	if (fetch_get(f, "/api/v1/metrics", "application/json", &groups, err) < 0 ||
	    read_scrape(f, s, &series, &scrape, err) < 0)
		return -1;
	return read_groups(f, scrape, &groups, im, err);
}

/* ---- the database ---- */

static void close_storage(struct storage **st)
{
	if (*st)
		(*st)->ops->close(*st);
}

/* Locks the database, and makes sure that it is empty. */
static int open_empty(const char *path, struct storage **ret, struct store *store, struct err *err)
{
	if (sqlite_storage_open(path, ret, err) != SQLITE_OPENED)
		return -1;
	if (load_store(*ret, store, err) != STORAGE_LOADED)
		return -1;
	if (store_counts(store).groups > 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "%s holds %llu groups already: import into a new database, with "
			       "--persistence.file",
			       path, (unsigned long long)store_counts(store).groups);
	return 0;
}

static int copy(struct fetch *f, const struct import_settings *s, struct store *store,
		struct import_counts *ret, struct err *err)
{
	struct startup_origin origin = { "url", fetch_name(f) };
	const struct import_listener listener = { startup_log_left_out, &origin };
	CLEANUP(close_storage) struct storage *storage = NULL;
	CLEANUP(import_freep) struct import *im = NULL;

	if (open_empty(s->persistence_file, &storage, store, err) < 0)
		return -1;
	im = import_new(store, &listener);
	if (read_gateway(f, s, im, err) < 0 || import_commit(im, storage, err) < 0)
		return -1;
	*ret = import_counts(im);
	return 0;
}

static int run(const struct import_settings *s, const char *url)
{
	const struct fetch_settings settings = { s->timeout_ns, s->max_response_size, s->ca_file };
	const struct store_limits none = { .max_groups = UINT64_MAX, .max_series = UINT64_MAX };
	CLEANUP(fetch_freep) struct fetch *f = NULL;
	struct import_counts counts = { 0 };
	struct startup_origin origin;
	struct store *store;
	struct err err;
	int r = -1;

	log_init(s->log_level, s->log_format);
	hash_init();
	f = fetch_new(url, &settings, &err);
	if (f) {
		store = startup_new_store(&none);
		r = copy(f, s, store, &counts, &err);
		store_free(store);
	}
	if (r < 0) {
		hide_passwords(err.msg);
		log_error("nothing has been imported", "err", err.msg, NULL);
		return 1;
	}
	origin = (struct startup_origin){ "url", fetch_name(f) };
	startup_log_imported("imported a live Pushgateway", &origin, "file", s->persistence_file,
			     &counts);
	return 0;
}

/* ---- the command line ---- */

static void print_help(const char *program)
{
	CLEANUP(strbuf_done) struct strbuf usage = { 0 };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	strbuf_addf(&usage, "%s import <url>", program);
	flags_help(&table, strbuf_z(&usage),
		   "Copies the groups of a live Pushgateway into a database. " FETCH_URL_HELP
		   " Push nothing to it from now on.",
		   &b);
	fwrite(b.p, 1, b.n, stdout);
}

/* argv[0] is the name by which the gateway was called, argv[1] the word `import` or `backup`. */
int main(int argc, char **argv)
{
	const char *program = argc > 0 ? argv[0] : "tallygate";
	CLEANUP(flags_given_done) struct flags_given given = { 0 };
	struct import_settings s = { 0 };
	struct err err;
	int r;

	if (argc > 1 && strcmp(argv[1], "backup") == 0)
		return save_backup(argc - 1, argv + 1, program);
	r = flags_scan(&table, argc - 1, argv + 1, &given, &err);
	if (r == 0 && flags_given_has(&given, "help")) {
		print_help(program);
		return 0;
	}
	flags_set_defaults(&table, &s);
	config_default_database(&s.persistence_file);
	if (r == 0)
		r = flags_set(&given, &s, &err);
	if (r == 0 && given.n_args == 0)
		r = err_set(&err, ERR_CONFIG, 0, "required argument 'url' not provided");
	if (r == 0 && !*s.persistence_file)
		r = err_set(&err, ERR_CONFIG, 0,
			    "--persistence.file is empty: expected the database to import into");
	if (r == 0) {
		r = run(&s, given.args[0]);
	} else {
		hide_passwords(err.msg);
		fprintf(stderr, "%s: error: %s, try %s import --help\n", program, err.msg, program);
	}
	flags_done(&table, &s);
	return r == 0 ? 0 : 1;
}
