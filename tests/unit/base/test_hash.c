#include <check.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lib/run.h"

/* Wherever the bytes lie, and not one byte further. */
START_TEST(of_the_bytes_alone)
{
	char at[512 + 16];

	for (size_t n = 0; n <= 512; n++) {
		CLEANUP(freep) char *copy = mem_alloc(n);
		uint64_t want;

		for (size_t i = 0; i < n; i++)
			copy[i] = (char)(i * 7 + n);
		want = hash_bytes((struct str){ copy, n });
		for (size_t shift = 0; shift < 16; shift += 3) {
			memset(at, (int)shift, sizeof(at));
			memcpy(at + shift, copy, n);
			ck_assert_msg(hash_bytes((struct str){ at + shift, n }) == want,
				      "%zu bytes moved by %zu", n, shift);
		}
	}
	ck_assert(hash_bytes(STR_NULL) == hash_bytes(STR("")));
}
END_TEST

START_TEST(every_byte_counts)
{
	char text[300];

	memset(text, 'a', sizeof(text));
	for (size_t n = 1; n <= sizeof(text); n += 13) {
		uint64_t plain = hash_bytes((struct str){ text, n });

		ck_assert(plain != hash_bytes((struct str){ text, n - 1 }));
		for (size_t i = 0; i < n; i++) {
			text[i] ^= 1;
			ck_assert(plain != hash_bytes((struct str){ text, n }));
			text[i] ^= 1;
		}
	}
}
END_TEST

START_TEST(seeded)
{
	struct str s = STR("a{instance=\"\",job=\"j\"}");
	uint64_t unseeded = hash_bytes(s), first, second;

	hash_init();
	first = hash_bytes(s);
	ck_assert(first == hash_bytes(s));
	hash_init();
	second = hash_bytes(s);
	/* Two of the three being equal by chance is a matter of 2^-63. */
	ck_assert(first != unseeded && second != unseeded && first != second);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("hash");

	tcase_add_test(tc, of_the_bytes_alone);
	tcase_add_test(tc, every_byte_counts);
	tcase_add_test(tc, seeded);
	return run_cases("hash", tc);
}
