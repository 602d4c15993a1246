/*
 * For GET /metrics?match[]=SELECTOR, with or without a shard, and GET /metrics/job/...: copies the
 * groups that match into a store of their own, which is then scraped like any other. Groups are
 * copied one by one, so that nothing waits for all of them: each copy is of one moment. A family
 * that contradicts a group copied before, because both have changed in between, is left out, so
 * that the scrape is consistent. Own metrics are not included.
 */
#ifndef API_SCRAPE_PART_H
#define API_SCRAPE_PART_H

#include "api/params.h"
#include "base/err.h"
#include "metrics/key.h"
#include "metrics/shard.h"
#include "store/store.h"

struct scrape_part;

/*
 * On the worker. Of the parameters only match[] counts, of which there must be one at least. shard:
 * see metrics/shard.h; n 0: none. -1: ERR_INVALID.
 */
int scrape_part_new(struct store *from, const struct params *p, struct shard shard,
		    struct scrape_part **ret, struct err *err);
/*
 * On the worker: the one group with this key, without its times. If there is none,
 * scrape_part_step() reports ERR_NOT_FOUND.
 */
struct scrape_part *scrape_part_of_group(struct store *from, const struct key *key);
/* Whether it may hold many groups. */
bool scrape_part_is_large(const struct scrape_part *p);
void scrape_part_free(struct scrape_part *p); /* with the store; NULL is fine */

/* On the background thread. True: it is complete, or *err says why there is no answer. */
bool scrape_part_step(struct scrape_part *p, int64_t until_ns, struct err *err);
/* The store with the groups, owned by the part. */
struct store *scrape_part_store(struct scrape_part *p);
/* Removes from a snapshot of that store the families that this part does not show. */
void scrape_part_cut(const struct scrape_part *p, struct snapshot *snap);

#endif
