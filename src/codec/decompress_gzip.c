/*
 * gzip (RFC 1952) on zlib's raw inflate. Headers and trailers are read here, because what is
 * accepted, and the words for what is not, are those of Go's compress/gzip. Other libraries are two
 * to four times as fast as zlib, but libdeflate wants to know the size of the output and cannot
 * tell a body that was cut off from a damaged one, and ISA-L takes Huffman codes that zlib and Go
 * refuse.
 */
#include <zlib.h>

#include "codec/decompress_internal.h"

enum {
	HEADER_SIZE = 10,
	TRAILER_SIZE = 8,
	FLAG_HEADER_CRC = 2,
	FLAG_EXTRA = 4,
	FLAG_NAME = 8,
	FLAG_COMMENT = 16,
	MAX_TEXT = 512,      /* a name's or a comment's, with its NUL: Go reads no more */
	MAX_PIECE = 1 << 30, /* zlib counts in unsigned int */
};

static int cut_off(struct err *err)
{
	return err_set(err, ERR_INVALID, 0, "unexpected EOF");
}

static int bad_header(struct err *err)
{
	return err_set(err, ERR_INVALID, 0, "gzip: invalid header");
}

static int skip_bytes(struct str *in, size_t n, struct err *err)
{
	if (in->n < n)
		return cut_off(err);
	str_skip(in, n);
	return 0;
}

static int skip_extra(struct str *in, struct err *err)
{
	if (in->n < 2)
		return cut_off(err);
	return skip_bytes(in, 2 + (uint32_t)le_take(in->p, 2), err);
}

static int skip_text(struct str *in, struct err *err)
{
	size_t max = in->n < MAX_TEXT ? in->n : MAX_TEXT;
	const char *nul = max ? memchr(in->p, '\0', max) : NULL;

	if (!nul)
		return max == MAX_TEXT ? bad_header(err) : cut_off(err);
	str_skip(in, (size_t)(nul + 1 - in->p));
	return 0;
}

static int check_header_crc(const char *start, struct str *in, struct err *err)
{
	uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)start, (size_t)(in->p - start));

	if (in->n < 2)
		return cut_off(err);
	if ((uint32_t)le_take(in->p, 2) != (crc & 0xFFFF))
		return bad_header(err);
	str_skip(in, 2);
	return 0;
}

int gzip_skip_header(struct str *in, struct err *err)
{
	const char *start = in->p;

	if (in->n == 0)
		return err_set(err, ERR_INVALID, 0, "EOF");
	if (in->n < HEADER_SIZE)
		return cut_off(err);
	if (memcmp(start, "\x1f\x8b\x08", 3) != 0)
		return bad_header(err);
	str_skip(in, HEADER_SIZE);
	if (start[3] & FLAG_EXTRA && skip_extra(in, err) < 0)
		return -1;
	if (start[3] & FLAG_NAME && skip_text(in, err) < 0)
		return -1;
	if (start[3] & FLAG_COMMENT && skip_text(in, err) < 0)
		return -1;
	return start[3] & FLAG_HEADER_CRC ? check_header_crc(start, in, err) : 0;
}

/*
 * -1 if inflate() failed or the input is cut off; 0 if it only needs more room, or input that is
 * still there.
 */
static int check_progress(int r, const z_stream *z, struct str in, struct err *err)
{
	switch (r) {
	case Z_OK:
	case Z_BUF_ERROR:
		return in.n == 0 && z->avail_out > 0 ? cut_off(err) : 0;
	case Z_MEM_ERROR:
		return err_set(err, ERR_BUSY, 0,
			       "not enough memory to decompress the body, try again");
	default:
		return err_set(err, ERR_INVALID, 0, "flate: corrupt input before offset %lu",
			       z->total_in);
	}
}

/* One call of inflate(): 1 when the data has ended, 0 when there is more to come. */
static int inflate_piece(z_stream *z, struct str *in, struct output *out, uint32_t *crc)
{
	size_t room = output_room(out, 1);
	unsigned n_in = in->n < MAX_PIECE ? (unsigned)in->n : MAX_PIECE;
	unsigned n_out = room < MAX_PIECE ? (unsigned)room : MAX_PIECE;
	Bytef *to = (Bytef *)out->to->p + out->to->n;

	if (room == 0)
		return -1;
	z->next_in = (z_const Bytef *)in->p;
	z->avail_in = n_in;
	z->next_out = to;
	z->avail_out = n_out;

	int r = inflate(z, Z_NO_FLUSH);

	str_skip(in, n_in - z->avail_in);
	n_out -= z->avail_out;
	*crc = (uint32_t)crc32_z(*crc, to, n_out);
	if (output_added(out, n_out) < 0)
		return -1;
	return r == Z_STREAM_END ? 1 : check_progress(r, z, *in, out->err);
}

static int check_trailer(struct str *in, uint32_t crc, size_t size, struct err *err)
{
	if (in->n < TRAILER_SIZE)
		return cut_off(err);
	if ((uint32_t)le_take(in->p, 4) != crc || (uint32_t)le_take(in->p + 4, 4) != (uint32_t)size)
		return err_set(err, ERR_INVALID, 0, "gzip: invalid checksum");
	str_skip(in, TRAILER_SIZE);
	return 0;
}

static int inflate_member(z_stream *z, struct str *in, struct output *out)
{
	size_t start = out->to->n;
	uint32_t crc = 0;
	int r;

	if (gzip_skip_header(in, out->err) < 0)
		return -1;
	do
		r = inflate_piece(z, in, out, &crc);
	while (r == 0);
	return r < 0 ? -1 : check_trailer(in, crc, out->to->n - start, out->err);
}

int decompress_gzip(struct str in, struct output *out)
{
	z_stream z = { 0 };
	int r;

	if (!output_room(out, output_guess(out, in.n)))
		return -1;
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return err_set(out->err, ERR_BUSY, 0,
			       "not enough memory to decompress the body, try again");
	do {
		r = inflate_member(&z, &in, out);
		inflateReset(&z);
	} while (r == 0 && in.n > 0);
	inflateEnd(&z);
	return r;
}
