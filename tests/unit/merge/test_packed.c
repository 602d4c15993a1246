/* Numbers in few bytes: each comes back with its bits, and arrays take what their largest needs. */
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lib/rng.h"
#include "lib/run.h"
#include "merge/packed.h"

enum { MAX = 40 };

static const struct {
	double in[3];
	unsigned width;
} rows[] = {
	{ { 0, 0, 0 }, 0 },
	{ { 1, 0, 0 }, 1 },
	{ { 0, 255, 1 }, 1 },
	{ { 0, 256, 1 }, 2 },
	{ { 65535, 1, 2 }, 2 },
	{ { 65536, 1, 2 }, 3 },
	{ { 0, 0xFFFFFF, 2 }, 3 },
	{ { 0, 0, 0x1000000 }, 4 },
	{ { 0x1p32, 0, 0 }, 5 },
	{ { 0x1p40, 0, 0 }, 6 },
	{ { 0x1p48, 0, 0 }, 7 },
	{ { 9007199254740993.0, 1, 0 }, 7 },
	{ { 0x1.fffffffffffffp55, 1, 0 }, 7 },
	{ { 0x1p56, 1, 0 }, 8 },
	{ { 1, 0.5, 1000000 }, 8 },
	{ { 0.5, 1, 2 }, 8 },
	{ { 0, -0.0, 0 }, 8 },
	{ { 1, -1, 0 }, 8 },
	{ { 5e-324, 0, 0 }, 8 },
	{ { 1e300, 0, 0 }, 8 },
	{ { NAN, 1, 0 }, 8 },
	{ { HUGE_VAL, 0, 1 }, 8 },
	{ { -HUGE_VAL, 0, 1 }, 8 },
};

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

/* Packs them into as many bytes as they take, and nothing behind; returns how many each of them
 * takes. */
static unsigned check_packed(const double *in, unsigned n)
{
	unsigned width = 0;

	for (unsigned i = 0; i < n; i++)
		width = packed_width(width, in[i]);
	CLEANUP(freep) char *bytes = mem_alloc((size_t)n * width);

	for (unsigned i = 0; i < n; i++)
		packed_put(bytes, width, i, in[i]);
	for (unsigned i = 0; i < n; i++) {
		double got = packed_get(bytes, width, i);

		ck_assert_msg(bits_of(got) == bits_of(in[i]), "%.17g of %u bytes: %.17g", in[i],
			      width, got);
	}
	return width;
}

START_TEST(known_arrays)
{
	ck_assert_uint_eq(check_packed(rows[_i].in, 3), rows[_i].width);
}
END_TEST

/* Of bits that are any, of whole numbers of any size, and of both. */
START_TEST(random_arrays)
{
	uint64_t r = 1;

	for (int round = 0; round < 20000; round++) {
		unsigned n = rng_below(&r, MAX), most = 1 + rng_below(&r, 60);
		double in[MAX];

		for (unsigned i = 0; i < n; i++) {
			uint64_t bits = rng_next(&r);

			if (rng_one_in(&r, 50))
				memcpy(&in[i], &bits, sizeof(in[i]));
			else
				in[i] = (double)(bits >> (64 - most));
		}
		check_packed(in, n);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("packed");

	tcase_add_loop_test(tc, known_arrays, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, random_arrays);
	return run_cases("packed", tc);
}
