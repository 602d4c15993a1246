/*
 * Random pushes and deletes, in batches that are published or rolled back, against the naive store
 * (lib/naive_store.h). Everything that the store says in its changes goes into rows, and now and
 * then a new store is made of the rows, which must show the same.
 */
#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/apply.h"
#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
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

static struct store *new_store(const struct run *run)
{
	struct store *s = store_new(&(struct store_limits){ run->max_groups, run->max_series });

	store_keep_digest(s);
	for (int i = 0; i < NAIVE_NAMES - 1; i++)
		if (naive_names[i].own >= 0)
			store_add_own(s, str_of(naive_names[i].name), naive_names[i].own);
	return s;
}

/* Padding makes the whole text too long to show. */
static void fail_at_difference(const struct world *w, const char *when, struct strbuf *got,
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

static void check_same(struct world *w, struct store *s, const struct naive_store *naive,
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
}

static void describe_group(const struct group_copy *c, struct strbuf *out)
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

static int group_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct strbuf *)a)->n ? strbuf_str(a) : STR_NULL, strbuf_str(b));
}

/* What APIs show of each group: times, why the last push failed, when each family came. */
static size_t describe_groups(struct store *s, struct strbuf *ret)
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

static void check_copies(struct store *a, struct store *b)
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

static void add_pages(const struct snapshot *snap, struct strbuf *out)
{
	for (size_t i = 0; i < snap->n_families; i++) {
		strbuf_adds(out, snap->families[i].name);
		strbuf_adds(out, bytes_str(snap->families[i].header));
	}
	for (size_t i = 0; i < snap->n_pages; i++)
		strbuf_adds(out, bytes_str(snap->pages[i].text));
}

/* What a scrape holds stays what it was, however much is published meanwhile. */
static void check_held(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf now = { 0 };

	if (w->held) {
		add_pages(w->held, &now);
		ck_assert_msg(str_eq(strbuf_str(&now), strbuf_str(&w->held_text)),
			      "%s: op %u changed a scrape", w->run->name, w->op);
		snapshot_free(w->held);
		strbuf_done(&w->held_text);
	}
	w->held = exposed_take(w->store);
	w->held_text = (struct strbuf){ 0 };
	add_pages(w->held, &w->held_text);
}

static struct push *stage_one(struct world *w)
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
static void begin_cleaning(struct world *w)
{
	struct err err;

	w->rows.refuse = false;
	storage_clean(&w->rows.base, w->store, rng_below(&w->rng, 12000), &err);
	store_clean_rows(w->store);
}

static bool commit(struct world *w, const struct rows *rows)
{
	struct err err;

	w->rows.refuse = rng_one_in(&w->rng, 4);
	return w->rows.base.ops->commit(&w->rows.base, rows, &err) == STORAGE_COMMITTED;
}

/* With cleaning, a batch may be empty; what fails with it is tried without. */
static void run_batch(struct world *w)
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

static void wipe(struct world *w)
{
	struct err err;

	w->rows.refuse = rng_one_in(&w->rng, 4);
	if (w->rows.base.ops->commit(&w->rows.base, store_wipe_rows(w->store, w->op), &err) ==
	    STORAGE_COMMITTED) {
		store_wipe(w->store);
		memset(w->staged.groups, 0, sizeof(w->staged.groups));
		w->shown = w->staged;
	} else {
		store_rollback(w->store);
	}
	check_same(w, w->store, &w->shown, "wiped");
}

/* Which groups, as bits, and which family of them; NULL: all of them. */
struct asked {
	unsigned groups;
	const char *family;
	unsigned went;
};

static int index_of(struct str key)
{
	for (int i = 0; i < NAIVE_GROUPS; i++) {
		CLEANUP(push_freep)
		struct push *p = make_push(PUSH_DELETE, naive_paths[i], "", 1);

		if (str_eq(p->key, key))
			return i;
	}
	ck_abort_msg("a group that nobody pushed to");
}

static int asks_for(void *arg, const struct removal_group *g, struct err *err)
{
	const struct asked *a = arg;

	(void)err;
	return (int)(a->groups >> index_of(g->key) & 1);
}

