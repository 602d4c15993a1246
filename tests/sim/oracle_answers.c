/* Answers that are given before anything is decided, or to what changes nothing. */
#include "sim/oracle.h"

/* Who is not let in is told so, and nothing else has happened. */
static bool is_turned_away(const struct sim_request *r)
{
	return r->status == 0 || r->status == 503 || (r->status == 401 && r->order == 0);
}

static bool is_right(const struct sim_request *r)
{
	if (r->login && !r->let_in && r->kind != REQUEST_END)
		return is_turned_away(r);
	if ((r->kind != REQUEST_PUSH && r->kind != REQUEST_SUM) || r->status == 0 ||
	    r->status == 503)
		return true;
	if (r->maybe_refused && r->order == 0)
		return r->status == 400 || r->status == 401 || r->status == 403 ||
		       (r->too_large && r->status == 413);
	/* It may be wrong by itself as well, which is noted. */
	if (r->too_large && r->order > 0)
		return r->status == 400 && !r->spoiled;
	if (r->too_large && r->status == 413)
		return true;
	if (r->too_large && !r->spoiled && !r->refusal)
		return false;
	/* How a body begins is looked at before who sends it. */
	if (r->spoiled || r->refusal)
		return r->order == 0 &&
		       (r->status == r->refusal || (r->spoiled && r->status == 400));
	return r->order > 0;
}

bool oracle_answered_rightly(const struct sim_request *r, struct strbuf *why)
{
	if (is_right(r))
		return true;
	strbuf_addf(why,
		    "a push that can%s be read%s and is to be refused with %d was answered %d%s",
		    r->spoiled ? "not" : "", r->too_large ? ", is too large" : "", r->refusal,
		    r->status, r->order ? ", and decided" : "");
	return false;
}

static bool has(const struct naive_store *s, const struct removal_request *r, unsigned groups)
{
	for (unsigned g = 0; g < NAIVE_GROUPS; g++)
		if ((r->groups & groups) >> g & 1 && s->groups[g].there &&
		    (!r->family || s->groups[g].families[r->family].there))
			return true;
	return false;
}

bool oracle_has(const struct oracle *o, const struct removal_request *r, unsigned groups)
{
	for (size_t i = 0; i < o->n_states; i++)
		if (!has(&o->states[i]->store, r, groups))
			return false;
	return true;
}
