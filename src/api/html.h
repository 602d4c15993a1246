/* Text, numbers and times in HTML. */
#ifndef API_HTML_H
#define API_HTML_H

#include <stdint.h>

#include "base/str.h"

/* Appends s with &, <, >, " and ' as entities: safe in text and in quoted attributes. */
void html_add(struct strbuf *out, struct str s);
/* The same for at most max bytes of s, without cutting a character, and "…" if it is cut. */
void html_add_cut(struct strbuf *out, struct str s, size_t max);

/* Percent-encoded, but for letters, digits and "-._": a segment of a path or a value of a query. */
void html_add_url_part(struct strbuf *out, struct str s);

/* Write numbers as the page's modules do (ui/dom.js): "10,284"; "1.9 kB"; "1 d 3 h". */
void html_add_count(struct strbuf *out, uint64_t n);
void html_add_size(struct strbuf *out, uint64_t bytes);
void html_add_duration(struct strbuf *out, double seconds);

#endif
