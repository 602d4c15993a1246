/*
 * Removals that are undone: random histories of pushes, deletes, removals, undos, restarts,
 * cleaning and commits that fail, against a model that simply remembers what each group looked like
 * when it was removed; and what a random history does not meet.
 *
 * HISTORIES says how many, SEED where they begin.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit/slices.h"
#include "journal/load.h"
#include "lib/make_push.h"
#include "lib/mem_storage.h"
#include "lib/rng.h"
#include "lib/rows_in_order.h"
#include "lib/run.h"
#include "lib/sum_push.h"

enum {
	N_PLAIN = 8, /* groups; the last ones are summed */
	N_SUMMED = 3,
	N_GROUPS = N_PLAIN + N_SUMMED,
	N_FAMILIES = 4,
	N_KNOWN = 8, /* removals that are remembered */
	STEPS = 60,
	START = 1000000,
	DEFAULT_HISTORIES =
#ifdef __SANITIZE_ADDRESS__
		60,
#else
		200,
#endif
};

/* ---- what a group looks like ---- */

struct look {
	bool there;
	char *times;              /* and lifetime, mode, reason of the last failure */
	char *family[N_FAMILIES]; /* NULL: it has none of it */
	char *sources;
	unsigned pushed; /* its last push, which it has again when it comes back */
};

static void look_done(struct look *l)
{
	free(l->times);
	free(l->sources);
	for (int f = 0; f < N_FAMILIES; f++)
		free(l->family[f]);
	*l = (struct look){ 0 };
}

static char *copy_of(const char *z)
{
	return z ? mem_strdup(z) : NULL;
}

static struct look look_copy(const struct look *l)
{
	struct look c = { .there = l->there, .pushed = l->pushed };

	c.times = copy_of(l->times);
	c.sources = copy_of(l->sources);
	for (int f = 0; f < N_FAMILIES; f++)
		c.family[f] = copy_of(l->family[f]);
	return c;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* ---- the world ---- */

struct removed {
	unsigned char id[UNDO_ID];
	double at;
	int family; /* -1: whole groups */
	bool ended; /* it can be undone no more */
	struct look looks[N_GROUPS];
	bool goes[N_GROUPS];
};

struct world {
	struct mem_storage rows;
	struct store *store;
	struct database database;
	struct slices slices;
	struct look model[N_GROUPS];
	struct removed known[N_KNOWN];
	unsigned n_known, n_ids, pushed;
	uint64_t rng, seed;
	unsigned step;
	double now;
	struct push *pushes[512];
	unsigned n_pushes;
	bool verdict; /* the push that takes long has been told */
	/* Of the undo at hand. */
	unsigned left_out;
};

static void advance(struct world *w, double seconds)
{
	w->now += seconds;
	clock_hold((int64_t)(w->now * 1e9), (int64_t)(w->now * 1e9));
}

static void path_of(unsigned g, char path[64])
{
	if (g < N_PLAIN)
		snprintf(path, 64, "/j/g/%u", g);
	else
		snprintf(path, 64, "/s/g/%u", g);
}

static int index_of(struct str key)
{
	/* job 0xFF j 0xFF ... g 0xFF N 0xFF: labels are sorted, so g comes first. */
	for (size_t i = 0; i + 2 < key.n; i++)
		if (key.p[i] == 'g' && (unsigned char)key.p[i + 1] == 0xFF)
			return (int)strtol(key.p + i + 2, NULL, 10);
	return -1;
}

static char *text_of(struct str s)
{
	char *z = mem_alloc(s.n + 1);

	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	return z;
}

static int cmp_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct group_brief brief_of(struct store *s, struct str key)
{
	struct group_brief found = { 0 };
	struct group_list list = { 0 };
	uint32_t cursor = 0;

	while (store_list_groups(s, &cursor, &list))
		for (uint32_t i = 0; i < list.n; i++)
			if (str_eq(group_list_key(&list, &list.list[i]), key))
				found = list.list[i];
	group_list_done(&list);
	return found;
}

/* In an order of their own: that in the store is not kept. */
static char *sources_of(struct store *s, struct str key)
{
	CLEANUP(strbuf_done) struct strbuf all = { 0 };
	const struct group_brief of = brief_of(s, key);
	struct sources_copy copy;
	struct arena arena;
	char *list[64];
	size_t n = 0;

	arena_init(&arena, ARENA_MUST);
	store_copy_sources(s, &of, 0, ARRAY_LEN(list), &arena, &copy);
	for (; n < copy.n; n++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };
		const struct source_copy *c = &copy.list[n];

		strbuf_addf(&b, "%.*s %f %f %d%d%d %u %.*s; ", (int)c->name.n, c->name.p,
			    c->pushed_at, c->failed_at, c->live, c->ended, c->failing, c->n_series,
			    (int)c->failed_why.n, c->failed_why.p);
		list[n] = mem_strdup(strbuf_z(&b));
	}
	arena_done(&arena);
	if (n > 0)
		qsort(list, n, sizeof(*list), cmp_text);
	for (size_t i = 0; i < n; i++) {
		strbuf_addz(&all, list[i]);
		free(list[i]);
	}
	return mem_strdup(strbuf_z(&all));
}

