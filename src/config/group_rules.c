#include "config/group_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/units.h"
#include "config/yaml_value.h"

/* Puts the line in front of what an error says. */
static int at_line(uint32_t line, struct err *err)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "line %u: ", line);
	err->line = line;
	err_prefix(err, prefix);
	return -1;
}

static int read_period(const struct yaml_node *n, bool *has, int64_t *to, struct err *err)
{
	if (n->kind != YAML_SCALAR || yaml_is_null(n))
		return yaml_wrong_type(n, "a duration like 15m", err);
	if (period_parse(n->text, to, err) < 0)
		return at_line(n->line, err);
	*has = true;
	return 0;
}

static int read_ttl(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_ttl, &o->ttl_ns, err);
}

static int read_keep_times(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_keep_times, &o->keep_times_ns, err);
}

static int read_expect_every(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_options *o = &((struct group_rule *)to)->options;

	return read_period(n, &o->has_expect_every, &o->expect_every_ns, err);
}

static int read_match(const struct yaml_node *n, void *to, struct err *err)
{
	struct group_rule *rule = to;

	if (n->kind != YAML_SCALAR || yaml_is_null(n))
		return yaml_wrong_type(n, "a selector like '{job=~\"ci-.*\"}'", err);
	if (selector_parse(n->text, &rule->match, err) < 0)
		return at_line(n->line, err);
	return 0;
}

static const struct yaml_field rule_fields[] = {
	{ "match", read_match, 0 },
	{ "ttl", read_ttl, 0 },
	{ "keep_times", read_keep_times, 0 },
	{ "expect_every", read_expect_every, 0 },
};

static const struct yaml_type rule_type = { "rule", rule_fields, ARRAY_LEN(rule_fields) };

static int read_rule(const struct yaml_node *n, struct group_rule *rule, struct err *err)
{
	rule->line = n->line;
	if (yaml_read_struct(n, &rule_type, rule, err) < 0)
		return -1;
	if (rule->match)
		return 0;
	return err_set(err, ERR_CONFIG, n->line,
		       "line %u: the rule does not say which groups it is for: add match: "
		       "'{job=\"…\"}', or match: '{}' for all",
		       n->line);
}

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
		if (read_rule(i->value, &rules->v[rules->n - 1], err) < 0)
			return -1;
	}
	return 0;
}

static const struct yaml_field file_fields[] = { { "rules", read_rules, 0 } };
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
			return at_line(rule->line, err);
		}
		if (r > 0) {
			*ret = rule;
			return 0;
		}
	}
	return 0;
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
		selector_free(rules->v[i].match);
	free(rules->v);
	free(rules);
}
