/* UTF-8 (RFC 3629): no surrogates, nothing above U+10FFFF, shortest form only. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

bool utf8_valid(struct str s);

/*
 * Decodes the code point at s.p (s.n > 0) and sets *ret_len to its bytes. An invalid sequence
 * gives UTF8_INVALID and length 1, as Go's range loop does.
 */
#define UTF8_INVALID 0xFFFFFFFFu
uint32_t utf8_decode(struct str s, unsigned *ret_len);

/* Writes the code point (valid, not a surrogate) to out and returns its length, 1 to 4. */
unsigned utf8_encode(uint32_t cp, char out[4]);

/* The most bytes of s, up to max, that do not end inside a code point. */
size_t utf8_cut(struct str s, size_t max);

#endif
