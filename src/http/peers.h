/*
 * Counts the connections of each client. All addresses of an IPv6 network of 64 bits are one
 * client, since a machine can use any of them; peers on Unix sockets are not counted. Any thread.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/table.h"

enum { PEER_ADDRESS = 16 };

struct peer {
	uint8_t address[PEER_ADDRESS]; /* IPv4 addresses as IPv4-mapped ones */
	uint64_t hash;
	atomic_ullong connections;
};

struct peers {
	pthread_mutex_t lock;
	struct table table;
};

void peers_init(struct peers *p);
void peers_done(struct peers *p);

/* An IPv4 address as an IPv4-mapped one. False: it is no address that is counted. */
bool peer_address(const struct sockaddr *from, uint8_t ret[PEER_ADDRESS]);
/* What of the address counts as one client: of an IPv6 address, the first 64 bits. */
void peer_client(uint8_t address[PEER_ADDRESS]);
/* Count one connection more, or one less, after which the peer may be freed. */
struct peer *peers_add(struct peers *p, const uint8_t address[PEER_ADDRESS]);
void peers_remove(struct peers *p, struct peer *peer);

#endif