static void is_going(void *arg, const struct removal_group *g)
{
	((struct asked *)arg)->went |= 1u << index_of(g->key);
}

static void end_undos(struct world *w)
{
	if (!store_can_undo(w->store))
		return;
	if (commit(w, store_undone_rows(w->store, NULL, w->op)))
		store_undo_end(w->store, NULL);
	else
		store_rollback(w->store);
}

/* True: it is written, and comes step by step. */
static bool begin_removal(struct world *w, struct asked *a)
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

static void remove_some(struct world *w)
{
	struct asked a;
	bool begun = begin_removal(w, &a);

	for (int i = 0; begun && i < NAIVE_GROUPS; i++) {
		if (!(a.went >> i & 1))
			continue;
		if (!a.family)
			memset(&w->staged.groups[i], 0, sizeof(w->staged.groups[i]));
		for (int k = 0; a.family && k < NAIVE_NAMES; k++)
			if (strcmp(naive_names[k].name, a.family) == 0)
				w->staged.groups[i].families[k].there = false;
	}
	while (store_removal_step(w->store))
		;
	w->shown = w->staged;
	check_same(w, w->store, &w->shown, "removed");
}

/* What of the log the group's live rows are. */
static uint64_t live_bytes(const struct store *s, const struct group *g)
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
static void check_log(const struct world *w)
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

/*
 * Rows read from the newest to the oldest make the same as rows applied in order: the latter is
 * done as plainly as can be, and what it has come to is loaded as a log of its own.
 */
static void check_in_order(struct world *w)
{
	struct store *again = new_store(w->run);
	struct mem_storage in_order;
	struct err err = { 0 };

	mem_storage_init(&in_order);
	rows_apply_in_order(w->rows.rows, w->rows.n_rows, &in_order);
	ck_assert_msg(load_store(&in_order.base, again, &err) == STORAGE_LOADED, "%s", err.msg);
	check_same(w, again, &w->shown, "rows in order");
	check_copies(w->store, again);
	store_free(again);
	mem_storage_done(&in_order);
}

/* They can undo the same. */
static void check_undos(struct world *w, struct store *b)
{
	struct store *a = w->store;

	store_undo_forget_old(a, w->op);
	store_undo_forget_old(b, w->op);
	ck_assert_uint_eq(a->undo.n, b->undo.n);
	ck_assert_uint_eq(a->undo.bytes, b->undo.bytes);
	for (size_t i = 0; i < a->undo.n; i++) {
		const struct undoable *x = a->undo.list[i], *y = b->undo.list[i];

		ck_assert_mem_eq(x->id, y->id, UNDO_ID);
		ck_assert_uint_eq(x->number, y->number);
		ck_assert(str_eq(x->family, y->family));
		ck_assert_uint_eq(x->n, y->n);
		ck_assert_mem_eq(x->groups, y->groups, x->n * sizeof(*x->groups));
	}
}

/* Of the same rows, however they have come to the two. */
static void check_digests(const struct world *w, const struct store *a, const struct store *b)
{
	uint64_t of_a, of_b;

	ck_assert_int_eq(store_digest(a, &of_a), store_digest(b, &of_b));
	ck_assert_msg(of_a == of_b, "%s (seed %llu), op %u", w->run->name,
		      (unsigned long long)w->run->seed, w->op);
}

/* The rows that the other has not seen; one that has missed some begins anew. */
static bool give_rows(struct world *w)
{
	const struct mem_storage *rows = &w->rows;
	uint64_t next = w->other->next_number;
	struct err err;

	if (rows->n_rows == 0 || rows->rows[0].number > next)
		return false;
	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->rows[i].number >= next)
			ck_assert_msg(applier_row(w->applier, &rows->rows[i], &err) == 0, "%s",
				      err.msg);
	ck_assert_msg(applier_end(w->applier, w->op, w->store->log.bytes, false, &err) == 0,
		      "%s (seed %llu), op %u: %s", w->run->name, (unsigned long long)w->run->seed,
		      w->op, err.msg);
	return true;
}

static void begin_anew(struct world *w)
{
	struct err err = { 0 };

	store_free(w->other);
	applier_free(w->applier);
	w->other = new_store(w->run);
	w->applier = applier_new(w->other);
	ck_assert_int_eq(load_store(&w->rows.base, w->other, &err), STORAGE_LOADED);
}

