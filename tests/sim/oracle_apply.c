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
	ends_apply(&s->store, &s->sums, &r->ends,
		   r->ended ? ends_heard_ns(&o->started, r->ends.at) : r->now_ns);
	/* What was overdue then, and was not noted, follows from what was. */
	if (r->ended)
		ends_start(&s->store, &s->sums, &o->started);
	return true;
}

/* src/api/README.md says about how much the store counts for each; these are bounds of it. */
enum { GROUP = 3000, FAMILY = 3000, LINE = 500, PARTS = 6 };
enum { LEAST_GROUP = 640, LEAST_FAMILY = 96, LEAST_LINE = 24 };

static void bound_bytes(const struct naive_store *s, uint64_t *ret_least, uint64_t *ret_most)
{
	*ret_least = *ret_most = 0;
	for (int g = 0; g < NAIVE_GROUPS; g++) {
		const struct naive_group *group = &s->groups[g];

		*ret_most += group->there ? GROUP : 0;
		*ret_least += group->there ? LEAST_GROUP : 0;
		for (int i = 0; i < NAIVE_NAMES; i++) {
			const struct naive_family *f = &group->families[i];

			*ret_most += f->there ? FAMILY : 0;
			*ret_least += f->there ? LEAST_FAMILY : 0;
			for (int k = 0; f->there && k < f->n; k++) {
				uint64_t padding = f->series[k].padded ? NAIVE_PADDING : 0;

				*ret_least += LEAST_LINE + padding;
				*ret_most += PARTS * (LINE + padding);
			}
		}
	}
}

/* Nothing is noted of a group that is not made. */
static bool has_no_room_for_group(uint64_t max, const struct naive_store *s)
{
	uint64_t least, most;

	bound_bytes(s, &least, &most);
	return most + GROUP > max;
}

/* Refused for want of room: there must be little, and it is noted as of any other limit. */
static bool refuse_for_bytes(uint64_t max, struct naive_store *s, const struct naive_push *p)
{
	static struct naive_store after;
	uint64_t least, most = UINT64_MAX;

	after = *s;
	if (naive_apply(&after, p) == ERR_NONE)
		bound_bytes(&after, &least, &most);
	naive_refuse(s, p, ERR_STORE_FULL);
	return most > max;
}

/* What is accepted, and makes the store larger, fits; pushes that repeat series have a reserve. */
static bool fits(uint64_t max, const struct naive_store *before, const struct naive_store *after)
{
	uint64_t least, least_before, most;

	if (max == 0)
		return true;
	bound_bytes(before, &least_before, &most);
	bound_bytes(after, &least, &most);
	return least <= least_before || least <= max + max / 16;
}

static void limit(const struct oracle *o, const struct sim_request *r, struct naive_store *s)
{
	s->max_groups = !o->limited ? 1000 : r->lowered ? ORACLE_FEWER_GROUPS : ORACLE_GROUPS;
	s->max_series = !o->limited ? 100000 : r->lowered ? ORACLE_FEWER_SERIES : ORACLE_SERIES;
}

static bool push(const struct oracle *o, struct oracle_state *s, const struct sim_request *r,
		 int64_t now_ns, int status)
{
	static struct naive_store before;
	struct naive_push p = r->push;
	struct err err = { 0 };

	limit(o, r, &s->store);
	p.now = r->now;
	p.now_ns = now_ns;
	for (int i = 0; i < p.n; i++)
		p.families[i].pushed_at = (double)r->order;
	if (r->in_steps && !r->dry_run && (status == 400 || status == 507)) {
		naive_refuse(&s->store, &p, status == 507 ? ERR_STORE_FULL : ERR_INVALID);
		return true;
	}
	before = s->store;
	if (r->no_group)
		return has_no_room_for_group(o->max_bytes, &before) &&
		       (status == 0 || status == 400 || status == 507);
	if (r->no_room) {
		bool right = refuse_for_bytes(o->max_bytes, &s->store, &p);

		if (r->dry_run)
			s->store = before;
		return right && (status == 0 || status == 507);
	}
	err.reason = naive_apply(&s->store, &p);
	if (!err.reason && !fits(o->max_bytes, &before, &s->store))
		return false;
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
		made = sums_apply(&s->sums, &r->sum, r->now, now_ns, status);
		return status == 0 || status == made;
	default:
		return push(o, s, r, now_ns, status);
	}
}
