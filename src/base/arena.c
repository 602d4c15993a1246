#include "base/arena.h"

#include "base/array.h"
#include "base/mem.h"

enum { FIRST_CHUNK = 64 * 1024, MAX_CHUNK = 4 * 1024 * 1024, MAX_SPARE = 8 * 1024 * 1024 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the data */
	_Alignas(16) char data[];
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){ .limit = limit };
}

static void use_chunk(struct arena *a, struct arena_chunk *c)
{
	a->at = c->data;
	a->end = c->data + c->size;
}

/* The chunk is as large as the previous request would have needed, if that is known. */
static struct arena_chunk *new_chunk(struct arena *a, size_t need)
{
	size_t size = a->chunks ? a->chunks->size * 2 : FIRST_CHUNK;
	struct arena_chunk *c;

	if (size > MAX_CHUNK)
		size = MAX_CHUNK;
	if (a->chunks && size < a->expected)
		size = a->expected;
	if (size < need)
		size = need;
	c = malloc(sizeof(*c) + size);
	if (c)
		c->size = size;
	else if (a->limit == ARENA_MUST)
		mem_refused(size);
	a->no_memory |= !c;
	return c;
}

void *arena_alloc_slow(struct arena *a, size_t size)
{
	size_t need = size ? (size + 15) & ~(size_t)15 : 16;
	struct arena_chunk *c = NULL;

	if (need < size || need > a->limit || a->used > a->limit - need)
		return NULL;
	if (need > SIZE_MAX - sizeof(struct arena_chunk))
		return NULL;
	if (a->spare && a->spare->size >= need)
		c = TAKE(a->spare);
	else
		c = new_chunk(a, need);
	if (!c)
		return NULL;
	c->next = a->chunks;
	a->chunks = c;
	use_chunk(a, c);
	a->at += need;
	a->used += need;
	return c->data;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	if (p)
		memset(p, 0, size);
	return p;
}

struct str arena_dup(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n ? s.n : 1);

	if (!p)
		return STR_NULL;
	copy_bytes(p, s.p, s.n);
	return (struct str){ p, s.n };
}

/*
 * Large requests follow one another or are rare. The chunk of one is kept for the next request, and
 * freed if that one is smaller.
 */
static void free_for_next(struct arena *a, struct arena_chunk *c)
{
	if (a->spare || c->size > MAX_SPARE || a->used < c->size / 4)
		free(c);
	else
		a->spare = c;
}

void arena_reset(struct arena *a)
{
	free(TAKE(a->spare));
	while (a->chunks && a->chunks->next) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free_for_next(a, c);
	}
	if (a->chunks && a->chunks->size > FIRST_CHUNK) { /* one huge request must not stay */
		free(a->chunks);
		a->chunks = NULL;
	}
	a->at = a->end = NULL;
	if (a->chunks)
		use_chunk(a, a->chunks);
	a->expected = a->used + a->used / 4;
	if (a->expected > MAX_SPARE)
		a->expected = 0;
	a->used = 0;
	a->no_memory = false;
}

void arena_done(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	free(a->spare);
	*a = (struct arena){ 0 };
}
