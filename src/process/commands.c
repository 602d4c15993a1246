#include "process/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process/check_config.h"
#include "process/check_database.h"
#include "process/check_metrics.h"
#include "process/copy_database.h"
#include "process/export.h"
#include "process/migrate_database.h"
#include "version.h"

void command_version(void)
{
	printf("pushgateway, version " VERSION " (branch: " VERSION_BRANCH
	       ", revision: " VERSION_REVISION ")\n"
	       "  build user:       " VERSION_USER "\n"
	       "  build date:       " VERSION_DATE "\n"
	       "  go version:       " VERSION_COMPILER "\n"
	       "  platform:         " VERSION_OS "/" VERSION_ARCH "\n"
	       "  tags:             tallygate\n");
}

void command_print(enum config_action action, const char *program)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	config_text(action, program, &b);
	fwrite(b.p, 1, b.n, stdout);
}

/* Returns only if that cannot be started. */
static int become_import(const char *program, char **argv)
{
	static const char name[] = "tallygate-import";
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
	const char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
	size_t dir = slash ? (size_t)(slash + 1 - path) : 0;

	if (dir + sizeof(name) <= sizeof(path)) {
		memcpy(path + dir, name, sizeof(name));
		argv[0] = (char *)program;
		execv(path, argv);
	}
	fprintf(stderr, "%s: error: cannot start %s, which belongs beside it: %s\n", program, name,
		strerrordesc_np(errno));
	return 1;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* NULL: tallygate-import has it */
} commands[] = {
	{ "import", NULL },
	{ "backup", NULL },
	{ "check", check_database },
	{ "copy", copy_database },
	{ "export", export_database },
	{ "migrate", migrate_database },
	{ "check-config", check_config },
	{ "check-metrics", check_metrics },
};

bool command_find(const char *program, int argc, char **argv, int *ret)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		*ret = commands[i].run ? commands[i].run(argc - 1, argv + 1)
				       : become_import(program, argv);
		return true;
	}
	return false;
}
