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
struct kin;
struct page;

struct shown_family {
	struct str name, exposed; /* owned, one block */
	uint64_t hash;            /* of exposed */
	uint8_t type;             /* enum metric_type: the header says it */
	bool listed;
	uint32_t header_name_at; /* where the name stands in the header's last line */
	size_t list_at;          /* in the list of the pages */
	struct help *none;       /* of entries that came without a help text */
	struct help *help;       /* of the newest entry that came with one, unless it has gone */
	uint64_t help_number;    /* of that entry's record, or more */
	uint32_t n_helps;        /* texts that entries with lines have */
	bool help_gone;          /* the entry that said it has gone: it is another's turn */
	struct bytes *header;    /* # HELP and # TYPE; NULL: to be made */
	struct bytes *unescaped; /* the name, for scrapes; NULL: it is the exposed one */
	struct page **pages;     /* in the order scraped */
	uint32_t n_pages, cap_pages;
	struct page *open; /* where new lines go; NULL: a new page */
	struct kin *kin;   /* owned; NULL: no other family has to do with it */
};

void family_init(struct shown_family *f, struct str name, struct str exposed, uint64_t hash);
void family_done(struct shown_family *f);

/* The help text of a new entry; one that is there already if possible. The caller's reference. */
struct help *family_help(struct shown_family *f, struct str text);
struct help *family_no_help(struct shown_family *f);

/* What the header says whatever is pushed. */
void family_fix_help(struct shown_family *f, struct str text);

/*
 * Published, or not any more: an entry with lines that came with the help text. Of the entries that
 * are there, that of the newest record says what the header shows.
 */
void family_help_comes(struct shown_family *f, struct help *help, uint64_t number);
void family_help_goes(struct shown_family *f, struct help *help, uint64_t number);
void family_set_type(struct shown_family *f, int32_t type);
/* Makes the header if it is not there. */
void family_make_header(struct shown_family *f);

/* Both sorted by exposed name, then name. */
int family_cmp(const struct shown_family *a, const struct shown_family *b);

#endif
