/*
 * Names and label values in the text formats: which names need no quotes, how format 0.0.4 spells
 * the others, and which label values need no escape.
 */
#ifndef METRICS_NAMES_H
#define METRICS_NAMES_H

#include "base/str.h"

/* [a-zA-Z_:][a-zA-Z0-9_:]* and [a-zA-Z_][a-zA-Z0-9_]* */
bool name_is_classic_metric(struct str name);
bool name_is_classic_label(struct str name);

/* Appends name with every code point that is illegal in a classic name replaced by '_'. */
void text_write_escaped_name(struct strbuf *out, struct str name);

/* Whether a label value is written as it is: no backslash, quote or LF. */
bool text_is_verbatim(struct str value);
/* How many bytes at the start of the value need no escape: as a rule all. */
size_t text_skip_verbatim(struct str s);

#endif
