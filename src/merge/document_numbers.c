#include "merge/document_numbers.h"

#include "base/array.h"
#include "base/seconds.h"

void put(struct strbuf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		strbuf_addc(b, (char)(v | 0x80));
	strbuf_addc(b, (char)v);
}

void put_double(struct strbuf *b, double v)
{
	strbuf_add(b, &v, sizeof(v));
}

void put_str(struct strbuf *b, struct str s)
{
	put(b, s.n);
	strbuf_adds(b, s);
}

void put_exact(struct strbuf *b, const struct exact *e)
{
	put(b, e->lo);
	put(b, (uint64_t)e->n << 1 | e->negative);
	strbuf_add(b, exact_words(e), e->n * sizeof(uint64_t));
}

/* The lowest bit is the sign. */
void put_signed(struct strbuf *b, int32_t v)
{
	put(b, v < 0 ? (uint64_t)(-(int64_t)v) << 1 | 1 : (uint64_t)v << 1);
}

const char *take_bytes(struct reader *r, size_t n)
{
	const char *p = r->rest.p;

	if (n > r->rest.n)
		r->bad = true;
	if (r->bad)
		return NULL;
	r->rest.p += n;
	r->rest.n -= n;
	return p;
}

uint64_t take(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const char *p = take_bytes(r, 1);

		if (!p)
			return 0;
		v |= (uint64_t)((unsigned char)*p & 0x7F) << shift;
		if (!((unsigned char)*p & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

uint32_t take_count(struct reader *r)
{
	uint64_t v = take(r);

	if (v > r->rest.n)
		r->bad = true;
	return r->bad ? 0 : (uint32_t)v;
}

double take_double(struct reader *r)
{
	const char *p = take_bytes(r, sizeof(double));
	double v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

double take_time(struct reader *r)
{
	double v = take_double(r);

	if (!seconds_are_time(v))
		r->bad = true;
	return r->bad ? 0 : v;
}

struct str take_str(struct reader *r)
{
	size_t n = take_count(r);
	const char *p = take_bytes(r, n);

	return (struct str){ p ? p : "", p ? n : 0 };
}

void take_exact(struct reader *r, struct exact *to)
{
	uint64_t words[EXACT_MAX_WORDS], lo = take(r), n = take(r);
	const char *p;

	if (lo > EXACT_MAX_WORDS || n >> 1 > EXACT_MAX_WORDS) {
		r->bad = true;
		return;
	}
	p = take_bytes(r, (n >> 1) * sizeof(*words));
	if (!p)
		return;
	copy_bytes(words, p, (n >> 1) * sizeof(*words));
	r->bad |= !exact_restore(to, (uint8_t)lo, (uint8_t)(n >> 1), n & 1, words);
}

int32_t take_signed(struct reader *r)
{
	uint64_t v = take(r);

	return (int32_t)(v & 1 ? -(int64_t)(v >> 1) : (int64_t)(v >> 1));
}
