#include "pages/entry.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "pages/family.h"
#include "pages/page.h"

enum { STORED_FEW = 0xFFFFFF }; /* the largest value of `stored` in struct lines */

struct str lines_text(const struct lines *l)
{
	if (l->staged)
		return l->pushed->text;
	return l->page ? page_text(l->page, l) : STR_NULL;
}

void lines_done(struct lines *l)
{
	bytes_unref(lines_proto(l));
	if (l->has_more)
		free(l->more);
	l->has_more = l->lossy = 0;
}

struct record *record_new(struct push *push, const struct group *g)
{
	struct record *r = mem_zalloc(sizeof(*r));

	r->pushed_at = push->now;
	r->push = push;
	r->group = g;
	r->refs = 1;
	return r;
}

void record_unref(struct record *r)
{
	if (--r->refs == 0)
		free(r);
}

void help_unref(struct help *h)
{
	if (h && --h->refs == 0)
		free(h);
}

/*
 * Only what is lossy has several lines for one series, so a family that is not and has one series
 * is one line.
 */
static void copy_series(struct lines *l, const struct push_family *pf)
{
	size_t size = pf->n_series * sizeof(*pf->hashes);

	if (pf->n_series == 1 && !pf->lossy && pf->stored <= STORED_FEW) {
		l->hash = pf->hashes[0];
		l->stored = (uint32_t)pf->stored & STORED_FEW;
		return;
	}
	l->more = mem_alloc(sizeof(*l->more) + size);
	l->more->stored = pf->stored;
	l->more->n_series = pf->n_series;
	l->more->n_lines = pf->n_lines;
	l->more->proto = pf->lossy ? bytes_of(pf->proto) : NULL;
	copy_bytes(l->more->hashes, pf->hashes, size);
	l->has_more = 1;
	l->lossy = pf->lossy;
}

struct entry *entry_new(struct pool *entries, const struct push_family *pf, struct help *help,
			struct record *record, uint32_t *ret_id)
{
	struct entry *e = pool_take(entries, ret_id);

	static_assert(sizeof(*e) == 40, "there is one for nearly each series");
	e->help = help;
	e->record = record;
	record->refs++;
	e->lines.pushed = pf;
	e->lines.staged = 1;
	e->lines.type = pf->type & 0xF;
	e->lines.escaped = pf->escaped;
	e->lines.bytes = (uint32_t)pf->proto.n;
	copy_series(&e->lines, pf);
	return e;
}

void entry_free(struct pool *entries, uint32_t id)
{
	struct entry *e = pool_at(entries, id);

	lines_done(&e->lines);
	help_unref(e->help);
	record_unref(e->record);
	pool_give(entries, id);
}

bool entry_same_series(const struct entry *a, const struct entry *b)
{
	uint64_t n = lines_n_series(&a->lines);

	return a->lines.type == b->lines.type && n == lines_n_series(&b->lines) &&
	       memcmp(lines_hashes(&a->lines), lines_hashes(&b->lines), n * sizeof(uint64_t)) == 0;
}

/* ---- tables ---- */

static const struct shown_family *family_of(const struct pool *entries, uint32_t id)
{
	const struct entry *e = pool_at(entries, id);

	return e->help->family;
}

static uint32_t *places(struct entry_table *t)
{
	return t->cap > ENTRY_ARRAY_FEW ? t->ids : t->few;
}

static bool is_hashed(const struct entry_table *t)
{
	return t->cap > ENTRY_ARRAY_MAX;
}

void entries_done(struct entry_table *t)
{
	if (t->cap > ENTRY_ARRAY_FEW)
		free(t->ids);
	*t = (struct entry_table){ 0 };
}

/* An array has no free place; a hash table is at most three quarters full. */
static uint32_t capacity_for(uint32_t n)
{
	uint32_t cap = 2 * ENTRY_ARRAY_MAX;

	if (n <= ENTRY_ARRAY_MAX)
		return n ? n : 1;
	while (cap / 4 * 3 < n)
		cap *= 2;
	return cap;
}

void entries_reset(struct entry_table *t, uint32_t n)
{
	uint32_t cap = capacity_for(n);

	if (cap != t->cap) {
		entries_done(t);
		if (cap > ENTRY_ARRAY_FEW)
			t->ids = mem_alloc(cap * sizeof(*t->ids));
		t->cap = cap;
	}
	memset(places(t), 0, cap * sizeof(*t->ids));
	t->n = 0;
}

