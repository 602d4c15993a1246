#include "sim/requests.h"

#include "base/clock.h"
#include "lib/naive_push.h"
#include "lib/rng.h"
#include "sim/net.h"

static struct naive_push last_push;
static bool undoes;

void requests_begin(bool has_undos)
{
	last_push = (struct naive_push){ .n = 0 };
	undoes = has_undos;
}

int requests_free_client(const struct world *w)
{
	for (int i = 0; i < WORLD_CLIENTS - 1; i++)
		if (!w->clients[i].awaits)
			return i;
	return -1;
}

static bool takes_added(const struct sim_request *r)
{
	return r->kind == REQUEST_WIPE || (r->kind == REQUEST_SUM && r->sum.kind == ADDED_GOES);
}

static bool adds(const struct sim_request *r)
{
	return r->kind == REQUEST_SUM && r->sum.kind == SUM_ADDS;
}

/*
 * Increments that were sent before their group was deleted are not tried again: nothing says that
 * they belong to the group before. So neither is sent while the other is under way. False: it has
 * to be answered first.
 */
static bool may_be_sent(struct world *w, const struct sim_request *r)
{
	for (size_t i = 0; i < w->oracle.n_open; i++)
		if ((takes_added(r) && adds(&w->oracle.open[i])) ||
		    (adds(r) && takes_added(&w->oracle.open[i])))
			return false;
	if (takes_added(r))
		sums_added_goes(&w->sums_clients);
	return true;
}

static void push_bytes(struct world *w, struct sim_request *r, struct strbuf *bytes)
{
	bool has_path = w->ends && r->push.mode != PUSH_DELETE;
	const struct pushes_how how = { r->dry_run, has_path ? ends_path(r->push.group) : "",
					&w->limits, w->crowded };
	struct pushes_made made = pushes_add_bytes(&w->rng, &r->push, &how, bytes);

	r->spoiled = made.spoiled;
	r->too_large = made.too_large;
}

/* Only some pushes have padded series, which make them long. */
static void make_push(struct world *w, enum requests_push kind)
{
	if (kind == REQUESTS_AGAIN && last_push.now)
		return;
	naive_random_push(&w->rng, 1, &last_push);
	if ((w->limits.series || w->limits.families) && rng_one_in(&w->rng, 6))
		pushes_fill(&w->rng, &w->limits, &last_push);
	for (int i = 0; i < last_push.n && kind != REQUESTS_LONG && !rng_one_in(&w->rng, 8); i++)
		for (int k = 0; k < last_push.families[i].n; k++)
			last_push.families[i].series[k].padded = false;
}

static void push_request(struct world *w, enum requests_push kind, struct sim_request *r,
			 struct strbuf *bytes)
{
	make_push(w, kind);
	r->push = last_push;
	r->push.own_ttl = w->ends && ends_has_own(r->push.group);
	r->push.ttl = r->push.own_ttl ? ENDS_OWN : 0;
	r->dry_run = r->push.mode != PUSH_DELETE && rng_one_in(&w->rng, 12);
	push_bytes(w, r, bytes);
}

void requests_send(struct world *w, enum requests_push kind)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct sim_request r = { .kind = REQUEST_PUSH };
	int client = requests_free_client(w);

	if (client < 0 || w->oracle.n_open >= ORACLE_OPEN / 2) {
		world_settle(w);
		return;
	}
	if (kind == REQUESTS_ANY && rng_one_in(&w->rng, 40)) {
		r.kind = REQUEST_WIPE;
		strbuf_addz(&bytes, "PUT /api/v1/admin/wipe HTTP/1.1\r\nHost: x\r\n"
				    "Content-Length: 0\r\n\r\n");
	} else if (kind == REQUESTS_ANY && !w->limited && rng_one_in(&w->rng, 3)) {
		r.kind = REQUEST_SUM;
		sums_random(&w->rng, &w->sums_clients, &r.sum);
		r.sum.few_values = w->few_values;
		sums_add_bytes(&w->rng, &r.sum, &bytes);
	} else {
		push_request(w, kind, &r, &bytes);
	}
	if (may_be_sent(w, &r))
		world_send(w, (unsigned)client, &r, strbuf_str(&bytes));
	else
		world_settle(w);
}

/* Sends the request and waits for its answer. r: NULL: the request has no effect. */
static void send_and_settle(struct world *w, struct sim_request *r, struct str bytes)
{
	world_send(w, (unsigned)requests_free_client(w), r, bytes);
	for (unsigned n = rng_below(&w->rng, 8); n > 0 && !w->over; n--)
		world_go_on(w);
	world_settle(w);
}