static void stage_some(struct world *w)
{
	struct naive_push p;

	naive_random_push(&w->rng, w->op, &p);
	w->staging = naive_real_push(&p);
	w->large = p;
	if (!store_large_begin(w->other, w->staging)) {
		push_free(w->staging);
		w->staging = NULL;
		return;
	}
	for (unsigned n = rng_below(&w->rng, 12); n > 0; n--)
		store_large_step(w->other, 1);
}

/* It has the verdict that it would have if it were staged only now; one that has it already may
 * have another, since it came before the rows.
 */
static void check_staged(struct world *w, bool was_refused)
{
	CLEANUP(freep) struct naive_store *naive = mem_dup(&w->shown, sizeof(*naive));
	enum err_reason want;

	if (!store_large_push(w->other)) {
		w->ended++;
		return;
	}
	w->went_on++;
	while (store_large_step(w->other, 1))
		;
	want = naive_apply(naive, &w->large);
	if (!was_refused)
		ck_assert_msg(w->staging->err.reason == want,
			      "%s (seed %llu), op %u: large: got %d %s, wanted %d", w->run->name,
			      (unsigned long long)w->run->seed, w->op, w->staging->err.reason,
			      w->staging->err.msg, want);
	store_large_drop(w->other);
}

static void follow(struct world *w)
{
	bool was_refused;

	if (rng_one_in(&w->rng, 2))
		stage_some(w);
	was_refused = w->staging && w->staging->err.reason;
	if (give_rows(w))
		w->followed++;
	else
		begin_anew(w);
	if (w->staging)
		check_staged(w, was_refused);
	push_free(TAKE(w->staging));
	check_same(w, w->other, &w->shown, "followed");
	check_copies(w->store, w->other);
	check_digests(w, w->store, w->other);
	check_undos(w, w->other);
	ck_assert_uint_eq(w->other->log.live_bytes, w->store->log.live_bytes);
	ck_assert_uint_eq(w->other->next_number, w->store->next_number);
	if (w->rows.n_rows == 0 || rng_one_in(&w->rng, 2))
		return;
	struct store *writer = w->other;

	w->other = w->store;
	w->store = writer;
	applier_free(w->applier);
	w->applier = applier_new(w->other);
}

/* The new store takes over every other time. */
static void reload(struct world *w)
{
	struct store *again = new_store(w->run);
	struct err err = { 0 };

	ck_assert_msg(load_store(&w->rows.base, again, &err) == STORAGE_LOADED,
		      "%s (seed %llu), op %u: %s", w->run->name, (unsigned long long)w->run->seed,
		      w->op, err.msg);
	check_same(w, again, &w->shown, "reloaded");
	check_copies(w->store, again);
	check_digests(w, w->store, again);
	check_in_order(w);
	check_undos(w, again);
	ck_assert_uint_eq(again->log.bytes, w->store->log.bytes);
	ck_assert_uint_eq(again->log.live_bytes, w->store->log.live_bytes);
	if (w->reloads++ % 2 == 0) {
		store_free(again);
		return;
	}
	store_free(w->store);
	w->store = again;
	w->staged = w->shown;
}

START_TEST(random_run)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

	w->run = &runs[_i];
	w->rng = runs[_i].seed;
	w->shown.max_groups = runs[_i].max_groups;
	w->shown.max_series = runs[_i].max_series;
	w->staged = w->shown;
	w->store = new_store(w->run);
	w->other = new_store(w->run);
	w->applier = applier_new(w->other);
	mem_storage_init(&w->rows);
	for (int i = 0; i < BATCHES; i++) {
		run_batch(w);
		/* What can be undone is forgotten after some time. */
		clock_hold((int64_t)w->op * 1000000000, 1);
		check_log(w);
		if (rng_one_in(&w->rng, 2))
			follow(w);
		if (rng_one_in(&w->rng, 10))
			reload(w);
		if (rng_one_in(&w->rng, 100))
			wipe(w);
		if (rng_one_in(&w->rng, 20))
			remove_some(w);
		if (rng_one_in(&w->rng, 10))
			check_held(w);
	}
	/* Otherwise the dice tell nothing. */
	bool narrow = w->run->max_series < 1000;

	ck_assert_msg(w->accepted > w->op / 5 && w->refused > w->op / 5 &&
			      (narrow ? w->full > 0 : w->rows.shrinks > 0),
		      "%s: %u ops, %u accepted, %u refused, %u over a limit, %llu rows shrunk",
		      w->run->name, w->op, w->accepted, w->refused, w->full,
		      (unsigned long long)w->rows.shrinks);
	ck_assert_uint_gt(w->followed, BATCHES / 20);
	ck_assert_uint_gt(w->went_on, 0);
	ck_assert_uint_gt(w->ended, 0);
	snapshot_free(w->held);
	strbuf_done(&w->held_text);
	applier_free(w->applier);
	store_free(w->other);
	store_free(w->store);
	ck_assert_uint_eq(bytes_detached(), 0);
	mem_storage_done(&w->rows);
}
END_TEST

