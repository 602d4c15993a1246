/*
 * GET /api/v1/undo: the deletes that can be undone now, with their ids. Whether the caller may is
 * decided for each group when it is undone.
 */
#include "store/undo_list.h"

#include "api/caller.h"
#include "api/changes.h"
#include "api/endpoints.h"
#include "api/metric_json.h"
#include "api/undo.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/json.h"

/*
 * Writes the request of the delete, and its user, if they are known: they are kept in memory only.
 */
static void add_request(struct api_worker *w, const struct undo_brief *u, struct strbuf *b)
{
	CLEANUP(strbuf_done) struct strbuf request = { 0 };
	char user[CLIENT_MAX];

	if (!changes_find(w->api->changes, u->id, &request, user))
		return;
	json_add_member(b, "request");
	json_add_string(b, strbuf_str(&request));
	if (!*user)
		return;
	json_add_member(b, "user");
	json_add_string(b, str_of(user));
}

static void write_one(struct api_worker *w, const struct undo_brief *u, bool with_request,
		      struct strbuf *b)
{
	strbuf_addz(b, "{\"id\":\"");
	undo_add_id(b, u->id);
	strbuf_addz(b, "\",\"time\":");
	v1_add_time(b, u->at);
	strbuf_addz(b, ",\"until\":");
	v1_add_time(b, u->at + UNDO_SECONDS);
	strbuf_addf(b, ",\"groups\":%llu", (unsigned long long)u->n);
	if (u->family.n) {
		json_add_member(b, "family");
		json_add_string(b, u->family);
	}
	if (with_request)
		add_request(w, u, b);
	strbuf_addc(b, '}');
}

void api_undo_list(struct api_worker *w, struct http_request *req)
{
	static const char *const known[] = { "limit" };
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	bool reads = caller_may(caller_of(req), VERB_READ);
	uint64_t limit = 100;
	struct undo_brief *list;
	struct params p;
	struct str warning;
	struct err err;
	int n;

	if (v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err) < 0 ||
	    params_count(&p, "limit", 1, UNDO_MAX, &limit, &err) < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	/*
	 * If several gateways write, the committer forgets old deletes by the database's clock,
	 * which is not this machine's.
	 */
	n = store_undo_list(w->api->store, w->api->freshness ? 0 : clock_wall(), &w->reader.arena,
			    &list);
	if (n < 0) {
		err_set(&err, ERR_BUSY, 0, "not enough memory for the answer");
		v1_reply_error(w, req, &err);
		return;
	}
	strbuf_addz(&b, "{\"undo\":[");
	for (int i = 0; i < n && (uint64_t)i < limit; i++) {
		if (i > 0)
			strbuf_addc(&b, ',');
		write_one(w, &list[i], reads, &b);
	}
	strbuf_addf(&b, "],\"total\":%d}", n);
	v1_reply(w, req, 200, strbuf_str(&b), warning);
}
