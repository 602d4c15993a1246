/*
 * Picks the first groups in some order out of very many, without sorting all: an offered group is
 * kept as long as it may be among the first. Order: by rank, then by key. One thread.
 */
#ifndef API_PICKS_H
#define API_PICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "pages/group_list.h"

/* A place in the order. */
struct place {
	int64_t rank;
	struct str key;
};

struct pick {
	int64_t rank;
	struct group_brief group; /* with its key in the keys of the picks */
};

struct picks {
	size_t want;
	bool descending; /* by key */
	bool has_after;  /* only groups after this place; its key is borrowed */
	bool inclusive;  /* also the group at this place */
	struct place after;

	struct pick *list;
	size_t n, cap;
	struct strbuf keys;
	size_t worst; /* the last of the wanted ones, + 1; 0: there are fewer so far */
};

/* want > 0. */
void picks_init(struct picks *p, size_t want);
void picks_done(struct picks *p);
void picks_offer(struct picks *p, struct place at, const struct group_brief *group);
/* After the last offer: leaves the wanted picks, in order. */
void picks_finish(struct picks *p);

static inline struct str pick_key(const struct picks *p, const struct pick *it)
{
	return strbuf_at(&p->keys, it->group.key);
}

#endif