static void look_at(struct store *s, const struct group_copy *g, struct look *ret)
{
	char times[512];

	*ret = (struct look){ .there = true };
	snprintf(times, sizeof(times), "%f %f %d %lld %lld %lld %d%d%d %.*s", g->pushed_at,
		 g->failed_at, g->mode, (long long)g->life.ttl_ns, (long long)g->life.keep_times_ns,
		 (long long)g->life.expect_every_ns, g->life.own_ttl, g->life.expired,
		 g->life.overdue, (int)g->failed_why.n, g->failed_why.p);
	ret->times = mem_strdup(times);
	for (uint32_t i = 0; i < g->n_families; i++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };
		const struct group_copy_family *f = &g->families[i];

		strbuf_addf(&b, "%d %f ", f->type, g->mode == GROUP_PLAIN ? f->pushed_at : 0);
		strbuf_adds(&b, f->text);
		ret->family[f->name.p[0] - 'a'] = text_of(strbuf_str(&b));
	}
	ret->sources = sources_of(s, g->key);
}

static void look_at_all(struct store *s, struct look looks[N_GROUPS])
{
	struct group_copy g;
	struct arena arena;
	uint32_t cursor = 0;

	memset(looks, 0, N_GROUPS * sizeof(*looks));
	arena_init(&arena, ARENA_MUST);
	while (store_copy_group(s, &cursor, &arena, &g) > 0)
		look_at(s, &g, &looks[index_of(g.key)]);
	arena_done(&arena);
}

static void check_look(const struct world *w, unsigned g, const struct look *got, const char *what)
{
	const struct look *want = &w->model[g];
	bool ok = want->there == got->there && same(want->times, got->times) &&
		  same(want->sources, got->sources);

	for (int f = 0; f < N_FAMILIES; f++)
		ok &= same(want->family[f], got->family[f]);
	ck_assert_msg(
		ok,
		"seed %llu, step %u, %s: group %u is %d (%s | %s | %s | %s | %s | %s), and not "
		"%d (%s | %s | %s | %s | %s | %s)",
		(unsigned long long)w->seed, w->step, what, g, got->there, got->times,
		got->family[0], got->family[1], got->family[2], got->family[3], got->sources,
		want->there, want->times, want->family[0], want->family[1], want->family[2],
		want->family[3], want->sources);
}

static void check(const struct world *w, struct store *s, const char *what)
{
	struct look got[N_GROUPS];

	look_at_all(s, got);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		check_look(w, g, &got[g], what);
		look_done(&got[g]);
	}
}

/* After a push or a delete, which others test, the model is what the store shows of that group. */
static void learn(struct world *w, unsigned g, bool pushed)
{
	struct look got[N_GROUPS];
	unsigned last = w->model[g].pushed;

	look_at_all(w->store, got);
	for (unsigned i = 0; i < N_GROUPS; i++)
		if (i != g)
			look_done(&got[i]);
	look_done(&w->model[g]);
	w->model[g] = got[g];
	w->model[g].pushed = pushed ? ++w->pushed : last;
}

/* ---- steps ---- */

static bool commit(struct world *w)
{
	struct err err;

	if (w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err) !=
	    STORAGE_COMMITTED) {
		store_rollback(w->store);
		return false;
	}
	store_publish(w->store);
	return true;
}

static void keep(struct world *w, struct push *push)
{
	if (w->n_pushes == ARRAY_LEN(w->pushes)) {
		for (unsigned i = 0; i < w->n_pushes; i++)
			push_free(w->pushes[i]);
		w->n_pushes = 0;
	}
	w->pushes[w->n_pushes++] = push;
}

