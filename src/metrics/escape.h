/*
 * Names that are not classic ([a-zA-Z_:][a-zA-Z0-9_:]*), as scrapers ask to see them: the escaping
 * schemes that Prometheus 3 and the Go gateway know. Classic names are the same in every scheme.
 */
#ifndef METRICS_ESCAPE_H
#define METRICS_ESCAPE_H

#include "base/arena.h"
#include "base/str.h"

enum escaping {
	ESCAPE_UNDERSCORES, /* the default */
	ESCAPE_UTF8,        /* as it is; text formats put it in quotes */
	ESCAPE_DOTS,
	ESCAPE_VALUES,
	N_ESCAPINGS,
};

/* "underscores", "allow-utf-8", ... */
const char *escaping_name(enum escaping e);
/* False when there is no scheme of that name. */
bool escaping_by_name(struct str name, enum escaping *ret_e);

/* Appends the name in that scheme. With ESCAPE_UTF8 the writers of the formats add the quotes. */
void escape_name(enum escaping e, struct str name, struct strbuf *out);

/* The same in the arena; the name itself when it needs no change. .p is NULL: out of memory. */
struct str escape_name_in(enum escaping e, struct str name, struct arena *a);

/*
 * The reverse of ESCAPE_VALUES; s is what follows "U__", and out has room for s.n bytes. False: s
 * is no such form. Forms that escape_name() would write in another way are accepted, as by the Go
 * gateway.
 */
bool unescape_values(struct str s, char *out, size_t *ret_n);

/*
 * Appends a form of any name that unescape_values() turns into it again, be it classic or not. What
 * that does not read as a number stays as it is: code points of the last plane.
 */
void escape_values(struct str name, struct strbuf *out);

/*
 * Whether a classic name can be what another name becomes in ESCAPE_DOTS or ESCAPE_VALUES. A quick
 * test that few names pass.
 */
bool escape_may_be_form(struct str name);
/*
 * All names that become `form` in scheme e (ESCAPE_DOTS or ESCAPE_VALUES) have one form in
 * ESCAPE_UNDERSCORES, which other names can have, too. Appends that form. False: no name but the
 * classic name `form` itself becomes `form`.
 */
bool escape_undo(enum escaping e, struct str form, struct strbuf *out);

#endif
