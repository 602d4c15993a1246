/* The store's tables, and the bookkeeping that staging, publishing and restoring share. */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"

/* The help of our own metrics is ours. */
static void set_own_help(struct store_family *f, const char *text)
{
	struct help *help = family_help(&f->shown, str_of(text));

	family_set_help(&f->shown, help, 0);
	help_unref(help);
}

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
	pages_init(&s->pages);
	for (int i = 0; i < 2; i++) {
		store_add_own(s, names[i], METRIC_GAUGE);
		s->time_families[i] = store_family_find(s, names[i], names[i],
							hash_bytes(names[i]));
		set_own_help(s->time_families[i], helps[i]);
	}
	return s;
}

static void family_free(struct store_family *f)
{
	family_done(&f->shown);
	free(f);
}

void store_free(struct store *s)
{
	if (!s)
		return;
	if (s->touched)
		store_rollback(s);
	for (uint32_t id = 1; id < s->n_ids; id++)
		if (s->by_id[id])
			group_free(s->by_id[id], &s->pages.entries);
	for (size_t i = 0; i < s->families.cap; i++)
		if (s->families.entries[i].item)
			family_free(s->families.entries[i].item);
	table_done(&s->families);
	series_index_done(&s->keys);
	series_index_done(&s->index);
	free(s->by_id);
	free(s->free_ids);
	free(s->change.pairs);
	free(s->records);
	free(s->rows.list);
	free(s->log.moving.list);
	free(s->idle);
	pages_done(&s->pages);
	free(s);
}

void store_add_own(struct store *s, struct str name, int32_t type)
{
	struct store_family *f = store_family_get(s, name, name, hash_bytes(name));

	f->own = true;
	f->type = (uint8_t)type;
	f->n_groups = 1;
	family_set_type(&f->shown, type);
}

struct store_family *store_family_find(struct store *s, struct str name, struct str exposed,
				       uint64_t hash)
{
	struct store_family *f;

	for (size_t at = table_first(&s->families, hash);
	     (f = table_next(&s->families, hash, &at));)
		if (str_eq(f->shown.name, name) && str_eq(f->shown.exposed, exposed))
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
		f = mem_zalloc(sizeof(*f));
		family_init(&f->shown, name, exposed, hash);
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
		table_remove(&s->families, f->shown.hash, f);
		pages_unlist_family(&s->pages, &f->shown);
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

static uint64_t time_hash(struct str labels)
{
	CLEANUP(strbuf_done) struct strbuf id = { 0 };

	strbuf_adds(&id, STR("push_time_seconds"));
	strbuf_adds(&id, labels);
	return hash_bytes(strbuf_str(&id));
}

struct group *store_group_add(struct store *s, struct str key, struct str labels, uint64_t hash,
			      uint32_t id)
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

	times_look_at_key(g);
	g->time_hash = time_hash(labels);
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
	group_free(g, &s->pages.entries);
}

void store_index_entry(struct store *s, const struct group *g, const struct entry *e)
{
	struct store_family *f = entry_family(e);

	if (f->n_groups++ == 0)
		f->type = e->lines.type;
	for (uint64_t i = 0; i < lines_n_series(&e->lines); i++)
		series_index_add(&s->index, lines_hashes(&e->lines)[i], g->id);
	s->staged_series += e->lines.n;
}

void store_unindex_entry(struct store *s, const struct group *g, const struct entry *e)
{
	struct store_family *f = entry_family(e);

	if (--f->n_groups == 0)
		note_idle(s, f);
	for (uint64_t i = 0; i < lines_n_series(&e->lines); i++)
		series_index_remove(&s->index, lines_hashes(&e->lines)[i], g->id);
	s->staged_series -= e->lines.n;
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

struct str store_group_key(const struct store *s, uint32_t group)
{
	const struct group *g = group < s->n_ids ? s->by_id[group] : NULL;

	return g ? group_key(g) : STR_NULL;
}

struct snapshot *store_snapshot(struct store *s, enum snapshot_slots slots, int form)
{
	return pages_snapshot(&s->pages, slots, form);
}

void store_age_forms(struct store *s, unsigned max_idle)
{
	pages_age_forms(&s->pages, max_idle);
}

int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret)
{
	return pages_copy_group(&s->pages, cursor, a, ret);
}

struct store_counts store_counts(struct store *s)
{
	pthread_mutex_lock(&s->pages.lock);
	struct store_counts counts = s->pages.counts;

	pthread_mutex_unlock(&s->pages.lock);
	return counts;
}
