#include "sim/oracle.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sim/oracle_branches.h"
#include "sim/oracle_text.h"

void oracle_init(struct oracle *o, bool limited, uint64_t max_bytes)
{
	*o = (struct oracle){ .n_states = 1, .limited = limited, .max_bytes = max_bytes };
	o->states[0] = mem_zalloc(sizeof(struct oracle_state));
}

static void forget(struct oracle_state **states, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(states[i]);
}

void oracle_done(struct oracle *o)
{
	forget(o->states, o->n_states);
	table_done(&o->ever);
}

/* ---- lines ---- */

static bool has_line(const struct oracle *o, struct str line)
{
	uint64_t hash = checksum_bytes(STR(""), line);
	size_t at = table_first(&o->ever, hash);

	return table_next(&o->ever, hash, &at) != NULL;
}

static void note_lines(struct oracle *o, struct str text)
{
	while (text.n > 0) {
		struct str line = text_next_line(&text);

		if (!has_line(o, line))
			table_add(&o->ever, checksum_bytes(STR(""), line), o);
	}
}

/* ---- choices ---- */

static int by_order(const void *a, const void *b)
{
	uint64_t x = ((const struct sim_request *)a)->order,
		 y = ((const struct sim_request *)b)->order;

	return (x > y) - (x < y);
}

/* shown: what the gateway shows. */
static void expose(const struct oracle *o, const struct oracle_state *s, struct str shown,
		   struct strbuf *out)
{
	naive_expose(&s->store, out);
	sums_expose(&s->sums, sums_zeros(&s->sums, &o->clock, shown), out);
}

static void note_state(struct oracle *o, const struct oracle_state *s)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	/* Totals are not asked for. */
	expose(o, s, STR(""), &text);
	note_lines(o, strbuf_str(&text));
}

/* The states that may be stored next, and show what the scrape shows. */
struct next {
	struct oracle_state *states[ORACLE_STATES];
	size_t n;
	bool possible; /* some choice leads to the answers that were given */
};

static void add_state(struct oracle *o, struct next *to, const struct oracle_state *s)
{
	/* States that differ in padding alone are both kept, which does no harm. */
	for (size_t i = 0; i < to->n; i++)
		if (memcmp(to->states[i], s, sizeof(*s)) == 0) /* NOLINT(*memory-comparison) */
			return;
	if (to->n == ORACLE_STATES) {
		o->too_many = true;
		return;
	}
	to->states[to->n] = mem_alloc(sizeof(*s));
	*to->states[to->n++] = *s;
}

/* Whether the state shows this; *want: what it shows. */
static bool shows(const struct oracle *o, const struct oracle_state *s, struct str shown,
		  struct strbuf *want)
{
	want->n = 0;
	expose(o, s, shown, want);
	if (o->any_help)
		text_leave_out_help(want);
	return str_eq(strbuf_str(want), shown);
}

/* Tries all choices from one state. */
static void try_all(struct oracle *o, const struct oracle_state *from, struct str shown,
		    struct next *to, struct strbuf *why)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	CLEANUP(branches_done) struct oracle_branches all = { .list = NULL };

	branches_follow(o, from, UINT64_MAX, &all);
	o->too_many |= all.too_many;
	for (size_t i = 0; i < all.n; i++) {
		if (shows(o, all.list[i].state, shown, &want)) {
			if (o->notes)
				branch_walk(o, from, all.list[i].choice, note_state);
			add_state(o, to, all.list[i].state);
		} else if (!to->possible) {
			/* That all requests have taken place is likelier than that none has. */
			text_add_difference(why, shown, strbuf_str(&want));
		}
		to->possible = true;
	}
}

/* What is there may be older. Requests are in order. */
static bool is_state_at(struct oracle *o, uint64_t until, struct str shown)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	bool may_wait = o->clock.may_wait, is = false;

	o->clock.may_wait = true;

	for (size_t i = 0; i < o->n_states && !is; i++) {
		CLEANUP(branches_done) struct oracle_branches all = { .list = NULL };

		branches_follow(o, o->states[i], until, &all);
		o->too_many |= all.too_many;
		for (size_t k = 0; k < all.n && !is; k++)
			is = shows(o, all.list[k].state, shown, &want);
	}
	o->clock.may_wait = may_wait;
	return is;
}

bool oracle_was_between(struct oracle *o, uint64_t from, uint64_t until, struct str exposed)
{
	CLEANUP(strbuf_done) struct strbuf shown = { 0 };

	oracle_canonical(exposed, &shown);
	if (o->any_help)
		text_leave_out_help(&shown);
	qsort(o->open, o->n_open, sizeof(*o->open), by_order);
	if (is_state_at(o, from, strbuf_str(&shown)))
		return true;
	for (size_t i = 0; i < o->n_open; i++)
		if (o->open[i].order > from && o->open[i].order <= until &&
		    is_state_at(o, o->open[i].order, strbuf_str(&shown)))
			return true;
	return false;
}

/* True: it would not be there if r could still take effect. */
static bool excludes(const struct sim_request *later, const struct sim_request *r)
{
	if (later->order <= r->order || later->dry_run)
		return false;
	return (later->status > 0 && later->status < 300) ||
	       (later->unknown && !later->kept && r->kept);
}

/*
 * What was noted of a refused push is in its batch, of which the disk may yet have taken all or
 * nothing.
 */
