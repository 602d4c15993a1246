/*
 * The body of a scrape: pieces of text in order, shared with the pages, and their compressed form.
 * Made on a worker, compressed on the background thread, sent by the worker.
 */
#ifndef EXPOSE_SCRAPE_BODY_H
#define EXPOSE_SCRAPE_BODY_H

#include "codec/compress.h"
#include "expose/own_metrics.h"
#include "store/store.h"

struct scrape_part {
	struct bytes *owner; /* a reference */
	struct str text;     /* inside the owner's bytes */
	bool packed;         /* a piece in the coding that the exposition will be compressed in */
};

/*
 * Smaller parts are joined, anew for each scrape, since they would hardly shrink if compressed
 * alone.
 */
enum { SCRAPE_PART_SMALL = 4096 };

/*
 * Text that is not shared with the pages is sent in parts of about this size: malloc gets each from
 * the kernel, and gives it back at once.
 */
enum { SCRAPE_BLOCK = 1024 * 1024 };

struct scrape_body {
	struct scrape_part *parts;
	size_t n, cap;
};

/* Makes it of the snapshot, which it takes over, with the own metrics merged in by name. */
void scrape_body_init(struct scrape_body *e, struct snapshot *snap, const struct own_metrics *own);
void scrape_body_done(struct scrape_body *e);
/* Appends all of the bytes; takes the reference. */
void scrape_body_add(struct scrape_body *e, struct bytes *owner);

/*
 * Replaces the body's text by a stream in that coding. Large parts are compressed once and kept
 * with the text, so a part that has not changed since the last scrape costs nothing. Borrows the
 * body, which is as it was until a step is the last one.
 */
struct scrape_compression;
struct scrape_compression *scrape_compression_new(struct scrape_body *body,
						  enum compression coding);
/* Goes on until it is done (true) or until_ns has come; longer for a large part. */
bool scrape_compression_step(struct scrape_compression *c, int64_t until_ns);
/* Done or not. NULL is fine. */
void scrape_compression_free(struct scrape_compression *c);

/*
 * Adds all parts to the reply, small ones as copies, since a reference costs more. e is empty
 * afterwards.
 */
void scrape_body_send(struct scrape_body *e, struct http_request *req);

#endif
