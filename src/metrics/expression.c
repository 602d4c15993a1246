#include "metrics/expression.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

enum {
	MAX_HEAP_KIB = 32 * 1024,
	/* Bounds the states that PCRE2 looks at for each character: some 300. */
	WORKSPACE = 2000,
};

struct expression {
	pcre2_general_context *memory;
	pcre2_code *code;
	bool is_regular; /* see is_regular() */
	size_t n;
	char text[];
};

/*
 * When memory runs out, the process ends, as elsewhere (base/mem.h): PCRE2 would say that the
 * expression is wrong, or that the match takes too long.
 */
static void *take(size_t n, void *unused)
{
	(void)unused;
	return mem_alloc(n);
}

static void give(void *p, void *unused)
{
	(void)unused;
	free(p);
}

/* A dot matches a line feed and $ only the end, as in Prometheus; \C could cut a character. */
static pcre2_code *compile(struct str text, pcre2_general_context *memory, struct err *err)
{
	const uint32_t options = PCRE2_ANCHORED | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_UTF |
				 PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	pcre2_code *compiled;
	char quoted[128];
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	int code;

	compiled = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &code, &at, context);
	pcre2_compile_context_free(context);
	if (!compiled) {
		pcre2_get_error_message(code, why, sizeof(why));
		err_set(err, ERR_INVALID, 0,
			"the regular expression %s is wrong at its byte %zu: %s",
			str_quote(text, quoted, sizeof(quoted)), at + 1, (const char *)why);
	}
	return compiled;
}

/* Whether what follows "(?" is a group, its name, or flags, as RE2 has them. */
static bool is_plain_group(struct str s)
{
	size_t i = 0;

	if (str_has_prefix(s, STR(":")) || str_has_prefix(s, STR("P<")))
		return true;
	if (s.n > 1 && s.p[0] == '<')
		return s.p[1] != '=' && s.p[1] != '!';
	while (i < s.n && strchr("imsU-", s.p[i]))
		i++;
	return i < s.n && (s.p[i] == ':' || s.p[i] == ')');
}

/*
 * Whether the expression has only what a finite automaton can do, as all of RE2 is: nothing that
 * refers to what a group has matched, looks around, or forbids to backtrack. May be wrong about
 * text in brackets and quotes, which then only costs more.
 */
static bool is_regular(struct str text)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		struct str rest = { text.p + i + 1, text.n - i - 1 };

		if (text.p[i] == '(' && rest.p[0] == '*')
			return false;
		if (text.p[i] == '(' && rest.p[0] == '?' &&
		    !is_plain_group((struct str){ rest.p + 1, rest.n - 1 }))
			return false;
		if (rest.p[0] == '+' && strchr("*+?}", text.p[i]))
			return false;
		if (text.p[i] == '\\' && strchr("123456789gkKGRX", rest.p[0]))
			return false;
	}
	return true;
}

int expression_parse(struct str text, struct expression **ret, struct err *err)
{
	pcre2_general_context *memory = pcre2_general_context_create(take, give, NULL);
	pcre2_code *code = compile(text, memory, err);

	if (!code) {
		pcre2_general_context_free(memory);
		return -1;
	}
	*ret = mem_alloc(sizeof(**ret) + text.n);
	(*ret)->memory = memory;
	(*ret)->code = code;
	(*ret)->is_regular = is_regular(text);
	(*ret)->n = text.n;
	copy_bytes((*ret)->text, text.p, text.n);
	return 0;
}

void expression_free(struct expression *e)
{
	if (!e)
		return;
	pcre2_code_free(e->code);
	pcre2_general_context_free(e->memory);
	free(e);
}

/*
 * Follows all ways to match at once, so that the time is in proportion to the text. The longest
 * match comes first. -1: it has too many states at a time.
 */
static int match_at_once(const struct expression *e, struct str s, pcre2_match_data *data,
			 pcre2_match_context *limits)
{
	int workspace[WORKSPACE];
	int r = pcre2_dfa_match(e->code, (PCRE2_SPTR)s.p, s.n, 0, PCRE2_NO_UTF_CHECK, data, limits,
				workspace, WORKSPACE);

	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	return r >= 0 ? pcre2_get_ovector_pointer(data)[1] == s.n : -1;
}

/*
 * Tries one way after the other. The limit counts these, and not how far each of them looks ahead.
 */
static int match_by_turns(const struct expression *e, struct str s, pcre2_match_data *data,
			  pcre2_match_context *limits)
{
	int r = pcre2_match(e->code, (PCRE2_SPTR)s.p, s.n, 0,
			    PCRE2_NO_UTF_CHECK | PCRE2_ENDANCHORED, data, limits);

	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	/* 0: there was more to capture than asked for. */
	return r >= 0 ? 1 : -1;
}

static int match(const struct expression *e, struct str s, bool may_backtrack)
{
	pcre2_match_context *limits = pcre2_match_context_create(e->memory);
	pcre2_match_data *data = pcre2_match_data_create(1, e->memory);
	int r = -1;

	pcre2_set_match_limit(limits, EXPRESSION_MAX_STEPS);
	pcre2_set_heap_limit(limits, MAX_HEAP_KIB);
	if (e->is_regular)
		r = match_at_once(e, s, data, limits);
	if (r < 0 && (may_backtrack || !e->is_regular))
		r = match_by_turns(e, s, data, limits);
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	return r;
}

int expression_match(const struct expression *e, struct str s)
{
	return match(e, s, true);
}

int expression_match_quickly(const struct expression *e, struct str s)
{
	return match(e, s, false);
}

bool expression_is_regular(const struct expression *e)
{
	return e->is_regular;
}

struct str expression_text(const struct expression *e)
{
	return (struct str){ e->text, e->n };
}
