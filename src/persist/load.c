#include "persist/load.h"

#include "format/proto_decode.h"
#include "format/text_write.h"
#include "model/rules.h"

struct loader {
	struct store *store;
	struct arena arena;
	struct push_builder builder;
};

/* What was accepted once is not measured against today's limits: a lowered flag loses nothing. */
static const struct decode_limits no_limits = {
	.max_labels = UINT32_MAX,
	.max_label_name = UINT32_MAX,
	.max_label_value = UINT32_MAX,
	.max_series = UINT64_MAX,
	.utf8_names = true,
};

static int load_group(void *arg, uint32_t id, struct str key_bytes, double pushed_at,
		      double failed_at, struct err *err)
{
	struct loader *l = arg;
	CLEANUP(strbuf_done) struct strbuf labels = { 0 };
	struct metric group = { 0 };
	struct key key;

	arena_reset(&l->arena);
	if (key_decode(key_bytes, &l->arena, &key) < 0 ||
	    rules_apply_key(&group, &key, &l->arena) < 0)
		return err_set(err, 500, 0, "the key of group %u is damaged", id);
	text_write_labels(&labels, group.labels, group.n_labels, false);
	return store_restore_group(l->store, id, key_bytes, strbuf_str(&labels), pushed_at,
				   failed_at, err);
}

static int load_segment(void *arg, uint64_t row, uint32_t group, uint64_t seq, double pushed_at,
			struct str body, struct err *err)
{
	struct loader *l = arg;
	CLEANUP(push_freep) struct push *push = NULL;
	struct family *families;
	struct key key;

	arena_reset(&l->arena);
	if (proto_decode(body, &no_limits, &l->arena, &families, err) < 0)
		return -1;
	if (key_decode(store_group_key(l->store, group), &l->arena, &key) < 0)
		return err_set(err, 500, 0, "segment %llu belongs to no group",
			       (unsigned long long)row);
	push = push_build(&l->builder, PUSH_POST, &key, families, pushed_at);
	return store_restore_segment(l->store, group, row, seq, push, err);
}

enum storage_load_result load_store(struct storage *st, struct store *store, struct err *err)
{
	struct loader l = {
		.store = store,
		.builder = { .max_series = UINT64_MAX, .max_labels = UINT32_MAX },
	};
	struct storage_sink sink = { load_group, load_segment, &l };

	arena_init(&l.arena, SIZE_MAX);
	l.builder.arena = &l.arena;
	enum storage_load_result r = st->ops->load(st, &sink, err);

	push_builder_done(&l.builder);
	arena_done(&l.arena);
	return r;
}
