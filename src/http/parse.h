/*
 * HTTP/1.1 requests from bytes (RFC 9110, RFC 9112). Pure functions: they know no socket, no clock
 * and no memory but the caller's. However the bytes are cut into pieces, the outcome is the same.
 *
 * Accepted are HTTP/1.0 and any HTTP/1.x as 1.1; bodies by Content-Length or in chunks; all line
 * ends of a head CRLF, or all of them LF (RFC 9112 section 2.2). Requests that two readers could
 * understand differently are refused, with a status and a line of text for each fault (fault.h).
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "http/chunks.h"
#include "http/fault.h"
#include "http/server.h"

struct parse_limits {
	uint64_t header; /* bytes of the request line and the header lines, without line ends;
			    and of a chunked body's trailers */
	uint64_t body;   /* bytes of content */
};

enum parse_result {
	PARSE_MORE, /* the bytes end before the request does */
	PARSE_HEAD, /* the head is complete; once for each request, the body comes after it */
	PARSE_DONE, /* the request is complete */
	PARSE_BAD,  /* see fault: where a next request would begin is not known */
};

/* A part of the buffer, from its beginning. */
struct parse_part {
	size_t at, n;
};

/* A request, as far as it is known. All zeros: at its beginning. */
struct parse {
	enum { PARSE_IN_HEAD, PARSE_IN_BODY, PARSE_IN_CHUNKS, PARSE_ENDED } stage;
	enum http_fault fault;

	/* The head; what comes after the request line is complete with PARSE_HEAD. */
	enum http_method method;
	struct parse_part target;
	struct parse_part fields; /* all header lines with their ends */
	uint8_t minor;            /* of HTTP/1.x: 0 or 1 */
	bool close;               /* after the reply */
	bool keep_alive;          /* HTTP/1.0 asks for it */
	bool expects_continue;
	bool chunked;
	uint64_t length;    /* Content-Length; 0: none */
	size_t field_bytes; /* names and values, of Host the value alone */

	/* The content, as far as it is there. */
	struct parse_part body;
	size_t gap; /* bytes of the chunks' lines that are left behind it */

	/* parse.c only. */
	size_t line, scanned; /* where the line begins, and up to where it has no end */
	uint64_t head_bytes;
	bool has_line, crlf;
	bool has_host, has_length, has_coding, odd_coding, odd_expect;
	struct chunks chunks;
};

/*
 * Reads on in buf, which begins with the request and holds *n bytes, new ones at its end. A chunked
 * body is put together in place: *n becomes less, but not with PARSE_DONE, since what follows the
 * request stays where it is: it may be much.
 */
enum parse_result parse_step(struct parse *p, const struct parse_limits *lim, char *buf, size_t *n);

/*
 * Bytes of empty lines in front of a request, which a client may send (RFC 9112 section 2.2); the
 * caller drops them before the first step.
 */
size_t parse_blank(const char *buf, size_t n);

/* Where the request ends as far as it is known: after PARSE_DONE the next one begins there. */
static inline size_t parse_end(const struct parse *p)
{
	return p->body.at + p->body.n + p->gap;
}

/*
 * How many bytes buf has to hold for PARSE_DONE; not meant for chunked bodies, whose size is not
 * known.
 */
uint64_t parse_size(const struct parse *p);

/*
 * The first field of that name in p->fields, case-insensitive. .p is NULL when there is none.
 */
struct str parse_field(const struct parse *p, const char *buf, struct str name);
/*
 * The last one in front of *place, where its line begins then. SIZE_MAX: behind all of them.
 */
struct str parse_field_before(const struct parse *p, const char *buf, struct str name,
			      size_t *place);

#endif
