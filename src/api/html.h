/* Text in HTML. */
#ifndef API_HTML_H
#define API_HTML_H

#include "base/str.h"

/* Appends s with &, <, >, " and ' as entities: safe in text and in quoted attributes. */
void html_add(struct strbuf *out, struct str s);

#endif
