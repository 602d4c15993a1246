/* JSON strings as Go's encoder writes them. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/str.h"

/*
 * Appends s in quotes: <, >, &, U+2028 and U+2029 as \u003c ..., control characters as \u00XX or
 * \b \f \n \r \t, invalid UTF-8 as \ufffd.
 */
void json_add_string(struct strbuf *out, struct str s);

#endif
