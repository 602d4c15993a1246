#include "config/flags.h"

/*
 * The widths that kingpin uses. An entry of the left column wider than LEFT_MAX gets a line of its
 * own.
 */
enum { WIDTH = 80, INDENT = 2, PADDING = 2, LEFT_MAX = 29 };

static void add_left(const struct flag *f, struct strbuf *out)
{
	bool on_off = f->kind == FLAG_ACTION || f->kind == FLAG_BOOL;

	if (f->short_name)
		strbuf_addf(out, "-%c, --", f->short_name);
	else
		strbuf_addz(out, "    --");
	strbuf_addf(out, "%s%s", on_off ? "[no-]" : "", f->name);
	if (f->kind == FLAG_STRING || (f->kind == FLAG_STRINGS && f->def[0] == '\0')) {
		strbuf_addc(out, '=');
		strbuf_add_quoted(out, str_of(f->def));
	} else if (!on_off) {
		strbuf_addf(out, "=%s", f->def);
	}
	if (f->kind == FLAG_STRINGS)
		strbuf_addz(out, " ...");
}

static size_t left_width(const struct flag_table *t)
{
	size_t width = 0;

	for (size_t i = 0; i < t->n; i++) {
		CLEANUP(strbuf_done) struct strbuf left = { 0 };

		add_left(&t->flags[i], &left);
		if (!t->flags[i].hidden && left.n > width && left.n <= LEFT_MAX)
			width = left.n;
	}
	return width;
}

static void add_spaces(struct strbuf *out, size_t n)
{
	while (n-- > 0)
		strbuf_addc(out, ' ');
}

/* The words of text that fit into one line; at least one is taken. */
static struct str take_line(struct str *text, size_t width)
{
	struct str line = *text;

	if (line.n > width) {
		for (line.n = width + 1; line.n > 0 && line.p[line.n - 1] != ' '; line.n--)
			;
		if (line.n > 0)
			line.n--;
		else
			while (line.n < text->n && line.p[line.n] != ' ')
				line.n++;
	}
	text->p += line.n;
	text->n -= line.n;
	while (text->n > 0 && text->p[0] == ' ') {
		text->p++;
		text->n--;
	}
	return line;
}

/* Continues the line that ends at column `at`; later lines begin at column `column`. */
static void add_wrapped(struct strbuf *out, struct str text, size_t at, size_t column)
{
	do {
		struct str line = take_line(&text, WIDTH - column);

		add_spaces(out, column - at);
		strbuf_adds(out, line);
		strbuf_addc(out, '\n');
		at = 0;
	} while (text.n > 0);
}

static void add_flag(const struct flag *f, size_t width, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf left = { 0 };
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	size_t at;

	add_left(f, &left);
	strbuf_addz(&text, f->help);
	if (f->min < f->max) {
		strbuf_addz(&text, " Range: ");
		flag_add_range(f, &text);
		strbuf_addc(&text, '.');
	}
	add_spaces(out, INDENT);
	strbuf_adds(out, strbuf_str(&left));
	at = INDENT + left.n;
	if (left.n > LEFT_MAX) {
		strbuf_addc(out, '\n');
		at = 0;
	}
	add_wrapped(out, strbuf_str(&text), at, INDENT + width + PADDING);
}

void flags_help(const struct flag_table *t, const char *program, const char *description,
		struct strbuf *out)
{
	size_t width = left_width(t);

	strbuf_addf(out, "usage: %s [<flags>]\n\n%s\n\nFlags:\n", program, description);
	for (size_t i = 0; i < t->n; i++)
		if (!t->flags[i].hidden)
			add_flag(&t->flags[i], width, out);
}
