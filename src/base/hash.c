#include "base/hash.h"

#include "base/array.h"
#include "base/random.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed;

void hash_init(void)
{
	seed = random_number();
}

uint64_t hash_bytes(struct str s)
{
	return XXH3_64bits_withSeed(s.p, s.n, seed);
}

uint64_t hash_for_ever(struct str s)
{
	XXH64_state_t state;

	XXH64_reset(&state, 0);
	XXH64_update(&state, s.p, s.n);
	return XXH64_digest(&state);
}

uint64_t checksum_bytes(struct str head, struct str body)
{
	enum { TOGETHER = 4096 }; /* to copy so many bytes costs less than to take them in parts */
	char both[TOGETHER];
	XXH3_state_t state;

	if (head.n + body.n <= sizeof(both)) {
		copy_bytes(both, head.p, head.n);
		copy_bytes(both + head.n, body.p, body.n);
		return XXH3_64bits(both, head.n + body.n);
	}
	XXH3_64bits_reset(&state);
	XXH3_64bits_update(&state, head.p, head.n);
	if (body.n)
		XXH3_64bits_update(&state, body.p, body.n);
	return XXH3_64bits_digest(&state);
}
