/* The store's tables, and the bookkeeping that staging, publishing and restoring share. */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "pages/kin.h"
#include "store/internal.h"
#include "store/left_out_group.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

/* Adds a family of the gateway's own with a metric of each group. */
static struct store_family *add_shown(struct store *s, const char *name, const char *help)
{
	struct str n = str_of(name);
	struct store_family *f;

	store_add_own(s, n, METRIC_GAUGE);
	f = store_family_find(s, n, n, hash_bytes(n));
	family_fix_help(&f->shown, str_of(help));
	f->shown.of_groups = true;
	return f;
}

static void add_shown_families(struct store *s)
{
	static const char *const times[][2] = {
		{ "push_time_seconds",
		  "Last Unix time when changing this group in the Pushgateway succeeded." },
		{ "push_failure_time_seconds",
		  "Last Unix time when changing this group in the Pushgateway failed." },
	};
	static const char *const lives[N_LIFE_LINES][2] = {
		[LIFE_EXPIRED] = { "pushgateway_group_expired",
				   "1 for a group whose values have gone because of their age." },
		[LIFE_OVERDUE] = { "pushgateway_job_overdue",
				   "1 for a group that should have been pushed to by now." },
		[LIFE_EXPECTED] = { "pushgateway_next_push_expected_timestamp_seconds",
				    "Unix time until which the next push is expected." },
	};

	s->failing_family = add_shown(
		s, "pushgateway_group_failing_sources",
		"Live sources of a summed group whose last push was refused.");
	for (int i = 0; i < 2; i++)
		s->time_families[i] = add_shown(s, times[i][0], times[i][1]);
	for (int i = 0; i < N_LIFE_LINES; i++)
		s->life_families[i] = add_shown(s, lives[i][0], lives[i][1]);
}

struct store *store_new(const struct store_limits *lim)
{
	struct store *s = mem_zalloc(sizeof(*s));

	s->lim = (struct limits_held){ lim->max_groups, lim->max_series, UINT64_MAX };
	s->n_slots = 1;
	s->next_number = 1;
	arena_init(&s->log.bodies, ARENA_MUST);
	summed_init(s);
	pages_init(&s->pages);
	add_shown_families(s);
	return s;
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
		if (str_eq(f->shown.name, name) &&
		    ((f->shown.exposed.p == f->shown.name.p && exposed.p == name.p) ||
		     str_eq(f->shown.exposed, exposed)))
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
		store_kin_meet(s, f);
		note_idle(s, f);
	}
	return f;
}

/* Fetches what later families need into the cache, which has nothing of a large group. */
static void look_ahead_idle(const struct store *s, size_t i)
{
	enum { FAMILIES = 16, PLACES = 8 };

	if (i + FAMILIES < s->n_idle)
		store_family_prefetch(s->idle[i + FAMILIES]);
	if (i + PLACES < s->n_idle) {
		const struct shown_family *f = &s->idle[i + PLACES]->shown;

		table_prefetch(&s->families, f->hash);
		if (f->listed)
			__builtin_prefetch(&s->pages.families.at[f->list_at], 1);
	}
}

void store_sweep_families(struct store *s)
{
	/* Some idle families are those of the large push. */
	if (s->large.push)
		return;
	for (size_t i = 0; i < s->n_idle; i++) {
		struct store_family *f = s->idle[i];

		look_ahead_idle(s, i);
		f->idle = false;
		if (!store_family_goes(s, f))
			continue;
		table_remove(&s->families, f->shown.hash, f);
		family_list_remove(&s->pages.families, &f->shown);
		kin_leave(&f->shown);
		dead_add_family(s, f);
	}
	s->n_idle = 0;
}

struct group *store_group_find(struct store *s, struct str key, uint64_t hash)
{
	uint32_t slot, at = SERIES_INDEX_START;

	while ((slot = series_index_next(&s->keys, hash, &at)) != 0)
		if (str_eq(group_key(s->by_slot[slot]), key))
			return s->by_slot[slot];
	return NULL;
}

struct group *store_group_by_id(const struct store *s, uint64_t id)
{
	uint32_t slot, at = SERIES_INDEX_START;

	while ((slot = series_index_next(&s->ids, store_id_hash(id), &at)) != 0)
		if (s->by_slot[slot]->id == id)
			return s->by_slot[slot];
	return NULL;
}

void store_set_group_id(struct store *s, struct group *g, uint64_t id)
{
	if (g->id == id)
		return;
	if (g->id)
		series_index_remove(&s->ids, store_id_hash(g->id), g->slot);
	if (id)
		series_index_add(&s->ids, store_id_hash(id), g->slot);
	g->id = id;
}

