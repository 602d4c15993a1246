#include "commit/undo.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit/copied_groups.h"
#include "journal/old_groups.h"

/*
 * The most bytes of rows that are kept in memory at a time. With more the log is read in several
 * passes, and all of them twice: undo.may is asked for every group before the first comes back.
 */
enum { PASS_BYTES = 64 * 1024 * 1024 };

struct undoing {
	struct undo *what;
	struct undoable *removal; /* a copy: other gateways may end that of the store meanwhile */
	struct storage *storage;
	struct store *store;
	size_t first, pass; /* its groups of the current pass: the first, and how many a pass has */
	struct old_groups *old;
	bool asking; /* these passes only ask */
	bool read;

	/* For the batch that is staged. */
	struct store *scratch;
	struct copied_groups copied; /* the groups in scratch */
};

struct undoing *undoing_new(struct undo *what, struct storage *st, struct store *s, struct err *err)
{
	const struct undoable *removal = store_undoable(s, what->id, what->now);
	uint64_t pass_bytes = what->pass_bytes ? what->pass_bytes : PASS_BYTES;
	struct undoing *u;

	if (!removal) {
		err_set(err, ERR_NOT_FOUND, 0,
			"there is nothing to be undone under this id: ten minutes have passed, it "
			"has been undone already, or there was no such deletion");
		return NULL;
	}
	u = mem_zalloc(sizeof(*u));
	u->what = what;
	u->removal = undoable_copy(removal);
	u->storage = st;
	u->store = s;
	u->pass = removal->n / (removal->bytes / pass_bytes + 1) + 1;
	u->asking = true;
	copied_groups_init(&u->copied);
	u->copied.pushes.check = what->check;
	u->copied.pushes.check_arg = what->arg;
	u->copied.pushes.hides_others = what->hides_others;
	store_undo_reading(s, true);
	return u;
}

static void forget_batch(struct undoing *u)
{
	copied_groups_clear(&u->copied);
	if (u->scratch)
		store_free_later(u->store, u->scratch);
	u->scratch = NULL;
}

void undoing_free(struct undoing *u)
{
	if (!u)
		return;
	store_undo_reading(u->store, false);
	forget_batch(u);
	copied_groups_done(&u->copied);
	old_groups_free(u->old);
	undoable_free(u->removal);
	free(u);
}

static void leave_out(const struct undoing *u, struct str key, struct str family, const char *why)
{
	u->what->left_out(u->what->arg, key, family, why);
}

/* ---- whole groups ---- */

/*
 * Stages each family by itself, because one of them contradicts something. Returns how many are
 * staged.
 */
static int stage_each(struct undoing *u, const struct group_copy *g,
		      const struct group_copy_family *const *families, uint32_t n, struct err *err)
{
	int staged = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct push *push = group_pushes_add(&u->copied.pushes, g->key, families + i, 1,
						     families[i]->pushed_at, err);

		if (!push)
			return -1;
		if (!push->err.reason)
			store_stage(u->store, push);
		if (push->err.reason)
			leave_out(u, g->key, families[i]->name, push->err.msg);
		else
			staged++;
	}
	return staged;
}

/* Returns how many families are staged; -1: *err. */
static int stage_families(struct undoing *u, const struct copied_group *c, struct err *err)
{
	const struct group_copy_family **sorted = c->sorted;
	const struct group_copy *g = &c->copy;
	int staged = 0;
	size_t pushes = 0;
	uint32_t n;

	for (uint32_t i = 0; i < g->n_families; i += n) {
		struct push *push;
		int came = 0;

		n = group_pushes_same_push(sorted + i, g->n_families - i);
		push = copied_groups_push(&u->copied, c, pushes++, i, n, err);
		if (!push)
			return -1;
		if (!push->err.reason)
			store_stage(u->store, push);
		if (!push->err.reason)
			came = (int)n;
		else
			came = stage_each(u, g, sorted + i, n, err);
		if (came < 0)
			return -1;
		staged += came;
	}
	return staged;
}

