#include "book.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool text_is(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool text_ends(struct text s, struct text suffix)
{
	return s.n > suffix.n && memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0;
}

struct text text_cut(struct text s, size_t from_end)
{
	return (struct text){ s.p, s.n - from_end };
}

void book_done(struct book *b)
{
	for (size_t i = 0; i < b->n_blocks; i++)
		free(b->blocks[i]);
	free(b->blocks);
	free(b->families.at);
	free(b->series.at);
}

int(wrong)(struct book *b, const char *fmt, ...)
{
	va_list ap;

	if (b->why[0])
		return -1;
	va_start(ap, fmt);
	vsnprintf(b->why, b->why_size, fmt, ap);
	va_end(ap);
	return -1;
}

const char *shown(struct text s)
{
	static _Thread_local char buffers[4][64];
	static _Thread_local unsigned turn;
	char *to = buffers[turn++ % 4];
	size_t n = s.n < 60 ? s.n : 60;

	for (size_t i = 0; i < n; i++)
		to[i] = s.p[i] >= ' ' && s.p[i] < 0x7F ? s.p[i] : '?';
	to[n] = '\0';
	return to;
}

static void *grown(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		abort();
	return p;
}

void *book_alloc(struct book *b, size_t size)
{
	void *block = grown(NULL, size);

	if (b->n_blocks == b->cap_blocks) {
		b->cap_blocks = b->cap_blocks ? 2 * b->cap_blocks : 64;
		b->blocks = grown(b->blocks, b->cap_blocks * sizeof(*b->blocks));
	}
	memset(block, 0, size);
	b->blocks[b->n_blocks++] = block;
	return block;
}

/* RFC 3629: shortest form, no surrogates, up to U+10FFFF. */
bool is_utf8(struct text s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	size_t i = 0;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i++];
		unsigned n = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
		uint32_t cp = n == 0 ? c : c & (0x3Fu >> n);

		if ((c >= 0x80 && c < 0xC0) || c >= 0xF8 || s.n - i < n)
			return false;
		for (unsigned k = 0; k < n; k++, i++) {
			if ((s.p[i] & 0xC0) != 0x80)
				return false;
			cp = cp << 6 | (s.p[i] & 0x3Fu);
		}
		if (cp < least[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
			return false;
	}
	return true;
}

static bool is_classic(struct text s, bool colon)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
			      (colon && c == ':');

		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return s.n > 0;
}

static int check_name(struct book *b, struct text name, bool colon, const char *what)
{
	if (is_classic(name, colon))
		return 0;
	if (!b->utf8_names)
		return wrong(b, "the %s name %s is not classic", what, shown(name));
	if (name.n == 0 || memchr(name.p, '\0', name.n) || !is_utf8(name))
		return wrong(b, "the %s name %s is empty, holds a NUL or is not UTF-8", what,
			     shown(name));
	return 0;
}

int check_metric_name(struct book *b, struct text name)
{
	return check_name(b, name, true, "metric");
}

int check_label_name(struct book *b, struct text name)
{
	if (text_is(name, TEXT("__name__")))
		return wrong(b, "a label is called __name__");
	if (name.n && memchr(name.p, ':', name.n))
		return wrong(b, "the label name %s has a colon", shown(name));
	return check_name(b, name, false, "label");
}

static int cmp_texts(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static int cmp_pairs(const void *a, const void *b)
{
	return cmp_texts(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

int check_labels(struct book *b, struct pair *labels, size_t n)
{
	if (n)
		qsort(labels, n, sizeof(*labels), cmp_pairs);
	for (size_t i = 0; i < n; i++) {
		if (check_label_name(b, labels[i].name) < 0)
			return -1;
		if (i > 0 && text_is(labels[i - 1].name, labels[i].name))
			return wrong(b, "the label %s is there twice", shown(labels[i].name));
		if (!is_utf8(labels[i].value))
			return wrong(b, "a value of the label %s is not UTF-8",
				     shown(labels[i].name));
	}
	return 0;
}

static void add(struct list *l, struct text s)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->at = grown(l->at, l->cap * sizeof(*l->at));
	}
	l->at[l->n++] = s;
}

void book_family(struct book *b, struct text name)
{
	add(&b->families, name);
}

void book_series(struct book *b, struct text name, const struct pair *labels, size_t n,
		 const double *bound)
{
	size_t size = name.n + 8 + sizeof(*bound), at;
	char *key;

	for (size_t i = 0; i < n; i++)
		size += labels[i].name.n + labels[i].value.n + 16;
	key = book_alloc(b, size);
	memcpy(key, &name.n, 8);
	memcpy(key + 8, name.p, name.n);
	at = 8 + name.n;
	for (size_t i = 0; i < n; i++) {
		const struct text parts[] = { labels[i].name, labels[i].value };

		for (int k = 0; k < 2; k++) {
			memcpy(key + at, &parts[k].n, 8);
			if (parts[k].n)
				memcpy(key + at + 8, parts[k].p, parts[k].n);
			at += 8 + parts[k].n;
		}
	}
	if (bound) {
		double positive_zero = *bound == 0 ? 0 : *bound;

		memcpy(key + at, &positive_zero, sizeof(*bound));
		at += sizeof(*bound);
	}
	add(&b->series, (struct text){ key, at });
}

static int cmp_listed(const void *a, const void *b)
{
	return cmp_texts(*(const struct text *)a, *(const struct text *)b);
}

static const struct text *twice(struct list *l)
{
	if (l->n)
		qsort(l->at, l->n, sizeof(*l->at), cmp_listed);
	for (size_t i = 1; i < l->n; i++)
		if (text_is(l->at[i - 1], l->at[i]))
			return &l->at[i];
	return NULL;
}

int book_close(struct book *b)
{
	const struct text *again = twice(&b->families);

	if (again)
		return wrong(b, "two families share the name %s", shown(*again));
	again = twice(&b->series);
	return again ? wrong(b, "there twice: %s",
			     shown((struct text){ again->p + 8, again->n - 8 }))
		     : 0;
}

int strict_check(enum strict_format format, bool utf8_names, const char *p, size_t n, char *why,
		 size_t why_size)
{
	struct book b = { .utf8_names = utf8_names,
			  .openmetrics = format == STRICT_OPENMETRICS,
			  .why = why,
			  .why_size = why_size };
	struct text body = { p, n };
	int r;

	why[0] = '\0';
	if (format == STRICT_PROTO)
		r = read_proto(&b, body);
	else if (format == STRICT_PROTO_TEXT)
		r = read_proto_text(&b, body);
	else
		r = read_text(&b, body);
	if (r == 0)
		r = book_close(&b);
	book_done(&b);
	return r;
}
