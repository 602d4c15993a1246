/* Whose connections are counted together. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "http/peers.h"
#include "lib/run.h"

static bool address_of(const char *text, uint8_t ret[PEER_ADDRESS])
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return peer_address((struct sockaddr *)&v4, ret);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return peer_address((struct sockaddr *)&v6, ret);
}

static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.1", "::ffff:192.0.2.1", true },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
	{ "2001:db8::1", "2001:db8::ffff:ffff", true },
	{ "2001:db8::1", "2001:db8:0:1::1", false },
	{ "::1", "192.0.2.1", false },
};

START_TEST(same_client)
{
	uint8_t a[PEER_ADDRESS], b[PEER_ADDRESS];

	ck_assert(address_of(pairs[_i].a, a) && address_of(pairs[_i].b, b));
	peer_client(a);
	peer_client(b);
	ck_assert_msg((memcmp(a, b, sizeof(a)) == 0) == pairs[_i].same, "%s %s", pairs[_i].a,
		      pairs[_i].b);
}
END_TEST

START_TEST(unix_sockets_are_none)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };
	uint8_t address[PEER_ADDRESS];

	ck_assert(!peer_address((const struct sockaddr *)&un, address));
}
END_TEST

enum { PEERS = 300 };

START_TEST(counts)
{
	struct peer *of[PEERS];
	struct peers p;

	peers_init(&p);
	for (unsigned round = 1; round <= 3; round++)
		for (unsigned i = 0; i < PEERS; i++) {
			uint8_t address[PEER_ADDRESS] = { (uint8_t)i, (uint8_t)(i >> 8) };
			struct peer *peer = peers_add(&p, address);

			ck_assert(round == 1 || peer == of[i]);
			ck_assert_uint_eq(peer->connections, round);
			of[i] = peer;
		}
	ck_assert_uint_eq(p.table.n, PEERS);
	for (unsigned round = 1; round <= 3; round++)
		for (unsigned i = 0; i < PEERS; i++)
			peers_remove(&p, of[i]);
	ck_assert_uint_eq(p.table.n, 0);
	peers_done(&p);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("peers");

	tcase_add_loop_test(tc, same_client, 0, (int)ARRAY_LEN(pairs));
	tcase_add_test(tc, unix_sockets_are_none);
	tcase_add_test(tc, counts);
	return run_cases("peers", tc);
}
