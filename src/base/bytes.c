#include "base/bytes.h"

#include <assert.h>

#include "base/mem.h"

struct bytes *bytes_new(size_t cap)
{
	assert(cap <= UINT32_MAX);
	struct bytes *b = mem_alloc(sizeof(*b) + cap);

	atomic_init(&b->refs, 1);
	b->n = 0;
	b->cap = (uint32_t)cap;
	return b;
}

struct bytes *bytes_of(struct str s)
{
	struct bytes *b = bytes_new(s.n);

	if (s.n)
		memcpy(b->p, s.p, s.n);
	b->n = (uint32_t)s.n;
	return b;
}

struct bytes *bytes_ref(struct bytes *b)
{
	if (b)
		atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void bytes_unref(struct bytes *b)
{
	/* acq_rel: whoever frees must come after every read that the others have done. */
	if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		free(b);
}
