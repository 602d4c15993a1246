#include "journal/sqlite/read_ahead.h"

#include "base/array.h"

enum {
	NEAR = 32 * 1024, /* the most bytes between two reads that count as following each other */
	ENOUGH = 3,       /* after this many of them more are expected */
	WORTH = 8,        /* reads of one part that are worth reading all of it */
	REST = 64,        /* reads that are done directly after a part that was not worth it */
};

static void note(struct read_ahead *r, sqlite3_int64 at)
{
	sqlite3_int64 step = at - r->last;

	r->near = step != 0 && step >= -NEAR && step <= NEAR ? r->near + 1 : 0;
	r->last = at;
}

static int holds(const struct read_ahead *r, int n, sqlite3_int64 at)
{
	return r->n > 0 && at >= r->at && at + n <= r->at + r->n;
}

/*
 * Reads the part that holds these bytes. Bytes that lie in two parts are read by themselves, as is
 * the last, incomplete part of the file.
 */
static void fill(struct read_ahead *r, sqlite3_file *from, int n, sqlite3_int64 at)
{
	sqlite3_int64 part = at / READ_AHEAD * READ_AHEAD;

	if (at + n > part + READ_AHEAD)
		return;
	if (r->n > 0 && r->served < WORTH) {
		r->rest = REST;
		r->n = 0;
	}
	if (r->rest > 0) {
		r->rest--;
		return;
	}
	if (!r->bytes)
		r->bytes = sqlite3_malloc(READ_AHEAD);
	r->n = 0;
	if (r->bytes && from->pMethods->xRead(from, r->bytes, READ_AHEAD, part) == SQLITE_OK) {
		r->at = part;
		r->n = READ_AHEAD;
		r->served = 0;
	} else {
		r->near = 0;
	}
}

int read_ahead_read(struct read_ahead *r, sqlite3_file *from, void *to, int n, sqlite3_int64 at)
{
	note(r, at);
	if (!holds(r, n, at) && r->near >= ENOUGH)
		fill(r, from, n, at);
	if (!holds(r, n, at))
		return from->pMethods->xRead(from, to, n, at);
	r->served++;
	copy_bytes(to, r->bytes + (at - r->at), (size_t)n);
	return SQLITE_OK;
}

void read_ahead_changed(struct read_ahead *r, int n, sqlite3_int64 at)
{
	if (at < r->at + r->n && (n < 0 || at + n > r->at))
		r->n = 0;
}

void read_ahead_done(struct read_ahead *r)
{
	sqlite3_free(r->bytes);
}
