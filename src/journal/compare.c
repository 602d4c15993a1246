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

	return a->key != b->key ? (a->key > b->key) - (a->key < b->key)
				: (a->all > b->all) - (a->all < b->all);
}

static void add_digest(struct digests *to, struct str key, uint64_t all)
{
	if (to->n == to->cap) {
		to->cap = to->cap ? to->cap * 2 : 256;
		to->list = mem_realloc(to->list, to->cap * sizeof(*to->list));
	}
	to->list[to->n++] = (struct digested){ hash_bytes(key), all };
}

static void digest_store(struct store *s, struct digests *ret)
{
	struct group_copy g;
	struct arena arena;
	uint32_t cursor = 0;

	arena_init(&arena, SIZE_MAX);
	while (store_copy_group(s, &cursor, &arena, &g) > 0) {
		add_digest(ret, g.key, digest(&g));
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

/* True: they are the same. *ret: the key of the first that differs. */
static bool same_digests(const struct digests *a, const struct digests *b, uint64_t *ret)
{
	size_t i = 0;

	while (i < a->n && i < b->n && a->list[i].key == b->list[i].key &&
	       a->list[i].all == b->list[i].all)
		i++;
	if (i == a->n && i == b->n)
		return true;
	*ret = i < a->n && (i == b->n || a->list[i].key <= b->list[i].key) ? a->list[i].key
									   : b->list[i].key;
	return false;
}

static bool compare_shown(struct store *a, struct store *b, struct err *err)
{
	struct digests da = { 0 }, db = { 0 };
	uint64_t key;
	bool same;

	digest_store(a, &da);
	digest_store(b, &db);
	same = same_digests(&da, &db, &key);
	if (!same)
		explain(a, b, key, err);
	free(da.list);
	free(db.list);
	return same;
}

/* ---- what is left out ---- */

/*
 * Of a group that it is there: memory has its rows as they were at start, before cleaning. A family
 * without a message is not carried over into a new database by itself (store/left_out.c).
 */
static void digest_left_out(const struct store *s, struct digests *ret)
{
	struct store_left_out left;

	for (size_t at = 0; store_left_out(s, &at, &left);)
		if (left.whole || left.message.n)
			add_digest(ret, left.key,
				   mix(mix(hash_bytes(left.key), left.family), left.message));
	array_sort(ret->list, ret->n, by_key);
}

/* The key of what is left out whose hash is that. */
static struct str left_out_key(const struct store *s, uint64_t hash)
{
	struct store_left_out left;

	for (size_t at = 0; store_left_out(s, &at, &left);)
		if (hash_bytes(left.key) == hash)
			return left.key;
	return STR_NULL;
}

static bool compare_left_out(struct store *a, struct store *b, struct err *err)
{
	struct digests da = { 0 }, db = { 0 };
	struct str group;
	char name[200];
	uint64_t key;
	bool same;

	digest_left_out(a, &da);
	digest_left_out(b, &db);
	same = same_digests(&da, &db, &key);
	if (!same) {
		group = left_out_key(a, key);
		if (!group.n)
			group = left_out_key(b, key);
		err_set(err, ERR_SYSTEM, 0,
			"what the database holds differs from what is in memory: what is not shown "
			"of group %s is different",
			str_quote(group, name, sizeof(name)));
	}
	free(da.list);
	free(db.list);
	return same;
}

bool compare_stores(struct store *a, struct store *b, struct err *err)
{
	return compare_shown(a, b, err) && compare_left_out(a, b, err);
}
