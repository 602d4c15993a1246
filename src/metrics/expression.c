#include "metrics/expression.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

enum { MAX_HEAP_KIB = 32 * 1024 };

struct expression {
	pcre2_general_context *memory;
	pcre2_code *code;
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
	const uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL |
				 PCRE2_DOLLAR_ENDONLY | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C |
				 PCRE2_NO_AUTO_CAPTURE;
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

int expression_match(const struct expression *e, struct str s)
{
	pcre2_match_context *limits = pcre2_match_context_create(e->memory);
	pcre2_match_data *data = pcre2_match_data_create(1, e->memory);
	int r;

	pcre2_set_match_limit(limits, EXPRESSION_MAX_STEPS);
	pcre2_set_heap_limit(limits, MAX_HEAP_KIB);
	r = pcre2_match(e->code, (PCRE2_SPTR)s.p, s.n, 0, PCRE2_NO_UTF_CHECK, data, limits);
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	/* 0: there was more to capture than asked for. */
	return r >= 0 ? 1 : -1;
}

struct str expression_text(const struct expression *e)
{
	return (struct str){ e->text, e->n };
}
