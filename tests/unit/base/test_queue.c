#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/queue.h"
#include "lib/run.h"

/*
 * Nodes are pushed until one is refused: `sizes` are their bytes, ended by 0, and `taken` of them
 * get in.
 */
static const struct {
	const char *name;
	size_t max_n, max_bytes;
	size_t sizes[8];
	unsigned taken;
} limits[] = {
	{ "up to the count", 3, 1000, { 1, 1, 1, 1 }, 3 },
	{ "a count of one", 1, 1000, { 1, 1 }, 1 },
	{ "up to the bytes", 10, 100, { 50, 50, 1 }, 2 },
	{ "one byte too many", 10, 100, { 50, 51 }, 1 },
	{ "too large for an empty queue is not refused for ever", 10, 100, { 500, 1 }, 1 },
	{ "exactly full with one", 10, 100, { 100, 1 }, 1 },
	{ "no bytes at all", 2, 0, { 7, 1 }, 1 },
};

START_TEST(limit_row)
{
	struct queue_node nodes[8];
	struct queue q;
	unsigned i = 0;
	size_t n;

	queue_init(&q, limits[_i].max_n, limits[_i].max_bytes);
	for (; limits[_i].sizes[i]; i++) {
		enum queue_result r;

		nodes[i] = (struct queue_node){ .bytes = limits[_i].sizes[i] };
		r = queue_push(&q, &nodes[i]);
		ck_assert_msg(r == (i < limits[_i].taken ? QUEUE_OK : QUEUE_FULL),
			      "%s: node %u: %d", limits[_i].name, i, r);
	}
	ck_assert_uint_eq(queue_depth(&q), limits[_i].taken);
	/* Once there is room again the refused one gets in. */
	ck_assert_ptr_eq(queue_take(&q, 100, &n), &nodes[0]);
	ck_assert_uint_eq(n, limits[_i].taken);
	ck_assert_int_eq(queue_push(&q, &nodes[i - 1]), QUEUE_OK);
	ck_assert_ptr_eq(queue_take(&q, 100, &n), &nodes[i - 1]);
	queue_done(&q);
}
END_TEST

START_TEST(takes_in_order_and_bounded)
{
	struct queue_node nodes[5] = { 0 }, *first;
	struct queue q;
	size_t n;

	queue_init(&q, 10, 100);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(queue_push(&q, &nodes[i]), QUEUE_OK);
	first = queue_take(&q, 2, &n);
	ck_assert(n == 2 && first == &nodes[0] && first->next == &nodes[1]);
	ck_assert_ptr_null(nodes[1].next);
	ck_assert_uint_eq(queue_depth(&q), 3);
	ck_assert_int_eq(queue_push(&q, &nodes[0]), QUEUE_OK);
	first = queue_take(&q, 3, &n);
	ck_assert(n == 3 && first == &nodes[2] && nodes[3].next == &nodes[4]);
	first = queue_take(&q, 3, &n);
	ck_assert(n == 1 && first == &nodes[0] && !first->next);
	/* Empty again: the tail must not point into what was taken. */
	ck_assert_int_eq(queue_push(&q, &nodes[4]), QUEUE_OK);
	ck_assert_ptr_eq(queue_take(&q, 1, &n), &nodes[4]);
	queue_done(&q);
}
END_TEST

START_TEST(bytes_come_back_bit_by_bit)
{
	struct queue_node nodes[3] = { { .bytes = 40 }, { .bytes = 40 }, { .bytes = 60 } };
	struct queue q;
	size_t n;

	queue_init(&q, 10, 100);
	ck_assert_int_eq(queue_push(&q, &nodes[0]), QUEUE_OK);
	ck_assert_int_eq(queue_push(&q, &nodes[1]), QUEUE_OK);
	ck_assert_int_eq(queue_push(&q, &nodes[2]), QUEUE_FULL);
	ck_assert_ptr_eq(queue_take(&q, 1, &n), &nodes[0]);
	ck_assert_int_eq(queue_push(&q, &nodes[2]), QUEUE_OK);
	ck_assert_int_eq(queue_push(&q, &nodes[0]), QUEUE_FULL);
	queue_done(&q);
}
END_TEST

