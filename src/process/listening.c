#include "process/listening.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"

static bool is_proxy(void *arg, const uint8_t address[16])
{
	return cidr_list_has_bytes(arg, address);
}

struct http_settings listening_settings(struct config *c)
{
	return (struct http_settings){
		.addresses = c->listen_addresses,
		.n_addresses = c->n_listen_addresses,
		.threads = (unsigned)c->web_threads,
		/*
		 * Clients wait for a restart, which usually takes less than that; while a large
		 * database is loaded they get 503.
		 */
		.hold = true,
		.max_connections = c->web_max_connections,
		.max_connections_per_client = c->web_max_connections_per_client,
		.is_proxy = is_proxy,
		.is_proxy_arg = &c->trusted_proxies,
		.max_header_size = c->web_max_header_size,
		.max_body_size = c->body_size,
		.max_receiving = c->receiving_bytes,
		.max_reply_bytes = c->reply_bytes,
		.idle_timeout_ns = c->web_idle_timeout_ns,
		.read_timeout_ns = c->web_read_timeout_ns,
		.shutdown_timeout_ns = c->web_shutdown_timeout_ns,
	};
}

void listening_add(void *arg, const char *bound)
{
	struct listening *l = arg;
	const char *colon = strrchr(bound, ':');

	if (l->addresses.n == 0)
		snprintf(l->port, sizeof(l->port), "%s", colon ? colon : "");
	strbuf_add(&l->addresses, bound, strlen(bound) + 1);
}

void listening_log(void *arg)
{
	struct listening *l = arg;

	for (size_t at = 0; at < l->addresses.n; at += strlen(l->addresses.p + at) + 1)
		log_info("Listening on", "address", l->addresses.p + at, NULL);
	strbuf_done(&l->addresses);
	l->addresses = (struct strbuf){ 0 };
}

void listening_done(struct listening *l)
{
	strbuf_done(&l->addresses);
}
