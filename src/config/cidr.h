/* Networks as a flag lists them: "10.0.0.0/8,192.0.2.7,fd00::/8,unix". Any thread. */
#ifndef CONFIG_CIDR_H
#define CONFIG_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* IPv4 is held as IPv6 has it (RFC 4291 §2.5.5.2). */
struct cidr {
	uint8_t address[16];
	unsigned bits;
};

struct cidr_list {
	struct cidr *v;
	size_t n;
	bool unix_sockets; /* "unix": peers that come over one */
};

/* An empty text is an empty list. -1: *err names the part that is none. */
int cidr_list_parse(struct str text, struct cidr_list *ret, struct err *err);
void cidr_list_done(struct cidr_list *list);

/*
 * An address without a port: "192.0.2.1", "2001:db8::1", or "@" for a Unix socket's peer. False
 * also for what is no address.
 */
bool cidr_list_has(const struct cidr_list *list, struct str address);
/* The same of 16 bytes, IPv4 as IPv6 has it. */
bool cidr_list_has_bytes(const struct cidr_list *list, const uint8_t address[16]);
/* "192.0.2.1:80", "[2001:db8::1]:80", "@" or the same without a port: the address. */
struct str cidr_host_of(struct str peer);
bool cidr_is_address(struct str address);

#endif
