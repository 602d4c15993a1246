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

/* Short ones are put together first, long ones are taken in parts. */
START_TEST(a_checksum_is_of_both_as_one)
{
	enum { MOST = 9000, HEAD = 40 };
	CLEANUP(freep) char *all = mem_alloc(MOST);

	for (size_t i = 0; i < MOST; i++)
		all[i] = (char)(i * 11 + i / 256);
	for (size_t n = HEAD; n <= MOST; n += n < 400 || n / 64 == 64 ? 1 : 97) {
		struct str whole = { all, n };
		uint64_t want = checksum_bytes(whole, STR(""));

		ck_assert(checksum_bytes(STR(""), whole) == want);
		ck_assert_msg(checksum_bytes((struct str){ all, HEAD },
					     (struct str){ all + HEAD, n - HEAD }) == want,
			      "%zu bytes", n);
		all[n - 1] ^= 1;
		ck_assert(checksum_bytes(whole, STR("")) != want);
		all[n - 1] ^= 1;
	}
	/* As it is in the databases that there are. */
	ck_assert_uint_eq(checksum_bytes((struct str){ all, 4096 }, STR("")),
			  UINT64_C(3351818576962149953));
	ck_assert_uint_eq(checksum_bytes((struct str){ all, 4097 }, STR("")),
			  UINT64_C(2291009634604131634));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("hash");

	tcase_add_test(tc, of_the_bytes_alone);
	tcase_add_test(tc, every_byte_counts);
	tcase_add_test(tc, seeded);
	tcase_add_test(tc, a_checksum_is_of_both_as_one);
	return run_cases("hash", tc);
}
