#include "lib/stored_recount.h"

#include <check.h>

#include "merge/internal.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

static uint64_t recount_lines(const struct group *g)
{
	uint64_t n = 0;

	for (int i = 0; g->life && i < N_LIFE_LINES; i++)
		n += g->life->lines[i].page ? stored_time_line(g) : 0;
	return n;
}

static void recount_part(struct merged_group *to, const struct merged_group *m,
			 const struct contribution *c)
{
	to->held.text += c->name.n;
	for (uint32_t i = 0; i < c->n_parts; i++)
		if (c->parts[i])
			held_part(to, m->families[i], NULL, c->parts[i]);
}

static uint64_t recount_summed(const struct group *g)
{
	const struct merged_group *m = g->summed->group;
	struct merged_group counted = { .n = m->n };
	struct summed su = { .group = &counted };

	for (size_t i = 0; i < m->n; i++)
		recount_part(&counted, m, m->contributions[i]);
	for (uint32_t i = 0; i < m->n_families; i++)
		if (m->families[i])
			held_family(&counted, m->families[i], 1);
	ck_assert_uint_eq(counted.held.families, m->held.families);
	ck_assert_uint_eq(counted.held.series, m->held.series);
	ck_assert_uint_eq(counted.held.parts, m->held.parts);
	ck_assert_uint_eq(counted.held.bounds, m->held.bounds);
	ck_assert_uint_eq(counted.held.text, m->held.text);
	return stored_summed(g, &su);
}

static uint64_t recount_group(const struct store *s, const struct group *g)
{
	uint64_t n = stored_group(g) + recount_lines(g) + (g->life ? STORED_LIFE : 0);

	n += g->summed ? recount_summed(g) : 0;
	for (uint32_t i = 0; i < g->entries.cap; i++)
		n += entry_stored(s, entries_at(&g->entries, i));
	return n;
}

static uint64_t recount(const struct store *s)
{
	uint64_t n = 0;

	for (uint32_t slot = 1; slot < s->n_slots; slot++)
		n += s->by_slot[slot] ? recount_group(s, s->by_slot[slot]) : 0;
	for (size_t i = 0; i < s->families.cap; i++) {
		const struct store_family *f = s->families.entries[i].item;

		n += f && f->n_groups > 0 && !f->own ? stored_family(f) : 0;
	}
	ck_assert(s->left_out_bytes > 0 || s->left_out.n + s->left_out_groups.n == 0);
	return n + s->left_out_bytes;
}

void check_stored(const struct store *s)
{
	if (s->large.push)
		return;
	ck_assert_uint_eq(stored_bytes(s), recount(s));
	ck_assert_uint_eq(s->pages.counts.bytes, stored_bytes(s));
}

uint64_t stored_bytes_of(const struct store *s)
{
	return stored_bytes(s);
}
