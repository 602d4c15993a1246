#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

void strbuf_done(struct strbuf *b)
{
	free(b->p);
	*b = (struct strbuf){ 0 };
}

char *strbuf_reserve_slow(struct strbuf *b, size_t n)
{
	size_t cap = b->cap ? b->cap * 2 : 256;

	while (cap <= b->n + n)
		cap *= 2;
	b->p = mem_realloc(b->p, cap);
	b->cap = cap;
	return b->p + b->n;
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);

	va_end(ap);
	if (n > 0) {
		vsnprintf(strbuf_reserve(b, (size_t)n + 1), (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

const char *strbuf_z(struct strbuf *b)
{
	*strbuf_reserve(b, 1) = '\0';
	return b->p;
}

/* Code points that Go's strconv.IsPrint refuses, as far as pushers will ever see the difference. */
static bool printable(uint32_t cp)
{
	if (cp < 0xA1)
		return cp >= 0x20 && cp < 0x7F;
	return cp != 0xAD && cp != 0x1680 && !(cp >= 0x2000 && cp <= 0x200F) &&
	       !(cp >= 0x2028 && cp <= 0x202F) && !(cp >= 0x205F && cp <= 0x206F) && cp != 0x3000 &&
	       !(cp >= 0xE000 && cp <= 0xF8FF) && cp != 0xFEFF && !(cp >= 0xFFF0 && cp <= 0xFFFB) &&
	       (cp & 0xFFFE) != 0xFFFE && cp < 0xE0000;
}

static void add_quoted_point(struct strbuf *b, uint32_t cp, const char *p, unsigned len)
{
	switch (cp) {
	case '"':
		strbuf_addz(b, "\\\"");
		return;
	case '\\':
		strbuf_addz(b, "\\\\");
		return;
	case '\a':
		strbuf_addz(b, "\\a");
		return;
	case '\b':
		strbuf_addz(b, "\\b");
		return;
	case '\f':
		strbuf_addz(b, "\\f");
		return;
	case '\n':
		strbuf_addz(b, "\\n");
		return;
	case '\r':
		strbuf_addz(b, "\\r");
		return;
	case '\t':
		strbuf_addz(b, "\\t");
		return;
	case '\v':
		strbuf_addz(b, "\\v");
		return;
	default:
		break;
	}
	if (cp == UTF8_INVALID || cp < 0x20 || cp == 0x7F)
		strbuf_addf(b, "\\x%02x", (unsigned char)*p);
	else if (printable(cp))
		strbuf_add(b, p, len);
	else if (cp < 0x10000)
		strbuf_addf(b, "\\u%04x", cp);
	else
		strbuf_addf(b, "\\U%08x", cp);
}

void strbuf_add_quoted(struct strbuf *b, struct str s)
{
	size_t i = 0;

	strbuf_addc(b, '"');
	while (i < s.n) {
		unsigned len;
		uint32_t cp = utf8_decode((struct str){ s.p + i, s.n - i }, &len);

		add_quoted_point(b, cp, s.p + i, len);
		i += len;
	}
	strbuf_addc(b, '"');
}

const char *str_quote(struct str s, char *buf, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	bool cut = s.n > size;

	assert(size >= 5);
	/* No need to quote what cannot fit. */
	if (cut)
		s.n = size;
	strbuf_add_quoted(&b, s);
	if (!cut && b.n < size) {
		copy_bytes(buf, strbuf_z(&b), b.n + 1);
		return buf;
	}
	size_t at = size - 5;

	while (at > 0 && ((unsigned char)b.p[at] & 0xC0) == 0x80)
		at--;
	copy_bytes(buf, b.p, at);
	memcpy(buf + at, "...\"", 5);
	return buf;
}

struct str str_take_lines(struct str *text, size_t max)
{
	const char *lf = NULL;
	struct str lines = *text;

	if (text->n > max) {
		lf = memrchr(text->p, '\n', max);
		if (!lf)
			lf = memchr(text->p, '\n', text->n);
	}
	if (lf)
		lines.n = (size_t)(lf - text->p) + 1;
	text->p += lines.n;
	text->n -= lines.n;
	return lines;
}

void str_copy_z(struct str s, char *to, size_t size)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	copy_bytes(to, s.p, n);
	to[n] = '\0';
}
