/*
 * Regular expressions that have to match the whole of a text, as Prometheus has them: PCRE2's,
 * which has all that RE2 has, with a bound on the time that one match takes. Immutable once made;
 * any thread may match.
 */
#ifndef METRICS_EXPRESSION_H
#define METRICS_EXPRESSION_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct expression;

/*
 * Most expressions take time for the length of the text, some ten nanoseconds for a character.
 * Others backtrack: those that have what RE2 has not, and those that could go on in hundreds of
 * ways at a time. These may take so many steps on one text, and then fail. A million steps take
 * some ten milliseconds, if none of them looks far ahead.
 */
enum { EXPRESSION_MAX_STEPS = 100 * 1000 };

/* -1: ERR_INVALID, which says where it is wrong. */
int expression_parse(struct str text, struct expression **ret, struct err *err);
void expression_free(struct expression *e); /* NULL is fine */
DEFINE_CLEANUP(struct expression *, expression_free)

/* Of valid UTF-8. 1: it matches, 0: it does not, -1: that took too long to find out. */
int expression_match(const struct expression *e, struct str s);

/* The same, but one that has only what RE2 has does not backtrack: -1 is the answer instead. */
int expression_match_quickly(const struct expression *e, struct str s);

/* Whether it has only what RE2 has. */
bool expression_is_regular(const struct expression *e);

/* The text that it was made of; borrowed. */
struct str expression_text(const struct expression *e);

#endif
