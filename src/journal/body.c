#include "journal/body.h"

#include <stdlib.h>

#include "base/mem.h"

/* Reads a varint at *at; false when it runs out of bytes or of bits. */
static bool read_varint(struct str s, size_t *at, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && *at < s.n; shift += 7) {
		unsigned char c = (unsigned char)s.p[(*at)++];

		v |= (uint64_t)(c & 0x7F) << shift;
		if (!(c & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static int str_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int body_keep(struct str body, const struct str *keep, uint32_t n_keep, struct strbuf *out)
{
	CLEANUP(freep) struct str *sorted = mem_dup(keep, n_keep * sizeof(*keep));
	uint32_t kept = 0;
	size_t at = 0;

	qsort(sorted, n_keep, sizeof(*sorted), str_order);
	while (at < body.n) {
		size_t start = at;
		uint64_t len, name_len;

		if (!read_varint(body, &at, &len) || len > body.n - at || len == 0)
			return -1;
		size_t end = at + len;

		/* Field 1, length-delimited: the name. */
		if (body.p[at++] != 0x0A || !read_varint(body, &at, &name_len) || at > end ||
		    name_len > end - at)
			return -1;
		struct str name = { body.p + at, name_len };

		if (bsearch(&name, sorted, n_keep, sizeof(*sorted), str_order)) {
			strbuf_add(out, body.p + start, end - start);
			kept++;
		}
		at = end;
	}
	return kept < n_keep ? -1 : 0;
}
