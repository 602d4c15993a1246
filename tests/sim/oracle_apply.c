/* What a request does to a state, if it takes place. */
#include "api/error_status.h"
#include "sim/oracle.h"

static bool is_said(const struct sim_request *r, long n)
{
	return r->removal.said < 0 || r->removal.said == n;
}

static bool wipe(struct oracle_state *s, int status)
{
	memset(s->store.groups, 0, sizeof(s->store.groups));
	s->sums = (struct sim_sums){ 0 };
	memset(&s->removed, 0, sizeof(s->removed));
	return status == 0 || status == 202;
}

static bool remove_many(struct oracle_state *s, const struct sim_request *r, int status)
{
	long n = removals_apply(&s->store, &s->sums, &s->removed, &r->removal);

	if (s->removed.groups & r->spared)
		return false;
	return status == 0 || (status == 200 && is_said(r, n));
}

static bool undo(const struct oracle *o, struct oracle_state *s, const struct sim_request *r,
		 int status)
{
	const struct removal_time at = { r->now, r->now_ns, r->not_before_ns };
	long n;

	if (s->removed.groups & r->spared)
		return false;
	n = removals_undo(&s->store, &s->sums, &s->removed, &at);
	if (r->ended)
		ends_start(&s->store, &s->sums, &o->started);
	return status == 0 || status == 503 || (status == 200 && is_said(r, n));
}

/* It is not known what time an earlier process saw. */
static bool end(const struct oracle *o, struct oracle_state *s, const struct sim_request *r)
{
	if (!r->ended && !ends_may(&s->store, &s->sums, &r->ends, r->now_ns, &o->started))
		return false;
	ends_apply(&s->store, &s->sums, &r->ends);
	return true;
}

static bool push(struct oracle_state *s, const struct sim_request *r, int64_t now_ns, int status)
{
	static struct naive_store before;
	struct naive_push p = r->push;
	struct err err = { 0 };

	p.now = r->now;
	p.now_ns = now_ns;
	for (int i = 0; i < p.n; i++)
		p.families[i].pushed_at = (double)r->order;
	if (r->in_steps && !r->dry_run && (status == 400 || status == 507)) {
		naive_refuse(&s->store, &p, status == 507 ? ERR_STORE_FULL : ERR_INVALID);
		return true;
	}
	if (r->dry_run)
		before = s->store;
	err.reason = naive_apply(&s->store, &p);
	if (r->dry_run)
		s->store = before;
	if (status == 0)
		return true;
	if (err.reason)
		return status == error_status(&err);
	return status == (p.mode == PUSH_DELETE ? 202 : 200);
}

bool oracle_apply(const struct oracle *o, struct oracle_state *s, const struct sim_request *r)
{
	int64_t now_ns = r->ended ? ends_heard_ns(&o->started, r->now) : r->now_ns;
	/* Any answer that it would have got is possible. */
	int status = r->unknown ? 0 : r->status, made;

	switch (r->kind) {
	case REQUEST_WIPE:
		return wipe(s, status);
	case REQUEST_REMOVE:
		return remove_many(s, r, status);
	case REQUEST_UNDO:
		return undo(o, s, r, status);
	case REQUEST_END:
		return end(o, s, r);
	case REQUEST_SUM:
		made = sums_apply(&s->sums, &r->sum, r->now, now_ns);
		return status == 0 || status == made;
	default:
		return push(s, r, now_ns, status);
	}
}
