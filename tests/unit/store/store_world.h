/*
 * Random batches of pushes and deletes against the naive store (lib/naive_store.h), which says what
 * the store has to show, and removals of many groups, of which the store alone knows how far they
 * are. Everything that the store says in its changes goes into rows.
 */
#ifndef TESTS_UNIT_STORE_STORE_WORLD_H
#define TESTS_UNIT_STORE_STORE_WORLD_H

#include <check.h>
#include <stdlib.h>

#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "lib/rng.h"
#include "lib/stored_recount.h"
#include "store/internal.h"

enum { BATCHES = 600, BATCH_MAX = 12 };

struct run {
	const char *name;
	uint64_t seed, max_groups, max_series;
};

static const struct run runs[] = {
	{ "room for all", 1, 1000, 100000 },  { "room for all, again", 2, 1000, 100000 },
	{ "few groups", 3, 4, 100000 },       { "few series", 4, 1000, 40 },
	{ "hardly any series", 5, 1000, 17 }, { "few of both", 6, 5, 40 },
};

struct world {
	const struct run *run;
	uint64_t rng;
	unsigned op;
	struct naive_store shown, staged;
	struct store *store;
	struct mem_storage rows;
	/* Another gateway over the same log: it applies the rows of this one, and they take turns.
	 */
	struct store *other;
	struct applier *applier;
	struct snapshot *held; /* an older scrape, and what it showed */
	struct strbuf held_text;
	unsigned accepted, refused, full, reloads, followed;
	/* The other is staging it as a large one, which rows may end. */
	struct naive_push large;
	struct push *staging; /* NULL: it is not */
	unsigned went_on, ended;
};

static inline struct store *new_store(const struct run *run)
{
	struct store *s = store_new(&(struct store_limits){ run->max_groups, run->max_series });

	store_keep_digest(s);
	for (int i = 0; i < NAIVE_NAMES - 1; i++)
		if (naive_names[i].own >= 0)
			store_add_own(s, str_of(naive_names[i].name), naive_names[i].own);
	return s;
}

/* Padding makes the whole text too long to show. */
static inline void fail_at_difference(const struct world *w, const char *when, struct strbuf *got,
				      struct strbuf *want)
{
	const char *g = strbuf_z(got), *v = strbuf_z(want);
	size_t line = 0;

	for (size_t i = 0; g[i] && g[i] == v[i]; i++)
		if (g[i] == '\n')
			line = i + 1;
	ck_abort_msg("%s (seed %llu), %s, op %u: got\n%.300s\nbut wanted\n%.300s", w->run->name,
		     (unsigned long long)w->run->seed, when, w->op, g + line, v + line);
}

static inline void check_same(struct world *w, struct store *s, const struct naive_store *naive,
			      const char *when)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	struct store_counts counts = store_counts(s);

	exposed_add(s, &got);
	naive_expose(naive, &want);
	if (!str_eq(strbuf_str(&got), strbuf_str(&want)))
		fail_at_difference(w, when, &got, &want);
	ck_assert_msg(counts.groups == naive_groups(naive) && counts.series == naive_lines(naive),
		      "%s (seed %llu), %s, op %u: %llu groups, %llu series", w->run->name,
		      (unsigned long long)w->run->seed, when, w->op,
		      (unsigned long long)counts.groups, (unsigned long long)counts.series);
	check_stored(s);
}

static inline void describe_group(const struct group_copy *c, struct strbuf *out)
{
	strbuf_adds(out, c->key);
	strbuf_addf(out, " %g %g ", c->pushed_at, c->failed_at);
	strbuf_adds(out, c->failed_why);
	for (uint32_t i = 0; i < c->n_families; i++) {
		const struct group_copy_family *f = &c->families[i];

		strbuf_addf(out, " %.*s %g ", STR_ARG(f->name), f->pushed_at);
		strbuf_adds(out, f->help);
	}
}

