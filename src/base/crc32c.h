/* CRC-32C (Castagnoli, RFC 3720 section 12.1), the checksum of snappy's framing format. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/str.h"

/* With the processor's own instruction where there is one. */
uint32_t crc32c(struct str s);
/* What crc32c() is elsewhere. */
uint32_t crc32c_portable(struct str s);

#endif
