#include "base/utf8.h"

#include "base/array.h"

uint32_t utf8_decode(struct str s, unsigned *ret_len)
{
	const unsigned char *p = (const unsigned char *)s.p;
	static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len;
	uint32_t cp;

	*ret_len = 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return UTF8_INVALID;
	len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (s.n < len)
		return UTF8_INVALID;
	cp = p[0] & (0xFFu >> (len + 1));
	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return UTF8_INVALID;
		cp = cp << 6 | (p[i] & 0x3F);
	}
	if (cp < smallest[len] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return UTF8_INVALID;
	*ret_len = len;
	return cp;
}

/*
 * How many bytes at the start of s are ASCII, counted in steps of eight: there may be a few more.
 */
static size_t skip_ascii(struct str s)
{
	uint64_t eight = 0;
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&eight, s.p + i, 8);
		if (eight & 0x8080808080808080u)
			return i;
	}
	if (s.n >= 8)
		memcpy(&eight, s.p + s.n - 8, 8);
	else if (s.n > 0)
		copy_bytes(&eight, s.p, s.n);
	return eight & 0x8080808080808080u ? i : s.n;
}

bool utf8_valid(struct str s)
{
	size_t i = skip_ascii(s);

	while (i < s.n) {
		unsigned len;

		if (utf8_decode((struct str){ s.p + i, s.n - i }, &len) == UTF8_INVALID)
			return false;
		i += len;
		i += skip_ascii((struct str){ s.p + i, s.n - i });
	}
	return true;
}

unsigned utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

size_t utf8_cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s.n;
	while (max > 0 && ((unsigned char)s.p[max] & 0xC0) == 0x80)
		max--;
	return max;
}
