/* The store's tables, and the bookkeeping that staging, publishing and restoring share. */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"

struct store *store_new(const struct store_limits *lim)
{
	static const struct str names[] = { { "push_time_seconds", 17 },
					    { "push_failure_time_seconds", 25 } };
	static const char *const helps[] = {
		"Last Unix time when changing this group in the Pushgateway succeeded.",
		"Last Unix time when changing this group in the Pushgateway failed.",
	};
	struct store *s = mem_zalloc(sizeof(*s));

	s->lim = *lim;
	s->n_ids = 1;
	s->next_row = 1;
	pthread_mutex_init(&s->lock, NULL);
	for (int i = 0; i < 2; i++) {
		size_t n = strlen(helps[i]);
		struct help *help = mem_zalloc(sizeof(*help) + n);
		struct store_family *f;

		store_add_own(s, names[i], METRIC_GAUGE);
		f = store_family_find(s, names[i], names[i], hash_bytes(names[i]));
		memcpy(help->p, helps[i], n);
		help->n = (uint32_t)n;
		family_set_help(f, help, 0);
		s->time_families[i] = f;
	}
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (uint32_t id = 1; id < s->n_ids; id++)
		if (s->by_id[id])
			group_free(s->by_id[id]);
	for (size_t i = 0; i < s->families.cap; i++)
		if (s->families.entries[i].item)
			family_free(s->families.entries[i].item);
	table_done(&s->families);
	series_index_done(&s->keys);
	series_index_done(&s->index);
	free(s->by_id);
	free(s->free_ids);
	free(s->changes.list);
	free(s->log.moving.list);
	free(s->log.moving.slices);
	free(s->idle);
	free(s->list);
	free(s->shown);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void store_add_own(struct store *s, struct str name, int32_t type)
{
	struct store_family *f = store_family_get(s, name, name, hash_bytes(name));

	f->own = true;
	f->type = (uint8_t)type;
	f->n_groups = 1;
	family_set_type(f, type);
}

struct store_family *store_family_find(struct store *s, struct str name, struct str exposed,
				       uint64_t hash)
{
	struct store_family *f;

	for (size_t at = table_first(&s->families, hash);
	     (f = table_next(&s->families, hash, &at));)
		if (str_eq(f->name, name) && str_eq(f->exposed, exposed))
			return f;
	return NULL;
}

static void note_idle(struct store *s, struct store_family *f)
{
	if (f->idle)
		return;
	if (s->n_idle == s->cap_idle) {
		s->cap_idle = s->cap_idle ? s->cap_idle * 2 : 16;
		s->idle = mem_realloc(s->idle, s->cap_idle * sizeof(*s->idle));
	}
	s->idle[s->n_idle++] = f;
	f->idle = true;
}

struct store_family *store_family_get(struct store *s, struct str name, struct str exposed,
				      uint64_t hash)
{
	struct store_family *f = store_family_find(s, name, exposed, hash);

	if (!f) {
		f = family_new(name, exposed, hash);
		table_add(&s->families, hash, f);
		note_idle(s, f);
	}
	return f;
}

void store_sweep_families(struct store *s)
{
	for (size_t i = 0; i < s->n_idle; i++) {
		struct store_family *f = s->idle[i];

		f->idle = false;
		if (f->n_groups > 0)
			continue;
		table_remove(&s->families, f->hash, f);
		if (f->listed)
			s->list[f->list_at] = NULL;
		family_free(f);
	}
	s->n_idle = 0;
}

struct group *store_group_find(struct store *s, struct str key, uint64_t hash)
{
	uint32_t id, at = SERIES_INDEX_START;

