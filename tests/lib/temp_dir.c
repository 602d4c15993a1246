#include "lib/temp_dir.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void make(struct temp_dir *d)
{
	char *made = mkdtemp(d->path);
	int r = chmod(d->path, 0755);

	assert(made && r == 0);
	(void)made;
	(void)r;
	snprintf(d->db, sizeof(d->db), "%s/test.db", d->path);
}

void temp_dir_make(struct temp_dir *d)
{
	snprintf(d->path, sizeof(d->path), "/tmp/tallygate-test-XXXXXX");
	make(d);
}

void temp_dir_make_inside(struct temp_dir *d, const struct temp_dir *top)
{
	snprintf(d->path, sizeof(d->path), "%.40s/XXXXXX", top->path);
	make(d);
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *at)
{
	(void)sb;
	(void)kind;
	(void)at;
	return remove(path);
}

void temp_dir_remove(struct temp_dir *d)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): it changes no directory */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): main() alone is left. */
	nftw(d->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
