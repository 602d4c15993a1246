#include "store/rule_limits.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/group_rules.h"
#include "metrics/key.h"
#include "store/internal.h"
#include "store/label_counts.h"
#include "store/summed.h"

enum { NOT_MET = 0, NO_RULE = UINT16_MAX };
_Static_assert(GROUP_RULES_MAX < NO_RULE - 1, "a rule has no number");

struct counted_rule {
	struct label_counts counts;
	bool changed;           /* since it was shown */
	struct label_use shown; /* under the lock of the pages */
};

struct rule_limit_state {
	struct group_rules *rules;
	struct counted_rule *of; /* for each of them */
	uint16_t *rule;          /* by slot: the number of the rule that applies, + 1 */
	uint32_t n_slots;
	uint32_t next; /* slot that store_count_labels() comes to next; 0: all are counted */
	bool any, any_labels;
	bool changed;  /* one of the counts since they were shown */
	bool complete; /* all are counted; under the lock of the pages */
	struct arena arena;
};

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
	/* A push that an expression takes too long for was refused before. */
	if (key_decode(group_key(g), &l->arena, &key) < 0 ||
	    group_rules_find(l->rules, &key, &rule, &err) < 0 || !rule)
		return NO_RULE;
	return (uint16_t)(rule - l->rules->v + 1);
}

/* NULL: no rule, or one without limits. */
static struct counted_rule *rule_of(struct store *s, const struct group *g,
				    const struct group_rule **ret)
{
	struct rule_limit_state *l = s->limits;
	uint16_t number = g->slot < l->n_slots ? l->rule[g->slot] : NOT_MET;

	if (number == NOT_MET || number == NO_RULE)
		return NULL;
	*ret = &l->rules->v[number - 1];
	return rule_limits_any(&(*ret)->guards.limits) ? &l->of[number - 1] : NULL;
}

/* NULL: nothing is counted for the group. */
static struct counted_rule *counts_of(struct store *s, const struct group *g)
{
	const struct group_rule *rule;
	struct counted_rule *r = s->limits && s->limits->any_labels ? rule_of(s, g, &rule) : NULL;

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
	if (!counts_of(s, g))
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

	/* What is staged is counted with its batch. */
	if (!l || l->next == 0 || s->touched)
		return l && l->next;
	for (int i = 0; i < SLOTS && series < SERIES && l->next < s->n_slots; i++, l->next++) {
		const struct group *g = s->by_slot[l->next];

		if (!g)
			continue;
		limits_meet(s, g);
		series += counts_of(s, g) ? g->n_series : 0;
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

/* Every series has the labels of the key, which are counted with the group. */
static void count_entry(struct store *s, const struct group *g, const struct entry *e, count_fn fn)
{
	struct counted_rule *r = counts_of(s, g);
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
	struct counted_rule *r = counts_of(s, g);
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

/* ---- the verdict ---- */

void limits_begin(struct store *s, const struct group *g)
{
	struct counted_rule *r = counts_of(s, g);

	if (r)
		label_counts_begin(&r->counts);
}

static void name_group(const struct group *g, struct strbuf *out)
{
	enum { SHOWN = 120 };

	store_add_key(out, group_key(g));
	if (out->n <= SHOWN)
		return;
	out->n = utf8_cut(strbuf_str(out), SHOWN);
	strbuf_addz(out, "...");
}

struct passed {
	const char *what; /* "series" */
	uint64_t max, before, after, pushed;
};

static int refuse_amount(const struct group *g, const struct group_rule *rule,
			 const struct passed *p, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 };
	bool alone = p->pushed > p->max;

	name_group(g, &group);
	return err_set(err, alone ? ERR_RULE_TOO_LARGE : ERR_RULE_FULL, 0,
		       "the group %s would have %llu %s (now it has %llu), more than the %llu that "
		       "the rule in line %u of --config.file allows (limits: {%s: %llu}): %s, or "
		       "raise the limit",
		       strbuf_z(&group), (unsigned long long)p->after, p->what,
		       (unsigned long long)p->before, (unsigned long long)p->max, rule->line,
		       p->what, (unsigned long long)p->max,
		       alone ? "push fewer" : "delete what is not needed any more");
}

static int check_amount(const struct group *g, const struct group_rule *rule,
			const struct passed *p, struct err *err)
{
	if (p->max == 0 || p->after <= p->max || p->after <= p->before)
		return 0;
	return refuse_amount(g, rule, p, err);
}

static int refuse_label(const struct group *g, const struct group_rule *rule,
			const struct counted_label *l, struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 };
	unsigned long long max = rule->guards.limits.label_values;
	bool alone = l->n - l->before > max;
	char name[100];

	name_group(g, &group);
	return err_set(
		err, alone ? ERR_RULE_TOO_LARGE : ERR_RULE_FULL, 0,
		"with this push to the group %s the label %s would have %llu values (now it "
		"has %llu), more than the %llu that the rule in line %u of --config.file "
		"allows in all of its groups (limits: {label_values: %llu}): leave the label "
		"out, delete groups that are not needed any more, or raise the limit",
		strbuf_z(&group), str_quote(l->name, name, sizeof(name)), (unsigned long long)l->n,
		(unsigned long long)l->before, max, rule->line, max);
}

int limits_check_amounts(struct store *s, const struct group *g, const struct amounts_of_push *a,
			 struct err *err)
{
	const struct group_rule *rule;
	const struct rule_limits *lim;

	if (!s->limits || !s->limits->any || !rule_of(s, g, &rule))
		return 0;
	lim = &rule->guards.limits;
	const struct passed series = { "series", lim->series, a->before.series, a->after.series,
				       a->pushed.series };
	const struct passed families = { "families", lim->families, a->before.families,
					 a->after.families, a->pushed.families };

	if (check_amount(g, rule, &series, err) < 0)
		return -1;
	return check_amount(g, rule, &families, err);
}

int limits_check_labels(struct store *s, const struct group *g, struct err *err)
{
	struct counted_rule *r = counts_of(s, g);
	const struct group_rule *rule;

	if (!r || !r->counts.over || !rule_of(s, g, &rule))
		return 0;
	return refuse_label(g, rule, r->counts.over, err);
}

int limits_check_key(struct store *s, const struct group *g, struct err *err)
{
	int r;

	limits_meet(s, g);
	limits_begin(s, g);
	limits_add_group(s, g);
	r = limits_check_labels(s, g, err);
	limits_remove_group(s, g);
	return r;
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
