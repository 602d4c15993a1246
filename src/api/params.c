#include "api/params.h"

#include <inttypes.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "config/units.h"

enum { QUOTED = 96 };

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, 0,
		       "the parameters need more memory than a request may use");
}

static int bad_escape(struct str part, struct err *err)
{
	char quoted[QUOTED];

	return err_set(err, ERR_INVALID, 0, "the parameter %s has a '%%' without two hex digits",
		       str_quote(part, quoted, sizeof(quoted)));
}

static int decode(struct str in, struct arena *a, struct str *ret, struct err *err)
{
	char *out = arena_alloc(a, in.n + 1);
	size_t n = 0;

	if (!out)
		return out_of_memory(err);
	for (size_t i = 0; i < in.n; i++) {
		int high, low;

		if (in.p[i] != '%') {
			out[n++] = in.p[i] == '+' ? ' ' : in.p[i];
			continue;
		}
		high = in.n - i > 2 ? hex_digit(in.p[i + 1]) : -1;
		low = in.n - i > 2 ? hex_digit(in.p[i + 2]) : -1;
		if (high < 0 || low < 0)
			return bad_escape(in, err);
		out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*ret = (struct str){ out, n };
	if (!utf8_valid(*ret))
		return err_set(err, ERR_INVALID, 0, "a parameter is not valid UTF-8");
	return 0;
}

static struct str take_part(struct str *rest)
{
	const char *end = memchr(rest->p, '&', rest->n);
	struct str part = { rest->p, end ? (size_t)(end - rest->p) : rest->n };
	size_t taken = part.n + (end != NULL);

	*rest = (struct str){ rest->p + taken, rest->n - taken };
	return part;
}

static int add(struct params *p, struct str part, struct arena *a, struct err *err)
{
	const char *equals = memchr(part.p, '=', part.n);
	struct str name = { part.p, equals ? (size_t)(equals - part.p) : part.n };
	struct str value = STR("");
	struct param *to = &p->list[p->n];

	if (equals)
		value = (struct str){ equals + 1, part.n - name.n - 1 };
	if (decode(name, a, &to->name, err) < 0 || decode(value, a, &to->value, err) < 0)
		return -1;
	p->n++;
	return 0;
}

/* Whether the name as it is sent is that name once it is decoded. */
static bool is_name(struct str sent, const char *name)
{
	size_t i = 0;

	for (; i < sent.n && *name; i++, name++) {
		char c = sent.p[i] == '+' ? ' ' : sent.p[i];

		if (c == '%') {
			int high = sent.n - i > 2 ? hex_digit(sent.p[i + 1]) : -1;
			int low = sent.n - i > 2 ? hex_digit(sent.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c != *name)
			return false;
	}
	return i == sent.n && !*name;
}

static bool is_one_of(struct str part, const char *const *names, size_t n)
{
	const char *equals = memchr(part.p, '=', part.n);
	struct str sent = { part.p, equals ? (size_t)(equals - part.p) : part.n };

	for (size_t i = 0; i < n; i++)
		if (is_name(sent, names[i]))
			return true;
	return false;
}

/* names NULL: all. */
static int parse(struct str query, const char *const *names, size_t n_names, struct arena *a,
		 struct params *ret, struct err *err)
{
	*ret = (struct params){ 0 };
	if (query.n == 0)
		return 0;
	ret->list = arena_alloc(a, PARAMS_MAX * sizeof(*ret->list));
	if (!ret->list)
		return out_of_memory(err);
	while (query.n > 0) {
		struct str part = take_part(&query);

		if (part.n == 0 || (names && !is_one_of(part, names, n_names)))
			continue;
		if (ret->n == PARAMS_MAX)
			return err_set(err, ERR_INVALID, 0, "there are more than %d parameters",
				       PARAMS_MAX);
		if (add(ret, part, a, err) < 0)
			return -1;
	}
	return 0;
}

int params_parse(struct str query, struct arena *a, struct params *ret, struct err *err)
{
	return parse(query, NULL, 0, a, ret, err);
}

int params_parse_some(struct str query, const char *const *names, size_t n_names, struct arena *a,
		      struct params *ret, struct err *err)
{
	return parse(query, names, n_names, a, ret, err);
}

static bool is_known(struct str name, const char *const *known, size_t n_known)
{
	for (size_t i = 0; i < n_known; i++)
		if (str_eq(name, str_of(known[i])))
			return true;
	return false;
}

const struct param *params_unknown(const struct params *p, const char *const *known, size_t n_known)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (!is_known(p->list[i].name, known, n_known))
			return &p->list[i];
	return NULL;
}

static int refuse_unknown(struct str name, const char *const *known, size_t n_known,
			  struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf names = { 0 };
	char quoted[QUOTED];

	for (size_t i = 0; i < n_known; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", known[i]);
	return err_set(err, ERR_INVALID, 0, "unknown parameter %s: %s%s",
		       str_quote(name, quoted, sizeof(quoted)),
		       n_known ? "there are " : "there are none", strbuf_z(&names));
}

static int refuse_repeated(struct str name, struct err *err)
{
	return err_set(err, ERR_INVALID, 0, "the parameter %.*s is there more than once",
		       STR_ARG(name));
}

int params_once(const struct params *p, const char *name, struct err *err)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n; i++)
		n += str_eq(p->list[i].name, str_of(name));
	return n > 1 ? refuse_repeated(str_of(name), err) : 0;
}

int params_check(const struct params *p, const char *const *known, size_t n_known, struct err *err)
{
	const struct param *unknown = params_unknown(p, known, n_known);

	if (unknown)
		return refuse_unknown(unknown->name, known, n_known, err);
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < i; k++)
			if (str_eq(p->list[i].name, p->list[k].name) &&
			    !str_has_suffix(p->list[i].name, STR("[]")))
				return refuse_repeated(p->list[i].name, err);
	return 0;
}

struct str params_get(const struct params *p, const char *name)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (str_eq(p->list[i].name, str_of(name)))
			return p->list[i].value;
	return STR_NULL;
}

int params_flag(const struct params *p, const char *name, bool *ret, struct err *err)
{
	struct str value = params_get(p, name);

	if (!value.p)
		return 0;
	if (!str_eq(value, STR("1")) && !str_eq(value, STR("true")) && !str_eq(value, STR("0")) &&
	    !str_eq(value, STR("false")))
		return err_set(err, ERR_INVALID, 0, "%s has to be true or false (or 1, 0)", name);
	*ret = str_eq(value, STR("1")) || str_eq(value, STR("true"));
	return 1;
}

int params_count(const struct params *p, const char *name, uint64_t min, uint64_t max,
		 uint64_t *ret, struct err *err)
{
	struct str value = params_get(p, name);
	int64_t n;

	if (!value.p)
		return 0;
	if (!count_parse(value, &n) || (uint64_t)n < min || (uint64_t)n > max)
		return err_set(err, ERR_INVALID, 0,
			       "%s has to be a number from %" PRIu64 " to %" PRIu64, name, min,
			       max);
	*ret = (uint64_t)n;
	return 1;
}

int params_period(const struct params *p, const char *name, int64_t *ret_ns, struct err *err)
{
	struct str value = params_get(p, name);
	struct err why;
	char quoted[QUOTED];

	if (!value.p)
		return 0;
	if (period_parse(value, ret_ns, &why) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "%s=%s is no duration of up to 3650d: write 90s, 15m, 2h, 7d, 1h30m "
			       "or a number of seconds",
			       name, str_quote(value, quoted, sizeof(quoted)));
	return 1;
}
