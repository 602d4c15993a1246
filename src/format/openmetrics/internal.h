/*
 * State of one openmetrics_parse() call: parse.c reads lines, family.c knows which names belong to
 * which type, sample.c reads samples and their exemplars.
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
	struct text_family *
		total; /* of a counter whose family is called c_total: for samples with that name */
	struct om_family *next;
};

struct om_parser {
	struct text_parser p; /* first */
	struct table names;   /* of struct om_family */
	struct om_family *families;
};

/* family.c. Finds or makes the family that a # line names; NULL: the name is refused. */
struct om_family *om_find_family(struct om_parser *o, struct str name, bool quoted);
/* Makes the family and the names of its samples. */
int om_set_type(struct om_parser *o, struct om_family *f, struct str word);
/* Gives the families their help and unit, and settles what can only be settled at the end. */
int om_finish(struct om_parser *o);
/* .p is NULL: no memory. */
struct str om_with_suffix(struct arena *a, struct str name, struct str suffix);

/*
 * created.c. Gives creation times to their metrics. A creation time that belongs to no metric, or
 * is no time, becomes a gauge, as it is to Prometheus.
 */
int om_settle_created(struct om_parser *o, struct om_family *of);

/* sample.c. Converts seconds, to the nanosecond as far as a double can. False: out of range. */
bool om_timestamp(double v, struct timestamp *ret_ts);
/* Reads a sample, from its first byte to behind its LF. */
int om_sample(struct om_parser *o);

#endif
