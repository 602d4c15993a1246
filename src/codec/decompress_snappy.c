/*
 * snappy's framing format: chunks of a type, a length and a checksum around blocks, which are the
 * library's. What is accepted, and the words for what is not, are those of Go's snappy.Reader.
 */
#include <snappy-c.h>

#include "base/array.h"
#include "base/crc32c.h"
#include "codec/decompress_internal.h"

enum {
	CHUNK_COMPRESSED = 0x00,
	CHUNK_PLAIN = 0x01,
	LAST_UNSKIPPABLE = 0x7F, /* reserved; those above, up to padding at 0xFE, can be skipped */
	CHUNK_IDENTIFIER = 0xFF,
	HEADER_SIZE = 4,
	CHECKSUM_SIZE = 4,
	MAX_BLOCK = 65536,
	MAX_CHUNK = CHECKSUM_SIZE + 32 + MAX_BLOCK +
		    MAX_BLOCK / 6, /* the largest that a block can become */
};

_Static_assert(MAX_BLOCK <= (int)OUTPUT_SLACK, "a block is written before the limit is looked at");

struct chunk {
	uint8_t type;
	struct str data;
};

static int corrupt(struct err *err)
{
	return err_set(err, ERR_INVALID, 0, "snappy: corrupt input");
}

static int take_chunk(struct str *in, bool first, struct chunk *ret, struct err *err)
{
	if (in->n < HEADER_SIZE)
		return corrupt(err);

	uint8_t type = (uint8_t)in->p[0];
	size_t n = (uint32_t)le_take(in->p + 1, 3);

	if (first && type != CHUNK_IDENTIFIER)
		return corrupt(err);
	if (n > MAX_CHUNK || (type > CHUNK_PLAIN && type <= LAST_UNSKIPPABLE))
		return err_set(err, ERR_INVALID, 0, "snappy: unsupported input");
	if (n > in->n - HEADER_SIZE)
		return corrupt(err);
	*ret = (struct chunk){ type, { in->p + HEADER_SIZE, n } };
	str_skip(in, HEADER_SIZE + n);
	return 0;
}

static bool block_size(const struct chunk *c, size_t *ret_n)
{
	if (c->type == CHUNK_PLAIN)
		*ret_n = c->data.n;
	else if (snappy_uncompressed_length(c->data.p, c->data.n, ret_n) != SNAPPY_OK)
		return false;
	return *ret_n <= MAX_BLOCK;
}

static bool decode_block(const struct chunk *c, char *to, size_t n)
{
	if (c->type == CHUNK_COMPRESSED)
		return snappy_uncompress(c->data.p, c->data.n, to, &n) == SNAPPY_OK;
	copy_bytes(to, c->data.p, n);
	return true;
}

/*
 * The masking that the format asks for, so that the checksum of a checksum is not a special number.
 */
static uint32_t masked_crc(struct str s)
{
	uint32_t crc = crc32c(s);

	return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

static int add_block(struct chunk c, struct output *out)
{
	size_t n;
	uint32_t crc;

	if (c.data.n < CHECKSUM_SIZE)
		return corrupt(out->err);
	crc = (uint32_t)le_take(c.data.p, CHECKSUM_SIZE);
	str_skip(&c.data, CHECKSUM_SIZE);
	if (!block_size(&c, &n))
		return corrupt(out->err);
	if (!output_room(out, n ? n : 1))
		return -1;

	char *to = out->to->p + out->to->n;

	if (!decode_block(&c, to, n) || masked_crc((struct str){ to, n }) != crc)
		return corrupt(out->err);
	return output_added(out, n);
}

static int handle_chunk(const struct chunk *c, struct output *out)
{
	switch (c->type) {
	case CHUNK_COMPRESSED:
	case CHUNK_PLAIN:
		return add_block(*c, out);
	case CHUNK_IDENTIFIER:
		return str_eq(c->data, STR("sNaPpY")) ? 0 : corrupt(out->err);
	default:
		return 0;
	}
}

int decompress_snappy(struct str in, struct output *out)
{
	struct chunk c;

	for (bool first = true; in.n > 0; first = false)
		if (take_chunk(&in, first, &c, out->err) < 0 || handle_chunk(&c, out) < 0)
			return -1;
	return 0;
}
