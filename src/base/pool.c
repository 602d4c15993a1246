#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { NONE = UINT32_MAX };

void pool_init(struct pool *p, size_t size)
{
	*p = (struct pool){ .size = size, .roomy = NONE };
	assert(size >= sizeof(uint32_t) && size % 8 == 0);
	p->blocks = mem_zalloc(POOL_BLOCKS * sizeof(struct pool_block *));
}

static struct pool_chunk **place_of(struct pool *p, uint32_t number)
{
	struct pool_block **block = &p->blocks[number / POOL_BLOCK];

	if (!*block)
		*block = mem_zalloc(sizeof(struct pool_block));
	return &(*block)->chunks[number % POOL_BLOCK];
}

void pool_done(struct pool *p)
{
	for (uint32_t i = 0; i < p->n_chunks; i++)
		free(*place_of(p, i));
	for (uint32_t i = 0; p->blocks && i < POOL_BLOCKS; i++)
		free(p->blocks[i]);
	free(p->blocks);
	free(p->holes);
	*p = (struct pool){ 0 };
}

static void link_roomy(struct pool *p, struct pool_chunk *c)
{
	c->prev = NONE;
	c->next = p->roomy;
	if (p->roomy != NONE)
		(*place_of(p, p->roomy))->prev = c->number;
	p->roomy = c->number;
}

static void unlink_roomy(struct pool *p, struct pool_chunk *c)
{
	if (c->next != NONE)
		(*place_of(p, c->next))->prev = c->prev;
	if (c->prev != NONE)
		(*place_of(p, c->prev))->next = c->next;
	else
		p->roomy = c->next;
}

static struct pool_chunk *chunk_new(struct pool *p)
{
	struct pool_chunk *c = mem_zalloc(sizeof(*c) + POOL_CHUNK * p->size);

	c->number = p->n_holes ? p->holes[--p->n_holes] : p->n_chunks++;
	if (c->number >= (uint32_t)POOL_BLOCKS * POOL_BLOCK)
		abort(); /* more than 500 million items: no limit allows it */
	*place_of(p, c->number) = c;
	link_roomy(p, c);
	return c;
}

void *pool_take(struct pool *p, uint32_t *ret_id)
{
	struct pool_chunk *c = p->roomy != NONE ? *place_of(p, p->roomy) : chunk_new(p);
	uint32_t at = c->free ? c->free - 1 : c->fresh++;
	char *item = c->items + at * p->size;

	if (c->free) {
		memcpy(&c->free, item, sizeof(c->free));
		memset(item, 0, p->size);
		/* The next one to be taken, as several are mostly. */
		if (c->free)
			__builtin_prefetch(c->items + (c->free - 1) * p->size, 1);
	}
	p->n++;
	if (++c->n == POOL_CHUNK)
		unlink_roomy(p, c);
	*ret_id = c->number * POOL_CHUNK + at + 1;
	return item;
}

static void chunk_free(struct pool *p, struct pool_chunk *c)
{
	if (p->n_holes == p->cap_holes) {
		p->cap_holes = p->cap_holes ? p->cap_holes * 2 : 64;
		p->holes = mem_realloc(p->holes, p->cap_holes * sizeof(*p->holes));
	}
	p->holes[p->n_holes++] = c->number;
	unlink_roomy(p, c);
	*place_of(p, c->number) = NULL;
	free(c);
}

void pool_give(struct pool *p, uint32_t id)
{
	struct pool_chunk *c = *place_of(p, (id - 1) / POOL_CHUNK);
	uint32_t at = (id - 1) % POOL_CHUNK;

	memcpy(c->items + at * p->size, &c->free, sizeof(c->free));
	c->free = at + 1;
	p->n--;
	if (c->n-- == POOL_CHUNK)
		link_roomy(p, c);
	/* One free chunk stays, so that taking and giving back by turns does not allocate each
	 * time.
	 */
	if (c->n == 0 && (c->prev != NONE || c->next != NONE))
		chunk_free(p, c);
}
