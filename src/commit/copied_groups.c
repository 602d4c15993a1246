#include "commit/copied_groups.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit/late.h"

void copied_groups_init(struct copied_groups *c)
{
	*c = (struct copied_groups){ .n = 0 };
	arena_init(&c->arena, ARENA_MUST);
	group_pushes_init(&c->pushes, true);
}

void copied_groups_clear(struct copied_groups *c)
{
	group_pushes_clear(&c->pushes);
	arena_reset(&c->arena);
	c->n = 0;
	c->from = NULL;
	c->copied = c->built = false;
}

void copied_groups_done(struct copied_groups *c)
{
	group_pushes_done(&c->pushes);
	arena_done(&c->arena);
	free(c->list);
}

static void copy_all(struct copied_groups *c, struct store *from, double now)
{
	struct group_copy copy;
	uint32_t cursor = 0;

	store_begin_waiting(from, clock_mono_ns(), now, 0);
	while (store_copy_group(from, &cursor, &c->arena, &copy) > 0) {
		if (c->n == c->cap) {
			c->cap = c->cap ? c->cap * 2 : 128;
			c->list = mem_realloc(c->list, c->cap * sizeof(*c->list));
		}
		c->list[c->n] = (struct copied_group){ .copy = copy };
		c->list[c->n].sorted = group_pushes_sort(&copy, &c->arena);
		c->n++;
	}
}

static struct push *build(struct copied_groups *c, const struct copied_group *g, uint32_t at,
			  uint32_t n, struct err *err)
{
	return group_pushes_add(&c->pushes, g->copy.key, g->sorted + at, n,
				g->sorted[at]->pushed_at, err);
}

/* One for each push that they are of. */
static int build_all(struct copied_groups *c, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		struct copied_group *g = &c->list[i];
		uint32_t n = g->copy.mode == GROUP_PLAIN ? g->copy.n_families : 0, same;

		g->first = c->pushes.n;
		for (uint32_t at = 0; at < n; at += same) {
			same = group_pushes_same_push(g->sorted + at, n - at);
			if (!build(c, g, at, same, err))
				return -1;
		}
	}
	c->built = true;
	return 0;
}

bool copied_groups_begin(struct copied_groups *c, struct store *from, bool whole)
{
	c->from = from;
	c->whole = whole;
	c->large = store_counts(from).series >= late_families;
	return c->large;
}

bool copied_groups_pending(const struct copied_groups *c)
{
	return c->from != NULL;
}

int copied_groups_step(struct copied_groups *c, double now, struct err *err)
{
	if (!c->copied) {
		copy_all(c, c->from, now);
		c->copied = true;
		if (c->large)
			return 1;
	} else if (c->whole && !c->built) {
		return build_all(c, err) < 0 ? -1 : 1;
	}
	c->from = NULL;
	return 0;
}

struct push *copied_groups_push(struct copied_groups *c, const struct copied_group *g, size_t i,
				uint32_t at, uint32_t n, struct err *err)
{
	return c->built ? c->pushes.list[g->first + i] : build(c, g, at, n, err);
}

const struct group_copy_family *group_copy_family_of(const struct group_copy *g, struct str name)
{
	for (uint32_t i = 0; i < g->n_families; i++)
		if (str_eq(g->families[i].name, name))
			return &g->families[i];
	return NULL;
}
