#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts at a code point boundary, so that what we send stays valid UTF-8. */
static void end_with_dots(char *msg, size_t size)
{
	size_t at = size - 4;

	while (at > 0 && ((unsigned char)msg[at] & 0xC0) == 0x80)
		at--;
	memcpy(msg + at, "...", 4);
}

/* Text that is cited may have line breaks: of a library, of another server. */
static void keep_on_one_line(char *msg)
{
	for (; *msg; msg++)
		if ((unsigned char)*msg < ' ' || *msg == 0x7F)
			*msg = ' ';
}

int(err_set)(struct err *err, enum err_reason reason, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	assert(reason < N_ERR_REASONS);
	err->reason = reason;
	err->line = line;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);

	va_end(ap);
	if (n >= (int)sizeof(err->msg))
		end_with_dots(err->msg, sizeof(err->msg));
	keep_on_one_line(err->msg);
	return -1;
}

void err_prefix(struct err *err, const char *prefix)
{
	char old[ERR_MSG_SIZE];

	memcpy(old, err->msg, sizeof(old));
	int n = snprintf(err->msg, sizeof(err->msg), "%s%s", prefix, old);

	if (n >= (int)sizeof(err->msg))
		end_with_dots(err->msg, sizeof(err->msg));
}
