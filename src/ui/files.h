/*
 * The files that the page loads: style sheet, modules, icon. They are in the program, as they are
 * and compressed (embed_files.py). Any thread.
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
 * Of the contents of all of them: part of their URLs, which therefore never mean anything else and
 * may be cached for good.
 */
const char *ui_files_hash(void);

/* path: "HASH/NAME". NULL: no such file, or another hash. */
const struct ui_file *ui_file_find(struct str path);

/* The i-th, by name; NULL: there are no more. */
const struct ui_file *ui_file_at(size_t i);

#endif
