/*
 * Everything that scrapes, HTML and JSON read, with its lock: families and their pages, groups and
 * their entries, counts. Only the committer changes any of it (store/publish.c), under the lock; it
 * may read all but `writers` without the lock. Other threads hold the lock to read, for a moment:
 * never while a file or a socket is read or written.
 */
#ifndef PAGES_PAGES_H
#define PAGES_PAGES_H

#include <pthread.h>

#include "pages/family.h"
#include "pages/family_list.h"
#include "pages/group.h"
#include "pages/page.h"
#include "pages/series_index.h"
#include "pages/snapshot.h"
#include "pages/writers.h"

enum { EXPIRED_JOBS_MAX = 100 };

struct expired_job {
	char *job; /* owned; NULL: stands for all jobs without a place of their own */
	uint64_t n;
};

struct pages {
	struct pool entries; /* staged ones, too; a published entry does not move */
	struct family_list families;
	struct group **groups; /* by slot; NULL: not published */
	uint32_t cap_groups;
	struct series_index keys; /* of the published groups */
	struct store_counts counts;
	struct expired_job expired[EXPIRED_JOBS_MAX + 1]; /* groups that have ended by themselves */
	size_t n_expired;                                 /* with a job */
	struct writers writers;

	pthread_mutex_t
		lock; /* the last member: store_take_over() exchanges all members in front of it */
};

void pages_init(struct pages *p);
/* Groups and families are the store's. */
void pages_done(struct pages *p);

static inline struct entry *pages_entry(const struct pages *p, uint32_t id)
{
	return pool_at(&p->entries, id);
}

/* The committer, under the lock. */
void pages_show_group(struct pages *p, struct group *g, bool exists);

#endif
