/*
 * Memory of one request: bump allocation, freed all at once. Owned and used by one thread.
 * The limit bounds what one request can make us hold; the caller turns NULL into ERR_TOO_LARGE. If
 * the machine is the reason, who answers the request makes ERR_BUSY of that (api/error_status.h).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena_chunk;

struct arena {
	char *at, *end;
	struct arena_chunk *chunks; /* newest first; the oldest is kept by arena_reset() */
	struct arena_chunk *spare;  /* of a large request before this one, or NULL */
	size_t used, limit;         /* bytes handed out and the most that may be */
	size_t expected;            /* by what the request before needed */
	bool no_memory; /* since the last reset there was none for something within the limit */
};

/*
 * Limits for work that is not a client's. Without memory an arena that MUST have it ends the
 * process, as mem_alloc() does, so that nothing is left out for want of it; one that MAY fail
 * returns NULL.
 */
#define ARENA_MUST SIZE_MAX
#define ARENA_MAY_FAIL (SIZE_MAX / 2)

void arena_init(struct arena *a, size_t limit);
void arena_done(struct arena *a);
/*
 * Frees everything that was handed out. The first chunk stays for the next request. After a large
 * request some megabytes stay as well: to get them from the kernel again, page by page, costs more
 * than decoding.
 */
void arena_reset(struct arena *a);

/* NULL when the limit is reached. Aligned for any type. */
void *arena_alloc_slow(struct arena *a, size_t size);

static inline void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + 15) & ~(size_t)15;

	/* need is 0 for nothing and for a size that overflowed: both are left to the slow one. */
	if (need - 1 >= (size_t)(a->end - a->at) || need > a->limit - a->used)
		return arena_alloc_slow(a, size);
	void *p = a->at;

	a->at += need;
	a->used += need;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size);
/* A copy of s without a terminating NUL; .p is NULL when the limit is reached. */
struct str arena_dup(struct arena *a, struct str s);

#endif
