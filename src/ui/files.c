#include "ui/files.h"

#include "ui_files.h"

const char *ui_files_hash(void)
{
	return files_hash;
}

const struct ui_file *ui_file_at(size_t i)
{
	return i < ARRAY_LEN(files) ? &files[i] : NULL;
}

const struct ui_file *ui_file_find(struct str path)
{
	struct str hash = STR(files_hash);

	if (!str_has_prefix(path, hash) || path.n == hash.n || path.p[hash.n] != '/')
		return NULL;
	path = (struct str){ path.p + hash.n + 1, path.n - hash.n - 1 };
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (str_eq(files[i].name, path))
			return &files[i];
	return NULL;
}
