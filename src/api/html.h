/* Text, numbers and times in HTML. */
#ifndef API_HTML_H
#define API_HTML_H

#include <stdint.h>

#include "base/str.h"

/* Appends s with &, <, >, " and ' as entities: safe in text and in quoted attributes. */
void html_add(struct strbuf *out, struct str s);
/* The same of its first bytes, whole characters of UTF-8, and "…" when something is left out. */
void html_add_cut(struct strbuf *out, struct str s, size_t max);

/* Percent-encoded, but for letters, digits and "-._": a segment of a path or a value of a query. */
void html_add_url_part(struct strbuf *out, struct str s);

/* As the page's modules write them (ui/dom.js): "10,284"; "1.9 kB"; "1 d 3 h". */
void html_add_count(struct strbuf *out, uint64_t n);
void html_add_size(struct strbuf *out, uint64_t bytes);
void html_add_duration(struct strbuf *out, double seconds);

#endif
