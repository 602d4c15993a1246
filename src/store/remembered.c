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

static void forget_restored(struct remembered *r)
{
	for (size_t i = 0; i < r->n_restored; i++)
		free(r->restored[i].hashes);
	free(r->restored);
	r->restored = NULL;
	r->n_restored = r->cap_restored = 0;
}

void remembered_done(struct remembered *r)
{
	free(r->ring);
	free(r->rows);
	free(r->places);
	free(r->staged);
	forget_restored(r);
}

static bool same(struct remembered_hash a, struct remembered_hash b)
{
	return a.v[0] == b.v[0] && a.v[1] == b.v[1];
}

struct remembered_hash remembered_at(const struct remembered *r, size_t i)
{
	assert(r->cap > 0);
	return r->ring[(r->first + i) % r->cap];
}

static struct remembered_hash hash_in(struct str body, size_t i)
{
	const char *p = body.p + i * REMEMBERED_BYTES;

	return (struct remembered_hash){ { le_take(p, 8), le_take(p + 8, 8) } };
}

/* ---- where in the ring a hash is: open addressing ---- */

static size_t home_of(const struct remembered *r, size_t place)
{
	return r->ring[place].v[0] & (r->cap_places - 1);
}

static void put_place(struct remembered *r, size_t place)
{
	size_t at = home_of(r, place);

	while (r->places[at])
		at = (at + 1) & (r->cap_places - 1);
	r->places[at] = (uint32_t)place + 1;
}

/* Makes room for n hashes, so that the table is at most half full. */
static void reserve_places(struct remembered *r, size_t n)
{
	size_t cap = r->cap_places ? r->cap_places : 64;

	while (cap < 2 * n)
		cap *= 2;
	if (cap == r->cap_places)
		return;
	free(r->places);
	r->places = mem_zalloc(cap * sizeof(*r->places));
	r->cap_places = cap;
	for (size_t i = 0; i < r->n; i++)
		put_place(r, (r->first + i) % r->cap);
}

static void remove_place(struct remembered *r, size_t place)
{
	size_t mask = r->cap_places - 1, hole = home_of(r, place);

	while (r->places[hole] != place + 1)
		hole = (hole + 1) & mask;
	/* Move back what would otherwise be cut off from its home by the hole. */
	for (size_t at = (hole + 1) & mask; r->places[at]; at = (at + 1) & mask) {
		size_t home = home_of(r, r->places[at] - 1);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			r->places[hole] = r->places[at];
			hole = at;
		}
	}
	r->places[hole] = 0;
}

