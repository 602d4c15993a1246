/* Feeds the parser of src/http like a connection, and describes the results in words. */
#ifndef LIB_HTTP_FEED_H
#define LIB_HTTP_FEED_H

#include "http/parse.h"

/*
 * Feeds `in` in pieces of `piece` bytes, the first one of `first`, and describes each request in a
 * line: method, target, version, flags, header bytes, content. The last line is "more" if the bytes
 * end within a request, "status text" if it is refused, "end" otherwise. Asserts what must hold for
 * every outcome. Memory ends where the bytes end, for the address sanitizer.
 */
void http_feed(struct str in, const struct parse_limits *lim, size_t first, size_t piece,
	       struct strbuf *out);

#endif
