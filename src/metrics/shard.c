#include "metrics/shard.h"

#include <string.h>

#include "base/hash.h"

enum { QUOTED = 48 };

/* Reads digits without a zero in front. 0: it is no such number, or more than SHARDS_MAX. */
static uint32_t parse_number(struct str text)
{
	uint32_t v = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || (v == 0 && text.p[i] == '0'))
			return 0;
		v = v * 10 + (uint32_t)(text.p[i] - '0');
		if (v > SHARDS_MAX)
			return 0;
	}
	return v;
}

int shard_parse(struct str text, struct shard *ret, struct err *err)
{
	const char *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
	size_t n = slash ? (size_t)(slash - text.p) : 0;
	uint32_t at = parse_number((struct str){ text.p, n });
	uint32_t of = slash ? parse_number((struct str){ slash + 1, text.n - n - 1 }) : 0;
	char quoted[QUOTED];

	str_quote(text, quoted, sizeof(quoted));
	if (at == 0 || of == 0)
		return err_set(err, ERR_INVALID, 0,
			       "shard=%s is none: write shard=1/8 for the first of 8, and so on to "
			       "shard=8/8; %d shards are the most",
			       quoted, SHARDS_MAX);
	if (at > of)
		return err_set(err, ERR_INVALID, 0,
			       "shard=%s: the last of %u shards is shard=%u/%u", quoted, of, of,
			       of);
	*ret = (struct shard){ at - 1, of };
	return 0;
}

uint64_t shard_hash(struct str key)
{
	return hash_for_ever(key);
}
