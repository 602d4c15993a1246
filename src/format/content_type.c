#include "format/content_type.h"

#include "base/num.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct str *s)
{
	while (s->n > 0 && is_space(s->p[0])) {
		s->p++;
		s->n--;
	}
}

static struct str trim(struct str s)
{
	skip_space(&s);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* tchar of RFC 9110 section 5.6.2 */
static bool is_token_char(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return memchr("!#$%&'*+-.^_`|~", c, 15) != NULL;
}

static struct str take_token(struct str *s)
{
	struct str token = { s->p, 0 };

	while (token.n < s->n && is_token_char(s->p[token.n]))
		token.n++;
	s->p += token.n;
	s->n -= token.n;
	return token;
}

static bool take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

/* A value as it was sent: a token, or what is between the quotes, with its backslashes. */
struct value {
	struct str raw;
	bool quoted;
};

static bool take_quoted(struct str *s, struct value *ret)
{
	size_t i = 1;

	while (i < s->n && s->p[i] != '"' && s->p[i] != '\r' && s->p[i] != '\n')
		i += s->p[i] == '\\' ? 2 : 1;
	if (i >= s->n || s->p[i] != '"')
		return false;
	*ret = (struct value){ { s->p + 1, i - 1 }, true };
	s->p += i + 1;
	s->n -= i + 1;
	return true;
}

static bool take_value(struct str *s, struct value *ret)
{
	if (s->n > 0 && s->p[0] == '"')
		return take_quoted(s, ret);
	*ret = (struct value){ take_token(s), false };
	return ret->raw.n > 0;
}

static bool value_is(struct value v, struct str want)
{
	size_t n = 0;

	for (size_t i = 0; i < v.raw.n; i++, n++) {
		/* take_quoted() has made sure that a byte follows each backslash. */
		if (v.quoted && v.raw.p[i] == '\\')
			i++;
		if (n == want.n || v.raw.p[i] != want.p[n])
			return false;
	}
	return n == want.n;
}

/*
 * Takes ";" name "=" value, or a ";" with nothing behind it, which RFC 9110 section 5.6.6 allows.
 */
static bool take_parameter(struct str *s, struct str *ret_name, struct value *ret_value)
{
	*ret_name = STR_NULL;
	if (!take_char(s, ';'))
		return false;
	skip_space(s);
	if (s->n == 0 || s->p[0] == ';')
		return true;
	*ret_name = take_token(s);
	skip_space(s);
	if (ret_name->n == 0 || !take_char(s, '='))
		return false;
	skip_space(s);
	if (!take_value(s, ret_value))
		return false;
	skip_space(s);
	return true;
}

/* *ret_rest: the parameters, from the first semicolon on. */
static struct str type_of(struct str content_type, struct str *ret_rest)
{
	const char *semicolon = content_type.n ? memchr(content_type.p, ';', content_type.n) : NULL;
	size_t n = semicolon ? (size_t)(semicolon - content_type.p) : content_type.n;

	*ret_rest = semicolon ? (struct str){ semicolon, content_type.n - n } : STR("");
	return trim((struct str){ content_type.p, n });
}

bool content_type_is_protobuf(struct str content_type)
{
	struct str rest, type = type_of(content_type, &rest);
	bool proto = false, delimited = false;

	if (!str_eq_nocase(type, STR("application/vnd.google.protobuf")))
		return false;
	while (rest.n > 0) {
		struct str name;
		struct value value = { 0 };

		if (!take_parameter(&rest, &name, &value))
			return false;
		/* If a parameter comes twice, each of its values has to be the right one. */
		if (str_eq_nocase(name, STR("proto"))) {
			proto = value_is(value, STR("io.prometheus.client.MetricFamily"));
			if (!proto)
				return false;
		} else if (str_eq_nocase(name, STR("encoding"))) {
			delimited = value_is(value, STR("delimited"));
			if (!delimited)
				return false;
		}
	}
	return proto && delimited;
}

bool content_type_is_openmetrics(struct str content_type)
{
	struct str rest;

	return str_eq_nocase(type_of(content_type, &rest), STR("application/openmetrics-text"));
}

/* Reads a weight (RFC 9110 section 12.4.2), in thousandths; -1: it is not one. */
static int take_weight(struct str s)
{
	double v;

	if (!num_parse(s, &v) || !(v >= 0 && v <= 1))
		return -1;
	return (int)(v * 1000 + 0.5);
}

static struct str next_element(struct str *list)
{
	const char *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
	struct str element = { list->p, comma ? (size_t)(comma - list->p) : list->n };

	list->p += element.n + (comma != NULL);
	list->n -= element.n + (comma != NULL);
	return trim(element);
}

enum compression negotiate_compression(struct str accept_encoding)
{
	int gzip = 0, zstd = 0, identity = 0;

	while (accept_encoding.n > 0) {
		struct str name = next_element(&accept_encoding);
		const char *semicolon = name.n ? memchr(name.p, ';', name.n) : NULL;
		int weight = 1000;

		if (semicolon) {
			struct str q = { semicolon + 1, name.n - (size_t)(semicolon - name.p) - 1 };

			q = trim(q);
			name = trim((struct str){ name.p, (size_t)(semicolon - name.p) });
			if (str_has_prefix(q, STR("q=")))
				weight = take_weight((struct str){ q.p + 2, q.n - 2 });
			else
				weight = -1;
		}
		if (weight < 0)
			continue;
		if (str_eq(name, STR("gzip")))
			gzip = weight;
		else if (str_eq(name, STR("zstd")))
			zstd = weight;
		else if ((str_eq(name, STR("identity")) || str_eq(name, STR("*"))) &&
			 weight > identity)
			identity = weight;
	}
	if (gzip >= zstd)
		return gzip > identity ? COMPRESS_GZIP : COMPRESS_NONE;
	return zstd > identity ? COMPRESS_ZSTD : COMPRESS_NONE;
}
