#include "pages/family.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "format/text/write.h"
#include "pages/entry.h"
#include "pages/kin.h"
#include "pages/page.h"

static struct help *help_new(struct shown_family *f, struct str text)
{
	struct help *help = mem_zalloc(sizeof(*help) + text.n);

	help->family = f;
	help->refs = 1;
	help->n = (uint32_t)text.n;
	copy_bytes(help->p, text.p, text.n);
	return help;
}

void family_init(struct shown_family *f, struct str name, struct str exposed, uint64_t hash)
{
	bool same = str_eq(name, exposed);
	size_t at = same ? 0 : name.n;
	char *p = mem_alloc(at + exposed.n + 1);

	copy_bytes(p, name.p, name.n);
	copy_bytes(p + at, exposed.p, exposed.n);
	*f = (struct shown_family){
		.name = { p, name.n },
		.exposed = { p + at, exposed.n },
		.hash = hash,
		.none = help_new(f, STR_NULL),
		.unescaped = same ? NULL : bytes_of(name),
	};
}

void family_done(struct shown_family *f)
{
	kin_leave(f);
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

static void forget_header(struct shown_family *f)
{
	bytes_unref(f->header);
	f->header = NULL;
}

void family_fix_help(struct shown_family *f, struct str text)
{
	f->help = help_new(f, text);
	f->help->given = true;
	f->n_helps = 1;
	f->help_number = UINT64_MAX;
}

void family_help_comes(struct shown_family *f, struct help *help, uint64_t number)
{
	f->n_helps += help->n_shown++ == 0;
	if (number < f->help_number)
		return;
	if (help != f->help || f->help_gone)
		forget_header(f);
	f->help_number = number;
	f->help_gone = false;
	if (help == f->help)
		return;
	help->refs++;
	help_unref(f->help);
	f->help = help;
}

void family_help_goes(struct shown_family *f, struct help *help, uint64_t number)
{
	f->n_helps -= --help->n_shown == 0;
	if (f->n_helps > 0 && (number != f->help_number ||
			       (f->n_helps == 1 && !f->help_gone && f->help->n_shown > 0)))
		return;
	f->help_gone = true;
	forget_header(f);
}

void family_set_type(struct shown_family *f, int32_t type)
{
	if (f->type == type)
		return;
	f->type = (uint8_t)type;
	forget_header(f);
}

/*
 * The newest entry's text. Looks at all entries, so it is called only for families with several
 * texts.
 */
static const struct help *newest_help(struct shown_family *f)
{
	const struct help *newest = NULL;
	uint64_t number = 0;

	for (uint32_t i = 0; i < f->n_pages; i++)
		for (uint32_t k = 0; k < f->pages[i]->n; k++) {
			/*
			 * Lines are the first member. Entries have help texts; metrics that the
			 * gateway adds have none.
			 */
			const struct entry *e = (const struct entry *)f->pages[i]->slots[k];

			if (e->help->given && e->record->number >= number) {
				newest = e->help;
				number = e->record->number;
			}
		}
	f->help_number = number;
	return newest;
}

void family_make_header(struct shown_family *f)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	const struct help *help = f->n_helps == 0 ? NULL : f->help;

	if (f->header)
		return;
	if (f->help_gone && f->n_helps > 0)
		help = newest_help(f);
	text_write_header(&b, f->exposed, help != NULL,
			  help ? (struct str){ help->p, help->n } : STR_NULL, f->type);
	f->header = bytes_of(strbuf_str(&b));
	/* The last line is "# TYPE name type". */
	f->header_name_at = (uint32_t)(b.n - 2 - strlen(text_type_name(f->type)) - f->exposed.n);
}

int family_cmp(const struct shown_family *a, const struct shown_family *b)
{
	int r = a == b ? 0 : str_cmp(a->exposed, b->exposed);

	return r || a == b ? r : str_cmp(a->name, b->name);
}
