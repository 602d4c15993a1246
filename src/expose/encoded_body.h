/* The body of a scrape in another format than text 0.0.4 with underscores. */
#ifndef EXPOSE_ENCODED_BODY_H
#define EXPOSE_ENCODED_BODY_H

#include "expose/scrape_body.h"
#include "format/accept_header.h"

struct encoded_body;

/* The snapshot that encoded_body_new() needs for that format. shard.n 0: of all groups. */
struct snapshot *encoded_body_snapshot(struct store *s, struct accepted as, enum compression coding,
				       struct shard shard);

/*
 * Begins to append all families to `to`, by name, own metrics among them, each page encoded or as
 * it is. Takes over the snapshot; borrows the rest. Unless coding is COMPRESS_NONE, the body has to
 * be compressed in that coding afterwards.
 */
struct encoded_body *encoded_body_new(struct scrape_body *to, struct snapshot *snap,
				      const struct own_metrics *own, struct accepted as,
				      enum compression coding);
/* Continues until it is done (true) or until_ns has come; a page that cannot be divided may take
 * longer. */
bool encoded_body_step(struct encoded_body *f, int64_t until_ns);
/* Before or after it is done. NULL is fine. */
void encoded_body_free(struct encoded_body *f);

#endif
