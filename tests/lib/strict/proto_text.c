/* The protobuf text format, on several lines or on one for each family. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"

struct words {
	struct book *book;
	const char *at, *end;
};

static int bad(struct words *w, const char *what)
{
	return wrong(w->book, "%s at: %s", what,
		     shown((struct text){ w->at, (size_t)(w->end - w->at) }));
}

static void skip(struct words *w)
{
	while (w->at < w->end && (*w->at == ' ' || *w->at == '\n'))
		w->at++;
}

static struct text take_word(struct words *w)
{
	const char *start = w->at;

	while (w->at < w->end && *w->at &&
	       (strchr("+-._", *w->at) || (*w->at >= '0' && *w->at <= '9') ||
		(*w->at >= 'a' && *w->at <= 'z') || (*w->at >= 'A' && *w->at <= 'Z')))
		w->at++;
	return (struct text){ start, (size_t)(w->at - start) };
}

static size_t put_code_point(char *to, unsigned long cp)
{
	if (cp < 0x80)
		return to[0] = (char)cp, 1;
	if (cp < 0x800)
		return to[0] = (char)(0xC0 | cp >> 6), to[1] = (char)(0x80 | (cp & 0x3F)), 2;
	return to[0] = (char)(0xE0 | cp >> 12), to[1] = (char)(0x80 | (cp >> 6 & 0x3F)),
	       to[2] = (char)(0x80 | (cp & 0x3F)), 3;
}

/* After the backslash. */
static int take_escape(struct words *w, char *to, size_t *n)
{
	static const char from[] = "\"\\nrt", into[] = "\"\\\n\r\t";
	char kind = w->at < w->end ? *w->at++ : '\0', digits[5] = "";
	const char *found = kind ? strchr(from, kind) : NULL;
	size_t size = kind == 'x' ? 2 : 4;

	if (found) {
		to[(*n)++] = into[found - from];
		return 0;
	}
	if ((kind != 'x' && kind != 'u') || (size_t)(w->end - w->at) < size)
		return bad(w, "escape that is none");
	memcpy(digits, w->at, size);
	if (strspn(digits, "0123456789abcdefABCDEF") != size)
		return bad(w, "escape that is none");
	w->at += size;
	if (kind == 'x')
		to[(*n)++] = (char)strtoul(digits, NULL, 16);
	else
		*n += put_code_point(to + *n, strtoul(digits, NULL, 16));
	return 0;
}

static int take_string(struct words *w, struct text *ret)
{
	size_t n = 0;
	char *to;

	if (w->at == w->end || *w->at++ != '"')
		return bad(w, "no string");
	while (w->at + n < w->end && w->at[n] != '"' && w->at[n] != '\n')
		n += w->at[n] == '\\' ? 2 : 1;
	to = book_alloc(w->book, n + 4); /* an escape is longer than what it stands for */
	n = 0;
	while (w->at < w->end && *w->at != '"' && *w->at != '\n') {
		if (*w->at != '\\') {
			to[n++] = *w->at++;
			continue;
		}
		w->at++;
		if (take_escape(w, to, &n) < 0)
			return -1;
	}
	if (w->at == w->end || *w->at++ != '"')
		return bad(w, "string without an end");
	*ret = (struct text){ to, n };
	return is_utf8(*ret) ? 0 : bad(w, "string that is not UTF-8 before");
}

static int to_number(struct words *w, struct text word, enum field_type type, struct field *f)
{
	static const char *const types[] = { "COUNTER", "GAUGE",     "SUMMARY",
					     "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM" };
	char digits[64], *end = digits;

	if (word.n == 0 || word.n >= sizeof(digits))
		return bad(w, "no value");
	memcpy(digits, word.p, word.n);
	digits[word.n] = '\0';
	for (int i = 0; type == F_ENUM && i < N_KINDS; i++) {
		if (!strcmp(digits, types[i])) {
			f->integer = i;
			return 0;
		}
	}
	if (type == F_DOUBLE)
		f->number_value = strtod(digits, &end);
	else if (type == F_VARINT && digits[0] != '-')
		f->integer = (int64_t)strtoull(digits, &end, 10);
	else if (type == F_ZIGZAG || type == F_VARINT)
		f->integer = strtoll(digits, &end, 10);
	return end == digits + word.n ? 0 : bad(w, "no value before");
}

static int read_fields(struct words *w, const struct schema *s, char stop, struct field **ret);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the schema. */
static int read_value(struct words *w, const struct schema_field *sf, struct field *f)
{
	if (sf->type == F_STRING)
		return take_string(w, &f->bytes);
	if (sf->type != F_MESSAGE)
		return to_number(w, take_word(w), sf->type, f);
	if (w->at == w->end || *w->at++ != '{')
		return bad(w, "no message");
	return read_fields(w, sf->message, '}', &f->inner);
}

static const struct schema_field *look_up(const struct schema *s, struct text name)
{
	for (const struct schema_field *f = s->fields; f->name; f++)
		if (text_is(name, (struct text){ f->name, strlen(f->name) }))
			return f;
	return NULL;
}

/* Up to the closing brace, or (stop is 0) to the next family or the end. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the schema. */
static int read_fields(struct words *w, const struct schema *s, char stop, struct field **ret)
{
	struct field **tail = ret;
	uint32_t seen = 0;

	for (skip(w); w->at < w->end && *w->at != stop; skip(w)) {
		const char *start = w->at;
		const struct schema_field *sf = look_up(s, take_word(w));
		struct field *f;

		if (!sf)
			return bad(w, "unknown field before");
		if (!stop && sf->number == 1 && seen) {
			w->at = start;
			return 0;
		}
		if (!sf->repeated && seen & 1u << sf->number)
			return bad(w, "field twice before");
		seen |= 1u << sf->number;
		if (w->at == w->end || *w->at++ != ':')
			return bad(w, "no colon");
		skip(w);
		f = book_alloc(w->book, sizeof(*f));
		f->number = sf->number;
		*tail = f;
		tail = &f->next;
		if (read_value(w, sf, f) < 0)
			return -1;
	}
	if (stop && w->at == w->end)
		return bad(w, "message without an end");
	w->at += stop != 0;
	return 0;
}

int read_proto_text(struct book *b, struct text body)
{
	struct words w = { b, body.p, body.p + body.n };

	for (skip(&w); w.at < w.end; skip(&w)) {
		struct field *fields = NULL;

		if (read_fields(&w, &metric_family, '\0', &fields) < 0 ||
		    check_family(b, fields) < 0)
			return -1;
	}
	return 0;
}
