/* CRC-32C (Castagnoli, RFC 3720 section 12.1), the checksum of snappy's framing format. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/str.h"

/* Uses the processor's own instruction where there is one. */
uint32_t crc32c(struct str s);
/* The same without that instruction: what crc32c() calls on other processors. */
uint32_t crc32c_portable(struct str s);

#endif
