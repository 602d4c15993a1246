/* The parser of src/http, fed as a connection feeds it; what comes out, in words. */
#ifndef LIB_HTTP_FEED_H
#define LIB_HTTP_FEED_H

#include "http/parse.h"

/*
 * Feeds `in` in pieces of `piece` bytes, the first one of `first`, and describes each request in a
 * line: method, target, version, what else is known of it, content. The last line is "more" where
 * the bytes end in the middle of one, "status text" where it is refused, "end" otherwise. Asserts
 * what must hold of every outcome. Memory ends where the bytes end, for the address sanitizer.
 */
void http_feed(struct str in, const struct parse_limits *lim, size_t first, size_t piece,
	       struct strbuf *out);

#endif
