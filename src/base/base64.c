#include "base/base64.h"

enum { BAD = 0xFF };

/* The value of a base64 digit; BAD for any other character. */
static unsigned char value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned char)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (unsigned char)(c - '0' + 52);
	return c == '-' ? 62 : c == '_' ? 63 : BAD;
}

/* Up to four characters, of six bits each. */
struct quantum {
	uint32_t bits;
	unsigned n;
};

static bool next_quantum(struct str in, size_t *at, struct quantum *ret_q)
{
	struct quantum q = { 0 };

	for (; *at < in.n && q.n < 4; ++*at) {
		char c = in.p[*at];
		unsigned char value = value_of(c);

		if (c == '\r' || c == '\n')
			continue;
		if (value == BAD)
			return false;
		q.bits = q.bits << 6 | value;
		q.n++;
	}
	*ret_q = q;
	return q.n != 1;
}

/* Whole bytes only; bits that are left over are dropped, as the Go gateway does. */
static size_t put_bytes(char *out, struct quantum q)
{
	uint32_t bits = q.bits << 6 * (4 - q.n);
	size_t n = q.n * 6 / 8;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(bits >> (16 - 8 * i));
	return n;
}

bool base64url_decode(struct str in, char *out, size_t *ret_n, size_t *ret_at)
{
	struct quantum q;
	size_t at = 0, n = 0;

	while (in.n > 0 && in.p[in.n - 1] == '=')
		in.n--;
	while (at < in.n) {
		if (!next_quantum(in, &at, &q)) {
			*ret_n = n;
			*ret_at = at;
			return false;
		}
		n += put_bytes(out + n, q);
	}
	*ret_n = n;
	return true;
}

void base64url_encode(struct str in, struct strbuf *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = (const unsigned char *)in.p;
	char *to = strbuf_reserve(out, in.n / 3 * 4 + 4);

	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t bits = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
				(left > 2 ? p[i + 2] : 0);

		*to++ = alphabet[bits >> 18];
		*to++ = alphabet[bits >> 12 & 63];
		*to++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*to++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	out->n += (in.n + 2) / 3 * 4;
}
