#include "config/guard_rails.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { NAMES_MAX = 1000, VALUES_MAX = 32 };

static bool is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !yaml_is_null(n);
}

static int too_many(const struct yaml_node *n, const char *what, int max, struct err *err)
{
	return err_set(err, ERR_CONFIG, n->line, "line %u: %zu %s, at most %d are allowed", n->line,
		       n->n, what, max);
}

int guard_rails_read_labels(const struct yaml_node *n, void *to, struct err *err)
{
	struct guard_rails *g = to;

	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n, "a list of labels like [user_id, email]", err);
	if (n->n > NAMES_MAX)
		return too_many(n, "labels", NAMES_MAX, err);
	g->deny_labels = mem_zalloc((n->n + 1) * sizeof(*g->deny_labels));
	for (const struct yaml_item *i = n->items; i; i = i->next) {
		const struct yaml_node *name = i->value;

		if (!is_text(name) || name->text.n == 0)
			return yaml_wrong_type(name, "the name of a label", err);
		if (str_eq(name->text, STR("job")) || str_eq(name->text, STR("instance")))
			return yaml_wrong_value(name, "every series has this label", err);
		g->deny_labels[g->n_deny_labels++] = (struct str){
			mem_dup(name->text.p, name->text.n), name->text.n
		};
	}
	return 0;
}

int guard_rails_read_values(const struct yaml_node *n, void *to, struct err *err)
{
	struct guard_rails *g = to;

	if (n->kind != YAML_LIST)
		return yaml_wrong_type(n, "a list of regular expressions like ['[^@]+@[^@]+']",
				       err);
	if (n->n > VALUES_MAX)
		return too_many(n, "expressions", VALUES_MAX, err);
	g->deny_values = mem_zalloc((n->n + 1) * sizeof(struct expression *));
	for (const struct yaml_item *i = n->items; i; i = i->next) {
		char at_line[32];

		if (!is_text(i->value))
			return yaml_wrong_type(i->value, "a regular expression", err);
		if (expression_parse(i->value->text, &g->deny_values[g->n_deny_values], err) < 0) {
			snprintf(at_line, sizeof(at_line), "line %u: ", i->value->line);
			err->line = i->value->line;
			err_prefix(err, at_line);
			return -1;
		}
		if (expression_match(g->deny_values[g->n_deny_values++], STR("")) == 1)
			return yaml_wrong_value(
				i->value,
				"it matches the empty value, which a label that is not there has",
				err);
	}
	return 0;
}

int guard_rails_read_lint(const struct yaml_node *n, void *to, struct err *err)
{
	static const char *const modes[] = { "off", "warn", "refuse" };
	struct guard_rails *g = to;

	if (n->kind != YAML_SCALAR)
		return yaml_wrong_type(n, "off, warn or refuse", err);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (str_eq(n->text, str_of(modes[i]))) {
			g->lint = (enum lint_mode)i;
			return 0;
		}
	return yaml_wrong_value(n, "lint is neither off, warn nor refuse", err);
}

void guard_rails_done(struct guard_rails *g)
{
	for (uint32_t i = 0; i < g->n_deny_labels; i++)
		free((char *)g->deny_labels[i].p);
	for (uint32_t i = 0; i < g->n_deny_values; i++)
		expression_free(g->deny_values[i]);
	free(g->deny_labels);
	free(g->deny_values);
}