static inline int group_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct strbuf *)a)->n ? strbuf_str(a) : STR_NULL, strbuf_str(b));
}

/* What APIs show of each group: times, why the last push failed, when each family came. */
static inline size_t describe_groups(struct store *s, struct strbuf *ret)
{
	struct group_copy copy;
	struct arena a;
	uint32_t cursor = 0;
	size_t n = 0;

	arena_init(&a, 1 << 24);
	for (; store_copy_group(s, &cursor, &a, &copy) == 1; n++) {
		ret[n] = (struct strbuf){ 0 };
		describe_group(&copy, &ret[n]);
	}
	arena_done(&a);
	if (n > 1)
		qsort(ret, n, sizeof(*ret), group_cmp);
	return n;
}

static inline void check_copies(struct store *a, struct store *b)
{
	struct strbuf of_a[NAIVE_GROUPS], of_b[NAIVE_GROUPS];
	size_t n = describe_groups(a, of_a);

	ck_assert_uint_eq(n, describe_groups(b, of_b));
	for (size_t i = 0; i < n; i++) {
		ck_assert_str_eq(strbuf_z(&of_a[i]), strbuf_z(&of_b[i]));
		strbuf_done(&of_a[i]);
		strbuf_done(&of_b[i]);
	}
}

static inline struct push *stage_one(struct world *w)
{
	struct naive_push p;
	struct push *push;
	enum err_reason want;

	w->op++;
	naive_random_push(&w->rng, w->op, &p);
	push = naive_real_push(&p);
	store_stage(w->store, push);
	want = naive_apply(&w->staged, &p);
	ck_assert_msg(push->err.reason == want, "%s (seed %llu), op %u: got %d %s, wanted %d",
		      w->run->name, (unsigned long long)w->run->seed, w->op, push->err.reason,
		      push->err.msg, want);
	w->accepted += want == 0;
	w->refused += want == ERR_INVALID;
	w->full += want == ERR_STORE_FULL;
	return push;
}

/* Some of the oldest rows, or all. */
static inline void begin_cleaning(struct world *w)
{
	struct err err;

	w->rows.refuse = false;
	storage_clean(&w->rows.base, w->store, rng_below(&w->rng, 12000), &err);
	store_clean_rows(w->store);
}

static inline bool commit(struct world *w, const struct rows *rows)
{
	struct err err;

	w->rows.refuse = rng_one_in(&w->rng, 4);
	return w->rows.base.ops->commit(&w->rows.base, rows, &err) == STORAGE_COMMITTED;
}

/* With cleaning, a batch may be empty; what fails with it is tried without. */
static inline void run_batch(struct world *w)
{
	struct push *pushes[BATCH_MAX];
	bool cleaning = w->rows.n_rows > 0 && rng_one_in(&w->rng, 2);
	unsigned n = rng_below(&w->rng, BATCH_MAX + 1);

	if (cleaning)
		begin_cleaning(w);
	for (unsigned i = 0; i < n; i++)
		pushes[i] = stage_one(w);

	bool committed = commit(w, store_rows(w->store));

	if (cleaning)
		store_clean_end(w->store, committed);
	if (cleaning && !committed)
		committed = commit(w, store_rows(w->store));
	if (committed) {
		store_publish(w->store);
		w->shown = w->staged;
	} else {
		store_rollback(w->store);
		w->staged = w->shown;
	}
	for (unsigned i = 0; i < n; i++)
		push_free(pushes[i]);
	check_same(w, w->store, &w->shown, "after a batch");
}

/* Which groups, as bits, and which family of them; NULL: all of them. */
struct asked {
	unsigned groups;
	const char *family;
	unsigned went;
};

static inline int index_of(struct str key)
{
	for (int i = 0; i < NAIVE_GROUPS; i++) {
		CLEANUP(push_freep)
		struct push *p = make_push(PUSH_DELETE, naive_paths[i], "", 1);

		if (str_eq(p->key, key))
			return i;
	}
	ck_abort_msg("a group that nobody pushed to");
}

