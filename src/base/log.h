/*
 * One line for each event on stderr, in the Go gateway's fields: ts, level, caller, msg, then the
 * pairs given; logfmt or JSON. Any thread may call, and never waits for stderr between log_start()
 * and log_stop(); a line is written by one write(2). Each place that logs is a kind of line, of
 * which at most LOG_WINDOW_LINES are written in LOG_WINDOW_SECONDS; a further line says how many
 * were left out. Only api, the committer, process, the programs, and http for sockets log:
 * libraries return errors.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Before any other thread runs. */
void log_init(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

enum { LOG_WINDOW_SECONDS = 20, LOG_WINDOW_LINES = 100 };

/*
 * Starts the thread that writes all lines from now on. -1: it could not be started, and the callers
 * of the log go on writing.
 */
int log_start(void);
/* The last call to the log. Waits until all lines are written, but for at most ns nanoseconds. */
void log_stop(int64_t ns);
/* Waits in the same way without ending the log. False: some lines are not written yet. */
bool log_flush(int64_t ns);
/* Lines that were left out or dropped so far. Any thread. */
uint64_t log_lost(void);

/* One place that logs; static. Owned by log_out.c. */
struct log_site {
	const char *file;
	int line;
	bool known;
	const char *msg; /* of its first line */
	int64_t window;
	unsigned lines;    /* in this window */
	uint64_t left_out; /* not yet said */
	struct log_site *next;
};

/* Any thread: whether a line of this kind may be written now. */
bool log_take_turn(struct log_site *site, enum log_level level, const char *msg);

/* Marks a key whose value is the text of a number, which JSON lines show without quotes. */
#define LOG_NUMBER(key) "\001" key

/* The text of a number: LOG_NUMBER("groups"), log_count(n).text. */
struct log_count {
	char text[24];
};
struct log_count log_count(uint64_t n);

/*
 * log_info("metrics persisted", "file", path, LOG_NUMBER("rows"), n_as_text, NULL): keys and values
 * are C strings in pairs, ended by NULL. A key that is one of ts, level, caller, source, msg gets
 * the prefix "logged_". Bytes that are not valid UTF-8 come out escaped.
 */
void log_write(enum log_level level, const char *file, int line, const char *msg, ...)
	__attribute__((sentinel));

#define log_debug(...) log_at_(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at_(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at_(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at_(LOG_ERROR, __VA_ARGS__)
#define log_at_(level, msg_, ...)                                                      \
	do {                                                                           \
		static struct log_site site_ = { .file = __FILE__, .line = __LINE__ }; \
		if (log_enabled(level) && log_take_turn(&site_, level, msg_))          \
			log_write(level, __FILE__, __LINE__, msg_, __VA_ARGS__);       \
	} while (0)

#endif
