/*
 * Histories of pushes and deletes beside the naive store: four bytes are a push, or what is done
 * with the batch. What a push is told and what is shown must be the same, before and after the rows
 * have been read again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "journal/load.h"
#include "lib/exposed.h"
#include "lib/mem_storage.h"
#include "lib/naive_push.h"
#include "store/store.h"

enum { BATCH_MAX = 8, BYTES_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct naive_store shown, staged;
	struct store *store;
	struct mem_storage rows;
	struct push *batch[BATCH_MAX];
	unsigned n;
	double now;
};

static struct store *new_store(const struct world *w)
{
	const struct store_limits limits = { w->shown.max_groups, w->shown.max_series };
	struct store *s = store_new(&limits);

	for (int i = 0; i < NAIVE_NAMES - 1; i++)
		if (naive_names[i].own >= 0)
			store_add_own(s, str_of(naive_names[i].name), naive_names[i].own);
	return s;
}

static void check_same(const struct world *w, struct store *s)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	struct store_counts counts = store_counts(s);

	exposed_add(s, &got);
	naive_expose(&w->shown, &want);
	assert(str_eq(strbuf_str(&got), strbuf_str(&want)));
	assert(counts.groups == naive_groups(&w->shown));
	assert(counts.series == naive_lines(&w->shown));
}

static void end_batch(struct world *w, bool refuse)
{
	struct err err;

	w->rows.refuse = refuse;
	if (w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err) ==
	    STORAGE_COMMITTED) {
		store_publish(w->store);
		w->shown = w->staged;
	} else {
		store_rollback(w->store);
		w->staged = w->shown;
	}
	while (w->n > 0)
		push_free(w->batch[--w->n]);
	check_same(w, w->store);
}

static void reload(struct world *w)
{
	struct store *again = new_store(w);
	struct err err = { 0 };

	assert(load_store(&w->rows.base, again, &err) == STORAGE_LOADED);
	check_same(w, again);
	store_free(w->store);
	w->store = again;
}

static void clean(struct world *w, uint64_t bytes)
{
	struct err err;
	bool committed;

	w->rows.refuse = false;
	assert(storage_clean(&w->rows.base, w->store, bytes, &err) == 0);
	store_clean_rows(w->store);
	committed = w->rows.base.ops->commit(&w->rows.base, store_rows(w->store), &err) ==
		    STORAGE_COMMITTED;
	assert(committed);
	store_clean_end(w->store, true);
	store_publish(w->store);
}

static void push(struct world *w, uint64_t rng)
{
	struct naive_push p;
	struct push *push;
	enum err_reason want;

	if (w->n == BATCH_MAX)
		end_batch(w, false);
	w->now++;
	naive_random_push(&rng, w->now, &p);
	push = naive_real_push(&p);
	store_stage(w->store, push);
	want = naive_apply(&w->staged, &p);
	assert(push->err.reason == want);
	w->batch[w->n++] = push;
}

static void step(struct world *w, const uint8_t bytes[4])
{
	uint32_t rng;

	memcpy(&rng, bytes, sizeof(rng));
	switch (bytes[0]) {
	case 0:
	case 1:
		end_batch(w, bytes[0]);
		break;
	case 2:
		end_batch(w, false);
		reload(w);
		break;
	case 3:
		end_batch(w, false);
		clean(w, (uint64_t)bytes[1] * 64);
		break;
	default:
		push(w, rng);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = calloc(1, sizeof(*w));

	assert(w);
	w->shown.max_groups = size > 0 && data[0] % 4 == 0 ? 3 : 1000;
	w->shown.max_series = size > 0 && data[0] % 8 == 0 ? 40 : 100000;
	w->staged = w->shown;
	w->store = new_store(w);
	mem_storage_init(&w->rows);
	for (size_t i = 1; i + 4 <= size && i < BYTES_MAX; i += 4)
		step(w, data + i);
	end_batch(w, false);
	reload(w);
	store_free(w->store);
	mem_storage_done(&w->rows);
	free(w);
	return 0;
}
