/*
 * Bytes as (pointer, length): untrusted input is not NUL-terminated. struct str borrows; struct
 * strbuf owns and grows.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_NULL ((struct str){ NULL, 0 })
/* For printf("%.*s", STR_ARG(s)), where the text is known to be short and printable. */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *z)
{
	return (struct str){ z, strlen(z) };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Bytewise order, a prefix sorts first: what the exposition sorts names by. */
static inline int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static inline bool str_has_prefix(struct str s, struct str prefix)
{
	return prefix.n == 0 || (s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_has_suffix(struct str s, struct str suffix)
{
	return suffix.n == 0 ||
	       (s.n >= suffix.n && memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* ASCII case folding only, as HTTP tokens need it (RFC 9110 section 5.1). */
bool str_eq_nocase(struct str a, struct str b);

struct strbuf {
	char *p; /* owned; not NUL-terminated unless strbuf_z() was called */
	size_t n, cap;
};

/* A part of a strbuf, which may still move. */
struct extent {
	size_t at, n;
};

void strbuf_done(struct strbuf *b);
/* Makes room for n more bytes and returns where they go. The caller writes them and adds to b->n.
 */
char *strbuf_reserve_slow(struct strbuf *b, size_t n);

static inline char *strbuf_reserve(struct strbuf *b, size_t n)
{
	/* Never NULL, even for an empty buffer. */
	if (b->cap - b->n > n)
		return b->p + b->n;
	return strbuf_reserve_slow(b, n);
}

static inline void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	char *to = strbuf_reserve(b, n);

	if (n)
		memcpy(to, p, n);
	b->n += n;
}

static inline void strbuf_addc(struct strbuf *b, char c)
{
	*strbuf_reserve(b, 1) = c;
	b->n++;
}

static inline void strbuf_adds(struct strbuf *b, struct str s)
{
	strbuf_add(b, s.p, s.n);
}

static inline void strbuf_addz(struct strbuf *b, const char *z)
{
	strbuf_add(b, z, strlen(z));
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a NUL after the content (not counted in n) and returns the content as a C string. */
const char *strbuf_z(struct strbuf *b);

static inline struct str strbuf_str(const struct strbuf *b)
{
	return (struct str){ b->p, b->n };
}

static inline struct str strbuf_at(const struct strbuf *b, struct extent e)
{
	return (struct str){ b->p + e.at, e.n };
}

/* From start to what was added last. */
static inline struct extent strbuf_since(const struct strbuf *b, size_t start)
{
	return (struct extent){ start, b->n - start };
}

/* Appends what is already in b. */
static inline void strbuf_repeat(struct strbuf *b, struct extent e)
{
	char *to = strbuf_reserve(b, e.n);

	if (e.n)
		memcpy(to, b->p + e.at, e.n);
	b->n += e.n;
}

/*
 * Writes s as Go's %q does: double quotes, backslash escapes, invalid bytes as \xNN, other
 * unprintable code points as \uNNNN, printable non-ASCII as it is.
 */
void strbuf_add_quoted(struct strbuf *b, struct str s);

/* The same into a buffer of at least 5 bytes, with a NUL; ends in `..."` when it is cut short. */
const char *str_quote(struct str s, char *buf, size_t size);

/*
 * Takes whole lines off the front of *text: up to the last LF in its first max bytes, or up to the
 * first LF after them; all of it if there is none.
 */
struct str str_take_lines(struct str *text, size_t max);

/* Copies as much of s as there is room for, and a NUL behind it; size: 1 or more. */
void str_copy_z(struct str s, char *to, size_t size);

#endif
