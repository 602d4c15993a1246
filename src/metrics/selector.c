#include "metrics/selector.h"

#include <stdlib.h>

#include "base/mem.h"
#include "metrics/expression.h"
#include "metrics/selector_scan.h"

struct matcher {
	struct str name, value; /* owned */
	enum matcher_op op;
	struct expression *expression; /* of =~ and !~ */
};

struct selector {
	char *text;
	size_t n_text;
	struct matcher *matchers;
	size_t n;
};

void selector_free(struct selector *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free((char *)s->matchers[i].name.p);
		free((char *)s->matchers[i].value.p);
		expression_free(s->matchers[i].expression);
	}
	free(s->matchers);
	free(s->text);
	free(s);
}

struct str selector_text(const struct selector *s)
{
	return (struct str){ s->text, s->n_text };
}

static struct str own(struct str s)
{
	return (struct str){ mem_dup(s.p, s.n), s.n };
}

static int add_matcher(struct selector *s, const struct scanned_matcher *from, struct err *err)
{
	struct matcher *m = &s->matchers[s->n];

	*m = (struct matcher){
		.name = own(strbuf_str(&from->name)),
		.value = own(strbuf_str(&from->value)),
		.op = from->op,
	};
	s->n++;
	if (m->op == MATCH_REGEX || m->op == MATCH_NOT_REGEX)
		return expression_parse(m->value, &m->expression, err);
	return 0;
}

int selector_parse(struct str text, struct selector **ret, struct err *err)
{
	CLEANUP(selector_freep) struct selector *s = mem_zalloc(sizeof(*s));
	CLEANUP(scanned_matcher_done) struct scanned_matcher m = { 0 };
	struct selector_scan scan = { .text = text };
	int r;

	if (text.n > SELECTOR_MAX_TEXT)
		return err_set(err, ERR_INVALID, 0,
			       "a selector has %zu bytes, at most %d are allowed", text.n,
			       SELECTOR_MAX_TEXT);
	s->text = mem_dup(text.p, text.n);
	s->n_text = text.n;
	s->matchers = mem_alloc(SELECTOR_MAX_MATCHERS * sizeof(*s->matchers));
	while ((r = selector_scan_next(&scan, &m, err)) > 0) {
		if (s->n == SELECTOR_MAX_MATCHERS)
			return err_set(err, ERR_INVALID, 0, "a selector has more than %d matchers",
				       SELECTOR_MAX_MATCHERS);
		if (add_matcher(s, &m, err) < 0)
			return -1;
	}
	if (r < 0)
		return -1;
	*ret = TAKE(s);
	return 0;
}

/* The labels are sorted by name. */
static struct str value_of(const struct key *key, struct str name)
{
	for (uint32_t i = 0; i < key->n_labels; i++)
		if (str_eq(key->labels[i].name, name))
			return key->labels[i].value;
	return STR("");
}

static int took_too_long(const struct matcher *m, struct str value, struct err *err)
{
	char pattern[128], quoted[128];

	return err_set(err, ERR_INVALID, 0,
		       "the regular expression %s takes too long on the value %s of label %.*s: "
		       "write it without repetitions inside of repetitions",
		       str_quote(m->value, pattern, sizeof(pattern)),
		       str_quote(value, quoted, sizeof(quoted)), STR_ARG(m->name));
}

/* Values are valid UTF-8, as expression_match() wants them: key_parse() refuses others. */
static int regex_match(const struct matcher *m, struct str value, struct err *err)
{
	int r = expression_match(m->expression, value);

	return r < 0 ? took_too_long(m, value, err) : r;
}

static int matcher_match(const struct matcher *m, struct str value, struct err *err)
{
	int r = 0;

	switch (m->op) {
	case MATCH_EQUAL:
		return str_eq(m->value, value);
	case MATCH_NOT_EQUAL:
		return !str_eq(m->value, value);
	case MATCH_REGEX:
		return regex_match(m, value, err);
	case MATCH_NOT_REGEX:
		r = regex_match(m, value, err);
		return r < 0 ? r : !r;
	}
	return r;
}

int selector_match(const struct selector *s, const struct key *key, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		int r = matcher_match(&s->matchers[i], value_of(key, s->matchers[i].name), err);

		if (r != 1)
			return r;
	}
	return 1;
}

bool selector_matches_empty(const struct selector *s)
{
	struct err err;

	for (size_t i = 0; i < s->n; i++)
		if (matcher_match(&s->matchers[i], STR(""), &err) == 0)
			return false;
	return true;
}
