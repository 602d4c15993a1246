/*
 * A reply: header lines, then content, some of it copied and some by reference, and as far as which
 * all of it is sent. Knows no socket. It is used again for the next request of a connection, with
 * the memory it has by then; one thread.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/str.h"

/* A part of the content. */
struct reply_piece {
	const char *p; /* NULL: the next n bytes of the copies */
	size_t n;
	void (*free_fn)(void *arg);
	void *arg;
};

/* All zeros: empty. */
struct reply {
	struct strbuf fields; /* "Name: value" with line ends */
	struct strbuf copies; /* content that was copied */
	struct reply_piece *pieces;
	size_t n_pieces, cap_pieces;
	uint64_t content; /* bytes */
	bool lost;        /* there was no memory for some of it */

	struct strbuf out; /* what goes first: interim replies, status line, header lines */
	size_t out_sent;   /* of out */
	size_t piece;      /* the first that is not sent to its end */
	size_t piece_sent; /* of that one */
	size_t copies_at;  /* of the copies, where that one begins */
};

void reply_done(struct reply *r);
/* Forgets all of it but the memory that the next one will need. */
void reply_reset(struct reply *r);

/* In place of the field of that name. */
void reply_field(struct reply *r, struct str name, struct str value);
void reply_copy(struct reply *r, struct str bytes);
/* Borrowed until free_fn(arg), which is called when all of it is sent or given up. */
void reply_ref(struct reply *r, struct str bytes, void (*free_fn)(void *arg), void *arg);
/* Gives up the content, so that there may be another one. */
void reply_drop_content(struct reply *r);

/* Goes out before anything else that is not sent yet. */
void reply_interim(struct reply *r, struct str bytes);

struct reply_end {
	int status;
	struct str date;
	const char *content_type; /* NULL: none */
	const char *connection;   /* NULL: none */
	bool head;                /* to a HEAD request: no content is sent */
};
/* Nothing is added after that. */
void reply_end(struct reply *r, const struct reply_end *end);

/* What comes next of it, in at most n parts; 0: all is sent. */
int reply_next(const struct reply *r, struct iovec *iov, int n);
void reply_sent(struct reply *r, size_t n);

#endif
