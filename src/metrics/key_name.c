#include "metrics/key_name.h"

#include "base/utf8.h"
#include "metrics/escape.h"
#include "metrics/exposable.h"
#include "metrics/names.h"

enum { QUOTE_SIZE = 384 };

static const struct str mark = { "U__", 3 };

/* A name with any irregularity is taken literally, as the Go gateway does. */
static int decode_u(struct str component, struct arena *a, struct str *ret_name, struct err *err)
{
	struct str rest, name;

	*ret_name = component;
	if (!str_has_prefix(component, mark))
		return 0;
	rest = (struct str){ component.p + mark.n, component.n - mark.n };
	char *out = arena_alloc(a, rest.n + 1);

	if (!out)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "grouping key needs more memory than a request may use");
	name.p = out;
	if (unescape_values(rest, out, &name.n))
		*ret_name = name;
	return 0;
}

int key_name_parse(struct str component, bool utf8_names, struct arena *a, struct str *ret_name,
		   struct err *err)
{
	const struct str reserved = STR("__");
	struct str name = component;
	char quoted[QUOTE_SIZE];
	const char *fault;
	bool proper;

	if (utf8_names && decode_u(component, a, &name, err) < 0)
		return -1;
	proper = utf8_names ? name.n > 0 && utf8_valid(name) : name_is_classic_label(name);
	/* The decoded name too: the Go gateway lets it through here and then cannot be scraped. */
	if (!proper || str_has_prefix(component, reserved) || str_has_prefix(name, reserved))
		return err_set(err, ERR_INVALID, 0, "improper label name %s",
			       str_quote(component, quoted, sizeof(quoted)));
	fault = exposable_label_fault(name);
	if (fault)
		return err_set(err, ERR_INVALID, 0, "improper label name %s: it %s",
			       str_quote(component, quoted, sizeof(quoted)), fault);
	*ret_name = name;
	return 0;
}

bool key_name_write(struct str name, bool utf8_names, struct strbuf *out)
{
	bool classic = name_is_classic_label(name);

	if (classic && !(utf8_names && str_has_prefix(name, mark))) {
		strbuf_adds(out, name);
		return true;
	}
	if (!utf8_names)
		return false;
	strbuf_adds(out, mark);
	escape_values(name, out);
	return true;
}
