/*
 * The file of a Go Pushgateway becomes our database under the same name. The Go file is kept as
 * NAME.pushgateway-YYYYMMDDTHHMMSSZ, with the time when it was last written. If the process is
 * killed at any point, NAME is the untouched Go file or the complete database.
 */
#ifndef IMPORT_GOB_FILE_H
#define IMPORT_GOB_FILE_H

#include "import/import.h"

enum import_gob_result {
	IMPORT_GOB_NONE,   /* there is no such file at that path: nothing was done */
	IMPORT_GOB_DONE,   /* the database is there; it still has to be opened */
	IMPORT_GOB_FAILED, /* *err says why; the file is as it was */
};

struct import_gob_report {
	struct import_counts counts;
	struct strbuf kept; /* the name of the Go file now; the caller's to free */
};

/* scratch and listener: see import_new(). */
enum import_gob_result import_gob(const char *path, struct store *scratch,
				  const struct import_listener *listener,
				  struct import_gob_report *ret_report, struct err *err);

#endif
