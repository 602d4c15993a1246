#include "metrics/names.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum {
	METRIC_START = 1 << 0,
	METRIC = 1 << 1,
	LABEL_START = 1 << 2,
	LABEL = 1 << 3,
	LETTER = METRIC_START | METRIC | LABEL_START | LABEL,
};

static const uint8_t class[256] = {
	['a' ... 'z'] = LETTER,         ['A' ... 'Z'] = LETTER,        ['_'] = LETTER,
	['0' ... '9'] = METRIC | LABEL, [':'] = METRIC_START | METRIC,
};

static bool is_classic(struct str name, unsigned start, unsigned next)
{
	uint8_t all = UINT8_MAX;

	if (name.n == 0 || !(class[(unsigned char)name.p[0]] & start))
		return false;
	/* The loop does not stop at the first bad byte, since nearly all names are classic. */
	for (size_t i = 1; i < name.n; i++)
		all &= class[(unsigned char)name.p[i]];
	return all & next;
}

bool name_is_classic_metric(struct str name)
{
	return is_classic(name, METRIC_START, METRIC);
}

bool name_is_classic_label(struct str name)
{
	return is_classic(name, LABEL_START, LABEL);
}

/* Label names may hold a colon as well: escaping leaves those alone, like metric names. */
static bool stays(uint32_t cp, bool first)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp == '_' || cp == ':' ||
	       (cp >= '0' && cp <= '9' && !first);
}

void text_write_escaped_name(struct strbuf *out, struct str name)
{
	if (name_is_classic_metric(name)) {
		strbuf_adds(out, name);
		return;
	}
	/* Never longer than the name. */
	char *to = strbuf_reserve(out, name.n);
	size_t n = 0;

	for (size_t i = 0; i < name.n;) {
		uint8_t byte = (uint8_t)name.p[i];
		unsigned len = 1;

		if (stays(byte, i == 0)) {
			to[n++] = (char)byte;
		} else {
			utf8_decode((struct str){ name.p + i, name.n - i }, &len);
			to[n++] = '_';
		}
		i += len;
	}
	out->n += n;
}

/* Not 0 if one of the eight bytes is c. */
static uint64_t bytes_equal(uint64_t eight, char c)
{
	uint64_t diff = eight ^ (uint8_t)c * 0x0101010101010101u;

	return (diff - 0x0101010101010101u) & ~diff & 0x8080808080808080u;
}

static bool eight_need_escape(const char *p)
{
	uint64_t eight;

	memcpy(&eight, p, 8);
	return bytes_equal(eight, '\\') | bytes_equal(eight, '\n') | bytes_equal(eight, '"');
}

size_t text_skip_verbatim(struct str s)
{
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8)
		if (eight_need_escape(s.p + i))
			return i;
	return s.n >= 8 && !eight_need_escape(s.p + s.n - 8) ? s.n : i;
}

bool text_is_verbatim(struct str value)
{
	size_t i = text_skip_verbatim(value);

	while (i < value.n && value.p[i] != '\\' && value.p[i] != '"' && value.p[i] != '\n')
		i++;
	return i == value.n;
}
