#include "pages/family.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "format/text/write.h"
#include "pages/group.h"
#include "pages/page.h"

struct store_family *family_new(struct str name, struct str exposed, uint64_t hash)
{
	struct store_family *f = mem_zalloc(sizeof(*f) + name.n + exposed.n);
	char *p = (char *)(f + 1);

	memcpy(p, name.p, name.n);
	memcpy(p + name.n, exposed.p, exposed.n);
	f->name = (struct str){ p, name.n };
	f->exposed = (struct str){ p + name.n, exposed.n };
	f->hash = hash;
	if (!str_eq(name, exposed))
		f->unescaped = bytes_of(name);
	return f;
}

static void help_unref(struct help *h)
{
	if (h && --h->refs == 0)
		free(h);
}

void family_free(struct store_family *f)
{
	pages_free(f);
	help_unref(f->help);
	bytes_unref(f->header);
	bytes_unref(f->unescaped);
	free(f);
}

void family_set_help(struct store_family *f, struct help *help, double at)
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

void family_set_type(struct store_family *f, int32_t type)
{
	if (f->shown_type == type)
		return;
	f->shown_type = (uint8_t)type;
	bytes_unref(f->header);
	f->header = NULL;
}

void family_make_header(struct store_family *f)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	struct str help = f->help ? (struct str){ f->help->p, f->help->n } : STR_NULL;

	if (f->header)
		return;
	text_write_header(&b, f->exposed, f->help != NULL, help, f->shown_type);
	f->header = bytes_of(strbuf_str(&b));
	/* The last line is "# TYPE name type". */
	f->header_name_at = (uint32_t)(b.n - 2 - strlen(text_type_name(f->shown_type)) -
				       f->exposed.n);
}
