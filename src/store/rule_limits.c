#include "store/rule_limits.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "metrics/key.h"
#include "store/internal.h"
#include "store/rule_limit_state.h"
#include "store/summed.h"

enum { NOT_MET = 0, NO_RULE = UINT16_MAX };
_Static_assert(GROUP_RULES_MAX < NO_RULE - 1, "a rule has no number");

/* ---- which rule ---- */

bool limits_any(const struct store *s)
{
	return s->limits && s->limits->any;
}

static void forget_counts(struct rule_limit_state *l)
{
	for (size_t i = 0; l->of && i < l->rules->n; i++)
		label_counts_done(&l->of[i].counts);
	free(l->of);
	free(l->rule);
	l->of = NULL;
	l->rule = NULL;
	l->n_slots = 0;
}

void limits_free(struct rule_limit_state *l)
{
	if (!l)
		return;
	forget_counts(l);
	group_rules_unref(l->rules);
	arena_done(&l->arena);
	free(l);
}

static void begin_anew(struct rule_limit_state *l)
{
	forget_counts(l);
	l->of = mem_zalloc((l->rules->n + 1) * sizeof(*l->of));
	l->any = l->any_labels = false;
	for (size_t i = 0; i < l->rules->n; i++) {
		const struct rule_limits *lim = &l->rules->v[i].guards.limits;

		label_counts_init(&l->of[i].counts, lim->label_values);
		l->any |= rule_limits_any(lim);
		l->any_labels |= lim->label_values > 0;
	}
	l->next = l->any_labels;
}

static void set_complete(struct store *s)
{
	limits_show(s);
	pthread_mutex_lock(&s->pages.lock);
	s->limits->complete = s->limits->next == 0;
	pthread_mutex_unlock(&s->pages.lock);
}

void store_use_rules(struct store *s, struct group_rules *rules)
{
	struct rule_limit_state *l = mem_zalloc(sizeof(*l)), *old = s->limits;

	arena_init(&l->arena, ARENA_MUST);
	l->rules = group_rules_ref(rules);
	begin_anew(l);
	l->complete = l->next == 0;
	pthread_mutex_lock(&s->pages.lock);
	s->limits = l;
	pthread_mutex_unlock(&s->pages.lock);
	limits_free(old);
}

void limits_take_over_begin(struct store *s, struct store *old)
{
	s->limits = old->limits;
	old->limits = NULL;
	if (s->limits)
		s->limits->complete = false;
}

void limits_take_over_end(struct store *s)
{
	if (!s->limits)
		return;
	begin_anew(s->limits);
	set_complete(s);
}

static uint16_t find_rule(struct rule_limit_state *l, const struct group *g)
{
	const struct group_rule *rule;
	struct key key;
	struct err err;

	arena_reset(&l->arena);
	/* If an expression takes too long for a key, its pushes were refused before. */
	if (key_decode(group_key(g), &l->arena, &key) < 0 ||
	    group_rules_find(l->rules, &key, &rule, &err) < 0 || !rule)
		return NO_RULE;
	return (uint16_t)(rule - l->rules->v + 1);
}

struct counted_rule *limits_rule_of(struct store *s, const struct group *g,
				    const struct group_rule **ret)
{
	struct rule_limit_state *l = s->limits;
	uint16_t number = g->slot < l->n_slots ? l->rule[g->slot] : NOT_MET;

	if (number == NOT_MET || number == NO_RULE)
		return NULL;
	*ret = &l->rules->v[number - 1];
	return rule_limits_any(&(*ret)->guards.limits) ? &l->of[number - 1] : NULL;
}

struct counted_rule *limits_counts_of(struct store *s, const struct group *g)
{
	const struct group_rule *rule;
	struct counted_rule *r = s->limits && s->limits->any_labels ? limits_rule_of(s, g, &rule)
								    : NULL;

	return r && rule->guards.limits.label_values ? r : NULL;
}

void limits_meet(struct store *s, const struct group *g)
{
	struct rule_limit_state *l = s->limits;

	if (!l || !l->any || (g->slot < l->n_slots && l->rule[g->slot] != NOT_MET))
		return;
	if (g->slot >= l->n_slots) {
		uint32_t n = s->cap_slots;

		l->rule = mem_realloc(l->rule, n * sizeof(*l->rule));
		memset(l->rule + l->n_slots, 0, (n - l->n_slots) * sizeof(*l->rule));
		l->n_slots = n;
	}
	l->rule[g->slot] = find_rule(l, g);
	if (!limits_counts_of(s, g))
		return;
	if (g->exists)
		limits_add_group(s, g);
	for (uint32_t i = 0; i < g->entries.cap; i++)
		if (entries_at(&g->entries, i))
			limits_add_entry(s, g, store_entry(s, entries_at(&g->entries, i)));
}

