#include "journal/group_pushes.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "journal/copied_family.h"

void group_pushes_init(struct group_pushes *gp, bool lenient)
{
	*gp = (struct group_pushes){ .builder = { .max_series = UINT64_MAX,
						  .max_labels = UINT32_MAX,
						  .rules.lenient = lenient } };
	arena_init(&gp->arena, ARENA_MUST);
	gp->builder.arena = &gp->arena;
}

void group_pushes_clear(struct group_pushes *gp)
{
	for (size_t i = 0; i < gp->n; i++)
		push_free(gp->list[i]);
	gp->n = 0;
}

void group_pushes_done(struct group_pushes *gp)
{
	group_pushes_clear(gp);
	free(gp->list);
	push_builder_done(&gp->builder);
	arena_done(&gp->arena);
}

static void add_push(struct group_pushes *gp, struct push *push)
{
	if (gp->n == gp->cap) {
		gp->cap = gp->cap ? gp->cap * 2 : 256;
		gp->list = mem_realloc(gp->list, gp->cap * sizeof(struct push *));
	}
	gp->list[gp->n++] = push;
}

static struct push *cannot(struct str key, const char *why, struct err *err)
{
	char name[200];

	err_set(err, ERR_SYSTEM, 0, "group %s cannot be written again: %s",
		str_quote(key, name, sizeof(name)), why);
	return NULL;
}

struct push *group_pushes_add(struct group_pushes *gp, struct str key_bytes,
			      const struct group_copy_family *const *families, uint32_t n,
			      double at, struct err *err)
{
	struct family *first = NULL, **last = &first;
	struct push *push;
	struct key key;

	arena_reset(&gp->arena);
	gp->refused = (struct err){ 0 };
	if (key_decode(key_bytes, &gp->arena, &key) < 0)
		return cannot(key_bytes, "its key is none", err);
	for (uint32_t i = 0; i < n; i++) {
		struct family *f = copied_family_decode(families[i], &gp->arena);

		if (!f)
			return cannot(key_bytes, "a family of it cannot be read", err);
		*last = f;
		last = &f->next;
	}
	*last = NULL;
	if (gp->check)
		gp->check(gp->check_arg, &key, first, &gp->refused);
	push = push_build(&gp->builder, PUSH_POST, &key, first, at);
	push->hides_others = gp->hides_others;
	if (!push->err.reason)
		push->err = gp->refused;
	add_push(gp, push);
	return push;
}

/* Not by time, which several pushes may share, and which a clock may set back. */
static int by_number(const void *pa, const void *pb)
{
	const struct group_copy_family *a = *(struct group_copy_family *const *)pa;
	const struct group_copy_family *b = *(struct group_copy_family *const *)pb;

	return (a->number > b->number) - (a->number < b->number);
}

const struct group_copy_family **group_pushes_sort(const struct group_copy *g, struct arena *a)
{
	const struct group_copy_family **sorted = arena_alloc(a, (g->n_families + 1) *
									 sizeof(*sorted));

	for (uint32_t i = 0; i < g->n_families; i++)
		sorted[i] = &g->families[i];
	array_sort(sorted, g->n_families, by_number);
	return sorted;
}

uint32_t group_pushes_same_push(const struct group_copy_family *const *sorted, uint32_t n)
{
	uint32_t same = 1;

	while (same < n && sorted[same]->number == sorted[0]->number &&
	       sorted[same]->pushed_at == sorted[0]->pushed_at)
		same++;
	return same;
}
