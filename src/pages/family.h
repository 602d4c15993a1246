/*
 * One metric family over all groups (private to pages and store): its type, which every group must agree
 * on, and the pages of its samples.
 *
 * name .. n_groups describe what the committer has staged; help .. open are what is published and
 * are read by scrapes under the store's lock.
 */
#ifndef STORE_FAMILY_H
#define STORE_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

struct help;
struct page;

struct store_family {
	struct str name, exposed; /* in the block of the family */
	uint64_t hash;            /* of exposed */
	uint32_t n_groups;        /* groups that hold it, ourselves included */
	uint8_t type;             /* enum metric_type; of those groups */
	bool own;                 /* one of our own metrics: the type stays, help is ours */

	bool idle;          /* among the families that the batch may have left without a group */
	uint8_t shown_type; /* what is published; the header says it */
	bool listed;
	size_t list_at;          /* in the store's list */
	struct help *help;       /* the newest that was pushed; NULL: none */
	double help_at;          /* when */
	struct bytes *header;    /* # HELP and # TYPE; NULL: to be made */
	uint32_t header_name_at; /* where the name stands in the header's last line */
	struct bytes *unescaped; /* the name, for scrapes; NULL: it is the exposed one */
	struct page **pages;     /* in the order scraped */
	uint32_t n_pages, cap_pages;
	struct page *open; /* where new slices go; NULL: a new page */
};

struct store_family *family_new(struct str name, struct str exposed, uint64_t hash);
void family_free(struct store_family *f);

/* Published: the newest help wins. Takes a reference. */
void family_set_help(struct store_family *f, struct help *help, double at);
void family_set_type(struct store_family *f, int32_t type);
/* Makes the header if it is not there. Under the lock, like all that is published. */
void family_make_header(struct store_family *f);

#endif
