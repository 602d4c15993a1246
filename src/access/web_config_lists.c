/* Lists of strings and maps of them. */
#include <stdlib.h>
#include <string.h>

#include "access/web_config_internal.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/table.h"

int read_strings(const struct yaml_node *n, const char *type, struct web_strings *to,
		 struct err *err)
{
	if (n->kind != YAML_LIST)
		return yaml_is_null(n) ? 0 : yaml_wrong_type(n, type, err);
	to->v = mem_zalloc((n->n + 1) * sizeof(*to->v));
	for (const struct yaml_item *i = n->items; i; i = i->next) {
		to->v[to->n++] = mem_strdup("");
		if (yaml_read_text(i->value, "string", &to->v[to->n - 1], err) < 0)
			return -1;
	}
	return 0;
}

static bool has_name(const struct table *t, uint64_t hash, const char *name)
{
	const struct web_pair *pair;

	for (size_t at = table_first(t, hash); (pair = table_next(t, hash, &at));)
		if (strcmp(pair->name, name) == 0)
			return true;
	return false;
}

static int read_pair(const struct yaml_item *item, const char *value_type, struct web_pair *pair,
		     struct table *names, struct err *err)
{
	char quoted[128];
	uint64_t hash;

	*pair = (struct web_pair){ mem_strdup(""), mem_strdup("") };
	if (yaml_read_text(item->key, "string", &pair->name, err) < 0 ||
	    yaml_read_text(item->value, value_type, &pair->value, err) < 0)
		return -1;
	hash = hash_bytes(str_of(pair->name));
	if (has_name(names, hash, pair->name))
		return err_set(err, ERR_CONFIG, item->key->line,
			       "yaml: unmarshal errors: line %u: key %s already set in map",
			       item->key->line,
			       str_quote(str_of(pair->name), quoted, sizeof(quoted)));
	table_add(names, hash, pair);
	return 0;
}

int read_pairs(const struct yaml_node *n, const char *type, const char *value_type,
	       struct web_pairs *to, struct err *err)
{
	CLEANUP(table_done) struct table names = { 0 };

	if (n->kind != YAML_MAP)
		return yaml_is_null(n) ? 0 : yaml_wrong_type(n, type, err);
	to->v = mem_zalloc((n->n + 1) * sizeof(*to->v));
	for (const struct yaml_item *i = n->items; i; i = i->next)
		if (read_pair(i, value_type, &to->v[to->n++], &names, err) < 0)
			return -1;
	return 0;
}

void strings_free(struct web_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
}

void pairs_free(struct web_pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].value);
	}
	free(p->v);
}
