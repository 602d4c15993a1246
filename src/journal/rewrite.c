#include "journal/rewrite.h"

#include <stdlib.h>

#include "base/mem.h"
#include "journal/copied_family.h"
#include "push/push.h"

enum { BATCH = 512 };

/* Pushes that make the same groups again. */
struct rewriter {
	struct store *from, *scratch;
	struct storage *to;
	struct push_builder builder;
	/* For a copied group; for building a push; for what a batch borrows until it is committed.
	 */
	struct arena groups, arena, batch;
	struct push **pushes;
	size_t n, cap;
	struct err *err;
};

static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };

static void rewriter_init(struct rewriter *rw, struct store *from, struct storage *to,
			  struct err *err)
{
	*rw = (struct rewriter){ .from = from, .to = to, .err = err };
	/* Everything stored is written, even if a limit has been lowered since. */
	rw->scratch = store_new_like(from, &unlimited);
	arena_init(&rw->groups, SIZE_MAX);
	arena_init(&rw->arena, SIZE_MAX);
	arena_init(&rw->batch, SIZE_MAX);
	rw->builder = (struct push_builder){ .max_series = UINT64_MAX,
					     .max_labels = UINT32_MAX,
					     .arena = &rw->arena };
}

static void free_pushes(struct rewriter *rw)
{
	for (size_t i = 0; i < rw->n; i++)
		push_free(rw->pushes[i]);
	rw->n = 0;
	arena_reset(&rw->batch);
}

static void rewriter_done(struct rewriter *rw)
{
	store_free(rw->scratch);
	free_pushes(rw);
	free(rw->pushes);
	push_builder_done(&rw->builder);
	arena_done(&rw->arena);
	arena_done(&rw->batch);
	arena_done(&rw->groups);
}

static void add_push(struct rewriter *rw, struct push *push)
{
	if (rw->n == rw->cap) {
		rw->cap = rw->cap ? rw->cap * 2 : 256;
		rw->pushes = mem_realloc(rw->pushes, rw->cap * sizeof(struct push *));
	}
	rw->pushes[rw->n++] = push;
}

static int cannot(struct rewriter *rw, struct str key, const char *why)
{
	char name[200];

	return err_set(rw->err, ERR_SYSTEM, 0, "group %s cannot be written again: %s",
		       str_quote(key, name, sizeof(name)), why);
}

/* One push of families with the same push time. */
static int build_push(struct rewriter *rw, struct str key_bytes,
		      const struct group_copy_family *const *families, uint32_t n, double at)
{
	struct family *first = NULL, **last = &first;
	struct key key;

	arena_reset(&rw->arena);
	if (key_decode(key_bytes, &rw->arena, &key) < 0)
		return cannot(rw, key_bytes, "its key is none");
	for (uint32_t i = 0; i < n; i++) {
		struct family *f = copied_family_decode(families[i], &rw->arena);

		if (!f)
			return cannot(rw, key_bytes, "a family of it cannot be read");
		*last = f;
		last = &f->next;
	}
	*last = NULL;
	add_push(rw, push_build(&rw->builder, PUSH_POST, &key, first, at));
	return 0;
}

static int by_time(const void *pa, const void *pb)
{
	const struct group_copy_family *a = *(struct group_copy_family *const *)pa;
	const struct group_copy_family *b = *(struct group_copy_family *const *)pb;

	return (a->pushed_at > b->pushed_at) - (a->pushed_at < b->pushed_at);
}

static int build_group(struct rewriter *rw, const struct group_copy *g)
{
	const struct group_copy_family **sorted = arena_alloc(&rw->groups, (g->n_families + 1) *
										   sizeof(*sorted));
	uint32_t n;

	for (uint32_t i = 0; i < g->n_families; i++)
		sorted[i] = &g->families[i];
	qsort(sorted, g->n_families, sizeof(*sorted), by_time);
	for (uint32_t i = 0; i < g->n_families; i += n) {
		for (n = 1; i + n < g->n_families; n++)
			if (sorted[i + n]->pushed_at != sorted[i]->pushed_at)
				break;
		if (build_push(rw, g->key, sorted + i, n, sorted[i]->pushed_at) < 0)
			return -1;
	}
	return 0;
}

/* The next group, in rw->groups. 0: there is none. */
static int next_group(struct rewriter *rw, uint32_t *cursor, struct group_copy *ret)
{
	arena_reset(&rw->groups);
	return store_copy_group(rw->from, cursor, &rw->groups, ret);
}

/* Oldest first, because the newest help text of a family is shown. */
static int by_push_time(const void *pa, const void *pb)
{
	const struct push *a = *(struct push *const *)pa, *b = *(struct push *const *)pb;

	return (a->now > b->now) - (a->now < b->now);
}

static int commit(struct rewriter *rw)
{
	int r = rw->to->ops->commit(rw->to, store_rows(rw->scratch), rw->err);

	if (r == 0)
		store_publish(rw->scratch);
	else
		store_rollback(rw->scratch);
	return r;
}

/* The last one. r: of what has been staged for it. */
static int end_batch(struct rewriter *rw, int r)
{
	if (r == 0)
		r = commit(rw);
	else
		store_rollback(rw->scratch);
	free_pushes(rw);
	return r;
}

static int write_pushes(struct rewriter *rw)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rw->n; i++) {
		store_stage(rw->scratch, rw->pushes[i]);
		if (rw->pushes[i]->err.reason)
			r = cannot(rw, rw->pushes[i]->key, rw->pushes[i]->err.msg);
		else if ((i + 1) % BATCH == 0)
			r = commit(rw);
	}
	return end_batch(rw, r);
}

static int write_families(struct rewriter *rw)
{
	struct group_copy g;
	uint32_t cursor = 0;

	/* What sources have said is more than what can be seen of it. */
	while (next_group(rw, &cursor, &g) > 0)
		if (g.mode == GROUP_PLAIN && build_group(rw, &g) < 0)
			return -1;
	if (rw->n > 0)
		qsort(rw->pushes, rw->n, sizeof(struct push *), by_push_time);
	return write_pushes(rw);
}

/* Groups without families, too. */
static int write_times(struct rewriter *rw)
{
	struct group_copy g;
	uint32_t cursor = 0;
	int r = 0;

	while (r == 0 && next_group(rw, &cursor, &g) > 0) {
		r = build_push(rw, g.key, NULL, 0, g.pushed_at);
		if (r < 0)
			break;
		store_stage(rw->scratch, rw->pushes[rw->n - 1]);
		store_stage_times(rw->scratch, rw->pushes[rw->n - 1], g.pushed_at, g.failed_at,
				  arena_dup(&rw->batch, g.failed_why));
		store_stage_summed(rw->scratch, rw->pushes[rw->n - 1], rw->from);
		store_stage_life(rw->scratch, rw->pushes[rw->n - 1], &g.life);
		if (rw->n == BATCH) {
			r = commit(rw);
			free_pushes(rw);
		}
	}
	return end_batch(rw, r);
}

static int write_remembered(struct rewriter *rw)
{
	size_t at = 0;

	while (store_stage_remembered(rw->scratch, rw->from, &at))
		if (commit(rw) < 0)
			return -1;
	return 0;
}

int rewrite_store(struct store *s, struct storage *to, struct err *err)
{
	struct rewriter rw;
	int r;

	rewriter_init(&rw, s, to, err);
	r = write_families(&rw);
	if (r == 0)
		r = write_times(&rw);
	if (r == 0)
		r = write_remembered(&rw);
	rewriter_done(&rw);
	return r;
}
