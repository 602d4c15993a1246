/*
 * A digest of the state, for a log that several gateways write: whoever has the same rows has the
 * same digest, however it came to have them. It is the sum of a hash of each live thing, so that a
 * change costs what it changes: of what is there (group, family as pushed, last push, last refusal,
 * lifetime, document of a summed group), and a second one of what is shown beside that (help texts,
 * messages that say more than text, families of summed groups). Where new series show zeros for
 * some time (zero_first), what a summed group shows depends on the time, and does not count.
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
	DIGEST_HELP = 7,
	DIGEST_MESSAGE = 8,
	DIGEST_MERGED = 9,
};

uint64_t digest_of(enum digest_thing what, uint64_t number, double at, struct str text);

/* The thing comes (sign 1), or goes (-1): number is that of the row that made it, at first. */
static inline void digest_count(struct store *s, int sign, enum digest_thing what, uint64_t number,
				double at, struct str text)
{
	if (s->digest.kept)
		s->digest.now.state += (uint64_t)sign * digest_of(what, number, at, text);
}

/* While it is published: text is that of the entry, g its group, with what it will have. */
void digest_count_entry(struct store *s, struct group *g, int sign, const struct entry *e,
			struct str text);
/* What the group shows as a summed one: as published. */
void digest_count_summed(struct store *s, const struct group *g, int sign);

#endif
