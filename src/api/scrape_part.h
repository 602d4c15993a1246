/*
 * GET /metrics?match[]=SELECTOR, with or without a shard: the groups that are meant, as a store of
 * their own, which a scrape then shows as it shows all. They are copied one by one, so that nobody
 * waits for all of them: each is of one moment. What contradicts a group that was copied before,
 * because both have changed in between, is left out, so that the scrape is consistent. Without our
 * own metrics. Likewise the one group of GET /metrics/job/....
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
 * On the worker. Only match[] counts, of which there is one at least, and the shard
 * (metrics/shard.h), if it is one. -1: *err, ERR_INVALID.
 */
int scrape_part_new(struct store *from, const struct params *p, struct shard shard,
		    struct scrape_part **ret, struct err *err);
/* On the worker: the one group with this key, without its times; ERR_NOT_FOUND if there is none. */
struct scrape_part *scrape_part_of_group(struct store *from, const struct key *key);
/* Whether it may hold many groups. */
bool scrape_part_is_large(const struct scrape_part *p);
void scrape_part_free(struct scrape_part *p); /* with the store; NULL is fine */

/* On the background thread. True: it is complete, or *err says why there is no answer. */
bool scrape_part_step(struct scrape_part *p, int64_t until_ns, struct err *err);
/* The groups; the part's own. */
struct store *scrape_part_store(struct scrape_part *p);
/* Takes out of a snapshot of that store what the part is to be shown without. */
void scrape_part_cut(const struct scrape_part *p, struct snapshot *snap);

#endif
