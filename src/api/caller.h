/*
 * Who sends a request, if --config.file has `access:`. Kept with the request, together with the
 * entries that were in force when its head arrived, so that all decisions on it follow the same
 * entries. Without `access:` there is no caller, and no cost.
 */
#ifndef API_CALLER_H
#define API_CALLER_H

#include "access/certificate_names.h"
#include "access/roles.h"
#include "api/client.h"
#include "config/group_rules.h"

struct caller {
	struct group_rules *rules; /* with ->access */
	struct who who;            /* anonymous until caller_identify() */
	struct str names[CERTIFICATE_NAMES_MAX + 1];
	char user[CLIENT_MAX]; /* the user whose password was right; empty: none */
	struct arena arena;
	unsigned verbs; /* see role_verbs() */
};

/* On the worker, with the head of a request, before anything else: attaches a caller. */
void caller_begin(struct api_worker *w, struct http_request *req);
/* On the worker, once the password in its head is known to be right, or there is none. */
void caller_identify(struct http_request *req);

/*
 * The caller of a request, valid until the reply; NULL: there is no `access:`, and everybody may do
 * everything. Any thread that has the request.
 */
const struct caller *caller_of(const struct http_request *req);

/* The caller's name in messages: "ops", "cn:ops", "anonymous". */
struct str caller_name(const struct caller *c);
/* For pages: whether the caller has the verb, at least for some groups. True without `access:`. */
bool caller_may(const struct caller *c, enum access_verb verb);
/* Whether the caller may see every group, by reading or scraping. */
bool caller_sees_all(const struct caller *c);
/* NULL if the caller may read all groups; otherwise c: permission.h decides for each group. */
const struct caller *caller_if_narrowed(const struct caller *c);
/* "push delete"; with quotes and commas for JSON. */
void caller_add_verbs(const struct caller *c, bool json, struct strbuf *out);

#endif
