#include "process/check_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "format/openmetrics/parse.h"
#include "format/text/parse.h"
#include "push/lint.h"

enum { SOUND = 0, UNREADABLE = 1, FINDINGS = 3 };

struct line {
	struct str text; /* in the arena */
};

static int by_text(const void *a, const void *b)
{
	return str_cmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static int fail(const char *why)
{
	fprintf(stderr, "error: %s\n", why);
	return UNREADABLE;
}

static int read_all(FILE *from, struct strbuf *ret)
{
	size_t n;

	do {
		n = fread(strbuf_reserve(ret, 65536), 1, 65536, from);
		ret->n += n;
	} while (n > 0);
	return ferror(from) ? -1 : 0;
}

static int print_sorted(struct line *lines, size_t n)
{
	array_sort(lines, n, by_text);
	for (size_t i = 0; i < n; i++)
		printf("%.*s\n", STR_ARG(lines[i].text));
	return n > 0 ? FINDINGS : SOUND;
}

static int lint_all(const struct family *families, struct arena *a)
{
	size_t n = 0, count = 0;
	struct line *lines;

	for (const struct family *f = families; f; f = f->next)
		count++;
	lines = arena_alloc(a, (count * N_LINT_PROBLEMS + 1) * sizeof(*lines));
	for (const struct family *f = families; f; f = f->next) {
		unsigned problems = lint_family(f);

		for (int p = 0; p < N_LINT_PROBLEMS; p++) {
			CLEANUP(strbuf_done) struct strbuf text = { 0 };

			if (!(problems >> p & 1))
				continue;
			strbuf_adds(&text, f->name);
			strbuf_addc(&text, ' ');
			lint_add_text((enum lint_problem)p, f->name, f->type, &text);
			lines[n++].text = arena_dup(a, strbuf_str(&text));
		}
	}
	return print_sorted(lines, n);
}

int check_metrics(int argc, char **argv)
{
	const struct decode_limits lim = DECODE_UNLIMITED;
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	CLEANUP(arena_done) struct arena a;
	struct family *families;
	struct err err;

	(void)argv;
	arena_init(&a, ARENA_MUST);
	if (argc != 1) {
		fputs("usage: tallygate check-metrics < FILE\n", stderr);
		return UNREADABLE;
	}
	if (read_all(stdin, &body) < 0)
		return fail("standard input cannot be read");
	if (body.n == 0)
		return SOUND;
	if (text_parse(strbuf_str(&body), &lim, &a, &families, &err) < 0) {
		struct err other;

		if (openmetrics_parse(strbuf_str(&body), &lim, &a, &families, &other) < 0)
			return fail(err.msg);
	}
	return lint_all(families, &a);
}
