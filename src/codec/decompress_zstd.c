/*
 * zstd (RFC 8878), which the Go gateway does not know. Each frame is decompressed at once into the
 * output, and again when there was too little room: a stream would need a window beside the output,
 * as large as the frame says. Here the window is the output, and ends at the limit.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "codec/decompress_internal.h"

enum {
	MAGIC_SIZE = 4,
	TRUSTED_RATIO = 64, /* for each byte of a frame, the most memory that is taken because its
			       header announces a size */
};

static void free_context(ZSTD_DCtx **context)
{
	ZSTD_freeDCtx(*context);
}

static int refuse(size_t result, struct err *err)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_srcSize_wrong:
		return err_set(err, ERR_INVALID, 0, "unexpected EOF");
	case ZSTD_error_checksum_wrong:
		return err_set(err, ERR_INVALID, 0, "zstd: invalid checksum");
	case ZSTD_error_dictionary_wrong:
		return err_set(err, ERR_INVALID, 0, "zstd: a dictionary is needed");
	case ZSTD_error_frameParameter_unsupported:
	case ZSTD_error_frameParameter_windowTooLarge:
		return err_set(err, ERR_INVALID, 0, "zstd: unsupported input");
	case ZSTD_error_memory_allocation:
		return err_set(err, ERR_BUSY, 0,
			       "not enough memory to decompress the body, try again");
	default:
		return err_set(err, ERR_INVALID, 0, "zstd: corrupt input");
	}
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int decompress_frame(ZSTD_DCtx *context, struct str frame, struct output *out)
{
	unsigned long long announced = ZSTD_getFrameContentSize(frame.p, frame.n);
	size_t left = output_left(out), want = output_guess(out, frame.n), room, n;

	if (announced != ZSTD_CONTENTSIZE_UNKNOWN && announced != ZSTD_CONTENTSIZE_ERROR) {
		if (announced > left)
			return output_too_large(out);
		want = smaller(announced, TRUSTED_RATIO * frame.n) + 1;
	}
	for (;;) {
		room = output_room(out, want);
		if (room == 0)
			return -1;
		n = ZSTD_decompressDCtx(context, out->to->p + out->to->n, room, frame.p, frame.n);
		if (!ZSTD_isError(n))
			return output_added(out, n);
		if (ZSTD_getErrorCode(n) != ZSTD_error_dstSize_tooSmall)
			return refuse(n, out->err);
		if (room > left)
			return output_too_large(out);
		want = smaller(4 * room, left + 1);
	}
}

/* Only the two magic numbers of RFC 8878: the library knows those of older formats, too. */
static bool is_frame(uint32_t magic, bool *ret_skippable)
{
	*ret_skippable = (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
	return *ret_skippable || magic == ZSTD_MAGICNUMBER;
}

static int next_frame(ZSTD_DCtx *context, struct str *in, struct output *out)
{
	bool skippable;

	if (in->n < MAGIC_SIZE)
		return err_set(out->err, ERR_INVALID, 0, "unexpected EOF");
	if (!is_frame((uint32_t)le_take(in->p, MAGIC_SIZE), &skippable))
		return err_set(out->err, ERR_INVALID, 0, "zstd: invalid header");

	size_t n = ZSTD_findFrameCompressedSize(in->p, in->n);

	if (ZSTD_isError(n))
		return refuse(n, out->err);
	if (!skippable && decompress_frame(context, (struct str){ in->p, n }, out) < 0)
		return -1;
	str_skip(in, n);
	return 0;
}

int decompress_zstd(struct str in, struct output *out)
{
	CLEANUP(free_context) ZSTD_DCtx *context = ZSTD_createDCtx();

	if (!context)
		return err_set(out->err, ERR_BUSY, 0,
			       "not enough memory to decompress the body, try again");
	while (in.n > 0)
		if (next_frame(context, &in, out) < 0)
			return -1;
	return 0;
}
