#include "api/client.h"

#include <stdio.h>
#include <string.h>

#include "access/certificate_names.h"
#include "access/users.h"
#include "api/admission.h"
#include "api/caller.h"
#include "base/hash.h"
#include "config/config.h"
#include "http/peers.h"

static struct str trim(struct str s)
{
	for (; s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'); s.p++)
		s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Cuts off the last element. */
static struct str take_last(struct str *list)
{
	const char *comma = list->n ? memrchr(list->p, ',', list->n) : NULL;
	size_t at = comma ? (size_t)(comma - list->p) + 1 : 0;
	struct str last = { list->p + at, list->n - at };

	list->n = comma ? at - 1 : 0;
	return trim(last);
}

/*
 * Looks for the client from the end of one header line. False: the line names only trusted proxies.
 */
static bool find_client(const struct cidr_list *trusted, struct str list, struct str *ret)
{
	while (list.n > 0) {
		struct str element = take_last(&list);
		struct str host = cidr_host_of(element);

		/* Elements in front of one that is no address are not to be trusted. */
		if (!cidr_is_address(host))
			return true;
		*ret = element;
		if (!cidr_list_has(trusted, host))
			return true;
	}
	return false;
}

void client_name(const struct api *api, const struct http_request *req, char out[CLIENT_MAX])
{
	static const char name[] = "X-Forwarded-For";
	const struct cidr_list *trusted = &api->config->trusted_proxies;
	struct str client = str_of(http_request_peer(req));

	if (cidr_list_has(trusted, cidr_host_of(client))) {
		size_t at = SIZE_MAX;
		struct str line;

		/*
		 * A proxy may add a header line of its own after those that are there, so the last
		 * one is looked at first.
		 */
		while ((line = http_request_header_before(req, name, &at)).p &&
		       !find_client(trusted, line, &client))
			;
	}
	snprintf(out, CLIENT_MAX, "%.*s", STR_ARG(client));
}

uint64_t client_hash_of(struct str client)
{
	struct str host = cidr_host_of(client);
	uint8_t address[PEER_ADDRESS];

	if (!cidr_address(host, address))
		return hash_bytes(host);
	peer_client(address);
	return hash_bytes((struct str){ (const char *)address, sizeof(address) });
}

uint64_t client_hash(const struct api *api, const struct http_request *req)
{
	char name[CLIENT_MAX];

	client_name(api, req, name);
	return client_hash_of(str_of(name));
}

void client_user(const struct api *api, const struct http_request *req, char out[CLIENT_MAX])
{
	struct str names[CERTIFICATE_NAMES_MAX];
	const struct caller *c = caller_of(req);

	out[0] = '\0';
	if (c && c->who.n > 0)
		snprintf(out, CLIENT_MAX, "%.*s", STR_ARG(caller_name(c)));
	if (c || !api->admission)
		return;
	if (admission_has_users(api->admission)) {
		web_users_name(http_request_header(req, "Authorization"), out, CLIENT_MAX);
	} else if (admission_uses_tls(api->admission)) {
		CLEANUP(arena_done) struct arena a;

		arena_init(&a, (size_t)64 * 1024);
		if (certificate_names(http_request_tls(req), &a, names) > 0)
			snprintf(out, CLIENT_MAX, "%.*s", STR_ARG(names[0]));
	}
}
