#include "sim/oracle_text.h"

#include <stdlib.h>

#include "base/mem.h"
#include "expose/own_table.h"
#include "sim/oracle.h"

struct str text_next_line(struct str *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end ? (size_t)(end + 1 - rest->p) : rest->n;
	struct str line = { rest->p, n };

	*rest = (struct str){ rest->p + n, rest->n - n };
	return line;
}

static bool is_own(struct str name)
{
	for (int i = 0; i < N_OWN_METRICS; i++)
		if (str_eq(name, str_of(own_table[i].name)))
			return true;
	return false;
}

struct str text_family_of(struct str line)
{
	const char *end;

	if (line.n < 8 || line.p[0] != '#')
		return STR("");
	end = memchr(line.p + 7, ' ', line.n - 7);
	return end ? (struct str){ line.p + 7, (size_t)(end - line.p) - 7 } : STR("");
}

static int line_cmp(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct lines {
	struct str *list;
	size_t n, cap;
};

static void note_line(struct lines *l, struct str line)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->list = mem_realloc(l->list, l->cap * sizeof(*l->list));
	}
	l->list[l->n++] = line;
}

static void add_sorted(struct lines *l, struct strbuf *out)
{
	if (l->n > 1)
		qsort(l->list, l->n, sizeof(*l->list), line_cmp);
	for (size_t i = 0; i < l->n; i++)
		strbuf_adds(out, l->list[i]);
	l->n = 0;
}

void oracle_canonical(struct str scrape, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf head = { 0 };
	struct lines lines = { 0 }, summed = { 0 };
	struct str family = STR("");
	bool own = false;

	while (scrape.n > 0) {
		struct str line = text_next_line(&scrape), name = text_family_of(line);

		if (name.n > 0 && !str_eq(name, family)) {
			add_sorted(&lines, out);
			family = name;
			own = is_own(name);
			head.n = 0;
		}
		if (own)
			continue;
		if (name.n > 0) {
			strbuf_adds(&head, line);
		} else if (sums_have_line(line)) {
			note_line(&summed, line);
		} else {
			strbuf_adds(out, strbuf_str(&head));
			head.n = 0;
			note_line(&lines, line);
		}
	}
	add_sorted(&lines, out);
	add_sorted(&summed, out);
	free(lines.list);
	free(summed.list);
}

static void add_part(struct strbuf *why, const char *who, struct str text, size_t from)
{
	enum { PART = 300 };
	size_t n = text.n - from < PART ? text.n - from : PART;

	strbuf_addf(why, "%s: %.*s\n", who, (int)n, text.p + from);
}

void text_add_difference(struct strbuf *why, struct str got, struct str want)
{
	enum { BEFORE = 80 };
	size_t line = 0, i = 0;

	for (; i < got.n && i < want.n && got.p[i] == want.p[i]; i++)
		if (got.p[i] == '\n')
			line = i + 1;
	if (i - line > BEFORE)
		line = i - BEFORE;
	add_part(why, "shown", got, line);
	add_part(why, "wanted", want, line);
}

void text_leave_out_help(struct strbuf *text)
{
	struct str rest = strbuf_str(text);
	size_t n = 0;

	while (rest.n > 0) {
		struct str line = text_next_line(&rest);

		if (str_has_prefix(line, STR("# HELP ")))
			continue;
		memmove(text->p + n, line.p, line.n);
		n += line.n;
	}
	text->n = n;
}
