#include "process/check_database.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/secrets.h"
#include "process/startup.h"
#include "process/stored.h"

enum { SOUND, DAMAGED, UNKNOWN };

static void print_counts(const struct stored *s)
{
	struct store_counts counts = store_counts(s->store);

	printf("groups: %llu\nseries: %llu\n", (unsigned long long)counts.groups,
	       (unsigned long long)counts.series);
}

static void print_damage(const struct stored *s)
{
	struct str key;

	printf("rows read: %llu\nrows lost: %llu\ngroups lost: %llu\n",
	       (unsigned long long)s->counts.rows, (unsigned long long)s->counts.rows_lost,
	       (unsigned long long)s->counts.groups_lost);
	for (size_t i = 0; salvage_harmed_group(s->salvage, i, &key); i++) {
		CLEANUP(strbuf_done) struct strbuf group = { 0 };

		startup_write_group(key, &group);
		printf("may be older than its last push: %s\n", strbuf_z(&group));
	}
}

int check_database(int argc, char **argv)
{
	struct stored s;
	struct err err;
	size_t left_out;

	if (argc != 2 || argv[1][0] == '-') {
		fputs("usage: tallygate check FILE\n", stderr);
		return UNKNOWN;
	}
	hash_init();
	if (stored_read(argv[1], &s, &err) < 0) {
		hide_passwords(argv[1]);
		hide_passwords(err.msg);
		fprintf(stderr, "%s: %s\n", argv[1], err.msg);
		return UNKNOWN;
	}
	if (s.damage.reason) {
		printf("%s: damaged: %s\nwhat can be read:\n", argv[1], s.damage.msg);
		print_counts(&s);
		print_damage(&s);
		stored_done(&s);
		return DAMAGED;
	}
	printf("%s: sound\nschema: %d%s\n", argv[1], s.found.schema,
	       s.found.schema < s.found.schema_now ? " (a start brings it to the newest)" : "");
	print_counts(&s);
	if (s.found.doubt.reason)
		fprintf(stderr,
			"%s: the last commit is not whole: after a power cut it was not answered, "
			"otherwise it is lost: %s\n",
			argv[1], s.found.doubt.msg);
	if (s.found.mended.reason)
		fprintf(stderr,
			"%s: a start makes the header of the WAL again, as after a power cut: %s\n",
			argv[1], s.found.mended.msg);
	left_out = stored_print_left_out(&s, argv[1]);
	if (left_out)
		printf("not shown: %zu\n", left_out);
	stored_done(&s);
	return SOUND;
}
