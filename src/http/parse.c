#include "http/parse.h"

#include <string.h>

#include "http/chars.h"

static struct str str_at(const char *buf, struct parse_part part)
{
	return (struct str){ buf + part.at, part.n };
}

static struct str trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* ---- the request line (RFC 9112 section 3) ---- */

static enum http_method method_of(struct str s)
{
	static const struct {
		struct str name;
		enum http_method method;
	} known[] = {
		{ { "GET", 3 }, HTTP_GET },   { { "PUT", 3 }, HTTP_PUT },
		{ { "POST", 4 }, HTTP_POST }, { { "DELETE", 6 }, HTTP_DELETE },
		{ { "HEAD", 4 }, HTTP_HEAD }, { { "OPTIONS", 7 }, HTTP_OPTIONS },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_eq(known[i].name, s))
			return known[i].method;
	return HTTP_OTHER;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Takes "HTTP/1.1". A higher minor version is treated as 1.1, the highest that this parser knows.
 */
static enum http_fault take_version(struct parse *p, struct str s)
{
	if (s.n != 8 || memcmp(s.p, "HTTP/", 5) != 0 || !is_digit(s.p[5]) || s.p[6] != '.' ||
	    !is_digit(s.p[7]))
		return FAULT_REQUEST_LINE;
	if (s.p[5] != '1')
		return FAULT_VERSION;
	p->minor = s.p[7] > '0';
	return FAULT_NONE;
}

static enum http_fault take_request_line(struct parse *p, const char *buf, struct str line)
{
	const char *sp = memchr(line.p, ' ', line.n);
	size_t n = sp ? (size_t)(sp - line.p) : line.n;

	p->method = HTTP_OTHER;
	if (n == 0 || !chars_are(line.p, n, CHAR_TOKEN))
		return FAULT_METHOD;
	if (!sp)
		return FAULT_REQUEST_LINE;
	p->method = method_of((struct str){ line.p, n });

	struct str rest = { sp + 1, line.n - n - 1 };

	sp = memchr(rest.p, ' ', rest.n);
	if (!sp || sp == rest.p)
		return FAULT_REQUEST_LINE;
	p->target = (struct parse_part){ (size_t)(rest.p - buf), (size_t)(sp - rest.p) };
	if (!chars_are(rest.p, p->target.n, CHAR_TARGET))
		return FAULT_TARGET;
	return take_version(p, (struct str){ sp + 1, rest.n - p->target.n - 1 });
}

/* ---- header lines (RFC 9112 section 5) ---- */

static enum http_fault take_length(struct parse *p, struct str v)
{
	uint64_t n = 0;

