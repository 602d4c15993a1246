#include "metrics/escape.h"

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

static void values(uint32_t cp, bool first, struct strbuf *out)
{
	if (cp == '_')
		strbuf_addz(out, "__");
	else if (is_classic(cp, first))
		strbuf_addc(out, (char)cp);
	else if (cp == UTF8_INVALID)
		strbuf_addz(out, "_FFFD_");
	else
		strbuf_addf(out, "_%x_", cp);
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