static void doubt_refused(struct oracle *o)
{
	bool any = o->any_unknown;

	for (size_t i = 0; i < o->n_open; i++)
		any |= o->open[i].unknown;
	for (size_t i = 0; i < o->n_open && any; i++)
		o->open[i].unknown |= o->open[i].order && branches_is_refused(o->open[i].status) &&
				      o->open[i].doubted && !o->open[i].dry_run;
}

/* Requests are in order. A request that was stored has cut off those in doubt before it. */
static void keep_unknown(struct oracle *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_open; i++) {
		bool stays = o->open[i].unknown && !o->open[i].ended;

		for (size_t k = i + 1; stays && k < o->n_open; k++)
			stays = !excludes(&o->open[k], &o->open[i]);
		if (stays)
			o->open[n++] = o->open[i];
	}
	o->n_open = n;
	for (size_t i = 0; i < n; i++)
		o->open[i].kept = true;
}

void oracle_process_started(struct oracle *o, const struct ends_start *start)
{
	o->started = *start;
	for (size_t i = 0; i < o->n_states; i++)
		ends_start(&o->states[i]->store, &o->states[i]->sums, start);
}

bool oracle_is_overdue(const struct oracle *o, int64_t now_ns, struct strbuf *why)
{
	int group = -1;

	/* It is not known which state is the right one: each must have something overdue. */
	for (size_t i = 0; i < o->n_states; i++) {
		group = ends_overdue(&o->states[i]->store, &o->states[i]->sums, now_ns,
				     &o->started);
		if (group < 0)
			return false;
	}
	strbuf_addf(why, "%s %d has not ended", group < ENDS_GROUPS ? "group" : "process",
		    group < ENDS_GROUPS ? group : group - ENDS_GROUPS);
	return true;
}

void oracle_process_ended(struct oracle *o)
{
	for (size_t i = 0; i < o->n_open; i++)
		o->open[i].ended = true;
}

static void add_request(struct strbuf *why, const struct sim_request *r)
{
	strbuf_addf(why, "request %llu of kind %d, group %d: %d%s", (unsigned long long)r->order,
		    (int)r->kind, r->push.group, r->status,
		    r->unknown   ? ", unknown"
		    : r->doubted ? ", doubted"
				 : "");
	if (r->kind == REQUEST_END)
		strbuf_addf(why,
			    ", ends at %.3f: groups %x, their values %x, overdue %x, silent %x, "
			    "folded %x",
			    (double)r->now_ns / 1e9, r->ends.groups, r->ends.expired,
			    r->ends.overdue, r->ends.silent, r->ends.folded);
	strbuf_addc(why, '\n');
}

bool oracle_settle(struct oracle *o, struct str scrape, struct strbuf *why)
{
	CLEANUP(strbuf_done) struct strbuf shown = { 0 };
	struct next next = { .n = 0 };

	for (size_t i = 0; i < o->n_open; i++)
		if (!oracle_answered_rightly(&o->open[i], why))
			return false;
	oracle_canonical(scrape, &shown);
	if (o->any_help)
		text_leave_out_help(&shown);
	qsort(o->open, o->n_open, sizeof(*o->open), by_order);
	for (size_t i = 0; i < o->n_states; i++)
		try_all(o, o->states[i], strbuf_str(&shown), &next, why);
	if (next.n > 0) {
		forget(o->states, o->n_states);
		memcpy(o->states, next.states, sizeof(next.states));
		o->n_states = next.n;
		for (size_t i = 0; i < o->n_states; i++)
			sums_look(&o->states[i]->sums, &o->clock);
		doubt_refused(o);
		keep_unknown(o);
		return true;
	}
	/* The right one may be among those that did not fit. */
	if (o->too_many)
		return true;
	if (!next.possible)
		strbuf_addz(why, "no order of what was answered leads to these answers\n");
	for (size_t i = 0; i < o->n_open; i++)
		add_request(why, &o->open[i]);
	return false;
}

/* ---- damage ---- */

/* A push time that was lost is shown as 0, and what has ended or is overdue follows from it. */
static bool is_no_time(struct str line)
{
	if (str_has_prefix(line, STR("pushgateway_group_expired{")) ||
	    str_has_prefix(line, STR("pushgateway_job_overdue{")) ||
	    str_has_prefix(line, STR("pushgateway_next_push_expected_timestamp_seconds{")))
		return true;
	return (str_has_prefix(line, STR("push_time_seconds{")) ||
		str_has_prefix(line, STR("push_failure_time_seconds{"))) &&
	       str_has_suffix(line, STR("} 0\n"));
}

bool oracle_was_ever(struct oracle *o, struct str scrape, struct strbuf *why)
{
	CLEANUP(strbuf_done) struct strbuf shown = { 0 };
	struct str rest;

	for (size_t i = 0; i < o->n_states; i++)
		branch_walk(o, o->states[i], BRANCH_ALL, note_state);
	oracle_canonical(scrape, &shown);
	rest = strbuf_str(&shown);
	while (rest.n > 0) {
		struct str line = text_next_line(&rest);

		if (text_family_of(line).n > 0 || is_no_time(line) || sums_is_total(line) ||
		    has_line(o, line))
			continue;
		strbuf_addf(why, "was never right: %.*s", (int)(line.n < 300 ? line.n : 300),
			    line.p);
		return false;
	}
	return true;
}
