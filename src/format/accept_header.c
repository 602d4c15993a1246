#include "format/accept_header.h"

#include <stdio.h>

#include "base/num.h"

/* No scraper sends so many clauses; further ones are ignored. */
enum { MAX_CLAUSES = 32 };

struct clause {
	struct str type, subtype, version, proto, encoding, escaping;
	double q;
};

/* Trims spaces only: Go does not count a tab as a blank here. */
static struct str trim(struct str s)
{
	while (s.n > 0 && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* Takes what is in front of the separator off the front of *s, together with the separator. */
static struct str take(struct str *s, char separator)
{
	const char *end = s->n ? memchr(s->p, separator, s->n) : NULL;
	struct str piece = { s->p, end ? (size_t)(end - s->p) : s->n };

	s->p += piece.n + (end != NULL);
	s->n -= piece.n + (end != NULL);
	return piece;
}

static void set_parameter(struct clause *c, struct str name, struct str value)
{
	const struct {
		struct str name;
		struct str *to;
	} known[] = {
		{ STR("version"), &c->version },
		{ STR("proto"), &c->proto },
		{ STR("encoding"), &c->encoding },
		{ STR("escaping"), &c->escaping },
	};

	/* A quality that is not a number counts as 0, as in Go. */
	if (str_eq(name, STR("q")) && !num_parse(value, &c->q))
		c->q = 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(name, known[i].name))
			*known[i].to = trim(value);
}

/* False: the clause is not type/subtype, and is ignored, as in Go. */
static bool parse_clause(struct str s, struct clause *ret_c)
{
	struct clause c = { .q = 1 };
	struct str range = take(&s, ';');

	c.type = trim(take(&range, '/'));
	if (range.n == 0 && !str_eq(c.type, STR("*")))
		return false;
	c.subtype = range.n ? trim(range) : c.type;
	if (c.subtype.n && memchr(c.subtype.p, '/', c.subtype.n))
		return false;
	while (s.n > 0) {
		struct str value = take(&s, ';');
		struct str name = take(&value, '=');

		if (value.n > 0 && !memchr(value.p, '=', value.n))
			set_parameter(&c, trim(name), value);
	}
	*ret_c = c;
	return true;
}

/* In goautoneg's order a clause with a star comes last, whatever its quality. */
static bool comes_before(const struct clause *a, const struct clause *b)
{
	const struct str star = STR("*");

	return a->q > b->q || (!str_eq(a->type, star) && str_eq(b->type, star)) ||
	       (!str_eq(a->subtype, star) && str_eq(b->subtype, star));
}

static size_t parse_clauses(struct str accept, struct clause clauses[MAX_CLAUSES])
{
	size_t n = 0;

	while (accept.n > 0 && n < MAX_CLAUSES) {
		struct clause c;

		if (!parse_clause(trim(take(&accept, ',')), &c))
			continue;
		size_t at = n++;

		for (; at > 0 && comes_before(&c, &clauses[at - 1]); at--)
			clauses[at] = clauses[at - 1];
		clauses[at] = c;
	}
	return n;
}

static bool is_type(const struct clause *c, struct str type, struct str subtype)
{
	return str_eq(c->type, type) && str_eq(c->subtype, subtype);
}

static bool proto_format(const struct clause *c, enum exposition_format *ret_format)
{
	if (!str_eq(c->proto, STR("io.prometheus.client.MetricFamily")))
		return false;
	if (str_eq(c->encoding, STR("delimited")))
		*ret_format = FORMAT_PROTO;
	else if (str_eq(c->encoding, STR("text")))
		*ret_format = FORMAT_PROTO_TEXT;
	else if (str_eq(c->encoding, STR("compact-text")))
		*ret_format = FORMAT_PROTO_COMPACT;
	else
		return false;
	return true;
}

static bool clause_format(const struct clause *c, bool openmetrics,
			  enum exposition_format *ret_format)
{
	if (is_type(c, STR("application"), STR("vnd.google.protobuf")))
		return proto_format(c, ret_format);
	if (is_type(c, STR("text"), STR("plain")) &&
	    (c->version.n == 0 || str_eq(c->version, STR("0.0.4")))) {
		*ret_format = FORMAT_TEXT;
		return true;
	}
	if (openmetrics && is_type(c, STR("application"), STR("openmetrics-text")) &&
	    (c->version.n == 0 || str_eq(c->version, STR("1.0.0")))) {
		*ret_format = FORMAT_OPENMETRICS;
		return true;
	}
	return false;
}

struct accepted accept_parse(struct str accept, bool openmetrics)
{
	struct accepted a = { FORMAT_TEXT, ESCAPE_UNDERSCORES };
	struct clause clauses[MAX_CLAUSES];
	size_t n = parse_clauses(accept, clauses);

	for (size_t i = 0; i < n; i++) {
		escaping_by_name(clauses[i].escaping, &a.escaping);
		if (clause_format(&clauses[i], openmetrics, &a.format))
			break;
	}
	return a;
}

#define PROTO_TYPE \
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="

const char *accept_content_type(struct accepted a, char out[CONTENT_TYPE_MAX])
{
	static const char *const types[N_FORMATS] = {
		[FORMAT_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
		[FORMAT_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
		[FORMAT_PROTO] = PROTO_TYPE "delimited",
		[FORMAT_PROTO_TEXT] = PROTO_TYPE "text",
		[FORMAT_PROTO_COMPACT] = PROTO_TYPE "compact-text",
	};

	snprintf(out, CONTENT_TYPE_MAX, "%s; escaping=%s", types[a.format],
		 escaping_name(a.escaping));
	return out;
}
