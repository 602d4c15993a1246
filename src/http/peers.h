/*
 * How many connections each client has. Those of an IPv6 network of 64 bits are one client, as one
 * machine has as many addresses of it as it likes; Unix sockets are none. Any thread.
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
	uint8_t address[PEER_ADDRESS]; /* IPv4 as IPv6 has it */
	uint64_t hash;
	atomic_ullong connections;
};

struct peers {
	pthread_mutex_t lock;
	struct table table;
};

void peers_init(struct peers *p);
void peers_done(struct peers *p);

/* False: it has none that could be counted. */
bool peer_address(const struct sockaddr *from, uint8_t ret[PEER_ADDRESS]);
/* One connection more, and one less: then the peer may be gone. */
struct peer *peers_add(struct peers *p, const uint8_t address[PEER_ADDRESS]);
void peers_remove(struct peers *p, struct peer *peer);

#endif
