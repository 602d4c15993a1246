#include "http/extra.h"

#include "base/cleanup.h"

/*
 * How many connections are accepted above a limit. Each worker may have EXTRA_LEAST of these in any
 * case: it can close only its own to make room, and a probe (`always` in http/server.h) may come to
 * any worker.
 */
enum { EXTRA_LEAST = 4 };

static uint64_t extra_room(uint64_t limit)
{
	return limit + limit / 8 + 16;
}

/* The most connections over the limit that are examined for one that can be closed. */
enum { LOOKED_AT = 64 };

static enum http_fault over_limit(const struct conn *c)
{
	const struct http_server *s = c->worker->server;

	if (c->client && c->client->connections > s->settings.max_connections_per_client)
		return FAULT_CLIENT_CONNECTIONS;
	return s->connections > s->settings.max_connections ? FAULT_CONNECTIONS : FAULT_NONE;
}

/* ---- a worker's connections over the limit, the newest first ---- */

static void add(struct conn *c)
{
	struct http_worker *w = c->worker;

	c->extra = true;
	c->older_extra = w->newest_extra;
	if (c->older_extra)
		c->older_extra->newer_extra = c;
	else
		w->oldest_extra = c;
	w->newest_extra = c;
	w->n_extra++;
}

static void take_out(struct conn *c)
{
	struct http_worker *w = c->worker;

	if (!c->extra)
		return;
	if (c->older_extra)
		c->older_extra->newer_extra = c->newer_extra;
	else
		w->oldest_extra = c->newer_extra;
	if (c->newer_extra)
		c->newer_extra->older_extra = c->older_extra;
	else
		w->newest_extra = c->older_extra;
	c->older_extra = c->newer_extra = NULL;
	c->extra = false;
	w->n_extra--;
}

/* Whether the connection may be closed, since no request of it is being handled. */
static bool may_go(const struct conn *c)
{
	return !c->running && (c->state == CONN_HANDSHAKE || c->state == CONN_IDLE ||
			       c->state == CONN_READING || c->state == CONN_DRAINING);
}

static bool is_full(const struct http_server *s, const struct peer *client)
{
	if (client)
		return client->connections > extra_room(s->settings.max_connections_per_client);
	return s->connections >= extra_room(s->settings.max_connections);
}

/*
 * Closes connections of `client` until there is room for one more of it; NULL: connections of any
 * client, until there is room for one more.
 */
static void make_room(struct http_worker *w, const struct peer *client)
{
	struct conn *c = w->oldest_extra, *newer;

	for (int i = 0; c && i < LOOKED_AT && w->n_extra >= EXTRA_LEAST; i++, c = newer) {
		if (!is_full(w->server, client))
			break;
		newer = c->newer_extra;
		if (!may_go(c) || (client && c->client != client))
			continue;
		/* Its request may have arrived: then it is answered instead of closed. */
		if (c->state != CONN_DRAINING && conn_peek(c) > 0) {
			conn_go_on(c);
			continue;
		}
		w->server->refused++;
		conn_close(c);
		conn_run(c);
	}
}

/* ---- one connection ---- */

static struct peer *find_peer(struct conn *c)
{
	const struct http_settings *s = &c->worker->server->settings;
	uint8_t address[PEER_ADDRESS];

	if (s->max_connections_per_client == 0 || !peer_address(&c->address.any, address) ||
	    (s->is_proxy && s->is_proxy(s->is_proxy_arg, address)))
		return NULL;
	peer_client(address);
	return peers_add(&c->worker->server->peers, address);
}

bool extra_enter(struct conn *c)
{
	struct http_server *s = c->worker->server;

	c->client = find_peer(c);
	if (c->client)
		make_room(c->worker, c->client);
	if (c->client && is_full(s, c->client) && c->worker->n_extra >= EXTRA_LEAST) {
		peers_remove(&s->peers, c->client);
		c->client = NULL;
		s->refused++;
		return false;
	}
	make_room(c->worker, NULL);
	s->connections++;
	if (over_limit(c) != FAULT_NONE)
		add(c);
	return true;
}

bool extra_is_full(const struct http_worker *w)
{
	const struct http_server *s = w->server;
	const struct conn *c = w->oldest_extra;

	if (w->n_extra < EXTRA_LEAST || s->connections <= extra_room(s->settings.max_connections))
		return false;
	for (int i = 0; c && i < LOOKED_AT; i++, c = c->newer_extra)
		if (may_go(c))
			return false;
	return true;
}

void extra_leave(struct conn *c)
{
	struct http_server *s = c->worker->server;

	take_out(c);
	if (c->client)
		peers_remove(&s->peers, c->client);
	c->client = NULL;
	s->connections--;
}

enum http_fault extra_judge(struct conn *c)
{
	const struct http_handler *h = &c->worker->server->handler;
	enum http_fault fault = c->extra ? over_limit(c) : FAULT_NONE;

	/*
	 * A connection over the limit can still be closed to make room: that of a probe, which is
	 * answered over the limit, too, and one that is refused, while its client keeps it open.
	 */
	if (fault == FAULT_NONE)
		take_out(c);
	else if (h->always && h->always(c->worker->state, &c->req))
		return FAULT_NONE;
	return fault;
}
