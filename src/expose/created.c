#include "expose/created.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"

void created_done(struct created *c)
{
	free(c->slots);
	strbuf_done(&c->labels);
}

void created_reset(struct created *c)
{
	if (c->n)
		memset(c->slots, 0, c->cap * sizeof(*c->slots));
	c->n = 0;
	c->labels.n = 0;
}

bool created_is_time(double seconds, struct timestamp *ret_ts)
{
	const double year_10000 =
		253402300800; /* the first second that google.protobuf.Timestamp cannot hold */
	double whole = floor(seconds);

	if (!(seconds >= 0 && seconds < year_10000))
		return false;
	*ret_ts = (struct timestamp){ true, (int64_t)whole, (int32_t)((seconds - whole) * 1e9) };
	return true;
}

static int cmp_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* 0xFF separates names and values: no valid UTF-8 contains it. */
static struct extent add_labels(struct created *c, const struct metric *m, struct arena *a)
{
	size_t start = c->labels.n;
	struct label *sorted = arena_alloc(a, (m->n_labels + 1) * sizeof(*sorted));

	if (sorted && m->n_labels) {
		copy_bytes(sorted, m->labels, m->n_labels * sizeof(*sorted));
		array_sort(sorted, m->n_labels, cmp_labels);
	}
	for (uint32_t i = 0; sorted && i < m->n_labels; i++) {
		strbuf_adds(&c->labels, sorted[i].name);
		strbuf_addc(&c->labels, '\xff');
		strbuf_adds(&c->labels, sorted[i].value);
		strbuf_addc(&c->labels, '\xff');
	}
	strbuf_addc(&c->labels, '\xff');
	return strbuf_since(&c->labels, start);
}

/* The slot with these labels, or the free slot where they belong. */
static struct created_slot *look_up(const struct created *c, struct str labels, uint64_t hash)
{
	size_t at = (size_t)hash & (c->cap - 1);

	for (; c->slots[at].n; at = (at + 1) & (c->cap - 1)) {
		const struct created_slot *s = &c->slots[at];

		if (s->hash == hash && str_eq((struct str){ c->labels.p + s->at, s->n }, labels))
			break;
	}
	return &c->slots[at];
}

static void grow(struct created *c)
{
	struct created old = *c;

	c->cap = old.cap ? old.cap * 2 : 16;
	c->slots = mem_zalloc(c->cap * sizeof(*c->slots));
	for (size_t i = 0; i < old.cap; i++) {
		const struct created_slot *s = &old.slots[i];

		if (s->n)
			*look_up(c, (struct str){ c->labels.p + s->at, s->n }, s->hash) = *s;
	}
	free(old.slots);
}

void created_add(struct created *c, const struct metric *m, const struct timestamp *ts,
		 struct arena *a)
{
	struct extent e = add_labels(c, m, a);
	struct str labels = strbuf_at(&c->labels, e);
	uint64_t hash = hash_bytes(labels);

	if (c->n + 1 > c->cap / 2)
		grow(c);
	*look_up(c, labels, hash) = (struct created_slot){
		.hash = hash,
		.at = e.at,
		.n = e.n,
		.ts = ts ? *ts : (struct timestamp){ 0 },
	};
	c->n++;
}

const struct timestamp *created_find(struct created *c, const struct metric *m, struct arena *a)
{
	if (c->n == 0)
		return NULL;

	struct extent e = add_labels(c, m, a);
	struct str labels = strbuf_at(&c->labels, e);
	const struct created_slot *s = look_up(c, labels, hash_bytes(labels));

	c->labels.n = e.at;
	return s->n ? &s->ts : NULL;
}
