#include "pages/pages.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

void pages_init(struct pages *p)
{
	*p = (struct pages){ 0 };
	pool_init(&p->entries, sizeof(struct entry));
	pthread_mutex_init(&p->lock, NULL);
}

void pages_done(struct pages *p)
{
	writers_done(&p->writers);
	pool_done(&p->entries);
	family_list_done(&p->families);
	free(p->groups);
	series_index_done(&p->keys);
	for (size_t i = 0; i < p->n_expired; i++)
		free(p->expired[i].job);
	pthread_mutex_destroy(&p->lock);
}

void pages_show_group(struct pages *p, struct group *g, bool exists)
{
	if (g->slot >= p->cap_groups) {
		uint32_t cap = p->cap_groups ? p->cap_groups : 64;

		while (cap <= g->slot)
			cap *= 2;
		p->groups = mem_realloc(p->groups, cap * sizeof(struct group *));
		memset(p->groups + p->cap_groups, 0,
		       (cap - p->cap_groups) * sizeof(struct group *));
		p->cap_groups = cap;
	}
	if (exists && !p->groups[g->slot])
		series_index_add(&p->keys, hash_bytes(group_key(g)), g->slot);
	else if (!exists && p->groups[g->slot])
		series_index_remove(&p->keys, hash_bytes(group_key(g)), g->slot);
	p->groups[g->slot] = exists ? g : NULL;
}