/*
 * 1: staged with all families that can come back. 0: none can, and the group does not come back.
 * -1: *err.
 */
static int stage_what_it_had(struct undoing *u, const struct copied_group *c,
			     const struct push *push, struct err *err)
{
	int staged;

	if (c->copy.mode != GROUP_PLAIN || c->copy.n_families == 0)
		return 1;
	staged = stage_families(u, c, err);
	if (staged == 0)
		store_stage_end(u->store, push);
	return staged > 0 ? 1 : staged;
}

/*
 * A summed group comes back as a whole or not at all, so it is checked as a whole: *ret says why
 * not.
 */
static int check_summed(struct undoing *u, const struct copied_group *c, struct err *ret,
			struct err *err)
{
	const struct group_copy *g = &c->copy;

	if (!u->what->check || g->mode == GROUP_PLAIN || ret->reason)
		return 0;
	if (!group_pushes_add(&u->copied.pushes, g->key, c->sorted, g->n_families, g->pushed_at,
			      err))
		return -1;
	*ret = u->copied.pushes.refused;
	return 0;
}

static const char *why_not(const struct undoing *u, const struct group_copy *g)
{
	if (store_group_id(u->store, g->key))
		return "it has been pushed to meanwhile, and stays as it is";
	if (store_life_is_over(u->store, &g->life, clock_mono_ns()))
		return "its time to live is over";
	return NULL;
}

static int stage_group(struct undoing *u, const struct copied_group *c, double now, struct err *err)
{
	const struct group_copy *g = &c->copy;
	const char *why = why_not(u, g);
	struct push *push;
	int had;

	if (why) {
		leave_out(u, g->key, STR(""), why);
		return 0;
	}
	push = group_pushes_add(&u->copied.pushes, g->key, NULL, 0, g->pushed_at, err);
	if (!push || check_summed(u, c, &push->err, err) < 0)
		return -1;
	if (!push->err.reason)
		store_stage(u->store, push);
	if (push->err.reason) {
		leave_out(u, g->key, STR(""), push->err.msg);
		return 0;
	}
	had = stage_what_it_had(u, c, push, err);
	if (had <= 0)
		return had;
	store_stage_times(u->store, push, g->pushed_at, g->failed_at, g->failed_why);
	if (store_stage_summed(u->store, push, u->scratch, now, true) < 0) {
		leave_out(u, g->key, STR(""), push->err.msg);
		store_stage_end(u->store, push);
		return 0;
	}
	store_stage_life(u->store, push, &g->life);
	u->what->restored++;
	return 0;
}

/* ---- one family of each ---- */

/*
 * Why the family cannot come back; NULL: it can. A group that was deleted and brought back by
 * another undo has another id, but counts as the same as long as its last push is.
 */
static const char *why_not_family(const struct undoing *u, const struct group_copy *g)
{
	uint64_t id = store_group_id(u->store, g->key);

	if (id == 0)
		return "the group has been deleted since";
	if (store_group_pushed_at(u->store, g->key) != g->pushed_at)
		return undoable_has(u->removal, id)
			       ? "the group has been pushed to meanwhile, and stays as it is"
			       : "the group has been deleted since, and pushed to again";
	if (!store_has_values(u->store, g->key))
		return "the values of the group have expired since";
	if (store_has_family(u->store, g->key, u->removal->family))
		return "it is back already";
	return NULL;
}

static int stage_family(struct undoing *u, const struct group_copy *g, struct err *err)
{
	const struct group_copy_family *f = group_copy_family_of(g, u->removal->family);
	const char *why = why_not_family(u, g);
	struct push *push, *times;

	if (!f)
		return 0;
	if (why) {
		leave_out(u, g->key, f->name, why);
		return 0;
	}
	push = group_pushes_add(&u->copied.pushes, g->key, &f, 1, f->pushed_at, err);
	times = push ? group_pushes_add(&u->copied.pushes, g->key, NULL, 0, f->pushed_at, err)
		     : NULL;
	if (!times)
		return -1;
	if (push->err.reason || store_stage_family(u->store, push, times) < 0)
		leave_out(u, g->key, f->name, push->err.msg);
	else
		u->what->restored++;
	return 0;
}

