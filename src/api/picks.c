#include "api/picks.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

enum { ROOM = 64 };

void picks_init(struct picks *p, size_t want)
{
	*p = (struct picks){ .want = want, .cap = 2 * want + ROOM };
	p->list = mem_alloc(p->cap * sizeof(*p->list));
}

void picks_done(struct picks *p)
{
	free(p->list);
	strbuf_done(&p->keys);
	*p = (struct picks){ 0 };
}

static int place_cmp(const struct picks *p, struct place a, struct place b)
{
	int r = (a.rank > b.rank) - (a.rank < b.rank);

	if (r == 0)
		r = p->descending ? str_cmp(b.key, a.key) : str_cmp(a.key, b.key);
	return r;
}

static struct place place_of(const struct picks *p, const struct pick *it)
{
	return (struct place){ it->rank, pick_key(p, it) };
}

static int pick_cmp(const void *a, const void *b, void *arg)
{
	const struct picks *p = arg;

	return place_cmp(p, place_of(p, a), place_of(p, b));
}

/* Copies the keys of the picks that are left to a new buffer, without gaps. */
static void pack_keys(struct picks *p)
{
	struct strbuf keys = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		size_t at = keys.n;

		strbuf_adds(&keys, pick_key(p, &p->list[i]));
		p->list[i].group.key = strbuf_since(&keys, at);
	}
	strbuf_done(&p->keys);
	p->keys = keys;
}

static void cut(struct picks *p)
{
	array_sort_with(p->list, p->n, pick_cmp, p);
	if (p->n > p->want)
		p->n = p->want;
	pack_keys(p);
	p->worst = p->n == p->want ? p->n : 0;
}

void picks_offer(struct picks *p, struct place at, const struct group_brief *group)
{
	size_t start = p->keys.n;
	struct pick *it;

	if (p->has_after && place_cmp(p, at, p->after) < !p->inclusive)
		return;
	if (p->worst && place_cmp(p, at, place_of(p, &p->list[p->worst - 1])) >= 0)
		return;
	strbuf_adds(&p->keys, at.key);
	it = &p->list[p->n++];
	*it = (struct pick){ at.rank, *group };
	it->group.key = strbuf_since(&p->keys, start);
	if (p->n == p->cap)
		cut(p);
}

void picks_finish(struct picks *p)
{
	cut(p);
}
