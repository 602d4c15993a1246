/*
 * Memory of one request: bump allocation, freed all at once. Owned and used by one thread. The
 * limit bounds what one request can make us hold; the caller turns NULL into ERR_TOO_LARGE. If only
 * the machine's memory ran out, api/error_status.h turns that into ERR_BUSY before the request is
 * answered.
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
	size_t expected; /* least size of the next chunk, from what the request before needed */
	bool no_memory;  /* since the last reset the machine had none for an allocation within the
			    limit */
};

/*
 * Limits for work that is not a client's. When the machine has no memory, an arena with ARENA_MUST
 * ends the process, as mem_alloc() does, so that nothing is left out; one with ARENA_MAY_FAIL
 * returns NULL.
 */
#define ARENA_MUST SIZE_MAX
#define ARENA_MAY_FAIL (SIZE_MAX / 2)

void arena_init(struct arena *a, size_t limit);
void arena_done(struct arena *a);
/*
 * Frees everything that was handed out. The first chunk stays for the next request. After a large
 * request some megabytes stay as well, since getting them from the kernel again, page by page,
 * costs more than decoding.
 */
void arena_reset(struct arena *a);

/* NULL when the limit is reached or the machine has no memory. Aligned for any type. */
void *arena_alloc_slow(struct arena *a, size_t size);

static inline void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + 15) & ~(size_t)15;

	/*
	 * need is 0 for a size of 0 and for one that overflowed: arena_alloc_slow() tells them
	 * apart.
	 */
	if (need - 1 >= (size_t)(a->end - a->at) || need > a->limit - a->used)
		return arena_alloc_slow(a, size);
	void *p = a->at;

	a->at += need;
	a->used += need;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size);
/* A copy of s without a terminating NUL; .p is NULL when arena_alloc() returns NULL. */
struct str arena_dup(struct arena *a, struct str s);

#endif
