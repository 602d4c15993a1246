/* The body of a scrape in another format than text 0.0.4 with underscores. */
#ifndef EXPOSE_ENCODED_BODY_H
#define EXPOSE_ENCODED_BODY_H

#include "expose/scrape_body.h"
#include "format/accept_header.h"

/* What encoded_body_make() needs for that format. */
struct snapshot *encoded_body_snapshot(struct store *s, struct accepted as,
				       enum compression coding);

/*
 * Families by name, our own among them, each page encoded or taken as it is. Takes over the
 * snapshot. May take as long as all that is stored: not for an event loop. Unless coding is
 * COMPRESS_NONE, scrape_body_compress() with that coding has to follow.
 */
void encoded_body_make(struct scrape_body *e, struct snapshot *snap, const struct own_metrics *own,
		       struct accepted as, enum compression coding);

#endif
