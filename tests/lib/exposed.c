#include "lib/exposed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

struct snapshot *exposed_take(struct store *s)
{
	return store_snapshot(s, NULL);
}

static int line_cmp(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Cuts off the first line, with its LF. */
static struct str take_line(struct str *text)
{
	const char *lf = memchr(text->p, '\n', text->n);

	assert(lf);
	struct str line = { text->p, (size_t)(lf - text->p) + 1 };

	text->p += line.n;
	text->n -= line.n;
	return line;
}

static size_t count_lines(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

/* Checks that forms kept beside a page were made of its present text, not of an earlier one. */
static void check_forms(struct bytes *page)
{
	enum { A_FORM_OF_OURS = 1000 };
	struct bytes *copy = bytes_form(page, A_FORM_OF_OURS);

	if (!copy)
		copy = bytes_keep_form(page, A_FORM_OF_OURS, bytes_of(bytes_str(page)));
	assert(str_eq(bytes_str(copy), bytes_str(page)));
}

static void add_family(const struct snapshot *snap, const struct snapshot_family *f,
		       struct strbuf *out)
{
	size_t n = 0, room = 0;

	for (size_t i = 0; i < f->n; i++)
		room += count_lines(bytes_str(snap->pages[f->first + i].text));
	CLEANUP(freep) struct str *lines = mem_alloc(room * sizeof(*lines));

	for (size_t i = 0; i < f->n; i++) {
		struct str text = bytes_str(snap->pages[f->first + i].text);

		assert(text.n > 0);
		check_forms(snap->pages[f->first + i].text);
		while (text.n > 0)
			lines[n++] = take_line(&text);
	}
	qsort(lines, n, sizeof(*lines), line_cmp);
	strbuf_adds(out, bytes_str(f->header));
	for (size_t i = 0; i < n; i++)
		strbuf_adds(out, lines[i]);
}

static void add_snapshot(struct store *s, struct str without, struct strbuf *out)
{
	struct snapshot *snap = exposed_take(s);

	for (size_t i = 0; i < snap->n_families; i++) {
		const struct snapshot_family *f = &snap->families[i];

		assert(f->n > 0);
		assert(i == 0 || str_cmp(f[-1].name, f->name) < 0);
		if (!without.n || !str_has_prefix(f->name, without))
			add_family(snap, f, out);
	}
	snapshot_free(snap);
}

void exposed_add(struct store *s, struct strbuf *out)
{
	add_snapshot(s, STR_NULL, out);
}

char *exposed_pushed(struct store *s)
{
	struct strbuf b = { 0 };

	add_snapshot(s, STR("push_"), &b);
	strbuf_z(&b);
	return b.p;
}
