#include <endian.h>
#include <string.h>

#include "base/hash.h"
#include "base/le.h"
#include "base/seconds.h"
#include "store/rows.h"

uint64_t row_checksum(const struct row *r)
{
	uint64_t fields[5] = { htole64(r->number), htole64(r->kind), htole64(r->group),
			       htole64(r->from) };
	uint64_t at;

	memcpy(&at, &r->at, sizeof(at));
	fields[4] = htole64(at);
	return checksum_bytes((struct str){ (const char *)fields, sizeof(fields) }, r->body);
}

bool rows_free(const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		switch (rows->list[i].kind) {
		case ROW_END:
		case ROW_WIPE:
		case ROW_LIFE:
		case ROW_TAKE:
		case ROW_UNDONE:
			break;
		default:
			if (!rows->list[i].from)
				return false;
		}
	return true;
}

bool row_kind_is_known(enum row_kind kind)
{
	return (kind >= ROW_GROUP && kind <= ROW_DIGEST) ||
	       (kind >= ROW_TAKE && kind <= ROW_LEFT_OUT);
}

enum row_verdict row_verdict(const struct row *r)
{
	if (row_checksum(r) != r->checksum || !seconds_are_time(r->at))
		return ROW_BAD_CHECKSUM;
	return row_kind_is_known(r->kind) ? ROW_INTACT : ROW_UNKNOWN;
}

bool row_document_id(struct str body, uint64_t *ret)
{
	*ret = body.n < DOCUMENT_ID_BYTES ? 0 : le_take(body.p, DOCUMENT_ID_BYTES);
	return body.n >= DOCUMENT_ID_BYTES;
}

/* Reads a varint at *at. False: bytes or bits run out. */
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

int row_next_family(struct str body, size_t *at, struct str *ret_message, struct str *ret_name)
{
	size_t start = *at;
	uint64_t len, name_len;

	if (start == body.n)
		return 0;
	if (!read_varint(body, at, &len) || len > body.n - *at || len == 0)
		return -1;
	size_t end = *at + len;

	/* A family's message begins with its name: field 1, length-delimited. */
	if (body.p[(*at)++] != 0x0A || !read_varint(body, at, &name_len) || *at > end ||
	    name_len > end - *at)
		return -1;
	*ret_name = (struct str){ body.p + *at, name_len };
	*ret_message = (struct str){ body.p + start, end - start };
	*at = end;
	return 1;
}
