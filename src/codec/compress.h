/*
 * Compresses texts piece by piece, so that a scrape compresses only the pages that changed. Deflate
 * is done by ISA-L, which is several times as fast as zlib.
 */
#ifndef CODEC_COMPRESS_H
#define CODEC_COMPRESS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum compression { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_ZSTD };

/* "gzip", "zstd"; NULL for identity. */
const char *compression_name(enum compression coding);

/* Scratch memory of the compressors. One thread at a time. */
struct compressor;
struct compressor *compressor_new(void);
void compressor_free(struct compressor *c);

/*
 * A piece of a stream. gzip: raw deflate blocks that end on a byte boundary (RFC 1951), preceded by
 * what compress_join() needs to know of the text. zstd: a whole frame (RFC 8878). The caller gets a
 * reference.
 */
struct bytes *compress_piece(struct compressor *c, enum compression coding, struct str text);

/* An uncompressed zstd piece: what compress_piece() makes if there is no memory to compress. */
struct bytes *compress_stored_zstd(struct str text);

/* Appends the text of a zstd piece, which is n bytes long. */
void compress_read(struct compressor *c, const struct bytes *piece, size_t n, struct strbuf *out);

/*
 * A whole stream from pieces: compress_head(), then compress_join() of each piece, then
 * compress_tail().
 */
struct compress_stream {
	enum compression coding;
	uint32_t crc, length; /* of the text so far; gzip's trailer, RFC 1952 */
};

struct str compress_head(struct compress_stream *s, enum compression coding);
/* The part of the piece that belongs into the stream. */
struct str compress_join(struct compress_stream *s, const struct bytes *piece);
/* At most COMPRESS_TAIL bytes; returns how many. */
enum { COMPRESS_TAIL = 16 };
size_t compress_tail(const struct compress_stream *s, char out[COMPRESS_TAIL]);

#endif
