/* What a scrape gets: references to pages and headers. */
#ifndef PAGES_SNAPSHOT_H
#define PAGES_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "metrics/shard.h"
#include "pages/kin.h"

struct pages;

struct store_counts {
	uint64_t groups, series, families;
	uint64_t bytes;    /* stored_bytes.h */
	uint64_t failed;   /* groups whose last push was refused */
	uint64_t overdue;  /* groups whose next push should have come by now */
	uint64_t conflict; /* groups to which several addresses push in turn */
	uint64_t left_out; /* families and groups in the database that are not shown because they
			      break a rule */
};

/* One family of a snapshot. Families without any lines are not there. */
struct snapshot_family {
	struct bytes *header;    /* # HELP and # TYPE lines */
	struct str name;         /* exposed; inside the header */
	struct bytes *unescaped; /* the name as pushed; NULL: the same */
	uint8_t type;            /* enum metric_type */
	enum kinship kinship;    /* to the other family; KINSHIP_NONE unless asked for */
	size_t first, n;         /* its pages */
};

/* An entry in a page, in the order of the text. */
struct snapshot_slot {
	uint32_t len;        /* of its text */
	struct bytes *proto; /* the message that was pushed, or NULL: the text says it all */
	/* The group's lines of the other family, if kinships are asked for. NULL: none. */
	struct bytes *kin_text;
	struct str kin_lines; /* inside kin_text */
	struct bytes *kin_proto;
};

struct snapshot_range {
	uint32_t at, n;
};

struct snapshot_page {
	struct bytes *text; /* its own copy, if only a part of the page is wanted */
	struct snapshot_range
		*ranges; /* while the snapshot is taken: the parts of the page's text */
	uint32_t n_ranges;
	struct snapshot_slot *slots; /* NULL: not needed */
	uint32_t n_slots;
};

/* A consistent view for a scrape: families sorted by exposed name. Holds references, copies
 * nothing. */
struct snapshot {
	struct snapshot_family *families;
	size_t n_families;
	struct snapshot_page *pages;
	size_t n_pages;
};

/* Which pages come with their slots. */
enum snapshot_slots {
	SLOTS_NONE,
	SLOTS_ESCAPED, /* those with an escaped name */
	SLOTS_LOSSY,   /* those with an entry whose text does not say everything that was pushed */
};

/* A page whose text has that form (base/bytes.h) comes without slots: it was encoded before. */
struct snapshot_wants {
	enum snapshot_slots slots;
	int form;
	bool kinships;             /* also slots of all pages of families with kin */
	int kin_forms[N_KINSHIPS]; /* but not of pages that have this form */
	struct shard shard;        /* only these groups; their lines are copied */
};

/* Any thread. wants NULL: all pages without slots. */
struct snapshot *pages_snapshot(struct pages *p, const struct snapshot_wants *wants);
void snapshot_free(struct snapshot *snap);

/*
 * Any thread, from time to time: frees those forms of pages that no scrape has used during the last
 * max_idle calls, except where a scrape holds the page. The lock is held for one family at a time.
 */
void pages_age_forms(struct pages *p, unsigned max_idle);

#endif