	if (p->has_length)
		return FAULT_LENGTHS;
	p->has_length = true;
	if (v.n == 0)
		return FAULT_LENGTH;
	for (size_t i = 0; i < v.n; i++) {
		if (!is_digit(v.p[i]) || n > (uint64_t)INT64_MAX / 10)
			return FAULT_LENGTH;
		n = n * 10 + (uint64_t)(v.p[i] - '0');
		if (n > INT64_MAX)
			return FAULT_LENGTH;
	}
	p->length = n;
	return FAULT_NONE;
}

static enum http_fault take_host(struct parse *p, struct str v)
{
	if (p->has_host)
		return FAULT_HOSTS;
	p->has_host = true;
	return chars_are(v.p, v.n, CHAR_HOST) ? FAULT_NONE : FAULT_HOST;
}

static enum http_fault take_coding(struct parse *p, struct str v)
{
	if (p->has_coding)
		return FAULT_CODINGS;
	p->has_coding = true;
	p->chunked = str_eq_nocase(v, STR("chunked"));
	p->odd_coding = !p->chunked;
	return FAULT_NONE;
}

static void take_connection(struct parse *p, struct str v)
{
	while (v.n > 0) {
		const char *comma = memchr(v.p, ',', v.n);
		size_t n = comma ? (size_t)(comma - v.p) : v.n;
		struct str option = trim((struct str){ v.p, n });

		if (str_eq_nocase(option, STR("close")))
			p->close = true;
		else if (str_eq_nocase(option, STR("keep-alive")))
			p->keep_alive = true;
		n += comma != NULL;
		v = (struct str){ v.p + n, v.n - n };
	}
}

static void take_expect(struct parse *p, struct str v)
{
	if (str_eq_nocase(v, STR("100-continue")))
		p->expects_continue = true;
	else
		p->odd_expect = true;
}

/* Takes over the fields that this parser needs; others can be looked up later. */
static enum http_fault take_known(struct parse *p, struct str name, struct str v)
{
	switch (name.n) {
	case 4:
		if (!str_eq_nocase(name, STR("Host")))
			break;
		p->field_bytes -= name.n;
		return take_host(p, v);
	case 6:
		if (str_eq_nocase(name, STR("Expect")))
			take_expect(p, v);
		break;
	case 10:
		if (str_eq_nocase(name, STR("Connection")))
			take_connection(p, v);
		break;
	case 14:
		if (str_eq_nocase(name, STR("Content-Length")))
			return take_length(p, v);
		break;
	case 17:
		if (str_eq_nocase(name, STR("Transfer-Encoding")))
			return take_coding(p, v);
		break;
	default:
		break;
	}
	return FAULT_NONE;
}

static enum http_fault take_field(struct parse *p, struct str line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct str name, v;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return FAULT_FOLDED;
	if (!colon)
		return FAULT_NO_COLON;
	name = (struct str){ line.p, (size_t)(colon - line.p) };
	if (name.n == 0)
		return FAULT_NO_NAME;
	if (!chars_are(name.p, name.n, CHAR_TOKEN))
		return FAULT_NAME;
	v = (struct str){ colon + 1, line.n - name.n - 1 };
	if (!chars_are(v.p, v.n, CHAR_VALUE))
		return memchr(v.p, '\r', v.n) ? FAULT_BARE_CR : FAULT_VALUE;
	v = trim(v);
	p->field_bytes += name.n + v.n;
	return take_known(p, name, v);
}

/* ---- the end of the head: what the lines mean together (RFC 9112 sections 3.2 and 6.3) ---- */

static enum http_fault check_head(const struct parse *p, const struct parse_limits *lim)
{
	if (p->minor > 0 && !p->has_host)
		return FAULT_NO_HOST;
	if (p->has_coding && p->has_length)
		return FAULT_LENGTH_AND_CODING;
	if (p->has_coding && p->minor == 0)
		return FAULT_OLD_CODING;
	if (p->odd_coding)
		return FAULT_CODING;
	if (p->odd_expect)
		return FAULT_EXPECT;
	return p->length > lim->body ? FAULT_BODY_SIZE : FAULT_NONE;
}

static enum http_fault end_head(struct parse *p, const struct parse_limits *lim, size_t end)
{
	p->fields.n = p->line - p->fields.at;
	p->body.at = end;
	p->stage = p->chunked ? PARSE_IN_CHUNKS : PARSE_IN_BODY;
	/* RFC 9110 section 10.1.1: "Expect: 100-continue" of an HTTP/1.0 client is ignored. */
	if (p->minor == 0 || (p->length == 0 && !p->chunked))
		p->expects_continue = false;
	if (p->minor == 0 && !p->keep_alive)
		p->close = true;
	return check_head(p, lim);
}

/* A whole line, from p->line to its LF. */
static enum http_fault take_line(struct parse *p, const struct parse_limits *lim, const char *buf,
				 size_t lf)
{
	bool cr = lf > p->line && buf[lf - 1] == '\r';
	struct str line = { buf + p->line, lf - p->line - cr };
	enum http_fault fault;

	p->head_bytes += line.n;
	if (!p->has_line) {
		p->has_line = true;
		p->crlf = cr;
		fault = take_request_line(p, buf, line);
		p->fields.at = lf + 1;
	} else if (cr != p->crlf) {
		fault = FAULT_LINE_END;
	} else if (line.n == 0) {
		fault = end_head(p, lim, lf + 1);
	} else {
		fault = take_field(p, line);
	}
	p->line = p->scanned = lf + 1;
	return fault;
}

static enum parse_result bad(struct parse *p, enum http_fault fault)
{
	p->fault = fault;
	p->stage = PARSE_ENDED;
	return PARSE_BAD;
}

static enum parse_result read_head(struct parse *p, const struct parse_limits *lim, const char *buf,
				   size_t n)
{
	enum http_fault fault = FAULT_NONE;

	/* Bytes that are not HTTP may never contain a line end, so the first byte decides. */
	if (n > 0 && !char_is(buf[0], CHAR_TOKEN))
		return bad(p, FAULT_METHOD);
	while (!fault && p->stage == PARSE_IN_HEAD) {
		const char *lf = memchr(buf + p->scanned, '\n', n - p->scanned);
		size_t end = lf ? (size_t)(lf - buf) : n;
		size_t line = end - p->line - (end > p->line && buf[end - 1] == '\r');

		if (p->head_bytes + line > lim->header)
			fault = FAULT_HEADER_SIZE;
		else if (lf)
			fault = take_line(p, lim, buf, end);
		else
			break;
	}
	if (fault)
		return bad(p, fault);
	if (p->stage != PARSE_IN_HEAD)
		return PARSE_HEAD;
	p->scanned = n;
	return PARSE_MORE;
}

/* ---- the body ---- */

static enum parse_result read_body(struct parse *p, size_t n)
{
	size_t here = n - p->body.at;

