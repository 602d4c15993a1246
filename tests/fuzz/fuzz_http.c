/*
 * Any bytes as what a client sends. What must hold: the outcome is the same for all at once, for
 * each byte alone and for any two pieces; what is taken keeps to the grammar and to the limits, and
 * what is refused has a status and one line of text (lib/http_feed.c).
 */
#undef NDEBUG
#include <assert.h>

#include "lib/http_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct str in, const struct parse_limits *lim, struct str whole, size_t first,
		 size_t piece)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	http_feed(in, lim, first, piece, &out);
	assert(str_eq(strbuf_str(&out), whole));
}

static void try_with(struct str in, const struct parse_limits *lim)
{
	CLEANUP(strbuf_done) struct strbuf whole = { 0 };
	size_t step = in.n < 64 ? 1 : in.n / 8;

	http_feed(in, lim, in.n, in.n, &whole);
	same(in, lim, strbuf_str(&whole), 1, 1);
	same(in, lim, strbuf_str(&whole), 1, 7);
	for (size_t first = 1; first < in.n; first += step)
		same(in, lim, strbuf_str(&whole), first, in.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Small limits are met by small inputs. */
	static const struct parse_limits wide = { 1 << 20, 1 << 20 }, narrow = { 60, 10 };
	struct str s = { (const char *)data, size };

	try_with(s, &wide);
	try_with(s, &narrow);
	return 0;
}
