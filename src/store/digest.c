#include "store/digest.h"

#include "base/hash.h"
#include "base/le.h"

uint64_t digest_of(enum digest_thing what, uint64_t number, double at, struct str text)
{
	char head[3 * sizeof(uint64_t)];
	uint64_t bits;

	memcpy(&bits, &at, sizeof(bits));
	le_put(le_put(le_put(head, what, 8), number, 8), bits, 8);
	return checksum_bytes((struct str){ head, sizeof(head) }, text);
}

void store_keep_digest(struct store *s)
{
	s->digest.kept = true;
}

/* What is left out depends on the version, and is not what the log says. */
bool store_digest(const struct store *s, uint64_t *ret)
{
	*ret = s->digest.sum;
	return s->digest.kept && s->left_out.n == 0 && s->left_out_groups.n == 0 &&
	       !store_removal_pending(s);
}

void store_put_digest(struct store *s)
{
	uint64_t digest, number = s->next_number + s->rows.n;
	struct row *row;

	if (!store_digest(s, &digest))
		return;
	row = store_row_add(s, ROW_DIGEST);
	le_put(s->digest.body, digest, DIGEST_BODY);
	row->number = number;
	row->body = (struct str){ s->digest.body, DIGEST_BODY };
	row->checksum = row_checksum(row);
}

bool row_digest(const struct row *row, uint64_t *ret)
{
	*ret = row->body.n < DIGEST_BODY ? 0 : le_take(row->body.p, DIGEST_BODY);
	return row->body.n == DIGEST_BODY;
}
