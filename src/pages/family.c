#include "pages/family.h"

#include <stdlib.h>

#include "base/mem.h"
#include "format/text/write.h"
#include "pages/entry.h"
#include "pages/page.h"

static struct help *help_new(struct shown_family *f, struct str text)
{
	struct help *help = mem_zalloc(sizeof(*help) + text.n);

	help->family = f;
	help->refs = 1;
	help->n = (uint32_t)text.n;
	if (text.n)
		memcpy(help->p, text.p, text.n);
	return help;
}

void family_init(struct shown_family *f, struct str name, struct str exposed, uint64_t hash)
{
	char *p = mem_alloc(name.n + exposed.n + 1);

	memcpy(p, name.p, name.n);
	memcpy(p + name.n, exposed.p, exposed.n);
	*f = (struct shown_family){
		.name = { p, name.n },
		.exposed = { p + name.n, exposed.n },
		.hash = hash,
		.none = help_new(f, STR_NULL),
		.unescaped = str_eq(name, exposed) ? NULL : bytes_of(name),
	};
}

void family_done(struct shown_family *f)
{
	pages_free(f);
	help_unref(f->help);
	help_unref(f->none);
	bytes_unref(f->header);
	bytes_unref(f->unescaped);
	free((char *)f->name.p);
}

struct help *family_help(struct shown_family *f, struct str text)
{
	struct help *help = f->help;

	if (!help || help->n != text.n || (text.n && memcmp(help->p, text.p, text.n) != 0)) {
		help = help_new(f, text);
		help->given = true;
		return help;
	}
	help->refs++;
	return help;
}

struct help *family_no_help(struct shown_family *f)
{
	f->none->refs++;
	return f->none;
}

void family_set_help(struct shown_family *f, struct help *help, double at)
{
	if (at < f->help_at)
		return;
	f->help_at = at;
	if (help == f->help)
		return;
	help->refs++;
	help_unref(f->help);
	f->help = help;
	bytes_unref(f->header);
	f->header = NULL;
}

void family_set_type(struct shown_family *f, int32_t type)
{
	if (f->type == type)
		return;
	f->type = (uint8_t)type;
	bytes_unref(f->header);
	f->header = NULL;
}

void family_make_header(struct shown_family *f)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct str help = f->help ? (struct str){ f->help->p, f->help->n } : STR_NULL;

	if (f->header)
		return;
	text_write_header(&b, f->exposed, f->help != NULL, help, f->type);
	f->header = bytes_of(strbuf_str(&b));
	/* The last line is "# TYPE name type". */
	f->header_name_at = (uint32_t)(b.n - 2 - strlen(text_type_name(f->type)) - f->exposed.n);
}

int family_cmp(const struct shown_family *a, const struct shown_family *b)
{
	int r = a == b ? 0 : str_cmp(a->exposed, b->exposed);

	return r || a == b ? r : str_cmp(a->name, b->name);
}