bool remembered_has(const struct remembered *r, struct remembered_hash h)
{
	size_t mask = r->cap_places - 1;

	if (r->cap_places > 0)
		for (size_t at = h.v[0] & mask; r->places[at]; at = (at + 1) & mask)
			if (same(r->ring[r->places[at] - 1], h))
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

static uint64_t row_bytes(const struct remembered_row *row)
{
	return row->number ? row_bytes_of((size_t)row->n_row * REMEMBERED_BYTES) : 0;
}

/* A row is no longer live once the last of its hashes is forgotten. */
static void forget_oldest(struct remembered *r)
{
	struct remembered_row *row = &r->rows[r->first_row];

	remove_place(r, r->first);
	r->first = (r->first + 1) % r->cap;
	r->n--;
	if (--row->n_left > 0)
		return;
	r->live_bytes -= row_bytes(row);
	r->first_row++;
	r->n_rows--;
}

/* A ring that has not gone round yet begins at its first place, so it can simply be made longer. */
static void grow(struct remembered *r)
{
	size_t cap = r->cap ? r->cap * 2 : 64;

	r->cap = cap < r->max ? cap : r->max;
	r->ring = mem_realloc(r->ring, r->cap * sizeof(*r->ring));
}

static void add_hash(struct remembered *r, struct remembered_hash hash)
{
	size_t place;

	if (r->n == r->cap && r->cap < r->max)
		grow(r);
	else if (r->n == r->cap)
		forget_oldest(r);
	reserve_places(r, r->n + 1);
	place = (r->first + r->n) % r->cap;
	r->ring[place] = hash;
	r->n++;
	put_place(r, place);
}

/* Forgotten rows leave room in front, into which the others move. */
static void add_row(struct remembered *r, const struct remembered_row *row)
{
	if (r->first_row + r->n_rows == r->cap_rows && r->first_row > r->n_rows) {
		copy_bytes(r->rows, r->rows + r->first_row, r->n_rows * sizeof(*r->rows));
		r->first_row = 0;
	} else if (r->first_row + r->n_rows == r->cap_rows) {
		r->cap_rows = r->cap_rows ? r->cap_rows * 2 : 64;
		r->rows = mem_realloc(r->rows, r->cap_rows * sizeof(*r->rows));
	}
	r->rows[r->first_row + r->n_rows++] = *row;
	r->live_bytes += row_bytes(row);
}

enum { AHEAD = 16 };

/* Adds the hashes of one row; those of older rows have been added before. */
static void add(struct remembered *r, const struct remembered_row *row,
		const struct remembered_hash *hashes)
{
	if (row->n_row == 0)
		return;
	add_row(r, row);
	for (uint32_t i = 0; i < row->n_row; i++) {
		/* Most of the time goes into waiting for memory. */
		if (r->cap_places > 0 && i + AHEAD < row->n_row)
			__builtin_prefetch(&r->places[hashes[i + AHEAD].v[0] & (r->cap_places - 1)],
					   1);
		add_hash(r, hashes[i]);
	}
}

int64_t remembered_publish(struct remembered *r)
{
	uint32_t n = (uint32_t)r->n_staged;
	int64_t before = (int64_t)r->live_bytes;

	add(r, &(struct remembered_row){ r->row, n, n }, r->staged);
	r->n_staged = 0;
	r->row = 0;
	return (int64_t)r->live_bytes - before;
}

void remembered_roll_back(struct remembered *r)
{
	r->n_staged = 0;
	r->row = 0;
}

bool remembered_is_live(const struct remembered *r, uint64_t number)
{
	const struct remembered_row *rows = r->rows + r->first_row;
	size_t lo = 0, hi = r->n_rows;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rows[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->n_rows && rows[lo].number == number;
}

/* ---- start ---- */

int remembered_restore(struct remembered *r, const struct row *row)
{
	size_t n = row->body.n / REMEMBERED_BYTES;
	struct remembered_hash *hashes;

	if (n == 0 || row->body.n % REMEMBERED_BYTES != 0)
		return -1;
	if (r->n_restored == r->cap_restored) {
		r->cap_restored = r->cap_restored ? r->cap_restored * 2 : 64;
		r->restored = mem_realloc(r->restored, r->cap_restored * sizeof(*r->restored));
	}
	hashes = mem_alloc(n * sizeof(*hashes));
	for (size_t i = 0; i < n; i++)
		hashes[i] = hash_in(row->body, i);
	r->restored[r->n_restored++] = (struct restored_row){
		{ row_first_number(row), (uint32_t)n, (uint32_t)n }, hashes
	};
	return 0;
}

int remembered_apply(struct remembered *r, const struct row *row)
{
	size_t n = row->body.n / REMEMBERED_BYTES;

	if (n == 0 || row->body.n % REMEMBERED_BYTES != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		remembered_stage(r, hash_in(row->body, i));
	r->row = row_first_number(row);
	return 0;
}

static int newest_first(const void *pa, const void *pb)
{
	const struct restored_row *a = pa, *b = pb;

	return (b->row.number > a->row.number) - (b->row.number < a->row.number);
}

/* How many of these rows, the newest first, are needed for `max` hashes. */
static size_t count_needed(const struct remembered *r, size_t *ret_hashes)
{
	size_t n = 0;

	*ret_hashes = 0;
	while (n < r->n_restored && *ret_hashes < r->max)
		*ret_hashes += r->restored[n++].row.n_row;
	return n;
}

int64_t remembered_restore_end(struct remembered *r)
{
	size_t rows, hashes;

	array_sort(r->restored, r->n_restored, newest_first);
	rows = count_needed(r, &hashes);
	reserve_places(r, hashes < r->max ? hashes : r->max);
	while (rows-- > 0)
		add(r, &r->restored[rows].row, r->restored[rows].hashes);
	forget_restored(r);
	return (int64_t)r->live_bytes;
}
