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

/* Appends the name in that scheme; what takes its place in quotes is the writers' affair. */
void escape_name(enum escaping e, struct str name, struct strbuf *out);

/* The same in the arena; the name itself when it needs no change. .p is NULL: out of memory. */
struct str escape_name_in(enum escaping e, struct str name, struct arena *a);

#endif
