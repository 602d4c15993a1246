/* Reads a configuration file, or a file that one names. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum config_file_kinds {
	CONFIG_FILE_ANY,     /* at start: also pipes, which are waited for */
	CONFIG_FILE_REGULAR, /* while requests are answered: nothing that could block is opened */
};

/*
 * Appends the file, or a little more than `max` bytes of it if it is larger: the caller then says
 * what is too large. The buffer grows once, so that no copy of a key is left in memory. -1: the
 * message is that of the file system, in Go's words. Any thread.
 */
int config_file_read(const char *path, enum config_file_kinds which, size_t max, struct strbuf *ret,
		     struct err *err);

/* Reads the URL of a database, at start; white space behind it is dropped. */
int config_file_read_url(const char *path, struct strbuf *ret, struct err *err);

#endif
