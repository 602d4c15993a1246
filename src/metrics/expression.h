/*
 * Regular expressions that have to match the whole of a text, as Prometheus has them: PCRE2's,
 * which has all that RE2 has, with a bound on the time that one match takes. Immutable once made;
 * any thread may match.
 */
#ifndef METRICS_EXPRESSION_H
#define METRICS_EXPRESSION_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct expression;

/*
 * Steps that one expression may take on one text; a match that backtracks for longer fails. A
 * million steps take some ten milliseconds.
 */
enum { EXPRESSION_MAX_STEPS = 100 * 1000 };

/* -1: ERR_INVALID, which says where it is wrong. */
int expression_parse(struct str text, struct expression **ret, struct err *err);
void expression_free(struct expression *e); /* NULL is fine */
DEFINE_CLEANUP(struct expression *, expression_free)

/* Of valid UTF-8. 1: it matches, 0: it does not, -1: that took too long to find out. */
int expression_match(const struct expression *e, struct str s);

/* The text that it was made of; borrowed. */
struct str expression_text(const struct expression *e);

#endif
