/* Answers that are given before anything is decided. */
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
		return r->status == 400 || r->status == 401 || r->status == 403;
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
	strbuf_addf(why, "a push that can%s be read and is to be refused with %d was answered %d%s",
		    r->spoiled ? "not" : "", r->refusal, r->status,
		    r->order ? ", and decided" : "");
	return false;
}
