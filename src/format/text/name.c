#include "base/array.h"
#include "base/utf8.h"
#include "format/text/internal.h"

#define LETTER (CH_METRIC_START | CH_METRIC | CH_LABEL_START | CH_LABEL)

const uint8_t text_class[256] = {
	['a' ... 'z'] = LETTER,
	['A' ... 'Z'] = LETTER,
	['_'] = LETTER,
	['0' ... '9'] = CH_METRIC | CH_LABEL,
	[':'] = CH_METRIC_START | CH_METRIC,
	[' '] = CH_BLANK | CH_TOKEN_END,
	['\t'] = CH_BLANK | CH_TOKEN_END,
	['\n'] = CH_TOKEN_END | CH_QUOTED_STOP,
	['"'] = CH_QUOTED_STOP,
	['\\'] = CH_QUOTED_STOP,
	[0x80 ... 0xFF] = CH_QUOTED_STOP,
};

const char *text_show_char(char c, char out[TEXT_CHAR_MAX])
{
	char utf8[4];
	struct str s = { utf8, utf8_encode((unsigned char)c, utf8) };

	if (c == '"')
		return "\"";
	if (c == '\'')
		return "\\'";
	str_quote(s, out, TEXT_CHAR_MAX);
	out[strlen(out) - 1] = '\0';
	return out + 1;
}

static bool is_escaped(char c)
{
	return c == '\\' || c == 'n' || c == '"';
}

int text_check_escape(struct text_parser *p, const char *at)
{
	char shown[TEXT_CHAR_MAX];

	if (at + 1 == p->end)
		return text_unexpected_end(p);
	if (is_escaped(at[1]))
		return 1;
	if (p->openmetrics)
		return 0;
	return text_error(p, "invalid escape sequence '\\%s'",
			  at[1] == '\'' ? "'" : text_show_char(at[1], shown));
}

int text_unescape(struct text_parser *p, struct str prefix, struct str raw, struct str *ret)
{
	size_t n = prefix.n;
	char *out = arena_alloc(p->arena, n + raw.n + 1); /* both can be empty */

	if (!out)
		return text_no_memory(p);
	copy_bytes(out, prefix.p, n);
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '\\' && i + 1 < raw.n && is_escaped(raw.p[i + 1])) {
			c = raw.p[++i];
			if (c == 'n')
				c = '\n';
		}
		out[n++] = c;
	}
	*ret = (struct str){ out, n };
	return 0;
}

static int unescaped_newline(struct text_parser *p, const char *what, struct str prefix,
			     struct str raw)
{
	char quoted[TEXT_QUOTE_MAX];
	struct str s = STR_NULL;

	if (text_unescape(p, prefix, raw, &s) < 0)
		return -1;
	return text_error(p, "%s %s contains unescaped new-line", what,
			  str_quote(s, quoted, sizeof(quoted)));
}

int text_quoted(struct text_parser *p, const char *what, struct str prefix, struct str *ret)
{
	const char *start = p->at, *at = start, *end = p->end;
	bool escaped = false;
	int not_ascii = 0;

	for (;; at++) {
		while (at < end && !text_is(*at, CH_QUOTED_STOP))
			at++;
		if (at == end)
			return text_unexpected_end(p);
		if (*at == '"')
			break;
		if (*at == '\n')
			return unescaped_newline(p, what, prefix,
						 (struct str){ start, (size_t)(at - start) });
		if (*at != '\\') {
			not_ascii = 1;
			continue;
		}
		int escape = text_check_escape(p, at);

		if (escape < 0)
			return -1;
		escaped = p->any_escape = true;
		at += escape;
	}
	p->at = at + 1;
	*ret = (struct str){ start, (size_t)(at - start) };
	if ((escaped || prefix.n) && text_unescape(p, prefix, *ret, ret) < 0)
		return -1;
	return not_ascii;
}

int text_name(struct text_parser *p, unsigned start, struct str *ret_name)
{
	bool is_metric = start == CH_METRIC_START;
	unsigned next = is_metric ? CH_METRIC : CH_LABEL;
	const char *first = p->at, *at = first, *end = p->end;

	if (at < end && text_is(*at, start))
		do
			at++;
		while (at < end && text_is(*at, next));
	p->at = at;
	if (at == end)
		return text_unexpected_end(p);
	*ret_name = (struct str){ first, (size_t)(at - first) };
	if (*at != '"')
		return 0;

	/* As in Go, quotes may also start within a name, and the name ends with them. */
	p->at++;
	if (text_quoted(p, is_metric ? "metric name" : "label name", *ret_name, ret_name) < 0)
		return -1;
	return p->at == end ? text_unexpected_end(p) : 1;
}
