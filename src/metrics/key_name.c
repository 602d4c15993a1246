#include "metrics/key_name.h"

#include "base/hex.h"
#include "base/utf8.h"
#include "metrics/names.h"

enum { MAX_HEX_DIGITS = 5, QUOTE_SIZE = 384 };

/*
 * Reads "HEX_" after the underscore that opened it. Returns its length, or 0 when it is not a code
 * point closed by an underscore.
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

/* Room for s.n bytes is enough: no escape is shorter than what it stands for. */
static bool unescape(struct str s, char *out, size_t *ret_n)
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

/* A name with any irregularity is taken literally, as the Go gateway does. */
static int decode_u(struct str component, struct arena *a, struct str *ret_name, struct err *err)
{
	const struct str prefix = STR("U__");
	struct str rest, name;

	*ret_name = component;
	if (!str_has_prefix(component, prefix))
		return 0;
	rest = (struct str){ component.p + prefix.n, component.n - prefix.n };
	char *out = arena_alloc(a, rest.n + 1);

	if (!out)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "grouping key needs more memory than a request may use");
	name.p = out;
	if (unescape(rest, out, &name.n))
		*ret_name = name;
	return 0;
}

int key_name_parse(struct str component, bool utf8_names, struct arena *a, struct str *ret_name,
		   struct err *err)
{
	const struct str reserved = STR("__");
	struct str name = component;
	char quoted[QUOTE_SIZE];
	bool proper;

	if (utf8_names && decode_u(component, a, &name, err) < 0)
		return -1;
	proper = utf8_names ? name.n > 0 && utf8_valid(name) : name_is_classic_label(name);
	/* The decoded name too: the Go gateway lets it through here and then cannot be scraped. */
	if (!proper || str_has_prefix(component, reserved) || str_has_prefix(name, reserved))
		return err_set(err, ERR_INVALID, 0, "improper label name %s",
			       str_quote(component, quoted, sizeof(quoted)));
	*ret_name = name;
	return 0;
}
