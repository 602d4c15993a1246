#include "codec/compress.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/array.h"
#include "base/le.h"
#include "base/mem.h"

enum { DEFLATE_LEVEL = 1, ZSTD_LEVEL = 1 };

/* Precedes the deflate blocks of a gzip piece. */
struct piece_head {
	uint32_t crc, length;
	uint32_t combine; /* what adds `length` bytes to a CRC: much of the work of joining */
};

struct compressor {
	/* Made when first needed. */
	ZSTD_CCtx *zstd;
	ZSTD_DCtx *unzstd;
	struct isal_zstream deflate;
	uint8_t level[ISAL_DEF_LVL1_DEFAULT];
};

const char *compression_name(enum compression coding)
{
	return coding == COMPRESS_GZIP ? "gzip" : coding == COMPRESS_ZSTD ? "zstd" : NULL;
}

struct compressor *compressor_new(void)
{
	return mem_zalloc(sizeof(struct compressor));
}

void compressor_free(struct compressor *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->zstd);
	ZSTD_freeDCtx(c->unzstd);
	free(c);
}

/* Stored blocks (RFC 1951 section 3.2.4), for a text that deflate would make longer. */
static uint32_t store_blocks(struct str text, char *out)
{
	char *to = out;

	do {
		uint16_t n = text.n > UINT16_MAX ? UINT16_MAX : (uint16_t)text.n;

		*to++ = 0; /* not final, type 00 */
		*to++ = (char)(n & 0xFF);
		*to++ = (char)(n >> 8);
		*to++ = (char)(~n & 0xFF);
		*to++ = (char)(~n >> 8 & 0xFF);
		copy_bytes(to, text.p, n);
		to += n;
		text.p += n;
		text.n -= n;
	} while (text.n > 0);
	return (uint32_t)(to - out);
}

static struct bytes *shrink(struct bytes *b)
{
	if (b->cap - b->n < b->cap / 8)
		return b;
	b = mem_realloc(b, sizeof(*b) + b->n);
	b->cap = b->n;
	return b;
}

static struct bytes *deflate_piece(struct compressor *c, struct str text)
{
	size_t stored = text.n + (text.n / UINT16_MAX + 1) * 5;
	struct bytes *piece = bytes_new(sizeof(struct piece_head) + stored);
	char *out = piece->p + sizeof(struct piece_head);
	struct isal_zstream *z = &c->deflate;
	struct piece_head head = {
		.crc = crc32_gzip_refl(0, (const unsigned char *)text.p, text.n),
		.length = (uint32_t)text.n,
		.combine = (uint32_t)crc32_combine_gen((z_off_t)text.n),
	};

	isal_deflate_stateless_init(z);
	z->level = DEFLATE_LEVEL;
	z->level_buf = c->level;
	z->level_buf_size = sizeof(c->level);
	z->flush = FULL_FLUSH;
	z->end_of_stream = 0;
	z->next_in = (uint8_t *)text.p;
	z->avail_in = (uint32_t)text.n;
	z->next_out = (uint8_t *)out;
	z->avail_out = (uint32_t)stored;
	memcpy(piece->p, &head, sizeof(head));
	piece->n = sizeof(head);
	if (isal_deflate_stateless(z) == COMP_OK)
		piece->n += z->total_out;
	else
		piece->n += store_blocks(text, out);
	return shrink(piece);
}

/* A frame of raw blocks (RFC 8878 sections 3.1.1.1 and 3.1.1.2), its length in four bytes. */
static void store_frame(struct str text, struct strbuf *out)
{
	static const char magic[] = "\x28\xb5\x2f\xfd\xa0";
	const size_t most = 128 << 10;
	char field[4];

	strbuf_add(out, magic, 5);
	le_put(field, (uint32_t)text.n, 4);
	strbuf_add(out, field, 4);
	do {
		size_t n = text.n < most ? text.n : most;

		/* Three bytes: the last one?, type 0, length. */
		le_put(field, (uint32_t)n << 3 | (n == text.n), 4);
		strbuf_add(out, field, 3);
		strbuf_add(out, text.p, n);
		text.p += n;
		text.n -= n;
	} while (text.n > 0);
}

struct bytes *compress_stored_zstd(struct str text)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	store_frame(text, &out);
	return bytes_of(strbuf_str(&out));
}

static struct bytes *zstd_piece(struct compressor *c, struct str text)
{
	size_t bound = ZSTD_compressBound(text.n), n;
	CLEANUP(bytes_unrefp) struct bytes *piece = bytes_new(bound);

	if (!c->zstd)
		c->zstd = ZSTD_createCCtx();
	if (!c->zstd)
		return compress_stored_zstd(text);
	n = ZSTD_compressCCtx(c->zstd, piece->p, bound, text.p, text.n, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return compress_stored_zstd(text);
	piece->n = (uint32_t)n;
	return shrink(TAKE(piece));
}

struct bytes *compress_piece(struct compressor *c, enum compression coding, struct str text)
{
	return coding == COMPRESS_ZSTD ? zstd_piece(c, text) : deflate_piece(c, text);
}

void compress_read(struct compressor *c, const struct bytes *piece, size_t n, struct strbuf *out)
{
	char *to = strbuf_reserve(out, n);

	if (!c->unzstd)
		c->unzstd = ZSTD_createDCtx();
	/* compress_piece() made the piece, so this fails only for lack of memory. */
	if (!c->unzstd || ZSTD_isError(ZSTD_decompressDCtx(c->unzstd, to, n, piece->p, piece->n)))
		mem_refused(n);
	out->n += n;
}

struct str compress_head(struct compress_stream *s, enum compression coding)
{
	/* RFC 1952: deflate, no flags, no time, no extra flags, system unknown. */
	static const char gzip_head[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";

	*s = (struct compress_stream){ .coding = coding };
	return coding == COMPRESS_GZIP ? (struct str){ gzip_head, 10 } : STR_NULL;
}

struct str compress_join(struct compress_stream *s, const struct bytes *piece)
{
	struct piece_head head;

	if (s->coding != COMPRESS_GZIP)
		return bytes_str(piece);
	memcpy(&head, piece->p, sizeof(head));
	s->crc = (uint32_t)crc32_combine_op(s->crc, head.crc, head.combine);
	s->length += head.length;
	return (struct str){ piece->p + sizeof(head), piece->n - sizeof(head) };
}

size_t compress_tail(const struct compress_stream *s, char out[COMPRESS_TAIL])
{
	if (s->coding != COMPRESS_GZIP)
		return 0;
	/* A final block with nothing in it: fixed codes, end of block. */
	out[0] = 0x03;
	out[1] = 0x00;
	le_put(out + 2, s->crc, 4);
	le_put(out + 6, s->length, 4);
	return 10;
}
