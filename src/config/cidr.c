#include "config/cidr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "config/units.h"

enum { V4_BITS = 96 }; /* of the prefix of an IPv4 address that is written as an IPv6 address */

static bool parse_address(struct str s, uint8_t out[16], bool *ret_v4)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	char z[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(z) || memchr(s.p, '\0', s.n))
		return false;
	copy_bytes(z, s.p, s.n);
	z[s.n] = '\0';
	*ret_v4 = inet_pton(AF_INET, z, out + 12) == 1;
	if (*ret_v4)
		memcpy(out, mapped, sizeof(mapped));
	return *ret_v4 || inet_pton(AF_INET6, z, out) == 1;
}

bool cidr_address(struct str address, uint8_t ret[16])
{
	bool v4;

	return parse_address(address, ret, &v4);
}

bool cidr_is_address(struct str address)
{
	uint8_t bytes[16];

	return cidr_address(address, bytes);
}

static bool parse_one(struct str s, struct cidr *ret)
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	struct str address = { s.p, slash ? (size_t)(slash - s.p) : s.n };
	int64_t bits;
	bool v4;

	*ret = (struct cidr){ .bits = 128 };
	if (!parse_address(address, ret->address, &v4))
		return false;
	if (!slash)
		return true;
	struct str rest = { slash + 1, s.n - address.n - 1 };

	if (!count_parse(rest, &bits) || bits > (v4 ? 32 : 128))
		return false;
	ret->bits = (unsigned)bits + (v4 ? V4_BITS : 0);
	return true;
}

static struct str trim(struct str s)
{
	for (; s.n > 0 && s.p[0] == ' '; s.p++)
		s.n--;
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static int take_one(struct cidr_list *list, struct str s, struct err *err)
{
	struct cidr one;
	char quoted[128];

	if (str_eq(s, STR("unix"))) {
		list->unix_sockets = true;
		return 0;
	}
	if (!parse_one(s, &one))
		return err_set(err, ERR_CONFIG, 0,
			       "%s is no address and no network: expected a list like "
			       "10.0.0.0/8,192.0.2.7,fd00::/8,unix",
			       str_quote(s, quoted, sizeof(quoted)));
	list->v = mem_realloc(list->v, (list->n + 1) * sizeof(*list->v));
	list->v[list->n++] = one;
	return 0;
}

int cidr_list_parse(struct str text, struct cidr_list *ret, struct err *err)
{
	*ret = (struct cidr_list){ 0 };
	while (text.n > 0) {
		const char *comma = memchr(text.p, ',', text.n);
		size_t n = comma ? (size_t)(comma - text.p) : text.n;

		if (take_one(ret, trim((struct str){ text.p, n }), err) < 0) {
			cidr_list_done(ret);
			return -1;
		}
		n += comma != NULL;
		text = (struct str){ text.p + n, text.n - n };
	}
	return 0;
}

void cidr_list_done(struct cidr_list *list)
{
	free(list->v);
	*list = (struct cidr_list){ 0 };
}

static bool is_within(const uint8_t address[16], const struct cidr *net)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(address, net->address, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ net->address[whole]) >> (8 - rest)) == 0;
}

bool cidr_list_has_bytes(const struct cidr_list *list, const uint8_t address[16])
{
	for (size_t i = 0; i < list->n; i++)
		if (is_within(address, &list->v[i]))
			return true;
	return false;
}

bool cidr_list_has(const struct cidr_list *list, struct str address)
{
	uint8_t bytes[16];
	bool v4;

	if (str_eq(address, STR("@")))
		return list->unix_sockets;
	if (list->n == 0 || !parse_address(address, bytes, &v4))
		return false;
	return cidr_list_has_bytes(list, bytes);
}

struct str cidr_host_of(struct str peer)
{
	const char *colon = peer.n ? memrchr(peer.p, ':', peer.n) : NULL;

	if (peer.n > 0 && peer.p[0] == '[') {
		const char *end = memchr(peer.p, ']', peer.n);

		return end ? (struct str){ peer.p + 1, (size_t)(end - peer.p - 1) } : peer;
	}
	/* An address with more than one colon is IPv6 without a port. */
	if (!colon || memchr(peer.p, ':', (size_t)(colon - peer.p)))
		return peer;
	return (struct str){ peer.p, (size_t)(colon - peer.p) };
}
