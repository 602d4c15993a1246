#include "lib/gateway.h"

#include <check.h>

void gateway_init(struct gateway *g, uint64_t max_groups, uint64_t max_series)
{
	*g = (struct gateway){
		.store = store_new(&(struct store_limits){ max_groups, max_series }),
		.now = 1.5,
	};
	mem_storage_init(&g->rows);
}

void gateway_rules(struct gateway *g, const char *text)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct err err = { 0 };

	ck_assert_msg(group_rules_parse(str_of(text), &rules, &err) == 0, "%s", err.msg);
	store_use_rules(g->store, rules);
	while (store_count_labels(g->store))
		;
}

void gateway_done(struct gateway *g)
{
	for (unsigned i = 0; i < g->n; i++)
		push_free(g->pushes[i]);
	store_free(g->store);
	mem_storage_done(&g->rows);
}

void gateway_stage(struct gateway *g, const struct gateway_push *p)
{
	struct push *push = make_push(p->mode, p->path, p->body, g->now++);

	ck_assert_uint_lt(g->n, GATEWAY_PUSHES);
	g->pushes[g->n++] = push;
	store_stage(g->store, push);
	ck_assert_msg(push->err.reason == p->reason, "push %u to %s: %d %s", g->n, p->path,
		      push->err.reason, push->err.msg);
}

void gateway_publish(struct gateway *g)
{
	struct err err;

	ck_assert_int_eq(g->rows.base.ops->commit(&g->rows.base, store_rows(g->store), &err),
			 STORAGE_COMMITTED);
	store_publish(g->store);
}

void gateway_push(struct gateway *g, enum push_mode mode, const char *path, const char *body,
		  enum err_reason reason)
{
	gateway_stage(g, &(struct gateway_push){ mode, path, body, reason });
	gateway_publish(g);
}

void gateway_check_counts(struct gateway *g, uint64_t groups, uint64_t series)
{
	struct store_counts c = store_counts(g->store);

	ck_assert_msg(c.groups == groups && c.series == series, "%llu groups, %llu series",
		      (unsigned long long)c.groups, (unsigned long long)c.series);
}
