/* URL-safe base64 (RFC 4648 section 5) as the Go gateway takes it in a path. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Decodes into out (room for in.n * 3 / 4 + 3 bytes). Any number of trailing '=' is dropped; CR and
 * LF are ignored; leftover bits are ignored; padding inside, '+', '/', or one leftover character
 * fail. On failure returns false with *ret_n = bytes decoded before the fault, as whole quanta
 * (groups of four characters) and *ret_at = offset of the offending input byte (in.n, after the '='
 * were dropped, when input ended early).
 */
bool base64url_decode(struct str in, char *out, size_t *ret_n, size_t *ret_at);

/* Appends in, encoded with the URL-safe alphabet and padding. */
void base64url_encode(struct str in, struct strbuf *out);

#endif
