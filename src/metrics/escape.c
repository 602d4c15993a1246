#include "metrics/escape.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "metrics/names.h"

static const char *const names[N_ESCAPINGS] = {
	[ESCAPE_UNDERSCORES] = "underscores",
	[ESCAPE_UTF8] = "allow-utf-8",
	[ESCAPE_DOTS] = "dots",
	[ESCAPE_VALUES] = "values",
};

const char *escaping_name(enum escaping e)
{
	return names[e];
}

bool escaping_by_name(struct str name, enum escaping *ret_e)
{
	for (int e = 0; e < N_ESCAPINGS; e++) {
		if (!str_eq(name, str_of(names[e])))
			continue;
		*ret_e = (enum escaping)e;
		return true;
	}
	return false;
}

static bool is_classic(uint32_t cp, bool first)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp == '_' || cp == ':' ||
	       (cp >= '0' && cp <= '9' && !first);
}

static void dots(uint32_t cp, bool first, struct strbuf *out)
{
	if (cp == '.')
		strbuf_addz(out, "_dot_");
	else if (cp != '_' && is_classic(cp, first))
		strbuf_addc(out, (char)cp);
	else
		strbuf_addz(out, "__");
}

static void add_hex(uint32_t cp, struct strbuf *out)
{
	unsigned shift = 20;

	strbuf_addc(out, '_');
	while (shift > 0 && cp >> shift == 0)
		shift -= 4;
	for (; shift > 0; shift -= 4)
		strbuf_addc(out, "0123456789abcdef"[cp >> shift & 15]);
	strbuf_addc(out, "0123456789abcdef"[cp & 15]);
	strbuf_addc(out, '_');
}

static void values(uint32_t cp, bool first, struct strbuf *out)
{
	if (cp == '_')
		strbuf_addz(out, "__");
	else if (is_classic(cp, first))
		strbuf_addc(out, (char)cp);
	else if (cp == UTF8_INVALID)
		strbuf_addz(out, "_FFFD_");
	else
		add_hex(cp, out);
}

static void each(struct str name, void (*put)(uint32_t, bool, struct strbuf *), struct strbuf *out)
{
	for (size_t i = 0; i < name.n;) {
		unsigned len;
		uint32_t cp = utf8_decode((struct str){ name.p + i, name.n - i }, &len);

		put(cp, i == 0, out);
		i += len;
	}
}

void escape_name(enum escaping e, struct str name, struct strbuf *out)
{
	if (e == ESCAPE_UTF8 || name.n == 0 || name_is_classic_metric(name)) {
		strbuf_adds(out, name);
	} else if (e == ESCAPE_DOTS) {
		each(name, dots, out);
	} else if (e == ESCAPE_VALUES) {
		strbuf_addz(out, "U__");
		each(name, values, out);
	} else {
		text_write_escaped_name(out, name);
	}
}

struct str escape_name_in(enum escaping e, struct str name, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };

	if (e == ESCAPE_UTF8 || name_is_classic_metric(name))
		return name;
	escape_name(e, name, &b);
	return arena_dup(a, strbuf_str(&b));
}

enum { MAX_HEX_DIGITS = 5 };

/*
 * Reads "HEX_" after the opening underscore. Returns its length, or 0 if it is not a code point
 * with a closing underscore.
 */
static size_t read_code_point(struct str s, uint32_t *ret_cp)
{
	uint32_t cp = 0;

	for (size_t i = 0; i < s.n && i <= MAX_HEX_DIGITS; i++) {
		int digit = hex_digit(s.p[i]);

		if (s.p[i] == '_') {
			*ret_cp = cp;
			return cp >= 0xD800 && cp <= 0xDFFF ? 0 : i + 1;
		}
		if (digit < 0)
			return 0;
		cp = cp << 4 | (uint32_t)digit;
	}
	return 0;
}

bool unescape_values(struct str s, char *out, size_t *ret_n)
{
	size_t i = 0, n = 0;

	while (i < s.n) {
		uint32_t cp;

		if (s.p[i] != '_') {
			out[n++] = s.p[i++];
			continue;
		}
		i++;
		if (i < s.n && s.p[i] == '_') {
			out[n++] = s.p[i++];
			continue;
		}
		size_t len = read_code_point((struct str){ s.p + i, s.n - i }, &cp);

		if (len == 0)
			return false;
		n += utf8_encode(cp, out + n);
		i += len;
	}
	*ret_n = n;
	return true;
}

static void readable_values(uint32_t cp, bool first, struct strbuf *out)
{
	char utf8[4];

	if (cp >> 4 * MAX_HEX_DIGITS == 0)
		values(cp, first, out);
	else
		strbuf_add(out, utf8, utf8_encode(cp, utf8));
}

void escape_values(struct str name, struct strbuf *out)
{
	each(name, readable_values, out);
}

bool escape_may_be_form(struct str name)
{
	for (size_t i = 0; i + 1 < name.n; i++) {
		struct str rest = { name.p + i, name.n - i };

		if (name.p[i] == '_' &&
		    (name.p[i + 1] == '_' || str_has_prefix(rest, STR("_dot_"))))
			return true;
	}
	return false;
}

/* In ESCAPE_UNDERSCORES all names that become `form` have '_' where it has "_dot_" or "__". */
static bool undo_dots(struct str form, struct strbuf *out)
{
	for (size_t i = 0; i < form.n;) {
		struct str rest = { form.p + i, form.n - i };

		strbuf_addc(out, form.p[i]);
		if (form.p[i] != '_')
			i++;
		else if (str_has_prefix(rest, STR("_dot_")))
			i += 5;
		else if (str_has_prefix(rest, STR("__")))
			i += 2;
		else
			return false;
	}
	return true;
}

static bool undo_values(struct str form, struct strbuf *out)
{
	const struct str prefix = STR("U__");
	CLEANUP(freep) char *name = mem_alloc(form.n + 1);
	struct str rest = { form.p + prefix.n, form.n - prefix.n };
	size_t n;

	if (!str_has_prefix(form, prefix) || !unescape_values(rest, name, &n))
		return false;
	escape_name(ESCAPE_UNDERSCORES, (struct str){ name, n }, out);
	return true;
}

bool escape_undo(enum escaping e, struct str form, struct strbuf *out)
{
	if (!escape_may_be_form(form))
		return false;
	return e == ESCAPE_DOTS ? undo_dots(form, out) : undo_values(form, out);
}
