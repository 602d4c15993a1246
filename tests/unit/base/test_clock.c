#include <check.h>

#include "base/clock.h"
#include "base/random.h"
#include "lib/run.h"

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool said;
};

static void waiter_init(struct waiter *w)
{
	*w = (struct waiter){ .said = false };
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->cond, NULL);
}

static void waiter_done(struct waiter *w)
{
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->cond);
}

START_TEST(waits_until_then)
{
	struct waiter w;
	int64_t until = clock_mono_ns() + 20000000;

	waiter_init(&w);
	pthread_mutex_lock(&w.lock);
	while (clock_wait(&w.cond, &w.lock, until))
		;
	ck_assert_int_ge(clock_mono_ns(), until);
	/* What is over is over. */
	ck_assert(!clock_wait(&w.cond, &w.lock, 0));
	pthread_mutex_unlock(&w.lock);
	waiter_done(&w);
}
END_TEST

static void *say(void *arg)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->said = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

START_TEST(hears_of_it)
{
	struct waiter w;
	pthread_t thread;
	bool in_time = true;

	waiter_init(&w);
	pthread_mutex_lock(&w.lock);
	ck_assert_int_eq(pthread_create(&thread, NULL, say, &w), 0);
	while (!w.said && in_time)
		in_time = clock_wait(&w.cond, &w.lock, INT64_MAX);
	ck_assert(w.said && in_time);
	pthread_mutex_unlock(&w.lock);
	pthread_join(thread, NULL);
	waiter_done(&w);
}
END_TEST

START_TEST(goes_on_by_itself)
{
	int64_t wall = clock_wall_ns(), mono = clock_mono_ns(), boot = clock_boot_ns();

	ck_assert_int_gt(wall, INT64_C(1500000000) * 1000000000);
	while (clock_mono_ns() == mono)
		;
	ck_assert_int_gt(clock_mono_ns(), mono);
	ck_assert_int_ge(clock_boot_ns(), boot);
}
END_TEST

START_TEST(stands_still)
{
	clock_hold(INT64_C(1000250000000), 7);
	ck_assert(clock_wall_ns() == INT64_C(1000250000000) && clock_wall() == 1000.25);
	ck_assert(clock_mono_ns() == 7 && clock_boot_ns() == 7);
	clock_hold(0, 6);
	ck_assert(clock_wall() == 0 && clock_mono_ns() == 6);
}
END_TEST

START_TEST(random_numbers)
{
	uint64_t first, second;

	ck_assert(random_number() != random_number());
	random_hold(7);
	first = random_number();
	second = random_number();
	ck_assert(first != second);
	random_hold(8);
	ck_assert(random_number() != first);
	random_hold(7);
	ck_assert(random_number() == first && random_number() == second);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("clock");

	tcase_add_test(tc, waits_until_then);
	tcase_add_test(tc, hears_of_it);
	tcase_add_test(tc, goes_on_by_itself);
	tcase_add_test(tc, stands_still);
	tcase_add_test(tc, random_numbers);
	return run_cases("clock", tc);
}
