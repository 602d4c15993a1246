/*
 * Prometheus's naming rules (https://prometheus.io/docs/practices/naming/), as `promtool check
 * metrics` 3.5 has them and in its words. Pure functions; any thread.
 */
#ifndef PUSH_LINT_H
#define PUSH_LINT_H

#include "metrics/metric.h"

enum lint_problem {
	LINT_NO_HELP,
	LINT_UNIT, /* the first unit, if the name has several */
	LINT_COUNTER_TOTAL,
	LINT_OTHER_TOTAL,
	LINT_OTHER_TIMESTAMP,
	LINT_BUCKET,
	LINT_COUNT,
	LINT_SUM,
	LINT_LE,
	LINT_QUANTILE,
	LINT_TYPE_IN_NAME,
	LINT_COLON,
	LINT_CAMEL_NAME,
	LINT_CAMEL_LABEL,
	LINT_ABBREVIATED,
	LINT_NOT_UNIQUE,
	N_LINT_PROBLEMS,
};

/* The rules that a name, a type and a help text break: a bit for each problem. */
unsigned lint_name(struct str name, int32_t type, struct str help);
/* The rules that the labels of one series break. */
unsigned lint_labels(int32_t type, const struct label *labels, uint32_t n);
/* The rules that a whole family breaks, series that are there twice included. */
unsigned lint_family(const struct family *f);

/* "counter metrics should have "_total" suffix". For the family's own name and type. */
void lint_add_text(enum lint_problem which, struct str name, int32_t type, struct strbuf *out);

#endif