static uint64_t time_hash(struct str labels)
{
	CLEANUP(strbuf_done) struct strbuf id = { 0 };

	strbuf_adds(&id, STR("push_time_seconds"));
	strbuf_adds(&id, labels);
	return hash_bytes(strbuf_str(&id));
}

static uint32_t take_slot(struct store *s)
{
	if (s->n_free_slots)
		return s->free_slots[--s->n_free_slots];
	if (s->n_slots >= s->cap_slots) {
		uint32_t cap = s->cap_slots ? s->cap_slots * 2 : 64;

		s->by_slot = mem_realloc(s->by_slot, cap * sizeof(struct group *));
		memset(s->by_slot + s->cap_slots, 0, (cap - s->cap_slots) * sizeof(struct group *));
		s->cap_slots = cap;
	}
	return s->n_slots++;
}

static void free_slot(struct store *s, uint32_t slot)
{
	if (s->n_free_slots == s->cap_free_slots) {
		s->cap_free_slots = s->cap_free_slots ? s->cap_free_slots * 2 : 64;
		s->free_slots = mem_realloc(s->free_slots,
					    s->cap_free_slots * sizeof(*s->free_slots));
	}
	s->free_slots[s->n_free_slots++] = slot;
	s->by_slot[slot] = NULL;
}

struct group *store_group_add(struct store *s, struct str key, struct str labels, uint64_t hash)
{
	struct group *g = group_new(take_slot(s), key);

	time_metrics_look_at_key(g);
	g->labels_n = labels.n;
	g->time_lines[TIME_PUSHED].hash = time_hash(labels);
	s->by_slot[g->slot] = g;
	series_index_add(&s->keys, hash, g->slot);
	return g;
}

void store_group_remove(struct store *s, struct group *g)
{
	store_set_group_id(s, g, 0);
	limits_forget(s, g);
	free_slot(s, g->slot);
	series_index_remove(&s->keys, hash_bytes(group_key(g)), g->slot);
	writers_forget(&s->pages.writers, g);
	group_free(g, &s->pages.entries);
}

static void set_newest(struct store *s, struct store_family *f, uint32_t slot)
{
	if (f->newest == slot)
		return;
	if (s->n_was_newest == s->cap_was_newest) {
		s->cap_was_newest = s->cap_was_newest ? s->cap_was_newest * 2 : 64;
		s->was_newest = mem_realloc(s->was_newest,
					    s->cap_was_newest * sizeof(*s->was_newest));
	}
	s->was_newest[s->n_was_newest++] = (struct was_newest){ f, f->newest };
	f->newest = slot;
}

void store_restore_newest(struct store *s)
{
	while (s->n_was_newest > 0) {
		const struct was_newest *was = &s->was_newest[--s->n_was_newest];

		was->family->newest = was->slot;
	}
}

void store_index_entry(struct store *s, const struct group *g, const struct entry *e)
{
	struct store_family *f = entry_family(e);

	if (f->n_groups++ == 0) {
		f->type = e->lines.type;
		s->staged_bytes += stored_family(f);
	}
	set_newest(s, f, g->slot);
	for (uint64_t i = 0; i < lines_n_series(&e->lines); i++)
		series_index_add(&s->index, lines_hashes(&e->lines)[i], g->slot);
	s->staged_series += lines_n(&e->lines);
	s->staged_bytes += lines_stored(&e->lines);
	limits_add_entry(s, g, e);
}

void store_unindex_entry(struct store *s, const struct group *g, const struct entry *e)
{
	struct store_family *f = entry_family(e);

	if (--f->n_groups == 0) {
		note_idle(s, f);
		s->staged_bytes -= stored_family(f);
	}
	for (uint64_t i = 0; i < lines_n_series(&e->lines); i++)
		series_index_remove(&s->index, lines_hashes(&e->lines)[i], g->slot);
	s->staged_series -= lines_n(&e->lines);
	s->staged_bytes -= lines_stored(&e->lines);
	limits_remove_entry(s, g, e);
}

void store_index_group(struct store *s, const struct group *g)
{
	series_index_add(&s->index, group_time_hash(g), g->slot);
	s->staged_groups++;
	s->staged_series += 2;
	s->staged_bytes += stored_group(g);
	limits_add_group(s, g);
}

void store_unindex_group(struct store *s, const struct group *g)
{
	series_index_remove(&s->index, group_time_hash(g), g->slot);
	s->staged_groups--;
	s->staged_series -= 2;
	s->staged_bytes -= stored_group(g);
	limits_remove_group(s, g);
}