static void push_plain(struct world *w, unsigned g)
{
	CLEANUP(strbuf_done) struct strbuf body = { 0 };
	char path[64];

	for (int f = 0; f < N_FAMILIES; f++)
		if (rng_below(&w->rng, 2))
			strbuf_addf(&body, "# TYPE %c %s\n%c{x=\"%u\"} %u\n", 'a' + f,
				    f % 2 ? "gauge" : "counter", 'a' + f, rng_below(&w->rng, 2),
				    rng_below(&w->rng, 1000));
	/* One that is refused, for what is in it. */
	if (rng_below(&w->rng, 8) == 0)
		strbuf_addz(&body, "e 1 1\n");
	path_of(g, path);
	keep(w, make_push(rng_below(&w->rng, 2) ? PUSH_PUT : PUSH_POST, path, strbuf_z(&body),
			  w->now));
	store_stage(w->store, w->pushes[w->n_pushes - 1]);
	commit(w);
	learn(w, g, !w->pushes[w->n_pushes - 1]->err.reason);
}

static void push_summed(struct world *w, unsigned g)
{
	char path[64], body[200];
	struct push *push;
	struct err err;

	snprintf(path, sizeof(path), "/s/g/%u/__mode__/sum/pid/%u", g, rng_below(&w->rng, 3));
	snprintf(body, sizeof(body), "# TYPE a counter\na{x=\"%u\"} %u\n# TYPE b gauge\nb %u\n",
		 rng_below(&w->rng, 2), rng_below(&w->rng, 1000), rng_below(&w->rng, 1000));
	push = make_sum_push(PUSH_POST, path, body, w->now, &err);
	ck_assert_msg(push != NULL, "%s", err.msg);
	keep(w, push);
	store_stage(w->store, push);
	commit(w);
	learn(w, g, !push->err.reason);
}

static void delete (struct world *w, unsigned g)
{
	char path[64];

	path_of(g, path);
	keep(w, make_push(PUSH_DELETE, path, "", w->now));
	store_stage(w->store, w->pushes[w->n_pushes - 1]);
	commit(w);
	learn(w, g, false);
}

static int wants(void *arg, const struct removal_group *g, struct err *err)
{
	const struct removed *r = arg;

	(void)err;
	return r->goes[index_of(g->key)];
}

static void goes(void *arg, const struct removal_group *g)
{
	(void)arg;
	(void)g;
}

static void told(struct push *push)
{
	*(bool *)push->done_arg = true;
}

static void finish(struct world *w, struct push *push)
{
	(void)push;
	/* Cleaning may come between any two slices. */
	while (slices_go_on(&w->slices))
		;
	ck_assert(w->verdict);
}

static void removed_done(struct removed *r)
{
	for (unsigned g = 0; g < N_GROUPS; g++)
		look_done(&r->looks[g]);
}

static struct removed *new_removed(struct world *w)
{
	struct removed *r = &w->known[w->n_known++ % N_KNOWN];

	removed_done(r);
	*r = (struct removed){ .at = w->now,
			       .family = rng_below(&w->rng, 3)
						 ? -1
						 : (int)rng_below(&w->rng, N_FAMILIES) };
	w->n_ids++;
	memcpy(r->id, &w->n_ids, sizeof(w->n_ids));
	for (unsigned g = 0; g < N_GROUPS; g++)
		r->goes[g] = rng_below(&w->rng, 3) > 0;
	return r;
}

/* What the model has of it, in the order of the groups. */
static uint64_t remove_in_model(struct world *w, struct removed *r)
{
	uint64_t n = 0;

	for (unsigned g = 0; g < N_GROUPS; g++) {
		struct look *l = &w->model[g];

		r->goes[g] &= l->there && (r->family < 0 || (l->family[r->family] && g < N_PLAIN));
		if (!r->goes[g])
			continue;
		n++;
		r->looks[g] = look_copy(l);
		if (r->family < 0) {
			look_done(l);
		} else {
			free(l->family[r->family]);
			l->family[r->family] = NULL;
		}
	}
	return n;
}

