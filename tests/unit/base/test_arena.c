#include "base/arena.h"
#include "lib/run.h"

#include <check.h>
#include <stdlib.h>

#define LIMIT ((size_t)1024 * 1024)
#define BIG ((size_t)8 * 1024 * 1024)

static bool is_aligned(const void *p)
{
	return (uintptr_t)p % _Alignof(max_align_t) == 0;
}

/* Sizes from 0 up: no two overlap, all are aligned, and ASan knows all their bytes. */
START_TEST(pieces_are_apart)
{
	enum { PIECES = 600 };
	struct arena a;
	unsigned char *piece[PIECES];

	arena_init(&a, LIMIT);
	for (unsigned i = 0; i < PIECES; i++) {
		piece[i] = arena_alloc(&a, i);
		ck_assert_ptr_nonnull(piece[i]);
		ck_assert(is_aligned(piece[i]));
		memset(piece[i], (int)i, i);
	}
	for (unsigned i = 0; i < PIECES; i++)
		for (unsigned j = 0; j < i; j++)
			if (piece[i][j] != (unsigned char)i)
				ck_abort_msg("piece %u, byte %u", i, j);
	ck_assert_uint_le(a.used, a.limit);
	arena_done(&a);
}
END_TEST

START_TEST(nothing_is_not_null)
{
	struct arena a;

	arena_init(&a, LIMIT);
	ck_assert_ptr_nonnull(arena_alloc(&a, 0));
	ck_assert_ptr_nonnull(arena_zalloc(&a, 0));
	arena_done(&a);
}
END_TEST

static const struct {
	const char *name;
	size_t limit, first, second;
	bool first_fits, second_fits;
} limits[] = {
	{ "at the limit", 64, 64, 16, true, false },
	{ "one past the limit", 64, 65, 64, false, true },
	{ "at the limit in two", 64, 48, 16, true, true },
	{ "one past it in two", 64, 48, 17, true, false },
	{ "rounded up to the limit", 64, 49, 0, true, false },
	{ "no room at all", 0, 1, 0, false, false },
	{ "limit beyond the first chunk", LIMIT, LIMIT, 1, true, false },
	{ "one past a large limit", LIMIT, LIMIT + 1, 1, false, true },
	{ "the second needs a new chunk", LIMIT, 61440, LIMIT - 61440, true, true },
	{ "size overflows", LIMIT, SIZE_MAX, 16, false, true },
	{ "size overflows when rounded", LIMIT, SIZE_MAX - 14, 16, false, true },
	{ "no limit, size overflows", SIZE_MAX, SIZE_MAX, 16, false, true },
	{ "no limit, chunk overflows", SIZE_MAX, SIZE_MAX - 15, 16, false, true },
	{ "no limit, second overflows", SIZE_MAX, 64, SIZE_MAX - 15, true, false },
};

START_TEST(limit_row)
{
	struct arena a;

	arena_init(&a, limits[_i].limit);

	void *first = arena_alloc(&a, limits[_i].first);
	void *second = arena_alloc(&a, limits[_i].second);

	ck_assert_msg(!first == !limits[_i].first_fits, "%s: first", limits[_i].name);
	ck_assert_msg(!second == !limits[_i].second_fits, "%s: second", limits[_i].name);
	if (first)
		memset(first, 1, limits[_i].first);
	if (second)
		memset(second, 2, limits[_i].second);
	ck_assert_uint_le(a.used, a.limit);
	arena_done(&a);
}
END_TEST

/* A large limit is spent in small pieces over many chunks; the next byte is refused. */
START_TEST(limit_in_small_pieces)
{
	struct arena a;
	size_t n = 0;

	arena_init(&a, BIG);
	for (char *p; (p = arena_alloc(&a, 1000)); n++)
		memset(p, 'x', 1000);
	ck_assert_uint_eq(n, BIG / 1008);
	ck_assert_ptr_null(arena_alloc(&a, 1000));
	ck_assert_ptr_nonnull(arena_alloc(&a, BIG % 1008));
	ck_assert_ptr_null(arena_alloc(&a, 1));
	arena_done(&a);
}
END_TEST

