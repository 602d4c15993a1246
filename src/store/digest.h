/*
 * A digest of the state, for a log that several gateways write: gateways that have applied the same
 * rows have the same digest, whether they loaded or followed them. It is two sums of hashes, so
 * that a change costs only what it changes: `state` of everything in the log (groups, families as
 * pushed, last pushes, last refusals, lifetimes, documents of summed groups), and `shown` of what
 * is exposed beside that (help texts, messages with more than the text, families of summed groups).
 * Private to src/store; the committer only.
 */
#ifndef STORE_DIGEST_H
#define STORE_DIGEST_H

#include "store/internal.h"

/* The values are part of digests in logs. */
enum digest_thing {
	DIGEST_GROUP = 1,
	DIGEST_ENTRY = 2,
	DIGEST_LAST = 3,
	DIGEST_FAILURE = 4,
	DIGEST_LIFE = 5,
	DIGEST_DOCUMENT = 6,
	DIGEST_HELP = 7,
	DIGEST_MESSAGE = 8,
	DIGEST_MERGED = 9,
};

uint64_t digest_of(enum digest_thing what, uint64_t number, double at, struct str text);

/*
 * Counts a thing in (sign 1), or out (-1). number: of the row that made it, when that was first
 * written.
 */
static inline void digest_count(struct store *s, int sign, enum digest_thing what, uint64_t number,
				double at, struct str text)
{
	if (s->digest.kept)
		s->digest.now.state += (uint64_t)sign * digest_of(what, number, at, text);
}

/* For an entry that is published: text is its text, g its group as it will be. */
void digest_count_entry(struct store *s, struct group *g, int sign, const struct entry *e,
			struct str text);
/* Counts the families that a summed group shows, as published. */
void digest_count_summed(struct store *s, const struct group *g, int sign);

#endif
