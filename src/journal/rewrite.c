#include "journal/rewrite.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "journal/group_pushes.h"
#include "push/push.h"

enum { BATCH = 512 };

/* A push of families of one group, with the number of the push that they are from. */
struct numbered_push {
	struct push *push;
	uint64_t number;
};

struct rewriter {
	struct store *from, *scratch;
	struct storage *to;
	struct group_pushes pushes;
	struct numbered_push *families; /* of all groups */
	size_t n_families, cap_families;
	/* `groups`: for a copied group; `batch`: for what a batch borrows until it is committed. */
	struct arena groups, batch;
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
	arena_init(&rw->batch, SIZE_MAX);
	group_pushes_init(&rw->pushes, false);
}

static void free_pushes(struct rewriter *rw)
{
	group_pushes_clear(&rw->pushes);
	arena_reset(&rw->batch);
}

static void rewriter_done(struct rewriter *rw)
{
	store_free(rw->scratch);
	group_pushes_done(&rw->pushes);
	free(rw->families);
	arena_done(&rw->batch);
	arena_done(&rw->groups);
}

static int cannot(struct rewriter *rw, struct str key, const char *why)
{
	char name[200];

	return err_set(rw->err, ERR_SYSTEM, 0, "group %s cannot be written again: %s",
		       str_quote(key, name, sizeof(name)), why);
}

static void add_families(struct rewriter *rw, struct push *push, uint64_t number)
{
	if (rw->n_families == rw->cap_families) {
		rw->cap_families = rw->cap_families ? rw->cap_families * 2 : 256;
		rw->families = mem_realloc(rw->families, rw->cap_families * sizeof(*rw->families));
	}
	rw->families[rw->n_families++] = (struct numbered_push){ push, number };
}

static int build_group(struct rewriter *rw, const struct group_copy *g)
{
	const struct group_copy_family **sorted = group_pushes_sort(g, &rw->groups);
	uint32_t n;

	for (uint32_t i = 0; i < g->n_families; i += n) {
		struct push *push;

		n = group_pushes_same_push(sorted + i, g->n_families - i);
		push = group_pushes_add(&rw->pushes, g->key, sorted + i, n, sorted[i]->pushed_at,
					rw->err);
		if (!push)
			return -1;
		add_families(rw, push, sorted[i]->number);
	}
	return 0;
}

/* The next group, in rw->groups. 0: there is none. */
static int next_group(struct rewriter *rw, uint32_t *cursor, struct group_copy *ret)
{
	arena_reset(&rw->groups);
	return store_copy_group(rw->from, cursor, &rw->groups, ret);
}

/* Oldest first, because the newest help text of a family is shown. Times may be equal or go back.
 */
static int by_number(const void *pa, const void *pb)
{
	const struct numbered_push *a = pa, *b = pb;

	return (a->number > b->number) - (a->number < b->number);
}

static int commit(struct rewriter *rw)
{
	if (rw->to->ops->commit(rw->to, store_rows(rw->scratch), rw->err) == STORAGE_COMMITTED) {
		store_publish(rw->scratch);
		return 0;
	}
	store_rollback(rw->scratch);
	return -1;
}

/* Commits the last batch. r: -1 if staging it has failed. */
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

	for (size_t i = 0; r == 0 && i < rw->n_families; i++) {
		struct push *push = rw->families[i].push;

		store_stage(rw->scratch, push);
		if (push->err.reason)
			r = cannot(rw, push->key, push->err.msg);
		else if ((i + 1) % BATCH == 0)
			r = commit(rw);
	}
	return end_batch(rw, r);
}

/* The group is made, as its families may all be left out; its times are written later. */
static int write_left_out_family(struct rewriter *rw, const struct store_left_out *left)
{
	struct push *push = group_pushes_add(&rw->pushes, left->key, NULL, 0, left->at, rw->err);
	int r = push ? 0 : -1;

	if (push)
		store_stage(rw->scratch, push);
	r = end_batch(rw, r);
	return r == 0 && store_stage_left_out_family(rw->scratch, left) ? commit(rw) : r;
}

/* What is not shown, so that it is there for a version that shows it. */
static int write_left_out(struct rewriter *rw)
{
	struct store_left_out left;
	size_t at = 0;

	while (store_stage_left_out_group(rw->scratch, rw->from, &at))
		if (commit(rw) < 0)
			return -1;
	for (at = 0; store_left_out(rw->from, &at, &left);)
		if (left.message.n && write_left_out_family(rw, &left) < 0)
			return -1;
	return 0;
}

static int write_families(struct rewriter *rw)
{
	struct group_copy g;
	uint32_t cursor = 0;

	/*
	 * Summed groups are copied from their documents: their families do not hold the values of
	 * sources.
	 */
	while (next_group(rw, &cursor, &g) > 0)
		if (g.mode == GROUP_PLAIN && build_group(rw, &g) < 0)
			return -1;
	array_sort(rw->families, rw->n_families, by_number);
	return write_pushes(rw);
}

/* Writes the times of all groups, also of those without families. */
static int write_times(struct rewriter *rw)
{
	struct group_copy g;
	uint32_t cursor = 0;
	int r = 0;

	while (r == 0 && next_group(rw, &cursor, &g) > 0) {
		struct push *push = group_pushes_add(&rw->pushes, g.key, NULL, 0, g.pushed_at,
						     rw->err);

		if (!push) {
			r = -1;
			break;
		}
		store_stage(rw->scratch, push);
		store_stage_times(rw->scratch, push, g.pushed_at, g.failed_at,
				  arena_dup(&rw->batch, g.failed_why));
		/* The times of sources do not matter in the scratch store. */
		store_stage_summed(rw->scratch, push, rw->from, g.pushed_at, false);
		store_stage_life(rw->scratch, push, &g.life);
		if (rw->pushes.n == BATCH) {
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
	r = write_left_out(&rw);
	if (r == 0)
		r = write_families(&rw);
	if (r == 0)
		r = write_times(&rw);
	if (r == 0)
		r = write_remembered(&rw);
	rewriter_done(&rw);
	return r;
}
