/*
 * A digest of the state, for a log that several gateways write: whoever has the same rows has the
 * same digest, however it came to have them. It is the sum of a hash of each live thing (group,
 * family as exposed, last push, last refusal, lifetime, document), so that a change costs what it
 * changes. Of summed groups the documents count, not what is exposed, which depends on the time.
 * Private to src/store, the committer's alone.
 */
#ifndef STORE_DIGEST_H
#define STORE_DIGEST_H

#include "store/internal.h"

/* The values are in logs. */
enum digest_thing {
	DIGEST_GROUP = 1,
	DIGEST_ENTRY = 2,
	DIGEST_LAST = 3,
	DIGEST_FAILURE = 4,
	DIGEST_LIFE = 5,
	DIGEST_DOCUMENT = 6,
};

uint64_t digest_of(enum digest_thing what, uint64_t number, double at, struct str text);

/* The thing comes (sign 1), or goes (-1): number is that of the row that made it, at first. */
static inline void digest_count(struct store *s, int sign, enum digest_thing what, uint64_t number,
				double at, struct str text)
{
	if (s->digest.kept)
		s->digest.sum += (uint64_t)sign * digest_of(what, number, at, text);
}

/* While it is published: text is that of the entry. */
static inline void digest_count_entry(struct store *s, int sign, const struct entry *e,
				      struct str text)
{
	if (s->digest.kept && !e->record->merged)
		s->digest.sum += (uint64_t)sign *
				 digest_of(DIGEST_ENTRY, e->record->number, e->lines.type, text);
}

#endif