void limits_forget(struct store *s, const struct group *g)
{
	if (s->limits && g->slot < s->limits->n_slots)
		s->limits->rule[g->slot] = NOT_MET;
}

bool store_count_labels(struct store *s)
{
	enum { SLOTS = 4096, SERIES = 5000 };
	struct rule_limit_state *l = s->limits;
	uint64_t series = 0;

	/* Staged groups are counted with their batch. */
	if (!l || l->next == 0 || s->touched)
		return l && l->next;
	for (int i = 0; i < SLOTS && series < SERIES && l->next < s->n_slots; i++, l->next++) {
		const struct group *g = s->by_slot[l->next];

		if (!g)
			continue;
		limits_meet(s, g);
		series += limits_counts_of(s, g) ? g->n_series : 0;
	}
	if (l->next < s->n_slots)
		return true;
	l->next = 0;
	set_complete(s);
	return false;
}

/* ---- counting ---- */

typedef void (*count_fn)(struct label_counts *c, struct str name, struct str value);

static bool has_label(const struct key *key, struct str name)
{
	for (uint32_t i = 0; i < key->n_labels; i++)
		if (str_eq(key->labels[i].name, name))
			return true;
	return false;
}

/* Counts an entry's labels, but not those of the key: they are counted with the group. */
static void count_entry(struct store *s, const struct group *g, const struct entry *e, count_fn fn)
{
	struct counted_rule *r = limits_counts_of(s, g);
	struct arena *a;
	struct key key;

	if (!r)
		return;
	a = &s->limits->arena;
	arena_reset(a);
	if (key_decode(group_key(g), a, &key) < 0)
		return;
	r->changed = s->limits->changed = true;
	for (const struct family *f = summed_decode_entry(e, a); f; f = f->next)
		for (const struct metric *m = f->metrics; m; m = m->next)
			for (uint32_t i = 0; i < m->n_labels; i++)
				if (!has_label(&key, m->labels[i].name))
					fn(&r->counts, m->labels[i].name, m->labels[i].value);
}

static void count_group(struct store *s, const struct group *g, count_fn fn)
{
	struct counted_rule *r = limits_counts_of(s, g);
	struct key key;

	if (!r)
		return;
	arena_reset(&s->limits->arena);
	if (key_decode(group_key(g), &s->limits->arena, &key) < 0)
		return;
	r->changed = s->limits->changed = true;
	for (uint32_t i = 0; i < key.n_labels; i++)
		fn(&r->counts, key.labels[i].name, key.labels[i].value);
}

void limits_add_entry(struct store *s, const struct group *g, const struct entry *e)
{
	count_entry(s, g, e, label_counts_add);
}

void limits_remove_entry(struct store *s, const struct group *g, const struct entry *e)
{
	count_entry(s, g, e, label_counts_remove);
}

void limits_add_group(struct store *s, const struct group *g)
{
	count_group(s, g, label_counts_add);
}

void limits_remove_group(struct store *s, const struct group *g)
{
	count_group(s, g, label_counts_remove);
}

/* ---- for others ---- */

static void show(struct store *s, struct counted_rule *r)
{
	const struct counted_label *most = label_counts_most(&r->counts);
	struct label_use use = { 0 };

	r->changed = false;
	if (most) {
		use.values = most->n;
		use.name_n = (uint32_t)utf8_cut(most->name, sizeof(use.name));
		copy_bytes(use.name, most->name.p, use.name_n);
	}
	pthread_mutex_lock(&s->pages.lock);
	r->shown = use;
	pthread_mutex_unlock(&s->pages.lock);
}

void limits_show(struct store *s)
{
	struct rule_limit_state *l = s->limits;

	if (!l || !l->changed)
		return;
	l->changed = false;
	for (size_t i = 0; i < l->rules->n; i++)
		if (l->of[i].changed)
			show(s, &l->of[i]);
}

bool store_label_use(struct store *s, const struct group_rules *rules,
		     const struct group_rule *rule, struct label_use *ret)
{
	bool known;

	pthread_mutex_lock(&s->pages.lock);
	known = s->limits && s->limits->rules == rules && s->limits->complete &&
		rule->guards.limits.label_values;
	if (known)
		*ret = s->limits->of[rule - rules->v].shown;
	pthread_mutex_unlock(&s->pages.lock);
	return known;
}
