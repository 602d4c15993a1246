/*
 * What all requests together have sent us, and who is refused when that is too much. The bytes of a
 * request are counted before it may have them, in one step with looking whether there is room: what
 * is refused has never taken room from others. The first large request of all is favoured: it goes
 * on, however much the others send, so that one is completed, and one larger than all the room can
 * be.
 */
#include "http/conn.h"

/* What is not larger has room, however much others send. */
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
