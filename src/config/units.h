/* Durations and sizes as they are written on a command line and in files. Any thread. */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Go's time.ParseDuration() with its messages ("1h30m", "1.5s", "0"); -1: ERR_CONFIG. */
int duration_parse(struct str s, int64_t *ret_ns, struct err *err);
/* Go's Duration.String(): "1h30m0s", "100ms", "0s". */
void duration_format(int64_t ns, struct strbuf *out);

/*
 * How long something is kept or awaited, as written in the configuration file and in URLs: terms
 * with the units d h m s ms ("7d", "1h30m"), or a number of seconds ("900", "0.5"). Not negative,
 * 3650 days at the most; 0 means never, and what is less than a nanosecond is one. -1 is
 * ERR_CONFIG.
 */
#define PERIOD_MAX (INT64_C(3650) * 24 * 3600 * 1000000000)
int period_parse(struct str s, int64_t *ret_ns, struct err *err);

/* Decimal digits, nothing else. */
bool count_parse(struct str s, int64_t *ret_n);
/* Bytes, or a number with one of KB MB GB (powers of 1000), KiB MiB GiB (powers of 1024). */
bool size_parse(struct str s, int64_t *ret_bytes);
/* In the largest binary unit that is exact: "64MiB", "1000". */
void size_format(int64_t bytes, struct strbuf *out);

#endif
