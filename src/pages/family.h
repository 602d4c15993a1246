/* A metric family as scrapes see it: its header, and pages with the samples of all groups. Only
 * the committer changes it, under the lock of the pages (pages.h).
 */
#ifndef PAGES_FAMILY_H
#define PAGES_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

struct help;
struct kin;
struct page;

struct shown_family {
	struct str name, exposed; /* owned, one block; the same place if these are equal */
	uint64_t hash;            /* of exposed */
	uint8_t type;             /* enum metric_type: as the header says it */
	bool listed;
	bool of_groups; /* its lines are metrics that the gateway adds to groups, not entries */
	uint32_t header_name_at; /* where the name stands in the header's last line */
	size_t list_at;          /* in struct family_list */
	struct help *none;       /* shared by entries without a help text */
	struct help *help;       /* help text of the newest entry that has one */
	uint64_t help_number;    /* at least that of the entry's record */
	uint32_t n_helps;        /* different texts of entries with lines */
	bool help_gone; /* the newest entry with a help text is gone; another one has to be found */
	struct bytes *header; /* # HELP and # TYPE; NULL: not made yet */
	struct bytes
		*unescaped; /* the name as pushed, for scrapes; NULL: the same as the exposed one */
	struct page **pages; /* in the order scraped */
	uint32_t n_pages, cap_pages;
	struct page *open; /* where new lines go; NULL: a new page */
	struct kin *kin;   /* owned; NULL: it has no kin */
};

void family_init(struct shown_family *f, struct str name, struct str exposed, uint64_t hash);
void family_done(struct shown_family *f);

/* A reference to the help text for a new entry; shared with other entries of the same text. */
struct help *family_help(struct shown_family *f, struct str text);
struct help *family_no_help(struct shown_family *f);

/* The help text of one of our own metrics, whatever is pushed. */
void family_fix_help(struct shown_family *f, struct str text);

/*
 * An entry with lines and this help text has been published, or has gone. The header shows the help
 * text of the entry with the newest record.
 */
void family_help_comes(struct shown_family *f, struct help *help, uint64_t number);
void family_help_goes(struct shown_family *f, struct help *help, uint64_t number);
void family_set_type(struct shown_family *f, int32_t type);
/* Makes the header if it is not there. */
void family_make_header(struct shown_family *f);

/* Fetches what scrapes read of a family into the cache. */
static inline void family_prefetch(const struct shown_family *f)
{
	__builtin_prefetch(f);
	__builtin_prefetch(&f->header);
	__builtin_prefetch(&f->kin);
}

/* The order of families: by exposed name, then by name. */
int family_cmp(const struct shown_family *a, const struct shown_family *b);

#endif
