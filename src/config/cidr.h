/* Networks as a flag lists them: "10.0.0.0/8,192.0.2.7,fd00::/8,unix". Any thread. */
#ifndef CONFIG_CIDR_H
#define CONFIG_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* IPv4 addresses are kept as IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2). */
struct cidr {
	uint8_t address[16];
	unsigned bits;
};

struct cidr_list {
	struct cidr *v;
	size_t n;
	bool unix_sockets; /* "unix" is listed: peers on Unix sockets */
};

/* An empty text is an empty list. -1: ERR_CONFIG, which names the part that is no network. */
int cidr_list_parse(struct str text, struct cidr_list *ret, struct err *err);
void cidr_list_done(struct cidr_list *list);

/*
 * Whether the list has an address without a port: "192.0.2.1", "2001:db8::1", or "@" for a Unix
 * socket's peer. False also for a text that is no address.
 */
bool cidr_list_has(const struct cidr_list *list, struct str address);
/* The same for the bytes of an IPv6 or IPv4-mapped address. */
bool cidr_list_has_bytes(const struct cidr_list *list, const uint8_t address[16]);
/* The address in "192.0.2.1:80", "[2001:db8::1]:80", "@", or in an address without a port. */
struct str cidr_host_of(struct str peer);
bool cidr_is_address(struct str address);
/* The bytes of such an address, an IPv4 one as an IPv4-mapped one. False: it is none. */
bool cidr_address(struct str address, uint8_t ret[16]);

#endif
