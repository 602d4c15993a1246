/* Which pushes wait for which: random lists beside the rules, each asked of every pair. */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "commit/late.h"
#include "lib/rng.h"
#include "lib/run.h"

enum { N = 40, GROUPS = 5, MAX = 4 };

static struct push pushes[N];
static const char *const keys[GROUPS] = { "a", "b", "c", "d", "e" };

static struct push *make(uint64_t *rng, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const char *key = keys[rng_below(rng, GROUPS)];

		pushes[i] = (struct push){
			.key = str_of(key),
			.key_hash = (uint64_t)key[0] % 2,
			.mode = rng_one_in(rng, 15) ? PUSH_WIPE : PUSH_PUT,
		};
		if (rng_one_in(rng, 10))
			pushes[i] = (struct push){ .mode = PUSH_REMOVE + rng_below(rng, 2) };
		if (pushes[i].mode == PUSH_PUT && rng_one_in(rng, 6))
			pushes[i].n_families = LATE_FAMILIES + rng_below(rng, 2);
		else if (pushes[i].mode == PUSH_PUT)
			pushes[i].n_families = rng_below(rng, LATE_FAMILIES);
		pushes[i].node.next = i + 1 < to ? &pushes[i + 1].node : NULL;
	}
	return from < to ? &pushes[from] : NULL;
}

static bool keeps_order(const struct push *a, const struct push *b)
{
	return a->mode == PUSH_WIPE || b->mode == PUSH_WIPE || str_eq(a->key, b->key);
}

/* A batch of several has only pushes to groups, and no large one. */
static bool is_batch(const struct push *first)
{
	if (!first || !first->node.next)
		return true;
	for (const struct push *p = first; p; p = (const struct push *)p->node.next)
		if (p->mode != PUSH_PUT || late_is_large(p))
			return false;
	return true;
}

/* As a committer does that stages the large push which is first among those that wait: some of what
 * passed have to wait, with what comes after them to the same group. */
static struct push *put_some_off(struct late *l, uint64_t *rng, struct push *small)
{
	struct push *others = NULL, **last = &others, *next;

	for (struct push *p = small; p; p = next) {
		next = (struct push *)p->node.next;
		p->node.next = NULL;
		if (p->mode == PUSH_PUT && (rng_one_in(rng, 3) || late_has_group_of(l, p))) {
			late_put_off(l, p);
			continue;
		}
		*last = p;
		last = (struct push **)&p->node.next;
	}
	return others;
}

static size_t note(size_t *done, size_t n_done, const struct push *list)
{
	for (const struct push *p = list; p; p = (const struct push *)p->node.next)
		done[n_done++] = (size_t)(p - pushes);
	return n_done;
}

START_TEST(random_lists)
{
	uint64_t rng = (uint64_t)_i + 1;
	size_t done[N], n_done = 0, at[N], n;
	struct late l;

	late_init(&l);
	for (size_t from = 0; from < N || l.n > 0;) {
		size_t to = from + rng_below(&rng, 8);
		const struct push *staged = late_first(&l);
		struct push *small = late_sort(&l, make(&rng, from, to > N ? N : to));

		from = to > N ? N : to;
		for (struct push *p = small; p; p = (struct push *)p->node.next)
			ck_assert(!late_is_large(p));
		if (staged && late_is_large(staged))
			small = put_some_off(&l, &rng, small);
		n_done = note(done, n_done, small);

		/* A large one has many turns before it is taken. */
		if (from < N && late_first(&l) && late_is_large(late_first(&l)) &&
		    rng_one_in(&rng, 2))
			continue;
		struct push *late = late_take(&l, MAX, &n);

		ck_assert(n <= MAX && (late != NULL) == (n > 0));
		ck_assert(is_batch(late));
		n_done = note(done, n_done, late);
	}
	ck_assert_uint_eq(n_done, N);
	for (size_t i = 0; i < N; i++)
		at[done[i]] = i;
	for (size_t a = 0; a < N; a++)
		for (size_t b = a + 1; b < N; b++)
			if (keeps_order(&pushes[a], &pushes[b]))
				ck_assert_msg(at[a] < at[b], "%zu went before %zu", b, a);
}
END_TEST

START_TEST(small_ones_pass)
{
	struct late l;
	size_t n;

	for (size_t i = 0; i < 4; i++)
		pushes[i] = (struct push){ .key = str_of(keys[i]),
					   .node.next = i < 3 ? &pushes[i + 1].node : NULL };
	pushes[0].n_families = pushes[2].n_families = LATE_FAMILIES;
	late_init(&l);
	ck_assert_ptr_eq(late_sort(&l, pushes), &pushes[1]);
	ck_assert_ptr_eq(pushes[1].node.next, &pushes[3]);
	ck_assert_ptr_eq(late_take(&l, MAX, &n), &pushes[0]);
	ck_assert_ptr_eq(late_take(&l, MAX, &n), &pushes[2]);
	ck_assert_ptr_null(late_take(&l, MAX, &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("late");

	tcase_add_loop_test(tc, random_lists, 0, 200);
	tcase_add_test(tc, small_ones_pass);
	return run_cases("late", tc);
}
