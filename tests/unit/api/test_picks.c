/* Pages of a list, by picks and cursors, beside the same list sorted as a whole. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/cursor.h"
#include "api/picks.h"
#include "lib/rng.h"
#include "lib/run.h"

enum { ITEMS = 3000, LIST = 42 };

struct item {
	int64_t rank;
	char key[16];
};

static struct item items[ITEMS];
static bool descending;

static int item_cmp(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int r = (a->rank > b->rank) - (a->rank < b->rank);

	if (r)
		return r;
	return descending ? strcmp(b->key, a->key) : strcmp(a->key, b->key);
}

/* Ranks that are few, so that keys decide too. */
static void make_items(uint64_t *rng)
{
	for (uint32_t i = 0; i < ITEMS; i++) {
		items[i].rank = (int64_t)rng_below(rng, 5) - 2;
		snprintf(items[i].key, sizeof(items[i].key), "%08x",
			 (uint32_t)(i * UINT32_C(2654435761)));
	}
}

/* The keys of one page, appended; false: it was the last. */
static bool take_page(size_t limit, struct strbuf *cursor, struct strbuf *out)
{
	struct arena a;
	struct picks p;
	struct err err;
	bool more;

	arena_init(&a, ARENA_MUST);
	picks_init(&p, limit + 1);
	p.descending = descending;
	if (cursor->n) {
		p.has_after = true;
		ck_assert_int_eq(cursor_read(strbuf_str(cursor), LIST, &a, &p.after, &err), 0);
	}
	for (uint32_t i = 0; i < ITEMS; i++) {
		struct group_brief g = { .slot = i };

		picks_offer(&p, (struct place){ items[i].rank, str_of(items[i].key) }, &g);
	}
	picks_finish(&p);
	more = p.n > limit;
	for (size_t i = 0; i < p.n && i < limit; i++) {
		ck_assert(
			str_eq(pick_key(&p, &p.list[i]), str_of(items[p.list[i].group.slot].key)));
		strbuf_adds(out, pick_key(&p, &p.list[i]));
	}
	cursor->n = 0;
	if (more)
		cursor_write(
			cursor, LIST,
			(struct place){ p.list[limit - 1].rank, pick_key(&p, &p.list[limit - 1]) });
	picks_done(&p);
	arena_done(&a);
	return more;
}

START_TEST(pages_are_the_sorted_list)
{
	static const size_t limits[] = { 1, 7, 100, 1000, ITEMS - 1, ITEMS, ITEMS + 1 };
	CLEANUP(strbuf_done) struct strbuf got = { 0 }, want = { 0 }, cursor = { 0 };
	uint64_t rng = (uint64_t)_i + 1;
	size_t limit = limits[(size_t)_i % ARRAY_LEN(limits)];

	descending = _i % 2;
	make_items(&rng);
	while (take_page(limit, &cursor, &got))
		;
	qsort(items, ITEMS, sizeof(items[0]), item_cmp);
	for (uint32_t i = 0; i < ITEMS; i++)
		strbuf_addz(&want, items[i].key);
	ck_assert(str_eq(strbuf_str(&got), strbuf_str(&want)));
}
END_TEST

START_TEST(a_cursor_from_elsewhere_is_refused)
{
	CLEANUP(strbuf_done) struct strbuf cursor = { 0 };
	struct arena a;
	struct place at;
	struct err err;

	arena_init(&a, ARENA_MUST);
	cursor_write(&cursor, LIST, (struct place){ -5, STR("job\xFFx\xFF") });
	ck_assert_int_eq(cursor_read(strbuf_str(&cursor), LIST, &a, &at, &err), 0);
	ck_assert_int_eq(at.rank, -5);
	ck_assert(str_eq(at.key, STR("job\xFFx\xFF")));
	ck_assert_int_lt(cursor_read(strbuf_str(&cursor), LIST + 1, &a, &at, &err), 0);
	ck_assert_int_eq(err.reason, ERR_INVALID);
	for (size_t i = 0; i < cursor.n; i++) {
		char was = cursor.p[i];

		cursor.p[i] = was == 'A' ? 'B' : 'A';
		/* The last character has bits that say nothing. */
		if (i + 1 < cursor.n)
			ck_assert_int_lt(cursor_read(strbuf_str(&cursor), LIST, &a, &at, &err), 0);
		cursor.p[i] = was;
	}
	for (size_t n = 0; n < cursor.n; n++)
		ck_assert_int_lt(cursor_read((struct str){ cursor.p, n }, LIST, &a, &at, &err), 0);
	ck_assert_int_lt(cursor_read(STR("/metrics"), LIST, &a, &at, &err), 0);
	arena_done(&a);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("picks");

	tcase_add_loop_test(tc, pages_are_the_sorted_list, 0, 14);
	tcase_add_test(tc, a_cursor_from_elsewhere_is_refused);
	return run_cases("picks", tc);
}
