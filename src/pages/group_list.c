#include "pages/group_list.h"

#include <stdlib.h>

#include "base/mem.h"
#include "pages/pages.h"

enum {
	LOOKED_AT = 1024, /* slots */
	GIVEN = 256,      /* groups */
	AHEAD = 8,        /* that the processor is told of before they are needed */
};

void group_list_done(struct group_list *l)
{
	free(l->list);
	strbuf_done(&l->keys);
	*l = (struct group_list){ 0 };
}

static void add(struct group_list *l, const struct group *g)
{
	size_t at = l->keys.n;

	strbuf_add(&l->keys, g->key, g->key_n);
	l->list[l->n++] = (struct group_brief){
		.id = g->id,
		.slot = g->slot,
		.key = strbuf_since(&l->keys, at),
		.pushed_at = group_pushed_at(g),
		.failed_at = group_failed_at(g),
		.n_series = g->n_series,
		.n_bytes = g->n_bytes,
		.n_families = g->entries.n,
		.expired = g->life && g->life->now.expired,
		.overdue = g->life && g->life->now.overdue,
		.summed = group_summed_brief(g),
	};
}

/* Groups lie all over the memory. */
static void fetch_ahead(const struct pages *p, uint32_t slot)
{
	const struct group *g;

	if (slot + AHEAD < p->cap_groups && (g = p->groups[slot + AHEAD])) {
		__builtin_prefetch(g);
		__builtin_prefetch(g->key);
	}
	if (slot + AHEAD / 2 < p->cap_groups && (g = p->groups[slot + AHEAD / 2]))
		__builtin_prefetch(g->last);
}

bool pages_list_groups(struct pages *p, uint32_t *cursor, struct group_list *ret)
{
	uint32_t end;
	bool more;

	if (!ret->list) {
		ret->list = mem_alloc(GIVEN * sizeof(*ret->list));
		ret->cap = GIVEN;
	}
	ret->n = 0;
	ret->keys.n = 0;
	pthread_mutex_lock(&p->lock);
	more = *cursor + 1 < p->cap_groups;
	end = p->cap_groups - *cursor > LOOKED_AT ? *cursor + LOOKED_AT : p->cap_groups - 1;
	while (more && *cursor < end && ret->n < GIVEN) {
		const struct group *g = p->groups[++*cursor];

		fetch_ahead(p, *cursor);
		if (g)
			add(ret, g);
	}
	pthread_mutex_unlock(&p->lock);
	return more;
}

int pages_group_details(struct pages *p, const struct group_brief *of, struct arena *a,
			struct group_details *ret)
{
	const struct group *g;
	int r = 0;

	*ret = (struct group_details){ 0 };
	pthread_mutex_lock(&p->lock);
	g = of->slot < p->cap_groups ? p->groups[of->slot] : NULL;
	if (g && g->id == of->id) {
		r = 1;
		if (g->life)
			ret->life = g->life->now;
		if (g->failure) {
			ret->failed_why = arena_dup(
				a, (struct str){ g->failure->why, g->failure->why_n });
			r = ret->failed_why.p ? 1 : -1;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}
