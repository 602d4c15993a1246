/*
 * Numbers as the exposition format 0.0.4 and Go write and read them. Independent of the locale
 * and of a terminating NUL.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Room that num_format() needs at the most. */
#define NUM_MAX 32

/*
 * Go's strconv.FormatFloat(v, 'g', -1, 64) as the exposition prints it: the shortest decimal that
 * reads back to the same double; plain notation for decimal exponents -4 to 5 ... see the table in
 * the unit test; otherwise d.ddde+XX with at least two exponent digits; "+Inf", "-Inf", "NaN";
 * negative zero prints "0". Returns the length; no NUL is written.
 */
unsigned num_format(double v, char out[NUM_MAX]);
/* The same, but negative zero prints "-0" (the JSON API). */
unsigned num_format_signed_zero(double v, char out[NUM_MAX]);

/*
 * The value grammar of the text format: decimal with optional sign, point and exponent, or
 * case-insensitive inf / infinity with optional sign, or nan without sign. No hex, no '_', nothing
 * out of range (1e400), underflow to 0 is fine. The whole slice must be the number. Returns false
 * when it is not one.
 */
bool num_parse(struct str s, double *ret_v);
/* Decimal 64-bit integer with optional sign; the whole slice. */
bool num_parse_i64(struct str s, int64_t *ret_v);

#endif
