#include <check.h>

#include "base/cleanup.h"
#include "base/le.h"
#include "lib/run.h"

START_TEST(lowest_first)
{
	char b[9] = "........";

	ck_assert_ptr_eq(le_put(b, 0x0102030405060708, 8), b + 8);
	ck_assert_mem_eq(b, "\x08\x07\x06\x05\x04\x03\x02\x01", 9);
	ck_assert_ptr_eq(le_put(b, 0xFFEE, 2), b + 2);
	ck_assert_mem_eq(b, "\xEE\xFF\x06", 3);
}
END_TEST

START_TEST(read_as_written)
{
	static const uint64_t values[] = { 0, 1, 0x7F, 0x80, 0xFFFF, 0xFFFFFFFF, UINT64_MAX };
	char b[8];

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		for (int n = 0; n <= 8; n++) {
			uint64_t mask = n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;

			le_put(b, values[i], n);
			ck_assert(le_take(b, n) == (values[i] & mask));
		}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("le");

	tcase_add_test(tc, lowest_first);
	tcase_add_test(tc, read_as_written);
	return run_cases("le", tc);
}
