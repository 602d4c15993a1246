/* The gateway's metrics about itself, as a scrape shows them (behaviour 5.7, and our own). */
#ifndef API_OWN_H
#define API_OWN_H

#include "api/api.h"

enum { OWN_MAX = 40 };

struct own_family {
	struct str name;
	size_t at, n; /* header and samples, in the text */
};

struct own_metrics {
	struct strbuf text;
	struct own_family families[OWN_MAX]; /* sorted by name */
	size_t n;
};

void own_collect(struct own_metrics *own, struct api *api);
void own_done(struct own_metrics *own);

static inline struct str own_text(const struct own_metrics *own, const struct own_family *f)
{
	return (struct str){ own->text.p + f->at, f->n };
}

#endif
