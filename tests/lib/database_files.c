#include "lib/database_files.h"

#include <check.h>
#include <stdio.h>

#include "journal/sqlite/synced.h"

const char *database_file_name(const struct temp_dir *dir, enum database_file file)
{
	static const char *const suffixes[] = { "", "-wal", SYNCED_SUFFIX };
	static char name[200];

	snprintf(name, sizeof(name), "%s%s", dir->db, suffixes[file]);
	return name;
}

void database_file_read(const struct temp_dir *dir, enum database_file file, struct strbuf *ret)
{
	FILE *f = fopen(database_file_name(dir, file), "re");
	char chunk[8192];
	size_t n;

	ck_assert_msg(f != NULL, "%s", database_file_name(dir, file));
	ret->n = 0;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		strbuf_add(ret, chunk, n);
	fclose(f);
}

void database_file_write(const struct temp_dir *dir, enum database_file file, struct str content)
{
	FILE *f = fopen(database_file_name(dir, file), "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(content.p, 1, content.n, f), content.n);
	ck_assert_int_eq(fclose(f), 0);
}
