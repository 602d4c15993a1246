/*
 * The names of a client certificate that was verified in the handshake: the common name of its
 * subject, and its DNS names.
 */
#ifndef ACCESS_CERTIFICATE_NAMES_H
#define ACCESS_CERTIFICATE_NAMES_H

#include "base/arena.h"
#include "base/str.h"

struct ssl_st; /* openssl/ssl.h */

enum { CERTIFICATE_NAMES_MAX = 64 };

/*
 * Writes names like "cn:ops" and "dns:host.example" (in lower case) to ret[]; they are in the
 * arena. Returns how many: 0 for a connection without a verified certificate, or when the arena is
 * full. On the connection's thread.
 */
uint32_t certificate_names(struct ssl_st *ssl, struct arena *a,
			   struct str ret[CERTIFICATE_NAMES_MAX]);

#endif
