#include "base/arena.h"

#include "base/mem.h"

enum { FIRST_CHUNK = 64 * 1024, MAX_CHUNK = 4 * 1024 * 1024 };

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

void *arena_alloc_slow(struct arena *a, size_t size)
{
	size_t need = size ? (size + 15) & ~(size_t)15 : 16;
	size_t chunk = a->chunks ? a->chunks->size * 2 : FIRST_CHUNK;

	if (need < size || need > a->limit || a->used > a->limit - need)
		return NULL;
	if (need > SIZE_MAX - sizeof(struct arena_chunk))
		return NULL;
	if (chunk > MAX_CHUNK)
		chunk = MAX_CHUNK;
	if (chunk < need)
		chunk = need;

	struct arena_chunk *c = malloc(sizeof(*c) + chunk);

	if (!c)
		return NULL;
	c->size = chunk;
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
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

void arena_reset(struct arena *a)
{
	while (a->chunks && a->chunks->next) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	if (a->chunks && a->chunks->size > FIRST_CHUNK) { /* one huge request must not stay */
		free(a->chunks);
		a->chunks = NULL;
	}
	a->at = a->end = NULL;
	if (a->chunks)
		use_chunk(a, a->chunks);
	a->used = 0;
}

void arena_done(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}
