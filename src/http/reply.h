/* A reply: header lines, content of copied and referenced pieces, and how much of it has been sent.
 * Knows no socket. A connection uses it again, with its memory, for the next request. One thread.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/str.h"

/* A part of the content. */
struct reply_piece {
	const char *p; /* NULL: the next n bytes of the copies, or of a file */
	size_t n;
	bool is_file;
	int fd; /* of the file, owned */
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
	bool lost;        /* a part is missing for lack of memory */

	struct strbuf out; /* sent first: interim replies, status line, header lines */
	size_t out_sent;   /* of out */
	size_t piece;      /* the first that is not completely sent */
	size_t piece_sent; /* bytes of it that are sent */
	size_t copies_at;  /* where it begins in `copies` */
	char *window;      /* the next bytes of a file that is being sent; NULL: no file is */
	size_t window_at, window_n;
};

void reply_done(struct reply *r);
/* Empties the reply, and keeps memory for the next one. */
void reply_reset(struct reply *r);

/* Adds a header field, or replaces the one of that name. */
void reply_field(struct reply *r, struct str name, struct str value);
void reply_copy(struct reply *r, struct str bytes);
/*
 * Adds bytes by reference, borrowed until free_fn(arg) is called, when they are sent or given up.
 */
void reply_ref(struct reply *r, struct str bytes, void (*free_fn)(void *arg), void *arg);
/*
 * Adds the first n bytes of a file, which is closed when they are sent or given up. Nothing may be
 * added behind them. Reading the file may wait for its disk.
 */
void reply_file(struct reply *r, int fd, uint64_t n);
/* Drops the content, so that other content can be added. */
void reply_drop_content(struct reply *r);

/* Adds bytes that are sent before everything else that has not been sent. */
void reply_interim(struct reply *r, struct str bytes);

struct reply_end {
	int status;
	struct str date;
	const char *content_type; /* NULL: none */
	const char *connection;   /* NULL: none */
	bool head;                /* to a HEAD request: no content is sent */
};
/* Completes the reply; nothing may be added afterwards. */
void reply_end(struct reply *r, const struct reply_end *end);

/* The next bytes to send, in at most n parts; 0: everything is sent; -1: a file cannot be read. */
int reply_next(struct reply *r, struct iovec *iov, int n);
void reply_sent(struct reply *r, size_t n);

#endif
