#include <check.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lib/run.h"

static int by_value(const void *pa, const void *pb)
{
	const int a = *(const int *)pa, b = *(const int *)pb;

	return (a > b) - (a < b);
}

static int by_value_with(const void *pa, const void *pb, void *arg)
{
	return *(const int *)arg * by_value(pa, pb);
}

/* UBSan ends the program if the C library is given a null pointer. */
START_TEST(none)
{
	char to[1] = "x";
	int *list = NULL, key = 1, down = -1;

	array_sort(list, 0, by_value);
	array_sort_with(list, 0, by_value_with, &down);
	ck_assert_ptr_null(array_find(&key, list, 0, by_value));
	ck_assert_ptr_eq(copy_bytes(to, NULL, 0), to);
	ck_assert_ptr_null(copy_bytes(NULL, NULL, 0));
	ck_assert_ptr_eq(move_bytes(to, NULL, 0), to);
	ck_assert_int_eq(to[0], 'x');
}
END_TEST

START_TEST(some)
{
	int list[] = { 3, 1, 2 }, key = 3, down = -1;
	char bytes[] = "abcd";

	array_sort(list, ARRAY_LEN(list), by_value);
	ck_assert(list[0] == 1 && list[1] == 2 && list[2] == 3);
	ck_assert_ptr_eq(array_find(&key, list, ARRAY_LEN(list), by_value), &list[2]);
	key = 4;
	ck_assert_ptr_null(array_find(&key, list, ARRAY_LEN(list), by_value));
	array_sort_with(list, ARRAY_LEN(list), by_value_with, &down);
	ck_assert(list[0] == 3 && list[1] == 2 && list[2] == 1);
	move_bytes(bytes + 1, bytes, 3);
	ck_assert_str_eq(bytes, "aabc");
	copy_bytes(bytes, "xy", 2);
	ck_assert_str_eq(bytes, "xybc");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("array");

	tcase_add_test(tc, none);
	tcase_add_test(tc, some);
	return run_cases("array", tc);
}
