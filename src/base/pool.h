/*
 * Many items of one size, without the overhead of malloc(). An item has a 32-bit number and stays
 * in place until it is given back. Memory is freed in chunks, when all items of one are free. One
 * thread takes and gives back; others may look up items that were handed to them.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum {
	POOL_CHUNK = 128,   /* items */
	POOL_BLOCK = 1024,  /* chunks */
	POOL_BLOCKS = 4096, /* so that tables never move */
};

struct pool_chunk;

struct pool_block {
	struct pool_chunk *chunks[POOL_BLOCK];
};

struct pool {
	size_t size; /* of an item */
	struct pool_block **blocks;
	uint32_t n;        /* items that are taken */
	uint32_t n_chunks; /* that have a number */
	uint32_t roomy;    /* the first chunk with a free item; linked; UINT32_MAX: none */
	uint32_t *holes;   /* numbers whose chunk has been given back */
	uint32_t n_holes, cap_holes;
};

void pool_init(struct pool *p, size_t size);
/* Frees all items as well. */
void pool_done(struct pool *p);

/* A zeroed item; its number, which is not 0, goes to *ret_id. */
void *pool_take(struct pool *p, uint32_t *ret_id);
void pool_give(struct pool *p, uint32_t id);

struct pool_chunk {
	uint32_t number, n;  /* items taken */
	uint32_t fresh;      /* items that were ever taken: all behind are zero */
	uint32_t free;       /* the first that was given back, + 1; linked through the items */
	uint32_t prev, next; /* among those with room; UINT32_MAX: none */
	_Alignas(8) char items[];
};

/* The item of that number, which is taken. */
static inline void *pool_at(const struct pool *p, uint32_t id)
{
	uint32_t chunk = (id - 1) / POOL_CHUNK;

	return p->blocks[chunk / POOL_BLOCK]->chunks[chunk % POOL_BLOCK]->items +
	       (id - 1) % POOL_CHUNK * p->size;
}

#endif