static void remove_some(struct world *w)
{
	struct removed *r = new_removed(w);
	char name[2] = { (char)('a' + (r->family < 0 ? 0 : r->family)), 0 };
	bool can_undo = rng_below(&w->rng, 8) > 0;
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = r, .now = w->now, .can_undo = can_undo
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};

	memcpy(removal.id, r->id, UNDO_ID);
	if (r->family >= 0)
		removal.family = str_of(name);
	w->verdict = false;
	w->rows.refuse = rng_below(&w->rng, 8) == 0;
	if (!slices_begin_removal(&w->slices, &push))
		w->verdict = true;
	else
		w->rows.refuse = false;
	finish(w, &push);
	w->database.suspect = false;
	w->rows.refuse = false;
	if (push.err.reason) {
		r->ended = true;
		return;
	}
	ck_assert_uint_eq(removal.n, remove_in_model(w, r));
	r->ended = !removal.can_undo;
	ck_assert_int_eq(removal.can_undo, can_undo && removal.n > 0);
}

static int may(void *arg, struct str key, struct err *err)
{
	(void)arg;
	(void)key;
	(void)err;
	return 1;
}

static void left_out(void *arg, struct str key, struct str family, const char *why)
{
	struct world *w = arg;

	(void)key;
	(void)family;
	ck_assert_int_gt((int)strlen(why), 0);
	w->left_out++;
}

/* Returns how many come back. */
static uint64_t undo_in_model(struct world *w, struct removed *r, unsigned *ret_left_out)
{
	uint64_t n = 0;

	for (unsigned g = 0; g < N_GROUPS; g++) {
		struct look *l = &w->model[g], *was = &r->looks[g];
		bool back;

		if (!r->goes[g])
			continue;
		if (r->family < 0)
			back = !l->there;
		else
			back = l->there && l->pushed == was->pushed && !l->family[r->family];
		*ret_left_out += !back;
		if (!back)
			continue;
		n++;
		if (r->family < 0) {
			look_done(l);
			*l = look_copy(was);
		} else {
			l->family[r->family] = copy_of(was->family[r->family]);
		}
	}
	return n;
}

static void undo(struct world *w)
{
	struct removed *r = &w->known[rng_below(&w->rng, N_KNOWN)];
	/* All of it at a time, some groups, or one. */
	const uint64_t passes[] = { 0, 400, 1 };
	struct undo what = { .now = w->now,
			     .may = may,
			     .left_out = left_out,
			     .arg = w,
			     .pass_bytes = passes[rng_below(&w->rng, ARRAY_LEN(passes))] };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};
	bool none = r->at == 0 || r->ended || w->now - r->at > UNDO_SECONDS;
	unsigned left = 0;

	memcpy(what.id, r->id, UNDO_ID);
	w->left_out = 0;
	w->verdict = false;
	w->rows.refuse = rng_below(&w->rng, 6) == 0;
	if (!slices_begin_undo(&w->slices, &push))
		w->verdict = true;
	finish(w, &push);
	w->database.suspect = false;
	if (none) {
		ck_assert_int_eq(push.err.reason, ERR_NOT_FOUND);
	} else if (w->rows.refuse && push.err.reason) {
		ck_assert_int_eq(push.err.reason, ERR_STORAGE);
	} else {
		/* Where nothing comes back nothing is written. */
		ck_assert(!w->rows.refuse || what.restored == 0);
		ck_assert_msg(!push.err.reason, "%s", push.err.msg);
		ck_assert_uint_eq(what.restored, undo_in_model(w, r, &left));
		ck_assert_uint_eq(w->left_out, left);
		r->ended = what.restored > 0;
	}
	w->rows.refuse = false;
}

static void wipe(struct world *w)
{
	struct err err;

	ck_assert_int_eq(
		w->rows.base.ops->commit(&w->rows.base, store_wipe_rows(w->store, w->now), &err),
		STORAGE_COMMITTED);
	store_wipe(w->store);
	for (unsigned g = 0; g < N_GROUPS; g++)
		look_done(&w->model[g]);
	for (unsigned i = 0; i < N_KNOWN; i++)
		w->known[i].ended = true;
}

static void clean(struct world *w)
{
	struct err err;

	store_undo_forget_old(w->store, w->now);
	ck_assert_msg(storage_clean(&w->rows.base, w->store, 1 + rng_below(&w->rng, 4000), &err) ==
			      0,
		      "%s", err.msg);
	store_clean_end(w->store,
			w->rows.base.ops->commit(&w->rows.base, store_clean_rows(w->store), &err) ==
				STORAGE_COMMITTED);
	store_publish(w->store);
}

