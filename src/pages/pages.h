/*
 * All that scrapes, pages and APIs read, and the lock in front of it: families with their pages,
 * groups with their entries, counts. The committer publishes (store/publish.c); it alone changes
 * anything, under the lock, and may read without. Everybody else holds the lock to read, for a
 * moment: it is never held while anything is read from or written to a file or a socket.
 */
#ifndef PAGES_PAGES_H
#define PAGES_PAGES_H

#include <pthread.h>

#include "pages/family.h"
#include "pages/group.h"
#include "pages/page.h"
#include "pages/snapshot.h"

enum { EXPIRED_JOBS_MAX = 100 };

struct expired_job {
	char *job; /* owned; NULL: all that have no place */
	uint64_t n;
};

struct pages {
	struct pool entries; /* staged ones, too: of a number that is published nothing moves */
	struct shown_family **list; /* sorted by exposed name up to n_sorted; NULL: a hole */
	size_t n_list, n_sorted, cap_list;
	struct group **groups; /* by slot; NULL: not published */
	uint32_t cap_groups;
	struct store_counts counts;
	uint64_t next_id;                                 /* that no group has had yet */
	struct expired_job expired[EXPIRED_JOBS_MAX + 1]; /* groups that have ended by themselves */
	size_t n_expired;                                 /* with a job */

	pthread_mutex_t lock; /* the last member: store_wipe() exchanges what is before it */
};

void pages_init(struct pages *p);
/* Groups and families are the store's. */
void pages_done(struct pages *p);

static inline struct entry *pages_entry(const struct pages *p, uint32_t id)
{
	return pool_at(&p->entries, id);
}

/* The committer, under the lock. */
void pages_list_family(struct pages *p, struct shown_family *f);
void pages_unlist_family(struct pages *p, struct shown_family *f);
void pages_show_group(struct pages *p, struct group *g, bool exists);

#endif