/* Pushes that nobody foretells the verdicts of. */
static void run_batch_meanwhile(struct world *w)
{
	struct push *pushes[BATCH_MAX];
	unsigned n = rng_below(&w->rng, BATCH_MAX + 1);

	for (unsigned i = 0; i < n; i++) {
		struct naive_push p;

		w->op++;
		naive_random_push(&w->rng, w->op, &p);
		pushes[i] = naive_real_push(&p);
		store_stage(w->store, pushes[i]);
	}
	if (commit(w, store_rows(w->store)))
		store_publish(w->store);
	else
		store_rollback(w->store);
	for (unsigned i = 0; i < n; i++)
		push_free(pushes[i]);
}

static void check_loads_the_same(struct world *w, struct storage *from)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 }, want = { 0 };
	struct store *again = new_store(w->run);
	struct err err = { 0 };

	ck_assert_msg(load_store(from, again, &err) == STORAGE_LOADED, "%s", err.msg);
	exposed_add(w->store, &want);
	exposed_add(again, &got);
	ck_assert_msg(str_eq(strbuf_str(&got), strbuf_str(&want)), "op %u", w->op);
	check_copies(w->store, again);
	store_free(again);
}

/* Pushes come between the decision and the last slice; the log says in which order. */
START_TEST(removed_meanwhile)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct mem_storage in_order;
	struct asked a;

	w->run = &runs[_i % 2];
	w->rng = (uint64_t)_i + 500;
	w->store = new_store(w->run);
	mem_storage_init(&w->rows);
	for (int i = 0; i < 60; i++) {
		run_batch_meanwhile(w);
		if (begin_removal(w, &a))
			for (unsigned k = rng_below(&w->rng, 4); k > 0; k--)
				run_batch_meanwhile(w);
		while (store_removal_step(w->store))
			;
		ck_assert(!store_removal_pending(w->store));
		check_log(w);
		check_loads_the_same(w, &w->rows.base);
		mem_storage_init(&in_order);
		rows_apply_in_order(w->rows.rows, w->rows.n_rows, &in_order);
		check_loads_the_same(w, &in_order.base);
		mem_storage_done(&in_order);
	}
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

