#include "store/remembered.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/le.h"
#include "base/mem.h"

void remembered_init(struct remembered *r, enum row_kind kind, size_t max)
{
	*r = (struct remembered){ .kind = kind, .max = max };
}

void remembered_done(struct remembered *r)
{
	table_done(&r->places);
	free(r->ring);
	free(r->staged);
}

static bool same(struct remembered_hash a, struct remembered_hash b)
{
	return a.v[0] == b.v[0] && a.v[1] == b.v[1];
}

static struct remembered_item *item_at(const struct remembered *r, size_t i)
{
	assert(r->cap > 0);
	return &r->ring[(r->first + i) % r->cap];
}

struct remembered_hash remembered_at(const struct remembered *r, size_t i)
{
	return item_at(r, i)->hash;
}

bool remembered_has(const struct remembered *r, struct remembered_hash h)
{
	void *place;

	for (size_t at = table_first(&r->places, h.v[0]);
	     (place = table_next(&r->places, h.v[0], &at));)
		if (same(r->ring[(uintptr_t)place - 1].hash, h))
			return true;
	for (size_t i = 0; i < r->n_staged; i++)
		if (same(r->staged[i], h))
			return true;
	return false;
}

void remembered_stage(struct remembered *r, struct remembered_hash h)
{
	if (r->n_staged == r->cap_staged) {
		r->cap_staged = r->cap_staged ? r->cap_staged * 2 : 16;
		r->staged = mem_realloc(r->staged, r->cap_staged * sizeof(*r->staged));
	}
	r->staged[r->n_staged++] = h;
}

struct str remembered_body(const struct remembered *r)
{
	char *p = mem_alloc(r->n_staged * REMEMBERED_BYTES), *at = p;

	for (size_t i = 0; i < r->n_staged; i++)
		at = le_put(le_put(at, r->staged[i].v[0], 8), r->staged[i].v[1], 8);
	return (struct str){ p, r->n_staged * REMEMBERED_BYTES };
}

/* ---- the ring ---- */

static void *place_of(size_t place)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the ring moves, its places do not. */
	return (void *)(uintptr_t)(place + 1);
}

static uint64_t row_bytes(const struct remembered_item *it)
{
	return it->number ? row_bytes_of((size_t)it->n_row * REMEMBERED_BYTES) : 0;
}

/*
 * Returns how many bytes of the log are no longer live: the row, once the last of its hashes is
 * forgotten.
 */
static uint64_t forget_oldest(struct remembered *r)
{
	struct remembered_item it = *item_at(r, 0);

	table_remove(&r->places, it.hash.v[0], place_of(r->first));
	r->first = (r->first + 1) % r->cap;
	r->n--;
	return r->n > 0 && item_at(r, 0)->number == it.number ? 0 : row_bytes(&it);
}

/* A ring that has not gone round yet begins at its first place, so it can simply be made longer. */
static void grow(struct remembered *r)
{
	size_t cap = r->cap ? r->cap * 2 : 64;

	r->cap = cap < r->max ? cap : r->max;
	r->ring = mem_realloc(r->ring, r->cap * sizeof(*r->ring));
}

static uint64_t add(struct remembered *r, const struct remembered_item *it)
{
	uint64_t dead = 0;
	size_t place;

	if (r->n == r->cap && r->cap < r->max)
		grow(r);
	else if (r->n == r->cap)
		dead = forget_oldest(r);
	place = (r->first + r->n) % r->cap;
	r->ring[place] = *it;
	r->n++;
	table_add(&r->places, it->hash.v[0], place_of(place));
	return dead;
}

int64_t remembered_publish(struct remembered *r)
{
	struct remembered_item it = { .number = r->row, .n_row = (uint32_t)r->n_staged };
	int64_t grown = r->n_staged ? (int64_t)row_bytes(&it) : 0;

	for (size_t i = 0; i < r->n_staged; i++) {
		it.hash = r->staged[i];
		grown -= (int64_t)add(r, &it);
	}
	r->n_staged = 0;
	r->row = 0;
	return grown;
}

void remembered_roll_back(struct remembered *r)
{
	r->n_staged = 0;
	r->row = 0;
}

bool remembered_is_live(const struct remembered *r, uint64_t number)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (item_at(r, mid)->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->n && item_at(r, lo)->number == number;
}

/* ---- start ---- */

int remembered_restore(struct remembered *r, const struct row *row)
{
	size_t n = row->body.n / REMEMBERED_BYTES;

	if (n == 0 || row->body.n % REMEMBERED_BYTES != 0)
		return -1;
	r->ring = mem_realloc(r->ring, (r->n + n) * sizeof(*r->ring));
	for (size_t i = 0; i < n; i++) {
		const char *p = row->body.p + i * REMEMBERED_BYTES;

		r->ring[r->n++] = (struct remembered_item){
			{ { le_take(p, 8), le_take(p + 8, 8) } }, row_first_number(row), (uint32_t)n
		};
	}
	return 0;
}

int remembered_apply(struct remembered *r, const struct row *row)
{
	size_t n = row->body.n / REMEMBERED_BYTES;

	if (n == 0 || row->body.n % REMEMBERED_BYTES != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *p = row->body.p + i * REMEMBERED_BYTES;

		remembered_stage(r,
				 (struct remembered_hash){ { le_take(p, 8), le_take(p + 8, 8) } });
	}
	r->row = row_first_number(row);
	return 0;
}

/* The place is compared last, which makes the sort stable: hashes of one row keep their order. */
struct sorted {
	struct remembered_item it;
	size_t at;
};

static int by_number(const void *pa, const void *pb)
{
	const struct sorted *a = pa, *b = pb;

	if (a->it.number != b->it.number)
		return (a->it.number > b->it.number) - (a->it.number < b->it.number);
	return (a->at > b->at) - (a->at < b->at);
}

int64_t remembered_restore_end(struct remembered *r)
{
	size_t n = r->n;
	CLEANUP(freep) struct sorted *all = mem_alloc(n * sizeof(*all));
	int64_t live = 0;

	for (size_t i = 0; i < n; i++)
		all[i] = (struct sorted){ r->ring[i], i };
	free(r->ring);
	r->ring = NULL;
	r->n = r->cap = 0;
	array_sort(all, n, by_number);
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || all[i - 1].it.number != all[i].it.number;

		live += first ? (int64_t)row_bytes(&all[i].it) : 0;
		live -= (int64_t)add(r, &all[i].it);
	}
	return live;
}
