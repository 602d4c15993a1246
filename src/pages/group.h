/*
 * A group as it is published: its key, its times, its entries. Only the committer changes it, and
 * other threads see it under the lock of the pages (pages.h); what a batch makes of it stands
 * beside it until then.
 */
#ifndef PAGES_GROUP_H
#define PAGES_GROUP_H

#include "pages/entry.h"

enum { TIME_PUSHED, TIME_FAILED };

struct staged;

struct group {
	uint32_t id; /* > 0; also the database row */
	uint32_t key_n : 30;
	uint32_t odd_names : 1; /* of the key: the text of times does not say them all */
	uint32_t exists : 1;    /* published */
	uint64_t time_hash;
	struct entry_table entries;
	double pushed_at, failed_at; /* Unix seconds; 0: never */
	struct staged *staged;       /* of the batch at hand (store/change.h); NULL: untouched */
	struct lines times[2];       /* TIME_PUSHED, TIME_FAILED */
	char key[];                  /* canonical bytes */
};

static inline struct str group_key(const struct group *g)
{
	return (struct str){ g->key, g->key_n };
}

struct group *group_new(uint32_t id, struct str key);
/* With its entries. */
void group_free(struct group *g, struct pool *entries);

#endif
