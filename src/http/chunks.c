#include "http/chunks.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "http/chars.h"

/*
 * Above this bit another digit would overflow: the size becomes UINT64_MAX, which is over every
 * limit, and stays so.
 */
enum { SIZE_TOP_BIT = 59 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool add_digit(struct chunks *c, char byte)
{
	int digit = hex_value(byte);

	if (digit < 0)
		return false;
	c->left = c->left >> SIZE_TOP_BIT ? UINT64_MAX : c->left << 4 | (uint64_t)digit;
	c->state = CHUNKS_IN_SIZE;
	return true;
}

/* Blanks may follow the size, then an extension, then the end of the line. */
static enum http_fault behind_size(struct chunks *c, char byte)
{
	switch (byte) {
	case ' ':
	case '\t':
		c->state = CHUNKS_BEHIND_SIZE;
		return FAULT_NONE;
	case ';':
		c->state = CHUNKS_IN_EXTENSION;
		return FAULT_NONE;
	case '\r':
		c->state = CHUNKS_AT_LINE_LF;
		return FAULT_NONE;
	default:
		return FAULT_CHUNK_SIZE;
	}
}

static enum http_fault in_line(struct chunks *c, char byte)
{
	if (byte != '\r' && ++c->line > CHUNK_LINE_MAX)
		return FAULT_CHUNK_LINE;
	switch (c->state) {
	case CHUNKS_AT_SIZE:
		return add_digit(c, byte) ? FAULT_NONE : FAULT_CHUNK_SIZE;
	case CHUNKS_IN_SIZE:
		return add_digit(c, byte) ? FAULT_NONE : behind_size(c, byte);
	case CHUNKS_BEHIND_SIZE:
		return behind_size(c, byte);
	default:
		if (byte == '\r')
			c->state = CHUNKS_AT_LINE_LF;
		else if (!char_is(byte, CHAR_VALUE))
			return FAULT_CHUNK_SIZE;
		return FAULT_NONE;
	}
}

static enum http_fault end_line(struct chunks *c, char byte, uint64_t max_body)
{
	if (byte != '\n')
		return FAULT_CHUNK_SIZE;
	if (c->left > max_body - c->total)
		return FAULT_BODY_SIZE;
	c->state = c->left ? CHUNKS_IN_DATA : CHUNKS_AT_TRAILER;
	c->line = 0;
	return FAULT_NONE;
}

static enum http_fault in_trailer(struct chunks *c, char byte, uint64_t max_trailers)
{
	if (byte != '\r' && ++c->trailers > max_trailers)
		return FAULT_TRAILER_SIZE;
	if (c->state == CHUNKS_AT_TRAILER && byte == '\r') {
		c->state = CHUNKS_AT_LAST_LF;
	} else if (c->state == CHUNKS_IN_TRAILER_VALUE) {
		if (byte == '\r')
			c->state = CHUNKS_AT_TRAILER_LF;
		else if (!char_is(byte, CHAR_VALUE))
			return FAULT_TRAILER;
	} else if (byte == ':' && c->state == CHUNKS_IN_TRAILER_NAME) {
		c->state = CHUNKS_IN_TRAILER_VALUE;
	} else if (char_is(byte, CHAR_TOKEN)) {
		c->state = CHUNKS_IN_TRAILER_NAME;
	} else {
		return FAULT_TRAILER;
	}
	return FAULT_NONE;
}

/* Takes one byte that is not content. */
static enum http_fault take(struct chunks *c, char byte, uint64_t max_body, uint64_t max_trailers)
{
	switch (c->state) {
	case CHUNKS_AT_LINE_LF:
		return end_line(c, byte, max_body);
	case CHUNKS_AT_DATA_CR:
		c->state = CHUNKS_AT_DATA_LF;
		return byte == '\r' ? FAULT_NONE : FAULT_CHUNK_END;
	case CHUNKS_AT_DATA_LF:
		c->state = CHUNKS_AT_SIZE;
		return byte == '\n' ? FAULT_NONE : FAULT_CHUNK_END;
	case CHUNKS_AT_TRAILER:
	case CHUNKS_IN_TRAILER_NAME:
	case CHUNKS_IN_TRAILER_VALUE:
		return in_trailer(c, byte, max_trailers);
	case CHUNKS_AT_TRAILER_LF:
		c->state = CHUNKS_AT_TRAILER;
		return byte == '\n' ? FAULT_NONE : FAULT_TRAILER;
	case CHUNKS_AT_LAST_LF:
		c->state = CHUNKS_ENDED;
		return byte == '\n' ? FAULT_NONE : FAULT_TRAILER;
	default:
		return in_line(c, byte);
	}
}

/* Returns how many of the n bytes are content of this chunk. */
static size_t take_data(struct chunks *c, const char *in, size_t n, char *out)
{
	size_t here = c->left < n ? (size_t)c->left : n;

	move_bytes(out, in, here);
	c->left -= here;
	c->total += here;
	if (c->left == 0)
		c->state = CHUNKS_AT_DATA_CR;
	return here;
}

enum chunks_result chunks_decode(struct chunks *c, uint64_t max_body, uint64_t max_trailers,
				 const char *in, size_t n, char *out, size_t *ret_used,
				 size_t *ret_made, enum http_fault *ret_fault)
{
	enum http_fault fault = FAULT_NONE;
	size_t at = 0, made = 0;

	while (at < n && c->state != CHUNKS_ENDED && !fault) {
		if (c->state == CHUNKS_IN_DATA) {
			size_t here = take_data(c, in + at, n - at, out + made);

			at += here;
			made += here;
		} else {
			fault = take(c, in[at++], max_body, max_trailers);
		}
	}
	*ret_used = at;
	*ret_made = made;
	*ret_fault = fault;
	return fault ? CHUNKS_BAD : c->state == CHUNKS_ENDED ? CHUNKS_DONE : CHUNKS_MORE;
}