/* All rows, whatever is due. */
static void clean_all(struct store *s, struct mem_storage *rows)
{
	struct err err;

	ck_assert_int_eq(storage_clean(&rows->base, s, UINT64_MAX, &err), 0);
	store_clean_rows(s);
	ck_assert_int_eq(rows->base.ops->commit(&rows->base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_clean_end(s, true);
	store_publish(s);
}

static struct store *load_strict(struct world *w)
{
	struct store *s = new_store(w->run);
	struct err err = { 0 };

	store_add_own(s, STR("a"), METRIC_COUNTER);
	store_add_own(s, STR("b_c"), METRIC_HISTOGRAM);
	store_add_own(s, STR("z"), METRIC_SUMMARY);
	ck_assert_msg(load_store(&w->rows.base, s, &err) == STORAGE_LOADED, "%s", err.msg);
	return s;
}

static void begin_with_batches(struct world *w, uint64_t seed)
{
	w->run = &runs[0];
	w->rng = seed;
	w->shown.max_groups = w->shown.max_series = 100000;
	w->staged = w->shown;
	w->store = new_store(w->run);
	mem_storage_init(&w->rows);
	for (int i = 0; i < 60; i++)
		run_batch(w);
}

/*
 * A version with more metrics of its own leaves out what contradicts them, and keeps it: the next
 * one that knows nothing of these shows all of it again.
 */
START_TEST(left_out_and_let_in)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct store_left_out left;
	struct store *strict;
	struct err err = { 0 };
	size_t n = 0, at = 0;

	begin_with_batches(w, (uint64_t)_i + 200);
	w->rows.refuse = false;
	strict = load_strict(w);
	for (; store_left_out(strict, &at, &left); n++)
		ck_assert(left.key.n > 0 && left.family.n > 0 && left.why[0]);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(store_counts(strict).left_out, n);
	ck_assert_uint_eq(store_counts(strict).groups, naive_groups(&w->shown));
	for (int i = 0; i < 3; i++)
		clean_all(strict, &w->rows);
	store_free(strict);
	store_free(w->store);
	w->store = new_store(w->run);
	ck_assert_msg(load_store(&w->rows.base, w->store, &err) == STORAGE_LOADED, "%s", err.msg);
	check_same(w, w->store, &w->shown, "let in");
	ck_assert_uint_eq(store_counts(w->store).left_out, 0);
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

/* Which families the groups have, without the groups that have none. */
static void describe_families(struct store *s, struct strbuf *out)
{
	struct group_copy copy;
	struct strbuf of[NAIVE_GROUPS];
	struct arena a;
	uint32_t cursor = 0;
	size_t n = 0;

	arena_init(&a, 1 << 24);
	while (store_copy_group(s, &cursor, &a, &copy) == 1) {
		if (copy.n_families == 0)
			continue;
		of[n] = (struct strbuf){ 0 };
		strbuf_adds(&of[n], copy.key);
		for (uint32_t i = 0; i < copy.n_families; i++)
			strbuf_addf(&of[n], " %.*s %g", STR_ARG(copy.families[i].name),
				    copy.families[i].pushed_at);
		n++;
	}
	arena_done(&a);
	if (n > 1)
		qsort(of, n, sizeof(*of), group_cmp);
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(out, strbuf_str(&of[i]));
		strbuf_addz(out, "\n");
		strbuf_done(&of[i]);
	}
}

/* The next push that is refused by the store as it is. */
static struct push *random_refused(struct world *w, struct store *s)
{
	for (;;) {
		struct naive_push p;
		struct push *push;
		enum err_reason reason;

		w->op++;
		naive_random_push(&w->rng, w->op, &p);
		push = naive_real_push(&p);
		store_stage(s, push);
		reason = push->err.reason;
		store_rollback(s);
		push_free(push);
		if (reason == ERR_INVALID)
			return naive_real_push(&p);
	}
}

static void run_refused_batch(struct world *w, struct store *s)
{
	struct push *pushes[4];
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(pushes); i++)
		pushes[i] = random_refused(w, s);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		store_stage(s, pushes[i]);
		ck_assert_int_eq(pushes[i]->err.reason, ERR_INVALID);
	}
	ck_assert_int_eq(w->rows.base.ops->commit(&w->rows.base, store_rows(s), &err),
			 STORAGE_COMMITTED);
	store_publish(s);
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++)
		push_free(pushes[i]);
}

static uint64_t left_out_by_strict(struct world *w)
{
	struct store *s = load_strict(w);
	uint64_t n = store_counts(s).left_out;

	store_free(s);
	return n;
}

/*
 * Whatever is refused, and after any cleaning, a group has the families that it had: those that are
 * shown, and those that are left out and that another version lets in.
 */
START_TEST(refused_pushes_change_no_family)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	CLEANUP(strbuf_done) struct strbuf before = { 0 }, after = { 0 };
	struct store *strict;
	struct err err = { 0 };
	uint64_t n;

	begin_with_batches(w, (uint64_t)_i + 900);
	while ((n = left_out_by_strict(w)) == 0)
		run_batch(w);
	w->rows.refuse = false;
	describe_families(w->store, &before);
	store_free(w->store);
	strict = load_strict(w);
	for (int i = 0; i < 10; i++) {
		run_refused_batch(w, strict);
		ck_assert_uint_eq(store_counts(strict).left_out, n);
		clean_all(strict, &w->rows);
	}
	store_free(strict);
	w->store = new_store(w->run);
	ck_assert_msg(load_store(&w->rows.base, w->store, &err) == STORAGE_LOADED, "%s", err.msg);
	describe_families(w->store, &after);
	ck_assert_str_eq(strbuf_z(&after), strbuf_z(&before));
	store_free(w->store);
	mem_storage_done(&w->rows);
}
END_TEST

