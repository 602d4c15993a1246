#include "journal/compare.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/lifetime.h"

static uint64_t mix(uint64_t h, struct str s)
{
	uint64_t parts[2] = { h, hash_bytes(s) };

	return hash_bytes((struct str){ (const char *)parts, sizeof(parts) });
}

/* Covers everything that a group shows. */
static uint64_t digest(const struct group_copy *g)
{
	double times[2] = { g->pushed_at, g->failed_at };
	uint64_t h = mix(hash_bytes(g->key), (struct str){ (const char *)times, sizeof(times) });
	char life[LIFE_BODY];

	h = mix(h, g->failed_why);
	h = mix(h, life_encode(&g->life, life));
	for (uint32_t i = 0; i < g->n_families; i++) {
		const struct group_copy_family *f = &g->families[i];

		h = mix(h, f->name);
		h = mix(h, f->exposed);
		h = mix(h, f->help);
		h = mix(h, f->text);
		h = mix(h, (struct str){ (const char *)&f->type, sizeof(f->type) });
		h = mix(h, (struct str){ (const char *)&f->pushed_at, sizeof(f->pushed_at) });
	}
	return h;
}

struct digested {
	uint64_t key, all;
};

struct digests {
	struct digested *list;
	size_t n, cap;
};

static int by_key(const void *pa, const void *pb)
{
	const struct digested *a = pa, *b = pb;

	return (a->key > b->key) - (a->key < b->key);
}

static void digest_store(struct store *s, struct digests *ret)
{
	struct group_copy g;
	struct arena arena;
	uint32_t cursor = 0;

	arena_init(&arena, SIZE_MAX);
	while (store_copy_group(s, &cursor, &arena, &g) > 0) {
		if (ret->n == ret->cap) {
			ret->cap = ret->cap ? ret->cap * 2 : 256;
			ret->list = mem_realloc(ret->list, ret->cap * sizeof(*ret->list));
		}
		ret->list[ret->n++] = (struct digested){ hash_bytes(g.key), digest(&g) };
		arena_reset(&arena);
	}
	arena_done(&arena);
	array_sort(ret->list, ret->n, by_key);
}

static const char *families_differ(const struct group_copy *a, const struct group_copy *b)
{
	for (uint32_t i = 0; i < a->n_families; i++) {
		const struct group_copy_family *f = &a->families[i], *g = &b->families[i];

		if (!str_eq(f->name, g->name) || !str_eq(f->exposed, g->exposed))
			return "the name of a family";
		if (!str_eq(f->help, g->help))
			return "the help text of a family";
		if (f->type != g->type)
			return "the type of a family";
		if (f->pushed_at != g->pushed_at)
			return "the push time of a family";
		if (!str_eq(f->text, g->text))
			return "the samples of a family";
	}
	return "its lifetime";
}

static const char *groups_differ(const struct group_copy *a, const struct group_copy *b)
{
	if (a->pushed_at != b->pushed_at)
		return "the push time";
	if (a->failed_at != b->failed_at || !str_eq(a->failed_why, b->failed_why))
		return "the last refused push";
	if (a->n_families != b->n_families)
		return "the number of families";
	return families_differ(a, b);
}

static bool find(struct store *s, uint64_t key, struct arena *a, struct group_copy *ret)
{
	uint32_t cursor = 0;

	while (store_copy_group(s, &cursor, a, ret) > 0) {
		if (hash_bytes(ret->key) == key)
			return true;
		arena_reset(a);
	}
	return false;
}

/* Says in *err how the group whose key has that hash differs, or in which store it is missing. */
static void explain(struct store *memory, struct store *database, uint64_t key, struct err *err)
{
	struct group_copy one = { 0 }, other = { 0 };
	const char *what, *how = "only in the database";
	char name[200];
	struct arena a, b;

	arena_init(&a, SIZE_MAX);
	arena_init(&b, SIZE_MAX);
	bool in_memory = find(memory, key, &a, &one), in_database = find(database, key, &b, &other);

	if (in_memory && in_database) {
		what = groups_differ(&one, &other);
		how = "different";
	} else {
		what = "all";
		if (in_memory)
			how = "only in memory";
	}
	err_set(err, ERR_SYSTEM, 0,
		"what the database holds differs from what is in memory: %s of group %s is %s",
		what, str_quote(in_memory ? one.key : other.key, name, sizeof(name)), how);
	arena_done(&a);
	arena_done(&b);
}

bool compare_stores(struct store *a, struct store *b, struct err *err)
{
	struct digests da = { 0 }, db = { 0 };
	size_t i = 0;
	bool same;

	digest_store(a, &da);
	digest_store(b, &db);
	while (i < da.n && i < db.n && da.list[i].key == db.list[i].key &&
	       da.list[i].all == db.list[i].all)
		i++;
	same = i == da.n && i == db.n;
	if (!same && i < da.n && (i == db.n || da.list[i].key <= db.list[i].key))
		explain(a, b, da.list[i].key, err);
	else if (!same)
		explain(a, b, db.list[i].key, err);
	free(da.list);
	free(db.list);
	return same;
}
