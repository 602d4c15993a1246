#include "process/copy_database.h"

#include <stdio.h>

#include "base/hash.h"
#include "config/flags.h"
#include "process/stored.h"

struct copy_settings {
	char *from, *to;
};

#define AT(member) offsetof(struct copy_settings, member)

/* clang-format off */
static const struct flag flags[] = {
	{ .name = "help", .short_name = 'h', .kind = FLAG_ACTION, .help = "Show this help." },
	{ .name = "from", .kind = FLAG_STRING, .offset = AT(from), .def = "",
	  .help = "Database that no gateway has open. It stays as it is." },
	{ .name = "to", .kind = FLAG_STRING, .offset = AT(to), .def = "",
	  .help = "Database to make. It is there when all has been written, and was read back." },
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

static int copy(const struct copy_settings *c, struct err *err)
{
	struct store_counts counts;
	struct stored s;
	int r;

	if (!*c->from || !*c->to)
		return err_set(err, ERR_CONFIG, 0, "--from and --to are needed");
	hash_init();
	if (stored_read(c->from, &s, err) < 0)
		return -1;
	if (s.damage.reason)
		r = err_set(err, ERR_SYSTEM, 0,
			    "%s is damaged: a gateway that is started on it saves what can be "
			    "read: %s",
			    c->from, s.damage.msg);
	else
		r = stored_write(c->to, s.store, err);
	if (r == 0) {
		counts = store_counts(s.store);
		stored_print_left_out(&s, c->from);
		printf("%s: groups %llu, series %llu\n", c->to, (unsigned long long)counts.groups,
		       (unsigned long long)counts.series);
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
	if (r < 0)
		fprintf(stderr, "tallygate copy: error: %s\n", err.msg);
	flags_done(&table, &c);
	return r < 0 ? 1 : 0;
}