static uint32_t home(const struct entry_table *t, const struct shown_family *f)
{
	return (uint32_t)f->hash & (t->cap - 1);
}

uint32_t entries_find(const struct entry_table *t, const struct pool *entries,
		      const struct shown_family *family, uint32_t *hint)
{
	uint32_t at = *hint < t->n ? *hint : 0;

	if (!is_hashed(t)) {
		/*
		 * A push usually repeats the one before it, so its next family is behind the one
		 * found last.
		 */
		for (uint32_t i = 0; i < t->n; i++, at = at + 1 < t->n ? at + 1 : 0)
			if (family_of(entries, entries_at(t, at)) == family) {
				*hint = at + 1;
				return entries_at(t, at);
			}
		return 0;
	}
	for (at = home(t, family); t->ids[at]; at = (at + 1) & (t->cap - 1))
		if (family_of(entries, t->ids[at]) == family)
			return t->ids[at];
	return 0;
}

void entries_prefetch(const struct entry_table *t, uint64_t hash)
{
	if (is_hashed(t))
		__builtin_prefetch(&t->ids[(uint32_t)hash & (t->cap - 1)]);
}

void entries_prefetch_entry(const struct entry_table *t, const struct pool *entries, uint64_t hash)
{
	uint32_t id = is_hashed(t) ? t->ids[(uint32_t)hash & (t->cap - 1)] : 0;

	if (id)
		__builtin_prefetch(pool_at(entries, id));
}

void entries_prefetch_few(const struct entry_table *t, const struct pool *entries)
{
	for (uint32_t i = 0; !is_hashed(t) && i < t->n; i++) {
		const char *e = pool_at(entries, entries_at(t, i));

		__builtin_prefetch(e);
		__builtin_prefetch(e + sizeof(struct entry) - 1);
	}
}

static void put(struct entry_table *t, const struct pool *entries, uint32_t id)
{
	uint32_t at = t->n;

	assert(t->n < t->cap);
	if (is_hashed(t))
		for (at = home(t, family_of(entries, id)); places(t)[at];)
			at = (at + 1) & (t->cap - 1);
	places(t)[at] = id;
	t->n++;
}

static void resize(struct entry_table *t, const struct pool *entries, uint32_t n)
{
	struct entry_table old = *t;

	*t = (struct entry_table){ 0 };
	entries_reset(t, n);
	for (uint32_t i = 0; i < old.cap; i++)
		if (entries_at(&old, i))
			put(t, entries, entries_at(&old, i));
	entries_done(&old);
}

void entries_add(struct entry_table *t, const struct pool *entries, uint32_t id)
{
	if (is_hashed(t) ? t->n + 1 > t->cap / 4 * 3 : t->n == t->cap)
		resize(t, entries, t->n < 4 ? t->n + 1 : t->n + t->n / 2);
	put(t, entries, id);
}

/* A search ends at a hole, so entries behind it that would not be reached any more move back. */
static void close_hole(struct entry_table *t, const struct pool *entries, uint32_t hole)
{
	uint32_t mask = t->cap - 1;

	for (uint32_t at = (hole + 1) & mask; t->ids[at]; at = (at + 1) & mask) {
		uint32_t want = home(t, family_of(entries, t->ids[at]));

		if (((at - want) & mask) >= ((at - hole) & mask)) {
			t->ids[hole] = t->ids[at];
			hole = at;
		}
	}
	t->ids[hole] = 0;
}

void entries_replace(struct entry_table *t, const struct pool *entries, uint32_t old, uint32_t id)
{
	uint32_t at = is_hashed(t) ? home(t, family_of(entries, old)) : 0;

	while (places(t)[at] != old)
		at = at + 1 < t->cap ? at + 1 : 0;
	places(t)[at] = id;
	if (id)
		return;
	t->n--;
	if (is_hashed(t)) {
		close_hole(t, entries, at);
	} else {
		places(t)[at] = places(t)[t->n];
		places(t)[t->n] = 0;
	}
	if (is_hashed(t) && t->n < t->cap / 8)
		resize(t, entries, t->n);
}