START_TEST(closed)
{
	struct queue_node nodes[2] = { 0 };
	struct queue q;
	size_t n;

	queue_init(&q, 10, 100);
	ck_assert_int_eq(queue_push(&q, &nodes[0]), QUEUE_OK);
	queue_close(&q);
	ck_assert_int_eq(queue_push(&q, &nodes[1]), QUEUE_CLOSED);
	ck_assert_ptr_eq(queue_take(&q, 1, &n), &nodes[0]);
	ck_assert_ptr_null(queue_take(&q, 1, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(queue_push(&q, &nodes[1]), QUEUE_CLOSED);
	queue_done(&q);
}
END_TEST

START_TEST(urgent_ones_have_room_of_their_own)
{
	struct queue_node nodes[8] = { { 0 } };
	struct queue q;
	size_t n;

	queue_init(&q, 4, 100);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(queue_push(&q, &nodes[i]), QUEUE_OK);
	ck_assert(!queue_has_room(&q));
	ck_assert_int_eq(queue_push(&q, &nodes[4]), QUEUE_FULL);
	for (unsigned i = 4; i < 8; i++)
		nodes[i] = (struct queue_node){ .urgent = true, .about = i };
	for (unsigned i = 4; i < 7; i++)
		ck_assert_int_eq(queue_push(&q, &nodes[i]), QUEUE_OK);
	ck_assert_int_eq(queue_push(&q, &nodes[7]), QUEUE_FULL);
	/* They go first, and theirs is not taken from the others. */
	ck_assert_ptr_eq(queue_take(&q, 1, &n), &nodes[4]);
	ck_assert(!queue_has_room(&q));
	ck_assert_int_eq(queue_push(&q, &nodes[7]), QUEUE_OK);
	queue_done(&q);
}
END_TEST

/* Half of what is taken, while others wait. */
START_TEST(urgent_ones_leave_some_to_others)
{
	struct queue_node nodes[10] = { { 0 } };
	const unsigned taken[] = { 5, 6, 0, 1, 7, 8, 2, 3, 9, 4 };
	struct queue q;
	size_t n, at = 0;

	queue_init(&q, 100, 100);
	for (unsigned i = 0; i < ARRAY_LEN(nodes); i++) {
		nodes[i].urgent = i >= 5;
		nodes[i].about = i + 1;
		ck_assert_int_eq(queue_push(&q, &nodes[i]), QUEUE_OK);
	}
	while (queue_depth(&q) > 0) {
		struct queue_node *node = queue_take(&q, 4, &n);

		for (; n > 0; n--, node = node->next)
			ck_assert_ptr_eq(node, &nodes[taken[at++]]);
		ck_assert_ptr_null(node);
	}
	ck_assert_uint_eq(at, ARRAY_LEN(nodes));
	ck_assert_uint_eq(q.n_urgent, 0);
	queue_done(&q);
}
END_TEST

/* About the same, as a push and a deletion of one group; and what is about all stays where it is.
 */
START_TEST(urgent_ones_stay_behind_their_like)
{
	struct queue_node nodes[] = {
		{ .about = 1 },
		{ .about = 2 },
		{ .about = 2, .urgent = true },
		{ .about = 0, .urgent = true },
		{ .about = 3, .urgent = true },
		{ .about = 3 },
		{ .about = 1, .urgent = true },
	};
	const unsigned taken[] = { 4, 0, 1, 2, 3, 5, 6 };
	struct queue q;
	size_t n;

	queue_init(&q, 100, 100);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ARRAY_LEN(nodes); i++)
			ck_assert_int_eq(queue_push(&q, &nodes[i]), QUEUE_OK);
		struct queue_node *node = queue_take(&q, 100, &n);

		ck_assert_uint_eq(n, ARRAY_LEN(nodes));
		for (unsigned i = 0; i < n; i++, node = node->next)
			ck_assert_ptr_eq(node, &nodes[taken[i]]);
	}
	queue_done(&q);
}
END_TEST