static const struct {
	const char *stored;
	enum push_mode mode;
	const char *body;
	enum err_reason reason;
	uint64_t before, left;
} untils[] = {
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "x 1\n", ERR_NONE, 2, 2 },
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "# TYPE a counter\na 1\n", ERR_NONE, 2, 1 },
	/* All that is shown is replaced. */
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "c 1\n", ERR_NONE, 2, 2 },
	{ "a 1\nb 1\nc 1\n", PUSH_PUT, "x 1\n", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\nc 1\n", PUSH_PUT, "", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\nc 1\n", PUSH_DELETE, "", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\nc 1\n", PUSH_PUT, "x 1\na 1\n", ERR_INVALID, 2, 2 },
	{ "a 1\nb 1\nc 1\n", PUSH_POST, "x 1\na 1\n", ERR_INVALID, 2, 2 },
	/* Nothing is shown. */
	{ "a 1\nb 1\n", PUSH_PUT, "x 1\n", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\n", PUSH_PUT, "", ERR_NONE, 2, 0 },
	{ "a 1\nb 1\n", PUSH_POST, "x 1\n", ERR_NONE, 2, 2 },
};

static struct store *load_with_own(struct mem_storage *rows, uint64_t left_out)
{
	struct store *s = store_new(&(struct store_limits){ 100, 100 });
	struct err err = { 0 };

	store_add_own(s, STR("a"), METRIC_COUNTER);
	store_add_own(s, STR("b"), METRIC_COUNTER);
	ck_assert_int_eq(load_store(&rows->base, s, &err), STORAGE_LOADED);
	ck_assert_uint_eq(store_counts(s).left_out, left_out);
	return s;
}

/* Until the group says something else, or ends; and the log says the same. */
START_TEST(left_out_until)
{
	struct store *s = store_new(&(struct store_limits){ 100, 100 });
	struct mem_storage rows;
	struct err err = { 0 };
	CLEANUP(push_freep) struct push *push = make_push(PUSH_PUT, "/j", untils[_i].stored, 1);

	mem_storage_init(&rows);
	store_stage(s, push);
	ck_assert_int_eq(rows.base.ops->commit(&rows.base, store_rows(s), &err), STORAGE_COMMITTED);
	store_free(s);
	for (int refuse = 1; refuse >= 0; refuse--) {
		s = load_with_own(&rows, untils[_i].before);
		CLEANUP(push_freep)
		struct push *next = make_push(untils[_i].mode, "/j", untils[_i].body, 2);

		store_stage(s, next);
		ck_assert_int_eq(next->err.reason, untils[_i].reason);
		if (refuse) {
			store_rollback(s);
		} else {
			ck_assert_int_eq(rows.base.ops->commit(&rows.base, store_rows(s), &err),
					 STORAGE_COMMITTED);
			store_publish(s);
		}
		ck_assert_uint_eq(store_counts(s).left_out,
				  refuse ? untils[_i].before : untils[_i].left);
		store_free(s);
	}
	store_free(load_with_own(&rows, untils[_i].left));
	mem_storage_done(&rows);
}
END_TEST

int main(void)
{
	TCase *left = tcase_create("left out"), *tc = tcase_create("random");

	tcase_set_timeout(left, 120);
	tcase_add_loop_test(left, left_out_until, 0, (int)ARRAY_LEN(untils));
	tcase_add_loop_test(left, refused_pushes_change_no_family, 0, 10);
	tcase_add_loop_test(left, left_out_and_let_in, 0, 10);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, removed_meanwhile, 0, 20);
	tcase_add_loop_test(tc, random_run, 0, (int)ARRAY_LEN(runs));
	return run_cases("store model", left, tc);
}
