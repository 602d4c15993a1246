#include "merge/sum_push.h"

#include "base/hash.h"
#include "base/mem.h"

static bool is_gauge(const struct family *f)
{
	return f->type == METRIC_GAUGE ||
	       (f->type == METRIC_UNTYPED && !str_has_suffix(f->name, STR("_total")));
}

int sum_push_policy(void *arg, const struct family *f, enum merge_policy *ret, struct err *err)
{
	const struct push_options *o = arg;
	const struct group_options *g = &o->group;
	int r = is_gauge(f) ? gauge_policies_find(g->gauges, f->name, ret, err) : 0;

	if (r < 0)
		return -1;
	if (r == 0)
		*ret = merge_policy_of(f->name, f->type, gauge_policies_default(g->gauges),
				       g->keep_runtime_metrics);
	if (g->mode == GROUP_ADD && merge_policy_is_live(*ret))
		*ret = MERGE_MOSTRECENT;
	return 0;
}

static struct source_options source_options_of(const struct push_options *o)
{
	return (struct source_options){
		.labels = o->group.source_labels.names,
		.n_labels = o->group.source_labels.n,
		.has_source = o->says.has_source,
		.has_start = o->says.has_start,
		.source = o->says.source,
		.start = o->says.start,
	};
}

static int say(struct push *push, const struct said_head *head, const struct push_options *o,
	       struct family *families, struct arena *a)
{
	struct said *said;
	struct err err = { 0 };

	/* A refused push keeps its source, at which the committer notes the refusal. */
	if (said_make(push->err.reason ? NULL : families, head, sum_push_policy, (void *)o, a,
		      &said, &err) < 0) {
		if (err.reason == ERR_INVALID)
			err_prefix(&err, PUSH_INVALID_PREFIX);
		push->err = err;
		if (said_make(NULL, head, sum_push_policy, (void *)o, a, &said, &err) < 0)
			return -1;
	}
	push->said = said;
	push->node.bytes += said->bytes;
	return 0;
}

struct push *sum_push_build(struct push_builder *b, enum push_mode mode, const struct key *key,
			    const struct push_options *o, struct family *families, double now,
			    struct err *err)
{
	const struct source_options source = source_options_of(o);
	bool need = o->group.mode == GROUP_SUM && mode != PUSH_DELETE;
	CLEANUP(strbuf_done) struct strbuf whole = { 0 };
	struct said_head head = { .push_id = o->says.push_id, .now = now };
	struct push *push;
	struct key group;

	if (source_split(key, &source, families, need, b->arena, &group, &head.source, err) < 0 ||
	    source_strip(families, key, &group, b->arena, err) < 0)
		return NULL;
	key_encode(key, &whole);
	head.whole_key = strbuf_str(&whole);
	b->check_only = true;
	push = push_build(b, mode, &group, families, now);
	b->check_only = false;
	push->options = *o;
	if (say(push, &head, o, families, b->arena) == 0)
		return push;
	*err = push->err;
	push_free(push);
	return NULL;
}
