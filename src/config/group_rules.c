#include "config/group_rules.h"

#include <stdlib.h>

#include "base/mem.h"
#include "config/rule_fields.h"

static int read_rules(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_rules *rules = to;

	if (yaml_is_null(n))
		return 0;
	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n, "a list of rules", err);
	if (n->n > GROUP_RULES_MAX)
		return err_set(err, ERR_CONFIG, n->line,
			       "line %u: %zu rules, at most %d are allowed", n->line, n->n,
			       GROUP_RULES_MAX);
	rules->v = mem_zalloc(n->n * sizeof(*rules->v));
	for (const struct yaml_item *i = n->items; i; i = i->next) {
		rules->n++;
		if (rule_read(i->value, &rules->v[rules->n - 1], err) < 0)
			return -1;
	}
	return 0;
}

static const struct yaml_field file_fields[] = {
	{ "rules", read_rules, 0 },
	{ "access", access_rules_read, offsetof(struct group_rules, access) },
};
static const struct yaml_type file_type = { "configuration", file_fields, ARRAY_LEN(file_fields) };

int group_rules_parse(struct str text, struct group_rules **ret, struct err *err)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = mem_zalloc(sizeof(*rules));
	CLEANUP(arena_done) struct arena arena;
	const struct yaml_node *root;

	rules->refs = 1;
	arena_init(&arena, YAML_ARENA_BYTES);
	if (yaml_parse(text, &arena, &root, err) < 0)
		return -1;
	if (root && yaml_read_struct(root, &file_type, rules, err) < 0)
		return -1;
	*ret = TAKE(rules);
	return 0;
}

int group_rules_read(const char *path, enum config_file_kinds which, struct group_rules **ret,
		     struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	if (config_file_read(path, which, YAML_MAX_BYTES, &text, err) < 0)
		return -1;
	return group_rules_parse(strbuf_str(&text), ret, err);
}

int group_rules_find(const struct group_rules *rules, const struct key *key,
		     const struct group_rule **ret, struct err *err)
{
	*ret = NULL;
	for (size_t i = 0; i < rules->n; i++) {
		const struct group_rule *rule = &rules->v[i];
		int r = selector_match(rule->match, key, err);

		if (r < 0) {
			err->reason = ERR_INVALID;
			return rule_at_line(rule->line, err);
		}
		if (r > 0) {
			*ret = rule;
			return 0;
		}
	}
	return 0;
}

/* The first rule with this selector, which is the one that applies. NULL: there is none. */
static const struct group_rule *with_selector(const struct group_rules *rules, struct str selector)
{
	for (size_t i = 0; i < rules->n; i++)
		if (str_eq(selector_text(rules->v[i].match), selector))
			return &rules->v[i];
	return NULL;
}

static const struct source_labels *labels_of(const struct group_rule *rule)
{
	return rule && rule->options.has_source_labels ? &rule->options.source_labels
						       : &source_labels_usual;
}

/* The order of the labels does not matter. */
static bool same_labels(const struct source_labels *a, const struct source_labels *b)
{
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t j = 0;

		while (j < b->n && !str_eq(a->names[i], b->names[j]))
			j++;
		if (j == b->n)
			return false;
	}
	return a->n == b->n;
}

void group_rules_regrouped(const struct group_rules *old, const struct group_rules *new,
			   group_rules_regrouped_fn fn, void *arg)
{
	const struct group_rules *both[] = { new, old };

	for (size_t i = 0; i < new->n + old->n; i++) {
		const struct group_rules *of = both[i >= new->n];
		const struct group_rule *rule = &of->v[i < new->n ? i : i - new->n];
		struct str selector = selector_text(rule->match);
		const struct group_rule *is = with_selector(new, selector);
		const struct group_rule *was = with_selector(old, selector);

		/*
		 * Each selector is looked at once: an old rule whose selector is still there was
		 * compared with the new rule.
		 */
		if (rule == (of == new ? is : was) && (of == new || !is) &&
		    !same_labels(labels_of(was), labels_of(is)))
			fn(arg, selector, labels_of(was), labels_of(is));
	}
}

struct group_rules *group_rules_ref(struct group_rules *rules)
{
	atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
	return rules;
}

void group_rules_unref(struct group_rules *rules)
{
	if (!rules || atomic_fetch_sub_explicit(&rules->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < rules->n; i++)
		rule_done(&rules->v[i]);
	free(rules->v);
	access_rules_free(rules->access);
	free(rules);
}
