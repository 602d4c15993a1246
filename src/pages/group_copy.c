#include "pages/group_copy.h"

#include <stdlib.h>

#include "base/array.h"
#include "pages/pages.h"

static int copy_family(const struct group *g, const struct entry *e, struct arena *a,
		       struct group_copy_family *to)
{
	*to = (struct group_copy_family){
		.name = arena_dup(a, e->help->family->name),
		.exposed = arena_dup(a, e->help->family->exposed),
		.type = e->lines.type,
		/*
		 * After a restart it is not known when a merged family was pushed, so the time of
		 * the group is shown.
		 */
		.pushed_at = e->record->merged ? group_pushed_at(g) : e->record->pushed_at,
		.number = e->record->number,
		.text = arena_dup(a, lines_text(&e->lines)),
		.proto = arena_dup(a, bytes_str(lines_proto(&e->lines))),
	};
	if (e->help->given)
		to->help = arena_dup(a, (struct str){ e->help->p, e->help->n });
	return to->name.p && to->exposed.p && to->text.p && to->proto.p &&
			       (!e->help->given || to->help.p)
		       ? 1
		       : -1;
}

static int copy_group(const struct pages *p, const struct group *g, struct arena *a,
		      struct group_copy *ret)
{
	const struct entry_table *t = &g->entries;

	*ret = (struct group_copy){
		.key = arena_dup(a, group_key(g)),
		.pushed_at = group_pushed_at(g),
		.failed_at = group_failed_at(g),
		.life = g->life ? g->life->now : (struct life){ .ttl_ns = 0 },
		.mode = group_summed_brief(g).mode,
		.families = arena_alloc(a, t->n * sizeof(*ret->families)),
	};
	if (g->failure)
		ret->failed_why = arena_dup(a, (struct str){ g->failure->why, g->failure->why_n });
	if (!ret->key.p || !ret->families || (g->failure && !ret->failed_why.p))
		return -1;
	for (uint32_t i = 0; i < t->cap; i++)
		if (entries_at(t, i) && copy_family(g, pages_entry(p, entries_at(t, i)), a,
						    &ret->families[ret->n_families++]) < 0)
			return -1;
	return 1;
}

static int by_name(const void *pa, const void *pb)
{
	const struct group_copy_family *a = pa, *b = pb;
	int r = str_cmp(a->exposed, b->exposed);

	return r ? r : str_cmp(a->name, b->name);
}

int pages_copy_group(struct pages *p, uint32_t *cursor, struct arena *a, struct group_copy *ret)
{
	int r = 0;

	pthread_mutex_lock(&p->lock);
	for (uint32_t slot = *cursor + 1; r == 0 && slot < p->cap_groups; slot++) {
		if (!p->groups[slot])
			continue;
		*cursor = slot;
		r = copy_group(p, p->groups[slot], a, ret);
	}
	pthread_mutex_unlock(&p->lock);
	if (r > 0)
		array_sort(ret->families, ret->n_families, by_name);
	return r;
}
