#include "metrics/selector_scan.h"

#include "base/hex.h"
#include "base/utf8.h"
#include "metrics/names.h"

static const char example[] = "write it like {job=~\"ci-.*\",instance!=\"\"}";

void scanned_matcher_done(struct scanned_matcher *m)
{
	strbuf_done(&m->name);
	strbuf_done(&m->value);
}

static int refuse(const struct selector_scan *s, const char *what, struct err *err)
{
	char quoted[192];

	return err_set(err, ERR_INVALID, 0, "the selector %s is wrong at its byte %zu: %s; %s",
		       str_quote(s->text, quoted, sizeof(quoted)), s->at + 1, what, example);
}

static int next_char(const struct selector_scan *s)
{
	return s->at < s->text.n ? (unsigned char)s->text.p[s->at] : -1;
}

static void skip_space(struct selector_scan *s)
{
	while (next_char(s) == ' ' || next_char(s) == '\t' || next_char(s) == '\n' ||
	       next_char(s) == '\r')
		s->at++;
}

static bool skip_char(struct selector_scan *s, char c)
{
	if (next_char(s) != c)
		return false;
	s->at++;
	return true;
}

/* The value of n digits of that base; -1 when one is missing. */
static int64_t take_digits(struct selector_scan *s, unsigned n, unsigned base)
{
	int64_t v = 0;

	for (; n > 0; n--, s->at++) {
		int digit = next_char(s) < 0 ? -1 : hex_digit((char)next_char(s));

		if (digit < 0 || (unsigned)digit >= base)
			return -1;
		v = v * base + digit;
	}
	return v;
}

/* What follows a backslash in a string of Go. */
static int take_escape(struct selector_scan *s, char quote, struct strbuf *out, struct err *err)
{
	static const char names[] = "abfnrtv\\", meant[] = "\a\b\f\n\r\t\v\\";
	int c = next_char(s);
	const char *known = c > 0 ? strchr(names, c) : NULL;
	char utf8[4];
	int64_t v;

	if (known || c == quote) {
		strbuf_addc(out, known ? meant[known - names] : quote);
		s->at++;
		return 0;
	}
	if (c >= '0' && c <= '7') {
		v = take_digits(s, 3, 8);
	} else if (c == 'x' || c == 'u' || c == 'U') {
		s->at++;
		v = take_digits(s, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16);
	} else {
		return refuse(s, "an unknown escape", err);
	}
	if (v < 0 ||
	    ((c == 'u' || c == 'U') ? v > 0x10FFFF || (v >= 0xD800 && v < 0xE000) : v > 255))
		return refuse(s, "an escape without a character", err);
	if (c == 'u' || c == 'U')
		strbuf_add(out, utf8, utf8_encode((uint32_t)v, utf8));
	else
		strbuf_addc(out, (char)v);
	return 0;
}

/* Strings of Go and of Prometheus: "..." and '...' with escapes, `...` without. */
static int take_string(struct selector_scan *s, struct strbuf *out, struct err *err)
{
	char quote = (char)next_char(s);
	size_t begin = s->at++;

	out->n = 0;
	while (!skip_char(s, quote)) {
		if (next_char(s) < 0 || (quote != '`' && next_char(s) == '\n')) {
			s->at = begin;
			return refuse(s, "a string without an end", err);
		}
		if (quote != '`' && skip_char(s, '\\')) {
			if (take_escape(s, quote, out, err) < 0)
				return -1;
			continue;
		}
		strbuf_addc(out, s->text.p[s->at++]);
	}
	if (!utf8_valid(strbuf_str(out)))
		return refuse(s, "a string that is not valid UTF-8", err);
	return 0;
}

static bool begins_string(const struct selector_scan *s)
{
	int c = next_char(s);

	return c == '"' || c == '\'' || c == '`';
}

static bool is_name_char(char c)
{
	return name_is_classic_label((struct str){ &c, 1 }) || (c >= '0' && c <= '9');
}

static int take_name(struct selector_scan *s, struct strbuf *out, struct err *err)
{
	struct str rest = { s->text.p + s->at, 0 };

	if (begins_string(s))
		return take_string(s, out, err);
	while (s->at + rest.n < s->text.n && is_name_char(rest.p[rest.n]))
		rest.n++;
	if (!name_is_classic_label(rest))
		return refuse(s, "expected the name of a label", err);
	out->n = 0;
	strbuf_adds(out, rest);
	s->at += rest.n;
	return 0;
}

static int take_op(struct selector_scan *s, enum matcher_op *ret, struct err *err)
{
	if (skip_char(s, '='))
		*ret = skip_char(s, '~') ? MATCH_REGEX : MATCH_EQUAL;
	else if (skip_char(s, '!') && (next_char(s) == '=' || next_char(s) == '~'))
		*ret = skip_char(s, '~') ? MATCH_NOT_REGEX : (s->at++, MATCH_NOT_EQUAL);
	else
		return refuse(s, "expected =, !=, =~ or !~ (a metric name is not for here)", err);
	return 0;
}

static int take_matcher(struct selector_scan *s, struct scanned_matcher *m, struct err *err)
{
	if (take_name(s, &m->name, err) < 0)
		return -1;
	skip_space(s);
	if (take_op(s, &m->op, err) < 0)
		return -1;
	if (str_eq(strbuf_str(&m->name), STR("__name__")))
		return refuse(s, "groups have no metric name", err);
	skip_space(s);
	if (!begins_string(s))
		return refuse(s, "expected a value in quotes", err);
	return take_string(s, &m->value, err);
}

/* A comma follows each matcher; before the closing brace it may be left out. */
int selector_scan_next(struct selector_scan *s, struct scanned_matcher *m, struct err *err)
{
	bool first = s->at == 0, comma = false;

	skip_space(s);
	if (first && !skip_char(s, '{'))
		return refuse(s, "expected {", err);
	if (!first)
		comma = skip_char(s, ',');
	skip_space(s);
	if (skip_char(s, '}')) {
		skip_space(s);
		return next_char(s) < 0 ? 0 : refuse(s, "nothing can follow the }", err);
	}
	if (!first && !comma)
		return refuse(s, "expected , or }", err);
	return take_matcher(s, m, err) < 0 ? -1 : 1;
}
