#include "http/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

void peers_init(struct peers *p)
{
	pthread_mutex_init(&p->lock, NULL);
	p->table = (struct table){ 0 };
}

void peers_done(struct peers *p)
{
	table_done(&p->table);
	pthread_mutex_destroy(&p->lock);
}

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

bool peer_address(const struct sockaddr *from, uint8_t ret[PEER_ADDRESS])
{
	memset(ret, 0, PEER_ADDRESS);
	if (from->sa_family == AF_INET) {
		memcpy(ret, v4_mapped, sizeof(v4_mapped));
		memcpy(ret + sizeof(v4_mapped), &((const struct sockaddr_in *)from)->sin_addr, 4);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	memcpy(ret, &((const struct sockaddr_in6 *)from)->sin6_addr, PEER_ADDRESS);
	return true;
}

void peer_client(uint8_t address[PEER_ADDRESS])
{
	enum { NETWORK = 8 };

	if (memcmp(address, v4_mapped, sizeof(v4_mapped)) != 0)
		memset(address + NETWORK, 0, PEER_ADDRESS - NETWORK);
}

static struct peer *find(struct peers *p, uint64_t hash, const uint8_t address[PEER_ADDRESS])
{
	struct peer *peer;

	for (size_t at = table_first(&p->table, hash); (peer = table_next(&p->table, hash, &at));)
		if (memcmp(peer->address, address, PEER_ADDRESS) == 0)
			return peer;
	return NULL;
}

struct peer *peers_add(struct peers *p, const uint8_t address[PEER_ADDRESS])
{
	uint64_t hash = hash_bytes((struct str){ (const char *)address, PEER_ADDRESS });
	struct peer *peer;

	pthread_mutex_lock(&p->lock);
	peer = find(p, hash, address);
	if (!peer) {
		peer = mem_zalloc(sizeof(*peer));
		memcpy(peer->address, address, PEER_ADDRESS);
		peer->hash = hash;
		table_add(&p->table, hash, peer);
	}
	peer->connections++;
	pthread_mutex_unlock(&p->lock);
	return peer;
}

void peers_remove(struct peers *p, struct peer *peer)
{
	pthread_mutex_lock(&p->lock);
	if (--peer->connections == 0) {
		table_remove(&p->table, peer->hash, peer);
		free(peer);
	}
	pthread_mutex_unlock(&p->lock);
}
