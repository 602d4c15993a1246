#include "store/dead.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

enum {
	LARGE = 2000,   /* entries that one group leaves behind */
	AT_ONCE = 1024, /* of large groups: a millisecond */
};

static void add(struct dead *d, struct dead_one one)
{
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->list = mem_realloc(d->list, d->cap * sizeof(*d->list));
	}
	d->list[d->n++] = one;
}

void dead_add_entry(struct store *s, uint32_t id)
{
	add(&s->dead, (struct dead_one){ .entry = id });
}

void dead_add_family(struct store *s, struct store_family *f)
{
	add(&s->dead, (struct dead_one){ .family = f });
}

void dead_begin(struct store *s)
{
	s->dead.begun = s->dead.n;
}

void dead_end(struct store *s)
{
	size_t n = s->dead.n - s->dead.begun;

	/* Each may take its family with it. */
	s->dead.at_once += n <= LARGE ? 2 * n : 0;
}

void dead_end_batch(struct store *s)
{
	store_free_list(s, s->dead.at_once + AT_ONCE);
	s->dead.at_once = 0;
}

bool store_free_list(struct store *s, size_t max)
{
	struct dead *d = &s->dead;

	if (d->n == 0)
		return false;
	for (; d->n > 0 && max > 0; max--) {
		const struct dead_one *one = &d->list[--d->n];

		if (one->family)
			store_family_free(one->family);
		else
			entry_free(&s->pages.entries, one->entry);
	}
	if (d->n == 0) {
		free(d->list);
		d->list = NULL;
		d->cap = 0;
	}
	return true;
}
