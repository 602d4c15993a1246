#include "config/gauge_policies.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/table.h"
#include "metrics/expression.h"

struct gauge_policy {
	enum merge_policy policy;
	struct expression *expression; /* NULL: a name */
	struct str name;               /* owned */
};

struct gauge_policies {
	atomic_uint refs;
	bool has_default;
	enum merge_policy fallback;
	struct table by_name; /* of all, expressions too */
	struct gauge_policy **list;
	size_t n, cap;
};

struct gauge_policies *gauge_policies_new(void)
{
	struct gauge_policies *g = mem_zalloc(sizeof(*g));

	g->refs = 1;
	g->fallback = MERGE_MOSTRECENT;
	return g;
}

struct gauge_policies *gauge_policies_ref(const struct gauge_policies *g)
{
	struct gauge_policies *own = (struct gauge_policies *)g;

	atomic_fetch_add_explicit(&own->refs, 1, memory_order_relaxed);
	return own;
}

void gauge_policies_unref(const struct gauge_policies *shared)
{
	struct gauge_policies *g = (struct gauge_policies *)shared;

	if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < g->n; i++) {
		expression_free(g->list[i]->expression);
		free((char *)g->list[i]->name.p);
		free(g->list[i]);
	}
	table_done(&g->by_name);
	free(g->list);
	free(g);
}

static const struct gauge_policy *find_name(const struct gauge_policies *g, struct str name)
{
	uint64_t hash = hash_bytes(name);
	const struct gauge_policy *p;

	for (size_t at = table_first(&g->by_name, hash); (p = table_next(&g->by_name, hash, &at));)
		if (str_eq(p->name, name))
			return p;
	return NULL;
}

/* A dot means an expression, too: only UTF-8 names have dots. */
bool gauge_policies_is_name(struct str s)
{
	const struct str special = STR("\\^$.|?*+()[]{}");

	for (size_t i = 0; i < s.n; i++)
		if (memchr(special.p, s.p[i], special.n))
			return false;
	return true;
}

int gauge_policies_add(struct gauge_policies *g, struct str name, enum merge_policy policy,
		       struct err *err)
{
	bool is_default = str_eq(name, STR("default"));
	struct expression *expression = NULL;
	struct gauge_policy *p;
	char quoted[128];

	if (is_default ? g->has_default : find_name(g, name) != NULL)
		return err_set(err, ERR_INVALID, 0, "%s is there twice",
			       str_quote(name, quoted, sizeof(quoted)));
	if (is_default) {
		g->has_default = true;
		g->fallback = policy;
		return 0;
	}
	if (g->n == GAUGE_POLICIES_MAX)
		return err_set(err, ERR_INVALID, 0, "more than %d gauges and expressions",
			       GAUGE_POLICIES_MAX);
	if (!gauge_policies_is_name(name) && expression_parse(name, &expression, err) < 0)
		return -1;
	p = mem_alloc(sizeof(*p));
	*p = (struct gauge_policy){ policy, expression, { mem_dup(name.p, name.n), name.n } };
	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 8;
		g->list = mem_realloc(g->list, g->cap * sizeof(*g->list));
	}
	g->list[g->n++] = p;
	table_add(&g->by_name, hash_bytes(name), p);
	return 0;
}

int gauge_policies_find(const struct gauge_policies *g, struct str name, enum merge_policy *ret,
			struct err *err)
{
	const struct gauge_policy *p = g ? find_name(g, name) : NULL;
	char quoted[128], pattern[128];

	for (size_t i = 0; g && !p && i < g->n; i++) {
		const struct gauge_policy *at = g->list[i];
		int r = at->expression ? expression_match(at->expression, name) : 0;

		if (r < 0)
			return err_set(err, ERR_INVALID, 0,
				       "the regular expression %s takes too long on the name %s: "
				       "write it without repetitions inside of repetitions",
				       str_quote(at->name, pattern, sizeof(pattern)),
				       str_quote(name, quoted, sizeof(quoted)));
		if (r > 0)
			p = at;
	}
	if (!p)
		return 0;
	*ret = p->policy;
	return 1;
}

enum merge_policy gauge_policies_default(const struct gauge_policies *g)
{
	return g ? g->fallback : MERGE_MOSTRECENT;
}

size_t gauge_policies_count(const struct gauge_policies *g)
{
	return g ? g->n + g->has_default : 0;
}

struct str gauge_policies_at(const struct gauge_policies *g, size_t i, enum merge_policy *ret)
{
	if (g->has_default && i == 0) {
		*ret = g->fallback;
		return STR("default");
	}
	i -= g->has_default;
	*ret = g->list[i]->policy;
	return g->list[i]->name;
}
