/*
 * The body of a scrape: pieces of text in order, each shared with whoever else holds it, and their
 * compressed form. Made on a worker, compressed on the background thread, sent by the worker.
 */
#ifndef EXPOSE_EXPOSITION_H
#define EXPOSE_EXPOSITION_H

#include "codec/compress.h"
#include "expose/own_metrics.h"
#include "store/store.h"

struct exposition_part {
	struct bytes *owner; /* a reference */
	struct str text;     /* inside */
	bool packed;         /* a piece in the coding that the exposition will be compressed in */
};

/* Smaller parts are put together, anew each time. Compressed alone they would hardly shrink. */
enum { EXPOSITION_SMALL = 4096 };

/*
 * What is not shared with the store is sent in parts of about this size: malloc takes that much
 * from the kernel for each of them, and gives it back at once.
 */
enum { EXPOSITION_BLOCK = 1024 * 1024 };

struct exposition {
	struct exposition_part *parts;
	size_t n, cap;
};

/* What is stored with our own metrics merged in by name. Takes over the snapshot. */
void exposition_init(struct exposition *e, struct snapshot *snap, const struct own_metrics *own);
void exposition_done(struct exposition *e);
/* Appends all of the bytes; takes the reference. */
void exposition_add(struct exposition *e, struct bytes *owner);

/*
 * Replaces the text by a stream in that coding. Large parts are compressed once and kept with the
 * text, so a part that has not changed since the last scrape costs nothing.
 */
void exposition_compress(struct exposition *e, enum compression coding);

/*
 * Adds everything to the reply, what is small in copies: a reference costs more than it is. e is
 * empty afterwards.
 */
void exposition_send(struct exposition *e, struct http_request *req);

#endif
