/*
 * One line for each event on stderr, in the Go gateway's fields: ts, level, caller, msg, then the
 * pairs given; logfmt or JSON. Any thread may call; a line is written by one write(2). Only api,
 * the committer, http's server and main log: libraries return errors.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Before any other thread runs. */
void log_init(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

/*
 * log_info("metrics persisted", "file", path, "rows", n_as_text, NULL): keys and values are
 * C strings in pairs, ended by NULL. A key that is one of ts, level, caller, source, msg gets the
 * prefix "logged_". Bytes that are not valid UTF-8 come out escaped.
 */
void log_write(enum log_level level, const char *file, int line, const char *msg, ...)
	__attribute__((sentinel));

#define log_debug(...) log_at_(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at_(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at_(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at_(LOG_ERROR, __VA_ARGS__)
#define log_at_(level, ...)                                                \
	do {                                                               \
		if (log_enabled(level))                                    \
			log_write(level, __FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

#endif
