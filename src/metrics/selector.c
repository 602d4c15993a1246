#include "metrics/selector.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/mem.h"
#include "metrics/selector_scan.h"

enum { MAX_HEAP_KIB = 32 * 1024 };

struct matcher {
	struct str name, value; /* owned */
	enum matcher_op op;
	pcre2_code *code; /* of =~ and !~ */
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
		pcre2_code_free(s->matchers[i].code);
	}
	free(s->matchers);
	free(s->text);
	free(s);
}

struct str selector_text(const struct selector *s)
{
	return (struct str){ s->text, s->n_text };
}

/* A dot matches a line feed and $ only the end, as in Prometheus; \C could cut a character. */
static int compile(struct matcher *m, struct err *err)
{
	const uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL |
				 PCRE2_DOLLAR_ENDONLY | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C |
				 PCRE2_NO_AUTO_CAPTURE;
	char quoted[128];
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	int code;

	m->code = pcre2_compile((PCRE2_SPTR)m->value.p, m->value.n, options, &code, &at, NULL);
	if (m->code)
		return 0;
	pcre2_get_error_message(code, why, sizeof(why));
	return err_set(err, ERR_INVALID, 0,
		       "the regular expression %s is wrong at its byte %zu: %s",
		       str_quote(m->value, quoted, sizeof(quoted)), at + 1, (const char *)why);
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
		return compile(m, err);
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

/* Values are valid UTF-8: key_parse() has seen to that. */
static int regex_match(const struct matcher *m, struct str value, struct err *err)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int r = PCRE2_ERROR_NOMEMORY;

	if (limits && data) {
		pcre2_set_match_limit(limits, SELECTOR_MAX_STEPS);
		pcre2_set_heap_limit(limits, MAX_HEAP_KIB);
		r = pcre2_match(m->code, (PCRE2_SPTR)value.p, value.n, 0, PCRE2_NO_UTF_CHECK, data,
				limits);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	/* 0: there was more to capture than asked for. */
	return r >= 0 ? 1 : took_too_long(m, value, err);
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