static struct store *new_store(void)
{
	return store_new(&(struct store_limits){ 1000, 100000 });
}

static void load(const struct world *w, struct storage *from, struct store *into)
{
	struct err err = { 0 };

	ck_assert_msg(load_store(from, into, &err) == STORAGE_LOADED, "seed %llu, step %u: %s",
		      (unsigned long long)w->seed, w->step, err.msg);
	store_begin_waiting(into, clock_mono_ns(), clock_wall(), 0);
}

static void restart(struct world *w)
{
	struct store *again = new_store();

	load(w, &w->rows.base, again);
	store_free(w->store);
	w->store = again;
	w->database.store = again;
}

static void apply_in_order(struct world *w)
{
	struct store *again = new_store();
	struct mem_storage in_order;

	mem_storage_init(&in_order);
	rows_apply_in_order(w->rows.rows, w->rows.n_rows, &in_order);
	load(w, &in_order.base, again);
	check(w, again, "rows in order");
	store_free(again);
	mem_storage_done(&in_order);
}

static void do_something(struct world *w)
{
	unsigned g = rng_below(&w->rng, N_GROUPS), what = rng_below(&w->rng, 100);

	if (what < 40) {
		if (g < N_PLAIN)
			push_plain(w, g);
		else
			push_summed(w, g);
	} else if (what < 45) {
		delete (w, g);
	} else if (what < 58) {
		remove_some(w);
	} else if (what < 73) {
		undo(w);
	} else if (what < 88) {
		clean(w);
	} else if (what < 98) {
		restart(w);
	} else if (what == 98) {
		advance(w, 400);
	} else {
		wipe(w);
	}
}

static void world_init(struct world *w, uint64_t seed)
{
	*w = (struct world){ .rng = seed, .seed = seed, .now = START };
	advance(w, 0);
	w->store = new_store();
	mem_storage_init(&w->rows);
	database_init(&w->database, &w->rows.base, w->store);
	slices_init(&w->slices, &w->database, NULL);
}

static void world_done(struct world *w)
{
	for (unsigned i = 0; i < w->n_pushes; i++)
		push_free(w->pushes[i]);
	for (unsigned g = 0; g < N_GROUPS; g++)
		look_done(&w->model[g]);
	for (unsigned i = 0; i < N_KNOWN; i++)
		removed_done(&w->known[i]);
	store_free(w->store);
	database_done(&w->database);
	mem_storage_done(&w->rows);
}

static unsigned long from_environment(const char *name, unsigned long usual)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
	const char *said = getenv(name);

	return said ? strtoul(said, NULL, 10) : usual;
}

START_TEST(histories)
{
	unsigned long n = from_environment("HISTORIES", DEFAULT_HISTORIES);
	unsigned long first = from_environment("SEED", 1);

	for (unsigned long i = 0; i < n; i++) {
		CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

		world_init(w, first + i);
		for (w->step = 0; w->step < STEPS; w->step++) {
			advance(w, 1);
			do_something(w);
			check(w, w->store, "the store");
		}
		restart(w);
		check(w, w->store, "at the end");
		apply_in_order(w);
		world_done(w);
	}
}
END_TEST

/* ---- what a random history does not meet ---- */

/* With an id of its own, all groups there are. */
static struct removal remove_all(struct world *w, uint64_t id)
{
	struct removed all = { .family = -1 };
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = &all, .now = w->now, .can_undo = true
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};

	memset(all.goes, true, sizeof(all.goes));
	memcpy(removal.id, &id, sizeof(id));
	w->verdict = false;
	ck_assert(slices_begin_removal(&w->slices, &push));
	finish(w, &push);
	ck_assert_int_eq(push.err.reason, ERR_NONE);
	return removal;
}

static enum err_reason undo_id(struct world *w, uint64_t id)
{
	struct undo what = { .now = w->now, .may = may, .left_out = left_out, .arg = w };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};

	memcpy(what.id, &id, sizeof(id));
	w->verdict = false;
	if (slices_begin_undo(&w->slices, &push))
		finish(w, &push);
	return push.err.reason;
}

/*
 * A disk that is full takes the removal without what would undo it, for room is what is wanted; one
 * that takes not even that leaves everything as it was, for whoever reads the log later, too.
 */