START_TEST(reset_keeps_the_first_chunk)
{
	struct arena a;
	char *first;

	arena_init(&a, BIG);
	first = arena_alloc(&a, 100);
	for (unsigned i = 0; i < 5000; i++)
		ck_assert_ptr_nonnull(arena_alloc(&a, 1000));
	arena_reset(&a);
	ck_assert_uint_eq(a.used, 0);
	ck_assert_ptr_nonnull(a.chunks);
	ck_assert_ptr_eq(arena_alloc(&a, 100), first);
	arena_reset(&a);
	arena_reset(&a);
	ck_assert_ptr_eq(arena_alloc(&a, 100), first);
	arena_done(&a);
}
END_TEST

START_TEST(reset_frees_a_huge_chunk)
{
	struct arena a;

	arena_init(&a, BIG);
	ck_assert_ptr_nonnull(arena_alloc(&a, BIG));
	arena_reset(&a);
	ck_assert_ptr_null(a.chunks);
	ck_assert_ptr_nonnull(arena_alloc(&a, BIG)); /* the limit is whole again */
	arena_done(&a);
}
END_TEST

static void fill(struct arena *a, size_t n)
{
	for (size_t i = 0; i < n; i += 1000)
		ck_assert_ptr_nonnull(arena_alloc(a, 1000));
}

START_TEST(large_ones_in_a_row_get_the_same_chunk)
{
	struct arena_chunk *chunk;
	struct arena a;

	arena_init(&a, BIG);
	fill(&a, BIG / 2);
	arena_reset(&a);
	fill(&a, BIG / 2);
	chunk = a.chunks; /* as large as the first one has needed */
	for (unsigned i = 0; i < 3; i++) {
		arena_reset(&a);
		ck_assert_ptr_eq(a.spare, chunk);
		fill(&a, BIG / 2);
		ck_assert_ptr_eq(a.chunks, chunk);
	}
	arena_done(&a);
}
END_TEST

START_TEST(a_small_one_gives_the_large_chunk_back)
{
	struct arena a;

	arena_init(&a, BIG);
	fill(&a, BIG / 2);
	arena_reset(&a);
	ck_assert_ptr_nonnull(a.spare);
	fill(&a, 1000);
	arena_reset(&a);
	ck_assert_ptr_null(a.spare);
	arena_done(&a);
}
END_TEST

START_TEST(reset_and_done_when_unused)
{
	struct arena a;

	arena_init(&a, LIMIT);
	arena_reset(&a);
	ck_assert_ptr_nonnull(arena_alloc(&a, 1));
	arena_done(&a);
	arena_done(&a);
	ck_assert_ptr_null(arena_alloc(&a, 1)); /* no limit was set again */
}
END_TEST

START_TEST(zalloc_after_dirt)
{
	struct arena a;
	char *p;

	arena_init(&a, LIMIT);
	memset(arena_alloc(&a, 4096), 0xAA, 4096);
	arena_reset(&a);
	p = arena_zalloc(&a, 4096);
	for (unsigned i = 0; i < 4096; i++)
		if (p[i] != 0)
			ck_abort_msg("byte %u", i);
	ck_assert_ptr_null(arena_zalloc(&a, LIMIT));
	arena_done(&a);
}
END_TEST

START_TEST(dup_copies)
{
	struct arena a;
	char bytes[] = { 'a', '\0', 'b' };
	struct str copy;

	arena_init(&a, 32);
	copy = arena_dup(&a, (struct str){ bytes, 3 });
	bytes[0] = 'x';
	ck_assert(str_eq(copy, STR("a\0b")));
	copy = arena_dup(&a, STR_NULL);
	ck_assert(copy.p != NULL && copy.n == 0);
	copy = arena_dup(&a, STR("one more"));
	ck_assert(copy.p == NULL && copy.n == 0);
	arena_done(&a);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("arena");

	tcase_add_test(tc, pieces_are_apart);
	tcase_add_test(tc, nothing_is_not_null);
	tcase_add_loop_test(tc, limit_row, 0, (int)ARRAY_LEN(limits));
	tcase_add_test(tc, limit_in_small_pieces);
	tcase_add_test(tc, reset_keeps_the_first_chunk);
	tcase_add_test(tc, reset_frees_a_huge_chunk);
	tcase_add_test(tc, large_ones_in_a_row_get_the_same_chunk);
	tcase_add_test(tc, a_small_one_gives_the_large_chunk_back);
	tcase_add_test(tc, reset_and_done_when_unused);
	tcase_add_test(tc, zalloc_after_dirt);
	tcase_add_test(tc, dup_copies);
	return run_cases("arena", tc);
}
