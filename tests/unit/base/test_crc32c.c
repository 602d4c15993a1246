/* CRC-32C: values of RFC 3720, and the processor's instruction against the table. */
#include <check.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "lib/run.h"

/* RFC 3720 appendix B.4, and the usual check value. */
static const struct {
	const char *name;
	struct str bytes;
	uint32_t crc;
} known[] = {
	{ "nothing", { "", 0 }, 0 },
	{ "digits", { "123456789", 9 }, 0xE3069283 },
	{ "32 zeros",
	  { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32 },
	  0x8A9136AA },
	{ "32 of FF",
	  { "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
	    "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
	    32 },
	  0x62A8AB43 },
};

START_TEST(known_values)
{
	ck_assert_msg(crc32c(known[_i].bytes) == known[_i].crc, "%s", known[_i].name);
	ck_assert_msg(crc32c_portable(known[_i].bytes) == known[_i].crc, "%s, table",
		      known[_i].name);
}
END_TEST

START_TEST(both_ways_agree)
{
	for (size_t n = 0; n < 100; n++) {
		/* Ends where the bytes end, begins at an odd place. */
		CLEANUP(freep) char *p = malloc(n + 3);

		for (size_t i = 0; i < n + 3; i++)
			p[i] = (char)(i * 89 + n * 7);
		for (size_t skip = 0; skip < 4; skip++) {
			struct str s = { p + skip, n + 3 - skip };

			ck_assert_msg(crc32c(s) == crc32c_portable(s), "%zu bytes from %zu", s.n,
				      skip);
		}
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("crc32c");

	tcase_add_loop_test(tc, known_values, 0, ARRAY_LEN(known));
	tcase_add_test(tc, both_ways_agree);
	return run_cases("crc32c", tc);
}
