/*
 * The files that the page loads: style sheet, modules, icon. The program contains them, plain and
 * compressed (embed_files.py). Any thread.
 */
#ifndef UI_FILES_H
#define UI_FILES_H

#include "base/str.h"

struct ui_file {
	struct str name;  /* "page.css" */
	const char *type; /* for Content-Type */
	struct str plain;
	struct str gzip; /* the same, compressed */
};

/*
 * A hash of the contents of all files. It is part of their URLs, so the content of a URL never
 * changes, and may be cached for good.
 */
const char *ui_files_hash(void);

/* path: "HASH/NAME". NULL: no such file, or another hash. */
const struct ui_file *ui_file_find(struct str path);

/* The i-th file, by name; NULL: there are no more. */
const struct ui_file *ui_file_at(size_t i);

#endif
