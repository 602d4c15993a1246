/*
 * HTTP/1.x responses as they arrive, in pieces of any size; the body is counted, not kept. One
 * response on the wire at a time: the client does not pipeline.
 */
#ifndef BENCH_RESPONSE_H
#define BENCH_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum response_state {
	RESPONSE_HEAD,
	RESPONSE_COUNTED,     /* body of left bytes */
	RESPONSE_UNTIL_CLOSE, /* the end of the connection ends the body */
	RESPONSE_CHUNK_SIZE,
	RESPONSE_CHUNK,     /* left bytes of one */
	RESPONSE_CHUNK_END, /* CR LF after a chunk */
	RESPONSE_TRAILER,
	RESPONSE_COMPLETE,
	RESPONSE_BROKEN,
};

struct response {
	enum response_state state;
	int status;
	bool close;    /* the server ends the connection after it */
	uint64_t body; /* bytes, without the framing of chunks */
	uint64_t left;
	bool line_empty; /* of the trailer's line at hand */
	size_t n_head;
	char head[4096]; /* NUL-terminated when complete */
};

void response_begin(struct response *r);
/* After it r->state is RESPONSE_COMPLETE, RESPONSE_BROKEN, or tells what is awaited. */
void response_feed(struct response *r, const char *p, size_t n);
/* The connection has ended: is the response complete with that? */
bool response_ended(struct response *r);
/* Copies the value of a header of a complete head; "" when there is none. */
void response_header(const struct response *r, const char *name, char *out, size_t size);

#endif
