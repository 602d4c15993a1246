#include "api/caller.h"

#include <stdlib.h>
#include <string.h>

#include "access/users.h"
#include "base/mem.h"
#include "config/current_rules.h"

enum { NAMES_BYTES = 64 * 1024 };

static void caller_free(void *p)
{
	struct caller *c = p;

	group_rules_unref(c->rules);
	arena_done(&c->arena);
	free(c);
}

void caller_begin(struct api_worker *w, struct http_request *req)
{
	CLEANUP(group_rules_unrefp) struct group_rules *rules = NULL;
	struct caller *c;

	if (!w->api->rules || !current_rules_have_access(w->api->rules))
		return;
	rules = current_rules_get(w->api->rules);
	if (!rules->access)
		return;
	c = mem_zalloc(sizeof(*c));
	c->rules = TAKE(rules);
	arena_init(&c->arena, NAMES_BYTES);
	http_request_attach(req, c, caller_free);
}

void caller_identify(struct http_request *req)
{
	struct caller *c = http_request_attached(req);

	if (!c)
		return;
	c->who.names = c->names;
	web_users_name(http_request_header(req, "Authorization"), c->user, sizeof(c->user));
	if (c->user[0])
		c->names[c->who.n++] = str_of(c->user);
	c->who.n += certificate_names(http_request_tls(req), &c->arena, &c->names[c->who.n]);
	c->verbs = role_verbs(c->rules->access, &c->who);
}

const struct caller *caller_of(const struct http_request *req)
{
	return http_request_attached(req);
}

struct str caller_name(const struct caller *c)
{
	return c->who.n > 0 ? c->who.names[0] : ACCESS_ANONYMOUS;
}

bool caller_may(const struct caller *c, enum access_verb verb)
{
	return !c || (c->verbs >> verb & 1);
}

const struct caller *caller_if_narrowed(const struct caller *c)
{
	const struct access_entry *e = c ? role_entry(c->rules->access, &c->who, VERB_READ) : NULL;

	return e && e->n_labels > 0 ? c : NULL;
}

bool caller_sees_all(const struct caller *c)
{
	return caller_may(c, VERB_SCRAPE) || (caller_may(c, VERB_READ) && !caller_if_narrowed(c));
}

void caller_add_verbs(const struct caller *c, bool json, struct strbuf *out)
{
	const char *before = "";

	for (int i = 0; i < N_ACCESS_VERBS; i++) {
		if (!caller_may(c, (enum access_verb)i))
			continue;
		strbuf_addf(out, json ? "%s\"%s\"" : "%s%s", before, access_verbs[i]);
		before = json ? "," : " ";
	}
}
