#include "api/permission.h"

#include "api/error_status.h"
#include "api/refusals.h"
#include "api/reply.h"
#include "api/v1_reply.h"
#include "format/text/write.h"

static enum access_verb verb_of(enum action action)
{
	static const enum access_verb verbs[] = {
		[ACTION_NONE] = N_ACCESS_VERBS, /* no role has this verb */
		[ACTION_PROBE] = VERB_PROBE,    [ACTION_SCRAPE] = VERB_SCRAPE,
		[ACTION_READ] = VERB_READ,      [ACTION_PUSH] = VERB_PUSH,
		[ACTION_DELETE] = VERB_DELETE,  [ACTION_ADMIN] = VERB_ADMIN,
	};
	_Static_assert(ARRAY_LEN(verbs) == N_ACTIONS, "an action has no verb");

	return verbs[action];
}

/* ---- what is said ---- */

static int forbid(const struct caller *c, enum access_verb verb, const struct key *key,
		  struct err *err)
{
	CLEANUP(strbuf_done) struct strbuf group = { 0 };
	char who[128];

	if (key)
		text_write_labels(&group, key->labels, key->n_labels, false);
	return err_set(err, ERR_FORBIDDEN, 0,
		       "%s has not the verb %s%s%s (access: in --config.file)",
		       str_quote(caller_name(c), who, sizeof(who)),
		       verb < N_ACCESS_VERBS ? access_verbs[verb] : "for this",
		       key ? " for the group " : "", key ? strbuf_z(&group) : "");
}

static int forbid_label(const struct caller *c, const struct role_decision *d, struct err *err)
{
	char who[128], name[128], value[128];

	return err_set(err, ERR_FORBIDDEN, 0,
		       "the label %s of a group of %s is %s and cannot be another: leave it out of "
		       "the path (access: in --config.file)",
		       str_quote(d->other->name, name, sizeof(name)),
		       str_quote(caller_name(c), who, sizeof(who)),
		       str_quote(d->other->value, value, sizeof(value)));
}

static void refuse(struct api_worker *w, struct http_request *req, const struct endpoint *e,
		   const struct caller *c, struct err *err)
{
	bool nobody = c->who.n == 0 && err->reason == ERR_FORBIDDEN;
	int status;

	error_is_want_of_memory(&w->reader.arena, err);
	status = nobody ? 401 : error_status(err);

	permission_note(w, req, err);
	if (nobody)
		http_reply_header(req, "Www-Authenticate", "Basic");
	if (e->ours && !nobody) {
		v1_reply_error(w, req, err);
		return;
	}
	api_count_as(req, HANDLER_REFUSED);
	api_reply_error(req, status, err->msg);
}

void permission_note(struct api_worker *w, const struct http_request *req, const struct err *err)
{
	w->api->counters.refusals[REFUSED_ROLE]++;
	refusals_request(w, req, REFUSED_ROLE, error_status(err), err->msg);
}

/* ---- a request ---- */

/*
 * Decodes the group that the path names. 0: it names none, or a bad one, and the endpoint says so.
 * -1: the arena is full. For a large push the endpoint may have more room, so it answers then, too.
 */
static int key_of_path(struct api_worker *w, struct key *ret, struct err *err)
{
	const struct key_limits lim = read_push_key_limits(w->api->config);
	struct key_options pairs;

	if (key_parse(w->push_path.key, &lim, &w->reader.arena, ret, &pairs, err) == 0)
		return 1;
	return err->reason == ERR_TOO_LARGE ? -1 : 0;
}

static int decide(struct api_worker *w, const struct caller *c, const struct endpoint *e,
		  enum access_verb verb, struct err *err)
{
	struct role_decision d = { .answer = ROLE_MAY_NOT };
	struct key of_path;
	int found = e->of_group ? key_of_path(w, &of_path, err) : 0;
	const struct key *key = found > 0 ? &of_path : NULL;

	if (found < 0)
		return -1;
	if (verb < N_ACCESS_VERBS &&
	    role_decide(c->rules->access, &c->who, verb, key, &w->reader.arena, &d, err) < 0)
		return -1;
	if (d.answer == ROLE_MAY_NOT)
		return forbid(c, verb, key, err);
	if (d.answer == ROLE_OTHER_LABEL)
		return forbid_label(c, &d, err);
	w->entry = key ? d.entry : NULL;
	return 0;
}

bool permission_refuse(struct api_worker *w, struct http_request *req, const struct endpoint *e,
		       enum action action)
{
	const struct caller *c = caller_of(req);
	struct err err;

	w->entry = NULL;
	if (!c || decide(w, c, e, verb_of(action), &err) == 0)
		return false;
	refuse(w, req, e, c, &err);
	return true;
}

/* ---- a stored group ---- */

int permission_for_group(const struct caller *c, enum access_verb verb, struct str bytes,
			 struct arena *scratch, struct err *err)
{
	enum role_answer answer = ROLE_MAY;
	struct key key;

	if (!c)
		return 1;
	arena_reset(scratch);
	if (key_decode(bytes, scratch, &key) < 0)
		return err_set(err, ERR_BUSY, 0, "not enough memory for the answer");
	if (role_decide_stored(c->rules->access, &c->who, verb, &key, scratch, &answer, err) < 0)
		return -1;
	if (answer == ROLE_MAY_NOT)
		return forbid(c, verb, &key, err);
	return answer == ROLE_MAY;
}

/* ---- a listed group ---- */

int permission_complete(const struct caller *c, enum access_verb verb, struct arena *a,
			struct key *key, struct err *err)
{
	struct role_decision d;

	if (!c)
		return 0;
	if (role_decide(c->rules->access, &c->who, verb, key, a, &d, err) < 0)
		return -1;
	if (d.answer == ROLE_OTHER_LABEL)
		return forbid_label(c, &d, err);
	if (d.answer == ROLE_MAY)
		*key = d.key;
	return 0;
}