/* Nobody learns of groups that they may not delete what a delete of them would do. */
static void ask_for_delete(struct world *w, const struct removal_request *r, struct str bytes)
{
	unsigned spared = rules_spared(w->rules.pushes, w->logins.on ? LOGIN_ADMIN : LOGIN_ANY);
	uint64_t rules = w->rules.changes, restarts = w->counts->restarts;
	int client = requests_free_client(w), status = 0;
	struct str content;

	send_and_settle(w, NULL, bytes);
	if (w->over || rules != w->rules.changes || restarts != w->counts->restarts ||
	    !w->clients[client].fd)
		return;
	status = world_read_reply(net_socket_of(w->clients[client].fd), &content);
	if (status && status != 401 && status != 403 && status != 503 &&
	    oracle_has(&w->oracle, r, spared))
		world_fails(w, "whoever may not delete a group asks for it, and is answered %d",
			    status);
}

static void remove_many(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct sim_request r = { .kind = REQUEST_REMOVE };
	bool dry_run = rng_one_in(&w->rng, 6);

	/* After a dry run nothing is undone: pushes may have come since the delete before it. */
	*w->undo = '\0';
	removals_random(&w->rng, &r.removal);
	/* Whoever may do everything takes what others may not bring back. */
	if (w->logins.on && rng_one_in(&w->rng, 2))
		r.login = LOGIN_ADMIN;
	removals_add_bytes(&w->rng, &r.removal, dry_run, &bytes);
	if (dry_run)
		ask_for_delete(w, &r.removal, strbuf_str(&bytes));
	else
		send_and_settle(w, &r, strbuf_str(&bytes));
}

/* For HELP, what comes back counts as pushed last. */
static void undo(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct sim_request r = { .kind = REQUEST_UNDO };

	memcpy(r.removal.undo, w->undo, sizeof(w->undo));
	r.removal.said = -1;
	if (w->logins.on && rng_one_in(&w->rng, 2))
		r.login = (enum sim_login)(LOGIN_ZERO + w->logins.file);
	*w->undo = '\0';
	w->oracle.any_help = true;
	removals_add_undo(&r.removal, &bytes);
	send_and_settle(w, &r, strbuf_str(&bytes));
}

/*
 * Nothing is under way before, so that what is taken is what was there. What is sent in between may
 * be in the way of what comes back, and under way then. Of limits it would depend on the order in
 * which that comes.
 */
void requests_remove(struct world *w)
{
	bool both = undoes && !rng_one_in(&w->rng, 4);

	if (both)
		world_settle(w);
	if (w->over || requests_free_client(w) < 0 || !w->process ||
	    w->oracle.n_open >= ORACLE_OPEN / 2) {
		world_settle(w);
		return;
	}
	both &= w->oracle.n_open == 0;
	remove_many(w);
	if (!both || w->over)
		return;
	if (rng_one_in(&w->rng, 3))
		world_restart(w, rng_one_in(&w->rng, 2));
	if (w->ends && rng_one_in(&w->rng, 3))
		world_pass_long(w);
	for (unsigned n = w->limited ? 0 : rng_below(&w->rng, 4); n > 0 && !w->over; n--)
		requests_send(w, rng_one_in(&w->rng, 4) ? REQUESTS_AGAIN : REQUESTS_ANY);
	if (rng_one_in(&w->rng, w->logins.on ? 8 : 3))
		requests_change_rules(w);
	if (w->over || !w->process || !world_can_undo(w) || requests_free_client(w) < 0 ||
	    w->lowered || rules_hinder_undo(&w->rules))
		return;
	if (!w->disk->dies_at && rng_one_in(&w->rng, 2))
		disk_die_within(w->disk, 6);
	undo(w);
}

/* ---- rules and users ---- */

/* Nobody has to say that the file has changed. */
static void change_password(struct world *w)
{
	struct sim_logins *l = &w->logins;

	l->file = (l->file + 1 + rng_below(&w->rng, 2)) % 3;
	l->changed_ns = clock_mono_ns();
	l->failed = w->disk->failed;
	logins_write(l, w->disk);
}

/* The rules are not reloaded each time: a start reads the file, too. */
void requests_change_rules(struct world *w)
{
	struct str bytes = STR("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	int client = requests_free_client(w), status;
	struct str content;

	if (w->logins.on && rng_one_in(&w->rng, 2))
		change_password(w);
	if (!w->ruled || w->over || !w->process || client < 0)
		return;
	rules_random(&w->rng, &w->rules);
	rules_write(&w->rules, w->disk);
	if (rng_one_in(&w->rng, 4))
		return;
	w->counts->reloads++;
	world_send(w, (unsigned)client, NULL, bytes);
	if (rng_one_in(&w->rng, 2))
		return;
	world_settle(w);
	if (w->over || !w->clients[client].fd)
		return;
	status = world_read_reply(net_socket_of(w->clients[client].fd), &content);
	if (status && status != (w->rules.last == 0 ? 200 : 500))
		world_fails(w, "a reload is answered %d", status);
}
