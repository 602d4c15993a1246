#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log_out.h"
#include "base/utf8.h"

/* One value must not crowd out the others; a piece is the escape of one code point. */
enum { MAX_LINE = 8192, MAX_VALUE = 2048, MAX_PIECE = 12 };

/* A pair may fill the line up to here, so that there is always room for "}\n". */
enum { LINE_ROOM = MAX_LINE - 2 };

static enum log_level min_level = LOG_INFO;
static enum log_format line_format = LOG_LOGFMT;

/* On the stack of the caller: a log line must not need the heap. */
struct line {
	char text[MAX_LINE];
	size_t n;
};

void log_init(enum log_level level, enum log_format format)
{
	min_level = level;
	line_format = format;
}

bool log_enabled(enum log_level level)
{
	return level >= min_level;
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_DEBUG] = "debug",
		[LOG_INFO] = "info",
		[LOG_WARN] = "warn",
		[LOG_ERROR] = "error",
	};

	return names[level];
}

static void add(struct line *l, const char *p, size_t n)
{
	copy_bytes(l->text + l->n, p, n);
	l->n += n;
}

static void addz(struct line *l, const char *z)
{
	add(l, z, strlen(z));
}

/* Space characters and what a terminal would not show: C1 controls, separators, bidi marks. */
static bool unprintable(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp <= 0xA0) || cp == 0xAD || cp == 0x1680 ||
	       (cp >= 0x2000 && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202F) ||
	       (cp >= 0x205F && cp <= 0x206F) || cp == 0x3000 || cp == 0xFEFF || cp >= 0xE0000;
}

static bool needs_quotes(struct str s)
{
	unsigned len;

	for (size_t i = 0; i < s.n; i += len) {
		uint32_t cp = utf8_decode((struct str){ s.p + i, s.n - i }, &len);

		if (cp == ' ' || cp == '=' || cp == '"' || unprintable(cp))
			return true;
	}
	return s.n == 0;
}

/* The letter of a two-character escape that both formats have, or 0. */
static char short_escape(uint32_t cp)
{
	switch (cp) {
	case '"':
	case '\\':
		return (char)cp;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

/* How the code point at p looks between quotes; returns the length, at most MAX_PIECE. */
static size_t escape(uint32_t cp, const char *p, unsigned len, char out[MAX_PIECE + 1])
{
	char letter = short_escape(cp);

	if (letter)
		return (size_t)snprintf(out, MAX_PIECE + 1, "\\%c", letter);
	if (line_format == LOG_JSON) {
		if (cp == UTF8_INVALID)
			return (size_t)snprintf(out, MAX_PIECE + 1, "\\ufffd");
		if (unprintable(cp) && cp < 0x10000)
			return (size_t)snprintf(out, MAX_PIECE + 1, "\\u%04x", cp);
	} else {
		if (cp == UTF8_INVALID || cp < 0x20 || cp == 0x7F)
			return (size_t)snprintf(out, MAX_PIECE + 1, "\\x%02x", (unsigned char)*p);
		if (unprintable(cp))
			return (size_t)snprintf(out, MAX_PIECE + 1,
						cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
	}
	copy_bytes(out, p, len);
	return len;
}

/* What does not fit into `room` bytes (quotes not counted) is replaced by "...". */
static void add_value(struct line *l, struct str s, size_t room, bool quote)
{
	size_t begin, fits;
	unsigned len;

	if (quote)
		add(l, "\"", 1);
	begin = fits = l->n;
	for (size_t i = 0; i < s.n; i += len) {
		uint32_t cp = utf8_decode((struct str){ s.p + i, s.n - i }, &len);
		char piece[MAX_PIECE + 1];
		size_t n = len;

		if (quote)
			n = escape(cp, s.p + i, len, piece);
		if (l->n - begin + n > room) {
			l->n = fits;
			addz(l, "...");
			break;
		}
		add(l, quote ? piece : s.p + i, n);
		if (l->n - begin + 3 <= room)
			fits = l->n;
	}
	if (quote)
		add(l, "\"", 1);
}

/* The grammar of numbers in RFC 8259 §6; any other value is written as a string. */
static bool is_json_number(struct str s)
{
	size_t i = s.n > 0 && s.p[0] == '-', from = i;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (i == from || (s.p[from] == '0' && i > from + 1))
		return false;
	if (i < s.n && s.p[i] == '.')
		for (from = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
	return i == s.n && i > from;
}

/* False when not even the key fits any more. */
static bool add_pair(struct line *l, const char *prefix, const char *key, struct str value)
{
	bool json = line_format == LOG_JSON, number = key[0] == LOG_NUMBER("")[0];
	bool bare = number && is_json_number(value);

	key += number;
	/* Comma or space, four quotes, and a colon or an equals sign. */
	size_t fixed = strlen(prefix) + strlen(key) + 6, room;

	if (l->n + fixed + 3 > LINE_ROOM)
		return false;
	room = LINE_ROOM - l->n - fixed;
	if (l->n > 0)
		addz(l, json ? "," : " ");
	else if (json)
		addz(l, "{");
	addz(l, json ? "\"" : "");
	addz(l, prefix);
	addz(l, key);
	addz(l, json ? "\":" : "=");
	add_value(l, value, room < MAX_VALUE ? room : MAX_VALUE,
		  (json && !bare) || needs_quotes(value));
	return true;
}

static void add_time(struct line *l)
{
	int64_t now = clock_wall_ns();
	time_t seconds = now / 1000000000;
	struct tm tm;
	char buf[64];

	gmtime_r(&seconds, &tm);
	snprintf(buf, sizeof(buf), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(now % 1000000000 / 1000000));
	add_pair(l, "", "ts", str_of(buf));
}

static void add_caller(struct line *l, const char *file, int line)
{
	const char *slash = strrchr(file, '/');
	char buf[128];

	snprintf(buf, sizeof(buf), "%s:%d", slash ? slash + 1 : file, line);
	add_pair(l, "", "caller", str_of(buf));
}

static bool is_reserved(const char *key)
{
	static const char *const reserved[] = { "ts", "level", "caller", "source", "msg" };

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcmp(key, reserved[i]) == 0)
			return true;
	return false;
}

struct log_count log_count(uint64_t n)
{
	struct log_count c;

	snprintf(c.text, sizeof(c.text), "%llu", (unsigned long long)n);
	return c;
}

void log_write(enum log_level level, const char *file, int line, const char *msg, ...)
{
	int saved = errno;
	struct line l;
	const char *key;
	va_list ap;

	l.n = 0;
	add_time(&l);
	add_pair(&l, "", "level", str_of(level_name(level)));
	add_caller(&l, file, line);
	add_pair(&l, "", "msg", str_of(msg));
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		if (!add_pair(&l, is_reserved(key) ? "logged_" : "", key, str_of(value)))
			break;
	}
	va_end(ap);
	addz(&l, line_format == LOG_JSON ? "}\n" : "\n");
	log_out(l.text, l.n);
	errno = saved;
}