/* ---- the steps ---- */

static int stage_all(struct undoing *u, double now, struct err *err)
{
	for (size_t i = 0; i < u->copied.n; i++) {
		const struct copied_group *c = &u->copied.list[i];

		if ((u->removal->family.n ? stage_family(u, &c->copy, err)
					  : stage_group(u, c, now, err)) < 0)
			return -1;
	}
	return 0;
}

/* Asks for all groups, before the first comes back. */
static int ask_all(const struct undoing *u, struct err *err)
{
	struct str key;
	size_t at = 0;

	while ((key = old_groups_key(u->old, &at)).n > 0)
		if (u->what->may(u->what->arg, key, err) < 0)
			return -1;
	return 0;
}

static void next_pass(struct undoing *u)
{
	size_t left = u->removal->n - u->first;

	old_groups_free(u->old);
	u->old = NULL;
	u->read = false;
	u->first += u->pass < left ? u->pass : left;
}

/* Rows of a single pass need not be read again. */
static int ask(struct undoing *u, struct err *err)
{
	bool single = u->pass >= u->removal->n;

	u->read = !u->asking || single;
	if (!u->asking)
		return 0;
	u->asking = !single;
	if (ask_all(u, err) < 0)
		return -1;
	if (!single)
		next_pass(u);
	return 0;
}

static enum undo_step read_some(struct undoing *u, struct err *err)
{
	size_t left = u->removal->n - u->first;
	int r;

	if (left == 0 && !u->asking)
		return UNDO_DONE;
	if (left == 0) {
		u->asking = false;
		u->first = 0;
		return UNDO_READING;
	}
	if (!u->old)
		u->old = old_groups_new(u->storage, u->removal, u->first,
					left < u->pass ? left : u->pass);
	r = old_groups_read(u->old, err);
	if (r == 0)
		r = ask(u, err);
	return r < 0 ? UNDO_FAILED : UNDO_READING;
}

int undoing_check(const struct undoing *u, struct err *err)
{
	if (store_undoable(u->store, u->what->id, u->what->now))
		return 0;
	return err_set(err, ERR_CONFLICT, 0,
		       "another gateway has undone it meanwhile, or has wiped all groups");
}

static enum undo_step failed(struct err *err)
{
	if (err->reason != ERR_STORAGE)
		err->reason = ERR_SYSTEM;
	return UNDO_FAILED;
}

static enum undo_step go_on_copying(struct undoing *u, struct err *err)
{
	int r = copied_groups_step(&u->copied, storage_now(u->storage), err);

	return r > 0 ? UNDO_READING : r == 0 ? UNDO_LOADED : failed(err);
}

enum undo_step undoing_step(struct undoing *u, struct err *err)
{
	static const struct store_limits unlimited = { UINT64_MAX, UINT64_MAX };
	int r;

	if (copied_groups_pending(&u->copied))
		return go_on_copying(u, err);
	forget_batch(u);
	if (!u->read)
		return read_some(u, err);
	u->scratch = store_new_like(u->store, &unlimited);
	r = old_groups_load(u->old, u->scratch, err);
	if (r == 0) {
		next_pass(u);
		return UNDO_READING;
	}
	if (r < 0)
		return failed(err);
	return copied_groups_begin(&u->copied, u->scratch, u->removal->family.n == 0)
		       ? UNDO_READING
		       : go_on_copying(u, err);
}

int undoing_stage(struct undoing *u, double now, struct err *err)
{
	if (undoing_check(u, err) < 0)
		return -1;
	if (stage_all(u, now, err) == 0)
		return 0;
	if (err->reason != ERR_STORAGE)
		err->reason = ERR_SYSTEM;
	store_rollback(u->store);
	return -1;
}