START_TEST(removal_on_a_full_disk)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct removed all = { .family = -1 };
	struct removal removal = {
		.wants = wants, .goes = goes, .arg = &all, .can_undo = true, .id = "nothing of it"
	};
	struct push push = {
		.mode = PUSH_REMOVE, .removal = &removal, .done = told, .done_arg = &w->verdict
	};

	world_init(w, 1);
	for (unsigned g = 0; g < 3; g++)
		push_plain(w, g);
	removal.now = w->now;
	memset(all.goes, true, sizeof(all.goes));
	w->rows.full = 2;
	ck_assert(!slices_begin_removal(&w->slices, &push));
	ck_assert_int_eq(push.err.reason, ERR_STORAGE);
	ck_assert(!slices_pending(&w->slices) && w->rows.full == 0);
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_uint_eq(store_counts(w->store).groups, 3);
		push_plain(w, 0);
		restart(w);
	}
	w->database.full = w->database.suspect = false;
	w->rows.full = 1;
	ck_assert(!remove_all(w, 8).can_undo);
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_uint_eq(store_counts(w->store).groups, 0);
		ck_assert_int_eq(undo_id(w, 8), ERR_NOT_FOUND);
		restart(w);
	}
	world_done(w);
}
END_TEST

/* Also for whoever reads the log later: the oldest is ended by a row. */
START_TEST(so_many_can_be_undone)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

	world_init(w, 1);
	for (uint64_t i = 1; i <= UNDO_MAX + 1; i++) {
		push_plain(w, i % N_PLAIN);
		if (remove_all(w, i).n == 0)
			ck_abort();
	}
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_int_eq(undo_id(w, 1), ERR_NOT_FOUND);
		ck_assert_int_eq(undo_id(w, 3 + (uint64_t)restarted), ERR_NONE);
		restart(w);
	}
	/* With a place free, the first one must not come back. */
	ck_assert_int_eq(undo_id(w, 1), ERR_NOT_FOUND);
	ck_assert_int_eq(undo_id(w, 2), ERR_NONE);
	world_done(w);
}
END_TEST

/* A row was lost that says which removals can be undone no more: their times tell. */
START_TEST(a_clock_that_was_set_back)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));

	world_init(w, 1);
	push_plain(w, 0);
	remove_all(w, 7);
	advance(w, UNDO_SECONDS + 1);
	push_plain(w, 1);
	advance(w, -UNDO_SECONDS);
	restart(w);
	ck_assert_int_eq(undo_id(w, 7), ERR_NOT_FOUND);
	world_done(w);
}
END_TEST

/* Whoever may not have one of them back gets none. */
static int may_not(void *arg, struct str key, struct err *err)
{
	(void)arg;
	return index_of(key) == 1 ? err_set(err, ERR_FORBIDDEN, 0, "not this one") : 0;
}

/* Also where the log is read in several passes: the one that may not come back is in a later one.
 */
START_TEST(not_allowed)
{
	CLEANUP(freep) struct world *w = mem_zalloc(sizeof(*w));
	struct undo what = { .may = may_not, .left_out = left_out, .pass_bytes = (uint64_t)_i };
	struct push push = {
		.mode = PUSH_UNDO, .undo = &what, .done = told, .done_arg = &w->verdict
	};

	world_init(w, 1);
	for (unsigned g = 0; g < 3; g++)
		push_plain(w, g);
	remove_all(w, 0);
	what.now = w->now;
	ck_assert(slices_begin_undo(&w->slices, &push));
	finish(w, &push);
	ck_assert_int_eq(push.err.reason, ERR_FORBIDDEN);
	ck_assert_uint_eq(store_counts(w->store).groups, 0);
	ck_assert_int_eq(undo_id(w, 0), ERR_NONE);
	ck_assert_uint_eq(store_counts(w->store).groups, 3);
	world_done(w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("undo");

	/* The log lines of failed commits would only confuse. */
	log_init(LOG_ERROR + 1, LOG_LOGFMT);
	tcase_set_timeout(tc, 240);
	tcase_add_test(tc, histories);
	tcase_add_test(tc, so_many_can_be_undone);
	tcase_add_test(tc, removal_on_a_full_disk);
	tcase_add_test(tc, a_clock_that_was_set_back);
	tcase_add_loop_test(tc, not_allowed, 0, 2);
	return run_cases("undo", tc);
}
