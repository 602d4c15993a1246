#include "api/cursor.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/le.h"

enum { HEAD = 24 }; /* bytes: checksum, list, rank; the key follows */

void cursor_write(struct strbuf *out, uint64_t list, struct place at)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char head[HEAD];

	le_put(head + 8, list, 8);
	le_put(head + 16, (uint64_t)at.rank, 8);
	le_put(head, checksum_bytes((struct str){ head + 8, HEAD - 8 }, at.key), 8);
	strbuf_add(&b, head, HEAD);
	strbuf_adds(&b, at.key);
	base64url_encode(strbuf_str(&b), out);
	while (out->n > 0 && out->p[out->n - 1] == '=')
		out->n--;
}

int cursor_read(struct str text, uint64_t list, struct arena *a, struct place *ret, struct err *err)
{
	char *bytes = arena_alloc(a, text.n * 3 / 4 + 3);
	size_t n, at;

	if (!bytes)
		return err_set(err, ERR_TOO_LARGE, 0, "the cursor is too long");
	if (!base64url_decode(text, bytes, &n, &at) || n < HEAD ||
	    checksum_bytes((struct str){ bytes + 8, HEAD - 8 },
			   (struct str){ bytes + HEAD, n - HEAD }) != le_take(bytes, 8))
		return err_set(err, ERR_INVALID, 0,
			       "the cursor is none that this API has given: take next_cursor of "
			       "the page before, or leave it out for the first page");
	if (le_take(bytes + 8, 8) != list)
		return err_set(err, ERR_INVALID, 0,
			       "the cursor is of another request: the parameters beside limit "
			       "have to be those of the page before");
	*ret = (struct place){ (int64_t)le_take(bytes + 16, 8), { bytes + HEAD, n - HEAD } };
	return 0;
}