static inline int asks_for(void *arg, const struct removal_group *g, struct err *err)
{
	const struct asked *a = arg;

	(void)err;
	return (int)(a->groups >> index_of(g->key) & 1);
}

static inline void is_going(void *arg, const struct removal_group *g)
{
	((struct asked *)arg)->went |= 1u << index_of(g->key);
}

static inline void end_undos(struct world *w)
{
	if (!store_can_undo(w->store))
		return;
	if (commit(w, store_undone_rows(w->store, NULL, w->op)))
		store_undo_end(w->store, NULL);
	else
		store_rollback(w->store);
}

/* True: it is written, and comes step by step. */
static inline bool begin_removal(struct world *w, struct asked *a)
{
	struct err err = { 0 };
	struct removal r = { .wants = asks_for, .goes = is_going, .arg = a, .now = w->op };

	/* One at a time, so that the log stays short. */
	end_undos(w);
	r.can_undo = rng_one_in(&w->rng, 2);
	memcpy(r.id, &w->op, sizeof(w->op));

	*a = (struct asked){ .groups = rng_below(&w->rng, 1 << NAIVE_GROUPS) };
	if (rng_one_in(&w->rng, 2))
		a->family = naive_names[rng_below(&w->rng, NAIVE_NAMES)].name;
	if (a->family)
		r.family = str_of(a->family);
	ck_assert_int_eq(store_removal_decide(w->store, &r, &err), 0);
	ck_assert_uint_eq(r.n, (unsigned)__builtin_popcount(a->went));
	if (r.n > 0 && !commit(w, store_removal_rows(w->store))) {
		store_removal_drop(w->store);
		return false;
	}
	store_removal_begin(w->store);
	return true;
}

/* What of the log the group's live rows are. */
static inline uint64_t live_bytes(const struct store *s, const struct group *g)
{
	uint64_t live = row_bytes_of(g->key_n), n = 0;

	if (g->failure)
		live += row_bytes_of(g->failure->why_n);
	if (g->last)
		live += ROW_BYTES;
	for (uint32_t i = 0; i < g->entries.cap; i++) {
		if (!entries_at(&g->entries, i))
			continue;

		const struct entry *e = store_entry(s, entries_at(&g->entries, i));
		bool first = e->record != g->last;

		n++;
		ck_assert_ptr_nonnull(e->record);
		ck_assert(!e->lines.staged && e->record->n_live > 0);
		ck_assert_uint_eq(e->record->n_live, e->record->refs);
		/* Of the entries of a record, the first one counts its row. */
		for (uint32_t k = 0; k < i; k++)
			if (entries_at(&g->entries, k) &&
			    store_entry(s, entries_at(&g->entries, k))->record == e->record)
				first = false;
		live += e->lines.bytes + (first ? ROW_BYTES : 0);
	}
	ck_assert_uint_eq(n, g->entries.n);
	return live;
}

/* The store knows how long the log is, and what of it is live. */
static inline void check_log(const struct world *w)
{
	uint64_t bytes = 0, live = 0;
	uint32_t entries = 0;

	for (size_t i = 0; i < w->rows.n_rows; i++)
		bytes += row_bytes_of(w->rows.rows[i].body.n);
	for (uint32_t slot = 1; slot < w->store->n_slots; slot++) {
		const struct group *g = w->store->by_slot[slot];

		live += g ? live_bytes(w->store, g) : 0;
		entries += g ? g->entries.n : 0;
		ck_assert(!g || store_group_by_id(w->store, g->id) == g);
	}
	ck_assert_uint_eq(w->store->log.bytes, bytes);
	ck_assert_uint_eq(w->store->log.live_bytes, live);
	ck_assert_uint_le(live, bytes);
	ck_assert_uint_eq(w->store->pages.entries.n, entries);
}

#endif
