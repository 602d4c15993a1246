/* Who waits is served by turns of the clients, whatever one of them sends. */
#include <check.h>
#include <pthread.h>

#include "access/fair_queue.h"
#include "lib/run.h"

enum { MAX = 8 };

static struct fair_queue q;
static struct fair_node nodes[64];

static bool push(unsigned node, uint64_t client)
{
	nodes[node].client = client;
	return fair_queue_push(&q, &nodes[node]);
}

/* -1: nothing is there. */
static int take(void)
{
	struct fair_node *node = q.n > 0 || q.given_up ? fair_queue_take(&q) : NULL;

	return node ? (int)(node - nodes) : -1;
}

START_TEST(by_turns)
{
	static const int want[] = { 0, 4, 6, 1, 5, 2, 7, 3, -1 };

	for (unsigned i = 0; i < 4; i++)
		ck_assert(push(i, 1));
	ck_assert(push(4, 2) && push(5, 2) && push(6, 3));
	for (unsigned i = 0; i < 9; i++) {
		/* Who comes late waits for a round. */
		if (i == 4)
			ck_assert(push(7, 4));
		ck_assert_int_eq(take(), want[i]);
	}
}
END_TEST

START_TEST(a_flood_makes_room_for_others)
{
	for (unsigned i = 0; i < MAX; i++)
		ck_assert(push(i, 1));
	ck_assert(!push(8, 1));
	ck_assert(push(9, 2) && push(10, 3) && push(11, 2));
	/* The newest of the flood are told. */
	for (int i = 0; i < 3; i++) {
		struct fair_node *node = fair_queue_take(&q);

		ck_assert(node->given_up && node->client == 1 && node >= &nodes[MAX - 3]);
	}
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(take(), 9);
	ck_assert_int_eq(take(), 10);
	ck_assert_int_eq(take(), 1);
	ck_assert_int_eq(take(), 11);
	for (int i = 2; i < MAX - 3; i++)
		ck_assert_int_eq(take(), i);
	ck_assert_int_eq(take(), -1);
}
END_TEST

/* As many clients as there is room for: nobody has more than another. */
START_TEST(all_have_one)
{
	for (unsigned i = 0; i < MAX; i++)
		ck_assert(push(i, i));
	ck_assert(!push(20, 20) && !push(21, 0));
	for (int i = 0; i < MAX; i++)
		ck_assert_int_eq(take(), i);
}
END_TEST

START_TEST(is_closed)
{
	ck_assert(push(0, 1));
	fair_queue_close(&q);
	ck_assert(!push(1, 1));
	ck_assert_ptr_eq(fair_queue_take(&q), &nodes[0]);
	ck_assert_ptr_null(fair_queue_take(&q));
}
END_TEST

static void make_queue(void)
{
	fair_queue_init(&q, MAX);
}

static void remove_queue(void)
{
	fair_queue_done(&q);
}

int main(void)
{
	TCase *tc = tcase_create("fair_queue");

	tcase_add_checked_fixture(tc, make_queue, remove_queue);
	tcase_add_test(tc, by_turns);
	tcase_add_test(tc, a_flood_makes_room_for_others);
	tcase_add_test(tc, all_have_one);
	tcase_add_test(tc, is_closed);
	return run_cases("fair_queue", tc);
}
