#include "pages/group_list.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "pages/pages.h"

enum {
	LOOKED_AT = 1024, /* slots */
	GIVEN = 256,      /* groups */
	AHEAD = 8,        /* groups are fetched into the cache so many steps ahead */
};

void group_list_done(struct group_list *l)
{
	free(l->list);
	strbuf_done(&l->keys);
	*l = (struct group_list){ 0 };
}

static void add(struct group_list *l, const struct pages *p, const struct group *g)
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
		.conflict = rivalry_is_conflict(rivalry_of(&p->writers, g)),
		.summed = group_summed_brief(g),
	};
}

/* Groups are scattered in memory, so those ahead are fetched into the cache. */
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
	writers_expire(&p->writers, writers_now(&p->writers));
	more = *cursor + 1 < p->cap_groups;
	end = p->cap_groups - *cursor > LOOKED_AT ? *cursor + LOOKED_AT : p->cap_groups - 1;
	while (more && *cursor < end && ret->n < GIVEN) {
		const struct group *g = p->groups[++*cursor];

		fetch_ahead(p, *cursor);
		if (g)
			add(ret, p, g);
	}
	pthread_mutex_unlock(&p->lock);
	return more;
}

uint32_t pages_find_group(struct pages *p, struct str key)
{
	uint64_t hash = hash_bytes(key);
	uint32_t slot, at = SERIES_INDEX_START;

	pthread_mutex_lock(&p->lock);
	while ((slot = series_index_next(&p->keys, hash, &at)) != 0 &&
	       !str_eq(group_key(p->groups[slot]), key))
		;
	pthread_mutex_unlock(&p->lock);
	return slot;
}

static bool copy(struct arena *a, struct str s, struct str *ret)
{
	*ret = arena_dup(a, s);
	return ret->p != NULL;
}

static bool copy_writers(const struct pages *p, const struct group *g, struct arena *a,
			 struct group_details *ret)
{
	const struct rivalry *r = rivalry_of(&p->writers, g);

	if (g->writer && (!copy(a, writer_peer(g->writer), &ret->peer) ||
			  !copy(a, writer_user(g->writer), &ret->user)))
		return false;
	if (!rivalry_is_conflict(r))
		return true;
	for (int i = 0; i < CONFLICT_RIVALS && r->before[i].writer; i++)
		if (!copy(a, writer_peer(r->before[i].writer), &ret->rivals[i]))
			return false;
	return true;
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
		if (g->failure &&
		    !copy(a, (struct str){ g->failure->why, g->failure->why_n }, &ret->failed_why))
			r = -1;
		if (!copy_writers(p, g, a, ret))
			r = -1;
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}
