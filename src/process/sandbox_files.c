#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "process/sandbox.h"

/* Younger than Debian 12's header. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#endif

/* Rights of version 1: all that change a file system, and that of starting programs. */
#define FIRST_RIGHTS                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |     \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Rights that the database needs in its directory. */
#define DATABASE_RIGHTS                                                   \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE)

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static enum sandbox_result missing(struct err *err, const char *what)
{
	err_set(err, ERR_SYSTEM, 0, "%s: %s", what, strerrordesc_np(errno));
	return SANDBOX_MISSING;
}

/* The rights that this kernel knows. 0: it has no Landlock. */
static uint64_t known_rights(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	return version < 1   ? 0
	       : version < 2 ? FIRST_RIGHTS
	       : version < 3
		       ? FIRST_RIGHTS | LANDLOCK_ACCESS_FS_REFER
		       : FIRST_RIGHTS | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE;
}

/* Opens the directory where SQLite keeps its files: that of the target of a link. */
static int open_directory(const char *database)
{
	CLEANUP(freep) char *real = realpath(database, NULL);
	CLEANUP(freep) char *path = mem_strdup(real ? real : database);

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the path is our own copy. */
	return open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int allow(int ruleset, int dir, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = dir };

	if (dir < 0)
		return -1;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int allow_database(int ruleset, const char *database, uint64_t known)
{
	CLEANUP(close_fd) int dir = open_directory(database);

	return allow(ruleset, dir, DATABASE_RIGHTS & known);
}

/* pthread_setname_np() writes names of other threads there. */
static int allow_names(int ruleset)
{
	CLEANUP(close_fd) int dir = open("/proc/self/task", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return allow(ruleset, dir, LANDLOCK_ACCESS_FS_WRITE_FILE);
}

enum sandbox_result sandbox_files(const char *database, struct err *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = known_rights() };
	CLEANUP(close_fd) int ruleset = -1;

	if (attr.handled_access_fs == 0)
		return missing(err, "Landlock");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return missing(err, "landlock_create_ruleset");
	if (*database && allow_database(ruleset, database, attr.handled_access_fs) < 0)
		return missing(err, "the directory of --persistence.file");
	if (allow_names(ruleset) < 0)
		return missing(err, "/proc/self/task");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return missing(err, "PR_SET_NO_NEW_PRIVS");
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return missing(err, "landlock_restrict_self");
	return SANDBOX_ON;
}
