/*
 * What is shown of a metric family: its header, and the pages of its samples, of all groups. Only
 * the committer changes it, under the lock of the pages (pages.h).
 */
#ifndef PAGES_FAMILY_H
#define PAGES_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

struct help;
struct page;

struct shown_family {
	struct str name, exposed; /* owned, one block */
	uint64_t hash;            /* of exposed */
	uint8_t type;             /* enum metric_type: the header says it */
	bool listed;
	uint32_t header_name_at; /* where the name stands in the header's last line */
	size_t list_at;          /* in the list of the pages */
	struct help *none;       /* of entries that came without a help text */
	struct help *help;       /* the newest that was pushed; NULL: none */
	double help_at;          /* when */
	struct bytes *header;    /* # HELP and # TYPE; NULL: to be made */
	struct bytes *unescaped; /* the name, for scrapes; NULL: it is the exposed one */
	struct page **pages;     /* in the order scraped */
	uint32_t n_pages, cap_pages;
	struct page *open; /* where new lines go; NULL: a new page */
};

void family_init(struct shown_family *f, struct str name, struct str exposed, uint64_t hash);
void family_done(struct shown_family *f);

/* The help text of a new entry; one that is there already if possible. The caller's reference. */
struct help *family_help(struct shown_family *f, struct str text);
struct help *family_no_help(struct shown_family *f);

/* Published: the newest help wins. Takes a reference. */
void family_set_help(struct shown_family *f, struct help *help, double at);
void family_set_type(struct shown_family *f, int32_t type);
/* Makes the header if it is not there. */
void family_make_header(struct shown_family *f);

/* Both sorted by exposed name, then name. */
int family_cmp(const struct shown_family *a, const struct shown_family *b);

#endif
