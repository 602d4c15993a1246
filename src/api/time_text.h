/* Times as text, for pages and JSON. */
#ifndef API_TIME_TEXT_H
#define API_TIME_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* RFC 3339 in local time, up to nine fractional digits without trailing zeros, as Go prints it.
 * ns: Unix time. */
void time_text(int64_t ns, char *out, size_t size);

#endif
