/* The families of an encoded scrape: pushed ones and the gateway's own, by name. */
#ifndef EXPOSE_EXPOSED_FAMILIES_H
#define EXPOSE_EXPOSED_FAMILIES_H

#include "expose/own_metrics.h"
#include "store/store.h"

/* A family of the exposition: stored, our own, or both. */
struct exposed_family {
	struct str name; /* not escaped */
	struct snapshot_family *stored;
	const struct own_family *own;
};

/* Borrows from both. The list is the caller's to free. */
struct exposed_family *exposed_families(struct snapshot *snap, const struct own_metrics *own,
					size_t *ret_n);

#endif
