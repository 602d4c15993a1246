/* The list of families that scrapes show: its order, and how many comparisons that takes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "pages/family.h"
#include "pages/family_list.h"

enum { N = 4096, LOG2_N = 12 };

struct world {
	struct family_list list;
	struct shown_family families[N];
	bool listed[N];
	size_t n; /* listed */
};

/* The i-th in their order. */
static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	char name[20];

	ck_assert_ptr_nonnull(w);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "f%06d", i);
		struct str n = str_of(name);

		family_init(&w->families[i], n, n, hash_bytes(n));
	}
	return w;
}

static void world_free(struct world *w)
{
	for (int i = 0; i < N; i++)
		family_done(&w->families[i]);
	family_list_done(&w->list);
	free(w);
}

static void add(struct world *w, unsigned i)
{
	family_list_add(&w->list, &w->families[i]);
	w->n += !w->listed[i];
	w->listed[i] = true;
}

static void take_away(struct world *w, unsigned i)
{
	family_list_remove(&w->list, &w->families[i]);
	w->n -= w->listed[i];
	w->listed[i] = false;
}

/* Sorted or not, each is where it says, and nothing else is in the list. */
static void check_places(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->list.n; i++) {
		n += w->list.at[i] != NULL;
		ck_assert(!w->list.at[i] || w->list.at[i]->list_at == i);
	}
	ck_assert_uint_eq(n, w->n);
	for (int i = 0; i < N; i++)
		ck_assert(w->families[i].listed == w->listed[i]);
}

static void check_sorted(struct world *w)
{
	size_t n = 0;

	family_list_sort(&w->list);
	for (int i = 0; i < N; i++)
		if (w->listed[i])
			ck_assert_ptr_eq(w->list.at[n++], &w->families[i]);
	ck_assert_uint_eq(w->list.n, n);
	check_places(w);
}

START_TEST(any_order)
{
	uint64_t rng = (uint64_t)_i + 1;
	struct world *w = world_new();

	for (int op = 0; op < 3000; op++) {
		unsigned first = rng_below(&rng, N), n = rng_below(&rng, 60),
			 by = rng_below(&rng, 5);

		switch (rng_below(&rng, 8)) {
		case 0:
			family_list_take_in(&w->list, rng_below(&rng, 100));
			break;
		case 1:
			if (rng_one_in(&rng, 10))
				check_sorted(w);
			break;
		case 2:
		case 3:
			for (unsigned i = 0; i < n; i++)
				take_away(w, rng_below(&rng, N));
			break;
		default:
			for (unsigned i = 0; i < n; i++)
				add(w, (first + i * by) % N);
		}
		if (op % 100 == 0)
			check_places(w);
	}
	check_sorted(w);
	world_free(w);
}
END_TEST

static uint64_t compared(struct world *w, void (*sort)(struct family_list *l))
{
	uint64_t before = w->list.compared;

	sort(&w->list);
	return w->list.compared - before;
}

static void take_in_all(struct family_list *l)
{
	while (family_list_take_in(l, 100))
		;
}

/* Those of a push come in order: a scrape has nothing left to do. */
START_TEST(of_one_push)
{
	struct world *w = world_new();

	for (unsigned i = 0; i < N; i++)
		add(w, i);
	ck_assert_uint_lt(compared(w, take_in_all), N);
	ck_assert_ptr_nonnull(w->families[N - 1].header);
	ck_assert_uint_eq(compared(w, family_list_sort), 0);
	check_sorted(w);
	world_free(w);
}
END_TEST

/* Of many pushes, in between one another: a scrape has as much to do as there are families. */
START_TEST(of_many_pushes)
{
	static const unsigned pushes[] = { 2, 60, 64, 100, 256 };
	unsigned n = pushes[_i];
	struct world *w = world_new();

	for (unsigned p = 0; p < n; p++) {
		for (unsigned i = p; i < N; i += n)
			add(w, i);
		take_in_all(&w->list);
	}
	ck_assert_uint_le(w->list.compared, (uint64_t)N * LOG2_N * 3 / 2);
	ck_assert_uint_le(compared(w, family_list_sort), (uint64_t)3 * N);
	check_sorted(w);
	world_free(w);
}
END_TEST

/* Wherever it belongs. */
START_TEST(one_more)
{
	static const unsigned places[] = { 0, 1, N / 2, N - 2, N - 1 };
	struct world *w = world_new();

	for (unsigned i = 0; i < N; i++)
		if (i != places[_i])
			add(w, i);
	family_list_sort(&w->list);
	add(w, places[_i]);
	ck_assert_uint_le(compared(w, family_list_sort), 2 * LOG2_N + 2);
	check_sorted(w);
	world_free(w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("family_list");

	tcase_add_loop_test(tc, any_order, 0, 20);
	tcase_add_test(tc, of_one_push);
	tcase_add_loop_test(tc, of_many_pushes, 0, 5);
	tcase_add_loop_test(tc, one_more, 0, 5);
	return run_cases("family_list", tc);
}
