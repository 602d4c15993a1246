/*
 * State of one openmetrics_parse() call: parse.c reads lines, family.c
 * knows which names belong to which type, sample.c reads what text samples have not.
 */
#ifndef FORMAT_OPENMETRICS_INTERNAL_H
#define FORMAT_OPENMETRICS_INTERNAL_H

#include "format/openmetrics/parse.h"
#include "format/text/internal.h"

/* What the lines with # say of a name. */
struct om_family {
	struct str name;
	struct str help, unit;
	bool has_help, has_unit, has_type;
	struct text_family *family; /* where its samples go; NULL: not typed */
	struct om_family *next;
};

struct om_parser {
	struct text_parser p; /* first */
	struct table names;   /* of struct om_family */
	struct om_family *families;
};

/* family.c. The name is of a # line; NULL: refused. */
struct om_family *om_find_family(struct om_parser *o, struct str name, bool quoted);
/* Makes the family and the names of its samples. */
int om_set_type(struct om_parser *o, struct om_family *f, struct str word);
/* Gives the families their help and unit, and checks what can only be checked at the end. */
int om_finish(struct om_parser *o);

/* sample.c. From the first byte of a sample to behind its LF. */
int om_sample(struct om_parser *o);

#endif
