#include "pages/group_copy.h"

#include <stdlib.h>

#include "base/array.h"
#include "pages/pages.h"

/* Where the parts of a group go: into the arena, or, if they are held, only what is small. */
struct copying {
	const struct pages *pages;
	struct arena *arena;
	struct group_copy *to;
	struct held_group *held; /* NULL: all is copied */
};

static struct str take_text(struct copying *c, struct str text, struct bytes *owner)
{
	if (!c->held)
		return arena_dup(c->arena, text);
	if (!owner)
		return STR("");
	c->held->refs[c->held->n_refs++] = bytes_ref(owner);
	return text;
}

static int hold_series(struct copying *c, const struct entry *e, struct held_series *to)
{
	const struct lines *l = &e->lines;
	size_t n = lines_n_series(l);

	*to = (struct held_series){
		.hash = e->help->family->hash,
		.hashes = arena_alloc(c->arena, (n + 1) * sizeof(*to->hashes)),
		.n = (uint32_t)n,
		.n_lines = lines_n(l),
		.stored = lines_stored(l),
		.lossy = l->lossy,
		.escaped = l->escaped,
	};
	if (!to->hashes)
		return -1;
	copy_bytes(to->hashes, lines_hashes(l), n * sizeof(*to->hashes));
	return 1;
}

static int copy_family(struct copying *c, const struct group *g, const struct entry *e)
{
	uint32_t i = c->to->n_families++;
	struct group_copy_family *to = &c->to->families[i];
	const struct lines *l = &e->lines;

	*to = (struct group_copy_family){
		.name = arena_dup(c->arena, e->help->family->name),
		.exposed = arena_dup(c->arena, e->help->family->exposed),
		.type = l->type,
		/*
		 * After a restart it is not known when a merged family was pushed, so the time of
		 * the group is shown.
		 */
		.pushed_at = e->record->merged ? group_pushed_at(g) : e->record->pushed_at,
		.number = e->record->number,
		.text = take_text(c, lines_text(l), l->page ? l->page->text : NULL),
		.proto = take_text(c, bytes_str(lines_proto(l)), lines_proto(l)),
	};
	if (e->help->given)
		to->help = arena_dup(c->arena, (struct str){ e->help->p, e->help->n });
	if (!to->name.p || !to->exposed.p || !to->text.p || !to->proto.p ||
	    (e->help->given && !to->help.p))
		return -1;
	return c->held && c->held->series ? hold_series(c, e, &c->held->series[i]) : 1;
}

static bool make_room(struct copying *c, uint32_t n, bool with_series)
{
	struct held_group *h = c->held;

	c->to->families = arena_alloc(c->arena, n * sizeof(*c->to->families));
	if (h && with_series)
		h->series = arena_alloc(c->arena, n * sizeof(*h->series));
	if (h)
		h->refs = arena_alloc(c->arena, n * sizeof(struct bytes *) * 2);
	return c->to->families && (!h || (h->refs && (h->series || !with_series)));
}

static int copy_group(struct copying *c, const struct group *g, bool with_series)
{
	const struct entry_table *t = &g->entries;
	struct group_copy *ret = c->to;

	*ret = (struct group_copy){
		.key = arena_dup(c->arena, group_key(g)),
		.pushed_at = group_pushed_at(g),
		.failed_at = group_failed_at(g),
		.life = g->life ? g->life->now : (struct life){ .ttl_ns = 0 },
		.mode = group_summed_brief(g).mode,
	};
	if (g->failure)
		ret->failed_why = arena_dup(c->arena,
					    (struct str){ g->failure->why, g->failure->why_n });
	if (!ret->key.p || (g->failure && !ret->failed_why.p) || !make_room(c, t->n, with_series))
		return -1;
	for (uint32_t i = 0; i < t->cap; i++)
		if (entries_at(t, i) &&
		    copy_family(c, g, pages_entry(c->pages, entries_at(t, i))) < 0)
			return -1;
	return 1;
}

/* The next group behind *cursor. */
static int copy_next(struct copying *c, struct pages *p, uint32_t *cursor, bool with_series)
{
	int r = 0;

	c->pages = p;
	pthread_mutex_lock(&p->lock);
	for (uint32_t slot = *cursor + 1; r == 0 && slot < p->cap_groups; slot++) {
		if (!p->groups[slot])
			continue;
		*cursor = slot;
		r = copy_group(c, p->groups[slot], with_series);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

static int by_name(const void *pa, const void *pb)
{
	const struct group_copy_family *a = pa, *b = pb;
	int r = str_cmp(a->exposed, b->exposed);

	return r ? r : str_cmp(a->name, b->name);
}

int pages_copy_group(struct pages *p, uint32_t *cursor, struct arena *a, struct group_copy *ret)
{
	struct copying c = { .arena = a, .to = ret };
	int r = copy_next(&c, p, cursor, false);

	if (r > 0)
		array_sort(ret->families, ret->n_families, by_name);
	return r;
}

int pages_hold_group(struct pages *p, uint32_t *cursor, bool with_series, struct arena *a,
		     struct held_group *ret)
{
	struct copying c = { .arena = a, .to = &ret->copy, .held = ret };
	int r;

	*ret = (struct held_group){ .n_refs = 0 };
	r = copy_next(&c, p, cursor, with_series);
	if (r < 0)
		held_group_done(ret);
	return r;
}

void held_group_done(struct held_group *h)
{
	for (size_t i = 0; i < h->n_refs; i++)
		bytes_unref(h->refs[i]);
	*h = (struct held_group){ .n_refs = 0 };
}