	while ((id = series_index_next(&s->keys, hash, &at)) != 0)
		if (str_eq(group_key(s->by_id[id]), key))
			return s->by_id[id];
	return NULL;
}

struct group *store_group_add(struct store *s, struct str key, uint64_t hash, uint32_t id)
{
	if (id == 0)
		id = s->n_free_ids ? s->free_ids[--s->n_free_ids] : s->n_ids;
	if (id >= s->cap_ids) {
		uint32_t cap = s->cap_ids ? s->cap_ids : 64;

		while (cap <= id)
			cap *= 2;
		s->by_id = mem_realloc(s->by_id, cap * sizeof(*s->by_id));
		memset(s->by_id + s->cap_ids, 0, (cap - s->cap_ids) * sizeof(*s->by_id));
		s->cap_ids = cap;
	}
	if (id >= s->n_ids)
		s->n_ids = id + 1;

	struct group *g = group_new(id, key);

	for (int i = 0; i < 2; i++)
		g->times[i].family = s->time_families[i];
	s->by_id[id] = g;
	series_index_add(&s->keys, hash, id);
	return g;
}

void store_free_id(struct store *s, uint32_t id)
{
	if (s->n_free_ids == s->cap_free_ids) {
		s->cap_free_ids = s->cap_free_ids ? s->cap_free_ids * 2 : 64;
		s->free_ids = mem_realloc(s->free_ids, s->cap_free_ids * sizeof(*s->free_ids));
	}
	s->free_ids[s->n_free_ids++] = id;
}

void store_group_remove(struct store *s, struct group *g)
{
	store_free_id(s, g->id);
	s->by_id[g->id] = NULL;
	series_index_remove(&s->keys, hash_bytes(group_key(g)), g->id);
	group_free(g);
}

void store_index_slice(struct store *s, const struct group *g, struct slice *slice)
{
	struct store_family *f = slice->family;

	if (f->n_groups++ == 0)
		f->type = slice->type;
	for (uint64_t i = 0; i < slice_n_series(slice); i++)
		series_index_add(&s->index, slice_hashes(slice)[i], g->id);
	s->staged_series += slice->n_lines;
}

void store_unindex_slice(struct store *s, const struct group *g, struct slice *slice)
{
	struct store_family *f = slice->family;

	if (--f->n_groups == 0)
		note_idle(s, f);
	for (uint64_t i = 0; i < slice_n_series(slice); i++)
		series_index_remove(&s->index, slice_hashes(slice)[i], g->id);
	s->staged_series -= slice->n_lines;
}

void store_index_group(struct store *s, const struct group *g)
{
	series_index_add(&s->index, g->time_hash, g->id);
	s->staged_groups++;
	s->staged_series += 2;
}

void store_unindex_group(struct store *s, const struct group *g)
{
	series_index_remove(&s->index, g->time_hash, g->id);
	s->staged_groups--;
	s->staged_series -= 2;
}

int family_cmp(const struct store_family *a, const struct store_family *b)
{
	int r = a == b ? 0 : str_cmp(a->exposed, b->exposed);

	return r || a == b ? r : str_cmp(a->name, b->name);
}

bool slice_pair_next(struct slice_pair *pair, const struct group_state *a,
		     const struct group_state *b)
{
	struct slice *of_a = a && pair->i < a->n ? group_state_slice(a, pair->i) : NULL;
	struct slice *of_b = b && pair->j < b->n ? group_state_slice(b, pair->j) : NULL;
	int r;

	if (!of_a && !of_b)
		return false;
	r = !of_a ? 1 : !of_b ? -1 : family_cmp(of_a->family, of_b->family);
	pair->a = r <= 0 ? of_a : NULL;
	pair->b = r >= 0 ? of_b : NULL;
	pair->i += r <= 0;
	pair->j += r >= 0;
	return true;
}

struct str store_group_key(const struct store *s, uint32_t group)
{
	const struct group *g = group < s->n_ids ? s->by_id[group] : NULL;

	return g ? group_key(g) : STR_NULL;
}

struct store_counts store_counts(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	struct store_counts counts = s->counts;

	pthread_mutex_unlock(&s->lock);
	return counts;
}
