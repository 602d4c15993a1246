#include "journal/load.h"

#include <stdlib.h>

#include "base/mem.h"
#include "format/text/write.h"
#include "journal/decoders.h"
#include "push/rules.h"

struct loader {
	struct store *store;
	struct decoders *decoders;
	uint8_t *closed; /* a bit for each group: a whole segment was loaded */
	uint32_t n_closed;
	struct arena arena;
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
		return err_set(err, ERR_SYSTEM, 0, "the key of group %u is damaged", id);
	text_write_labels(&labels, group.labels, group.n_labels, false);
	return store_restore_group(l->store, id, key_bytes, strbuf_str(&labels), pushed_at,
				   failed_at, err);
}

static bool is_closed(const struct loader *l, uint32_t group)
{
	return group / 8 < l->n_closed && l->closed[group / 8] & 1u << group % 8;
}

static void close_group(struct loader *l, uint32_t group)
{
	if (group / 8 >= l->n_closed) {
		uint32_t n = group / 4 + 1024;

		l->closed = mem_realloc(l->closed, n);
		memset(l->closed + l->n_closed, 0, n - l->n_closed);
		l->n_closed = n;
	}
	l->closed[group / 8] |= (uint8_t)(1u << group % 8);
}

static int restore(void *arg, const struct storage_segment *seg, struct push *push, struct err *err)
{
	struct loader *l = arg;

	return store_restore_segment(l->store, seg->group, seg->row, push, err);
}

static int load_segment(void *arg, const struct storage_segment *seg, struct err *err)
{
	struct loader *l = arg;

	if (seg->group > STORE_GROUP_ID_MAX)
		return err_set(err, ERR_SYSTEM, 0, "segment %llu is of group %u, which cannot be",
			       (unsigned long long)seg->row, seg->group);
	store_restore_row(l->store, seg->row, seg->body.n);
	if (is_closed(l, seg->group))
		return 0;
	if (seg->whole)
		close_group(l, seg->group);
	/* Without a body: the end of a group, which may have gone since. */
	if (seg->body.n == 0)
		return 0;
	return decoders_add(l->decoders, seg, store_group_key(l->store, seg->group), err);
}

enum storage_load_result load_store(struct storage *st, struct store *store, struct err *err)
{
	struct loader l = { .store = store };
	struct storage_sink sink = { load_group, load_segment, &l };
	enum storage_load_result r;

	l.decoders = decoders_start(restore, &l, err);
	if (!l.decoders)
		return STORAGE_FAILED;
	arena_init(&l.arena, SIZE_MAX);
	r = st->ops->load(st, &sink, err);
	if (r == STORAGE_LOADED && decoders_finish(l.decoders, err) < 0)
		r = STORAGE_DAMAGED;
	if (r == STORAGE_LOADED)
		store_restore_end(store);
	decoders_free(l.decoders);
	arena_done(&l.arena);
	free(l.closed);
	return r;
}
