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
	struct text_family *total;  /* of a counter c_total: those called so */
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
/* Gives the families their help and unit, and settles what can only be settled at the end. */
int om_finish(struct om_parser *o);
/* .p is NULL: no memory. */
struct str om_with_suffix(struct arena *a, struct str name, struct str suffix);

/*
 * created.c. Times of creation go to their metrics. One that belongs to nothing, or that is no
 * time, becomes the gauge that Prometheus takes it for.
 */
int om_settle_created(struct om_parser *o, struct om_family *of);

/* sample.c. To the nanosecond, as far as a double has it. False: out of range. */
bool om_timestamp(double v, struct timestamp *ret_ts);
/* From the first byte of a sample to behind its LF. */
int om_sample(struct om_parser *o);

#endif