START_TEST(the_consumer_sets_a_limit)
{
	struct queue_node nodes[4] = { { 0 } };
	struct queue q;

	queue_init(&q, 10, 100);
	queue_limit(&q, 2);
	ck_assert(queue_has_room(&q));
	ck_assert_int_eq(queue_push(&q, &nodes[0]), QUEUE_OK);
	ck_assert_int_eq(queue_push(&q, &nodes[1]), QUEUE_OK);
	ck_assert_uint_eq(queue_refused(&q), 0);
	ck_assert_int_eq(queue_push(&q, &nodes[2]), QUEUE_FULL);
	ck_assert(!queue_has_room(&q));
	ck_assert_uint_eq(queue_refused(&q), 2);
	nodes[3].urgent = true;
	ck_assert_int_eq(queue_push(&q, &nodes[3]), QUEUE_OK);
	queue_limit(&q, SIZE_MAX);
	ck_assert_int_eq(queue_push(&q, &nodes[2]), QUEUE_OK);
	queue_done(&q);
}
END_TEST

enum { PRODUCERS = 4, EACH = 20000 };

struct numbered {
	struct queue_node node; /* first */
	unsigned producer, number;
};

struct producer {
	struct queue *q;
	struct numbered *nodes;
	unsigned which;
	unsigned refused; /* pushes that found it full */
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (unsigned i = 0; i < EACH; i++) {
		p->nodes[i] = (struct numbered){ { .bytes = i % 7 }, p->which, i };
		while (queue_push(p->q, &p->nodes[i].node) == QUEUE_FULL) {
			p->refused++;
			queue_wake(p->q);
		}
		/* Not after every one: several nodes may share a wake-up. */
		if (i % 3 == 0 || i == EACH - 1)
			queue_wake(p->q);
	}
	return NULL;
}

/* Takes until everything has come, each producer's nodes in its order. */
static void consume(struct queue *q)
{
	unsigned next[PRODUCERS] = { 0 };
	size_t total = 0, n;

	while (total < PRODUCERS * (size_t)EACH) {
		struct queue_node *node = queue_take(q, 50, &n);
		size_t counted = 0;

		ck_assert_ptr_nonnull(node);
		for (; node; node = node->next, counted++) {
			struct numbered *m = (struct numbered *)node;

			ck_assert_uint_eq(m->number, next[m->producer]);
			next[m->producer]++;
		}
		ck_assert(counted == n && n <= 50);
		total += n;
	}
}

START_TEST(many_producers)
{
	struct producer producers[PRODUCERS] = { 0 };
	pthread_t threads[PRODUCERS];
	struct queue q;
	size_t n;

	queue_init(&q, 64, 300);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		producers[i].q = &q;
		producers[i].which = i;
		producers[i].nodes = calloc(EACH, sizeof(struct numbered));
		ck_assert_ptr_nonnull(producers[i].nodes);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	consume(&q);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		pthread_join(threads[i], NULL);
		free(producers[i].nodes);
	}
	ck_assert_uint_eq(queue_depth(&q), 0);
	queue_close(&q);
	ck_assert_ptr_null(queue_take(&q, 1, &n));
	queue_done(&q);
}
END_TEST

static void *take_nothing(void *arg)
{
	size_t n;

	return queue_take(arg, 1, &n);
}

START_TEST(close_wakes_the_consumer)
{
	pthread_t thread;
	struct queue q;
	void *got = &q;

	queue_init(&q, 1, 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, take_nothing, &q), 0);
	queue_close(&q);
	pthread_join(thread, &got);
	ck_assert_ptr_null(got);
	queue_done(&q);
}
END_TEST

