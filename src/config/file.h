/* The bytes of a file that the web configuration is in, or that it names. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum web_files {
	WEB_FILES_ANY,     /* at start: pipes too, whoever writes them is waited for */
	WEB_FILES_REGULAR, /* while requests are answered: nothing that could block is opened */
};

/*
 * Appends the file, or so much of it that there are more than `max` bytes: whoever calls says what
 * is too large. The buffer grows once, so that no copy of a key stays behind. -1: the message is
 * that of the file system, as Go words it. Any thread.
 */
int web_file_read(const char *path, enum web_files which, size_t max, struct strbuf *ret,
		  struct err *err);

#endif
