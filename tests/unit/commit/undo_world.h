/* A store, its log, and removals of its groups that are undone, beside what each group looked like.
 */
#ifndef TESTS_UNIT_COMMIT_UNDO_WORLD_H
#define TESTS_UNIT_COMMIT_UNDO_WORLD_H

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

struct look {
	bool there;
	char *times;              /* and lifetime, mode, reason of the last failure */
	char *family[N_FAMILIES]; /* NULL: it has none of it */
	char *sources;
	unsigned pushed; /* its last push, which it has again when it comes back */
};

static inline void look_done(struct look *l)
{
	free(l->times);
	free(l->sources);
	for (int f = 0; f < N_FAMILIES; f++)
		free(l->family[f]);
	*l = (struct look){ 0 };
}

static inline char *copy_of(const char *z)
{
	return z ? mem_strdup(z) : NULL;
}

static inline struct look look_copy(const struct look *l)
{
	struct look c = { .there = l->there, .pushed = l->pushed };

	c.times = copy_of(l->times);
	c.sources = copy_of(l->sources);
	for (int f = 0; f < N_FAMILIES; f++)
		c.family[f] = copy_of(l->family[f]);
	return c;
}

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

static inline void advance(struct world *w, double seconds)
{
	w->now += seconds;
	clock_hold((int64_t)(w->now * 1e9), (int64_t)(w->now * 1e9));
}

static inline void path_of(unsigned g, char path[64])
{
	if (g < N_PLAIN)
		snprintf(path, 64, "/j/g/%u", g);
	else
		snprintf(path, 64, "/s/g/%u", g);
}

static inline int index_of(struct str key)
{
	/* job 0xFF j 0xFF ... g 0xFF N 0xFF: labels are sorted, so g comes first. */
	for (size_t i = 0; i + 2 < key.n; i++)
		if (key.p[i] == 'g' && (unsigned char)key.p[i + 1] == 0xFF)
			return (int)strtol(key.p + i + 2, NULL, 10);
	return -1;
}

static inline char *text_of(struct str s)
{
	char *z = mem_alloc(s.n + 1);

	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	return z;
}

static inline int cmp_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline struct group_brief brief_of(struct store *s, struct str key)
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
static inline char *sources_of(struct store *s, struct str key)
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

static inline void look_at(struct store *s, const struct group_copy *g, struct look *ret)
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

static inline void look_at_all(struct store *s, struct look looks[N_GROUPS])
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

/* After a push or a delete, which others test, the model is what the store shows of that group. */
static inline void learn(struct world *w, unsigned g, bool pushed)
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

static inline bool commit(struct world *w)
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

static inline void keep(struct world *w, struct push *push)
{
	if (w->n_pushes == ARRAY_LEN(w->pushes)) {
		for (unsigned i = 0; i < w->n_pushes; i++)
			push_free(w->pushes[i]);
		w->n_pushes = 0;
	}
	w->pushes[w->n_pushes++] = push;
}

static inline void push_plain(struct world *w, unsigned g)
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

static inline int wants(void *arg, const struct removal_group *g, struct err *err)
{
	const struct removed *r = arg;

	(void)err;
	return r->goes[index_of(g->key)];
}

static inline void goes(void *arg, const struct removal_group *g)
{
	(void)arg;
	(void)g;
}

static inline void told(struct push *push)
{
	*(bool *)push->done_arg = true;
}

static inline void finish(struct world *w, struct push *push)
{
	(void)push;
	/* Cleaning may come between any two slices. */
	while (slices_go_on(&w->slices))
		;
	ck_assert(w->verdict);
}

static inline void removed_done(struct removed *r)
{
	for (unsigned g = 0; g < N_GROUPS; g++)
		look_done(&r->looks[g]);
}

static inline int may(void *arg, struct str key, struct err *err)
{
	(void)arg;
	(void)key;
	(void)err;
	return 1;
}

static inline void left_out(void *arg, struct str key, struct str family, const char *why)
{
	struct world *w = arg;

	(void)key;
	(void)family;
	ck_assert_int_gt((int)strlen(why), 0);
	w->left_out++;
}

static inline struct store *new_store(void)
{
	return store_new(&(struct store_limits){ 1000, 100000 });
}

static inline void load(const struct world *w, struct storage *from, struct store *into)
{
	struct err err = { 0 };

	ck_assert_msg(load_store(from, into, &err) == STORAGE_LOADED, "seed %llu, step %u: %s",
		      (unsigned long long)w->seed, w->step, err.msg);
	store_begin_waiting(into, clock_mono_ns(), clock_wall(), 0);
}

static inline void restart(struct world *w)
{
	struct store *again = new_store();

	load(w, &w->rows.base, again);
	store_free(w->store);
	w->store = again;
	w->database.store = again;
}

static inline void world_init(struct world *w, uint64_t seed)
{
	*w = (struct world){ .rng = seed, .seed = seed, .now = START };
	advance(w, 0);
	w->store = new_store();
	mem_storage_init(&w->rows);
	database_init(&w->database, &w->rows.base, w->store);
	slices_init(&w->slices, &w->database, NULL);
}

static inline void world_done(struct world *w)
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

#endif