static void *push_and_wake(void *arg)
{
	static struct queue_node node;
	struct queue *q = arg;

	queue_push(q, &node);
	queue_wake(q);
	return NULL;
}

/* A minute: the test ends in time only if nobody waits for it. */
START_TEST(stays_empty)
{
	const int64_t minute = (int64_t)60 * 1000000000;
	pthread_t other;
	struct queue q;
	size_t n;

	queue_init(&q, 10, 100);
	ck_assert(queue_stays_empty(&q, 1000));
	ck_assert_int_eq(pthread_create(&other, NULL, push_and_wake, &q), 0);
	ck_assert(!queue_stays_empty(&q, minute));
	ck_assert(!queue_stays_empty(&q, minute));
	pthread_join(other, NULL);
	queue_close(&q);
	ck_assert(!queue_stays_empty(&q, minute));
	ck_assert_ptr_nonnull(queue_take(&q, 1, &n));
	ck_assert(!queue_stays_empty(&q, minute));
	queue_done(&q);
}
END_TEST

static void *push_three(void *arg)
{
	static struct queue_node nodes[3];
	struct queue *q = arg;

	for (int i = 0; i < 3; i++) {
		queue_push(q, &nodes[i]);
		queue_wake(q);
	}
	return NULL;
}

START_TEST(gathers)
{
	const int64_t minute = (int64_t)60 * 1000000000;
	pthread_t other;
	struct queue q;
	size_t n;

	queue_init(&q, 10, 100);
	ck_assert_int_eq(pthread_create(&other, NULL, push_three, &q), 0);
	queue_gather(&q, 3, minute);
	ck_assert_uint_eq(queue_depth(&q), 3);
	pthread_join(other, NULL);
	queue_gather(&q, 3, minute);
	queue_gather(&q, 4, 1000);
	ck_assert_ptr_nonnull(queue_take(&q, 2, &n));
	ck_assert_uint_eq(n, 2);
	queue_close(&q);
	queue_gather(&q, 4, minute);
	ck_assert_ptr_nonnull(queue_take(&q, 2, &n));
	queue_done(&q);
}
END_TEST

static void *push_until_full(void *arg)
{
	static struct queue_node nodes[3];
	struct queue *q = arg;
	int i = 0;

	while (i < 3 && queue_push(q, &nodes[i]) == QUEUE_OK)
		i++;
	return i < 3 ? NULL : q;
}

/* Nobody wakes the consumer: that one is refused does. */
START_TEST(gathers_until_it_is_full)
{
	const int64_t minute = (int64_t)60 * 1000000000;
	pthread_t other;
	struct queue q;
	void *got_in;
	size_t n;

	queue_init(&q, 2, 100);
	ck_assert_int_eq(pthread_create(&other, NULL, push_until_full, &q), 0);
	queue_gather(&q, 5, minute);
	pthread_join(other, &got_in);
	ck_assert_ptr_null(got_in);
	ck_assert_ptr_nonnull(queue_take(&q, 2, &n));
	ck_assert_uint_eq(n, 2);
	queue_done(&q);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("queue");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, limit_row, 0, (int)ARRAY_LEN(limits));
	tcase_add_test(tc, takes_in_order_and_bounded);
	tcase_add_test(tc, bytes_come_back_bit_by_bit);
	tcase_add_test(tc, closed);
	tcase_add_test(tc, urgent_ones_have_room_of_their_own);
	tcase_add_test(tc, urgent_ones_leave_some_to_others);
	tcase_add_test(tc, urgent_ones_stay_behind_their_like);
	tcase_add_test(tc, the_consumer_sets_a_limit);
	tcase_add_test(tc, many_producers);
	tcase_add_test(tc, close_wakes_the_consumer);
	tcase_add_test(tc, stays_empty);
	tcase_add_test(tc, gathers);
	tcase_add_test(tc, gathers_until_it_is_full);
	return run_cases("queue", tc);
}
