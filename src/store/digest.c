#include "store/digest.h"

#include "base/hash.h"
#include "base/le.h"
#include "store/summed.h"

uint64_t digest_of(enum digest_thing what, uint64_t number, double at, struct str text)
{
	char head[3 * sizeof(uint64_t)];
	uint64_t bits;

	memcpy(&bits, &at, sizeof(bits));
	le_put(le_put(le_put(head, what, 8), number, 8), bits, 8);
	return checksum_bytes((struct str){ head, sizeof(head) }, text);
}

static uint64_t shown_of(const struct entry *e, struct str text)
{
	const struct record *r = e->record;
	uint64_t sum = 0;

	if (e->help->given)
		sum += digest_of(DIGEST_HELP, r->number, 0, (struct str){ e->help->p, e->help->n });
	if (lines_proto(&e->lines))
		sum += digest_of(DIGEST_MESSAGE, r->number, 0, bytes_str(lines_proto(&e->lines)));
	if (r->merged)
		sum += digest_of(DIGEST_MERGED, r->number, e->lines.type, text);
	return sum;
}

void digest_count_entry(struct store *s, struct group *g, int sign, const struct entry *e,
			struct str text)
{
	if (!s->digest.kept)
		return;
	if (!e->record->merged) {
		digest_count(s, sign, DIGEST_ENTRY, e->record->number, e->lines.type, text);
		s->digest.now.shown += (uint64_t)sign * shown_of(e, text);
	} else if (g->summed) {
		g->summed->digest += (uint64_t)sign * shown_of(e, text);
	}
}

void digest_count_summed(struct store *s, const struct group *g, int sign)
{
	if (g->summed)
		s->digest.now.shown += (uint64_t)sign * g->summed->digest;
}

void store_keep_digest(struct store *s)
{
	s->digest.kept = true;
}

/*
 * Without a digest if something is left out: that depends on the version of the gateway, not on the
 * log alone.
 */
bool store_digest(const struct store *s, struct digest *ret)
{
	*ret = s->digest.now;
	return s->digest.kept && s->left_out.n == 0 && s->left_out_groups.n == 0 &&
	       !store_removal_pending(s);
}

void store_put_digest(struct store *s)
{
	uint64_t number = s->next_number + s->rows.n;
	struct digest digest;
	struct row *row;

	if (!store_digest(s, &digest))
		return;
	row = store_row_add(s, ROW_DIGEST);
	le_put(le_put(s->digest.body, digest.state, 8), digest.shown, 8);
	row->number = number;
	row->body = (struct str){ s->digest.body, DIGEST_BODY };
	row->checksum = row_checksum(row);
}

bool row_digest(const struct row *row, struct digest *ret)
{
	if (row->body.n != DIGEST_BODY)
		return false;
	*ret = (struct digest){ le_take(row->body.p, 8), le_take(row->body.p + 8, 8) };
	return true;
}
