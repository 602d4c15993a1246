/* Counts the bytes of all requests, and refuses requests when they are too many. The bytes of a
 * request are counted in one atomic step with checking the limit, so that a refused request has
 * never taken room from others. The first of the large requests is favoured: it continues beyond
 * the limit, so that always one is completed, even if it is larger than the limit.
 */
#include "http/conn.h"

/* Requests up to this size are never refused because of others. */
enum { SMALL_REQUEST = 64 * 1024 };

static bool is_favoured(struct conn *c)
{
	struct conn *who = atomic_load(&c->worker->server->favoured);

	return who == c ||
	       (!who && atomic_compare_exchange_strong(&c->worker->server->favoured, &who, c));
}

static void set(struct conn *c, uint64_t n)
{
	atomic_fetch_add(&c->worker->server->receiving, n - c->counted);
	c->counted = n;
}

bool count_received(struct conn *c, uint64_t n)
{
	struct http_server *s = c->worker->server;
	unsigned long long all;

	if (n <= c->counted || n <= SMALL_REQUEST || is_favoured(c)) {
		if (n != c->counted)
			set(c, n);
		return true;
	}
	all = atomic_load(&s->receiving);
	do {
		if (all - c->counted + n > s->settings.max_receiving)
			return false;
	} while (!atomic_compare_exchange_weak(&s->receiving, &all, all - c->counted + n));
	c->counted = n;
	return true;
}

void count_ended(struct conn *c)
{
	struct conn *who = c;

	if (c->counted > 0)
		set(c, 0);
	if (atomic_load(&c->worker->server->favoured) == c)
		atomic_compare_exchange_strong(&c->worker->server->favoured, &who, NULL);
}