	p->body.n = p->length < here ? (size_t)p->length : here;
	if (p->body.n < p->length)
		return PARSE_MORE;
	p->stage = PARSE_ENDED;
	return PARSE_DONE;
}

static enum parse_result read_chunks(struct parse *p, const struct parse_limits *lim, char *buf,
				     size_t *n)
{
	size_t at = p->body.at + p->body.n, used, made;
	enum http_fault fault;
	enum chunks_result r = chunks_decode(&p->chunks, lim->body, lim->header, buf + at, *n - at,
					     buf + at, &used, &made, &fault);

	p->body.n += made;
	if (r == CHUNKS_BAD)
		return bad(p, fault);
	if (r == CHUNKS_MORE) {
		*n = at + made;
		return PARSE_MORE;
	}
	p->gap = used - made;
	p->stage = PARSE_ENDED;
	return PARSE_DONE;
}

enum parse_result parse_step(struct parse *p, const struct parse_limits *lim, char *buf, size_t *n)
{
	switch (p->stage) {
	case PARSE_IN_HEAD:
		return read_head(p, lim, buf, *n);
	case PARSE_IN_BODY:
		return read_body(p, *n);
	case PARSE_IN_CHUNKS:
		return read_chunks(p, lim, buf, n);
	default:
		return p->fault ? PARSE_BAD : PARSE_DONE;
	}
}

/* ---- queries ---- */

size_t parse_blank(const char *buf, size_t n)
{
	size_t at = 0;

	for (;;) {
		if (at < n && buf[at] == '\n')
			at++;
		else if (at + 1 < n && buf[at] == '\r' && buf[at + 1] == '\n')
			at += 2;
		else
			return at;
	}
}

uint64_t parse_size(const struct parse *p)
{
	return p->body.at + p->length;
}

/* The value, if the line, without its LF, is a field of that name. */
static struct str value_of(struct str line, struct str name)
{
	size_t end = line.n - (line.n > 0 && line.p[line.n - 1] == '\r');

	if (end <= name.n || line.p[name.n] != ':' ||
	    !str_eq_nocase((struct str){ line.p, name.n }, name))
		return STR_NULL;
	return trim((struct str){ line.p + name.n + 1, end - name.n - 1 });
}

struct str parse_field(const struct parse *p, const char *buf, struct str name)
{
	struct str rest = str_at(buf, p->fields), value = STR_NULL;

	while (rest.n > 0 && !value.p) {
		const char *lf = memchr(rest.p, '\n', rest.n);
		size_t n = lf ? (size_t)(lf - rest.p) : rest.n;

		value = value_of((struct str){ rest.p, n }, name);
		n += lf != NULL;
		rest = (struct str){ rest.p + n, rest.n - n };
	}
	return value;
}

struct str parse_field_before(const struct parse *p, const char *buf, struct str name,
			      size_t *place)
{
	struct str rest = str_at(buf, p->fields), value = STR_NULL;

	rest.n = *place < rest.n ? *place : rest.n;
	while (rest.n > 0 && !value.p) {
		size_t end = rest.n - 1; /* the line's LF */
		const char *lf = memrchr(rest.p, '\n', end);

		rest.n = lf ? (size_t)(lf - rest.p) + 1 : 0;
		value = value_of((struct str){ rest.p + rest.n, end - rest.n }, name);
	}
	*place = rest.n;
	return value;
}
