#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/submit.h"
#include "api/v1_reply.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "commit/undo.h"
#include "lib/rng.h"
#include "sim/fibers.h"
#include "sim/loop.h"
#include "sim/net.h"
#include "store/internal.h"
#include "store/removal.h"

struct world *world;

bool world_fails(struct world *w, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w->why.n == 0)
		strbuf_addz(&w->why, text);
	w->over = true;
	return false;
}

/* ---- clients ---- */

static int connection_of(struct world *w, unsigned client)
{
	struct sim_client *c = &w->clients[client];

	if (c->fd && net_socket_of(c->fd)->shut)
		world_disconnect(w, client);
	if (!c->fd) {
		c->fd = net_connect();
		net_socket_of(c->fd)->window = SIZE_MAX;
		process_accept(w->process, c->fd);
	}
	return c->fd;
}

void world_send(struct world *w, unsigned client, struct sim_request *r, struct str bytes)
{
	struct sim_client *c = &w->clients[client];
	struct net_socket *s = net_socket_of(connection_of(w, client));

	c->awaits = AWAITS_ANSWER;
	s->got.n = 0;
	if (w->logins.on) {
		enum sim_login login = r ? r->login : LOGIN_ADMIN;

		if (login == LOGIN_ANY)
			r->login = login = logins_random(&w->rng);
		logins_add(login, bytes, &s->sent);
	} else {
		strbuf_adds(&s->sent, bytes);
	}
	w->counts->requests++;
	if (!r)
		return;
	if (r->kind == REQUEST_WIPE || r->kind == REQUEST_REMOVE)
		*w->undo = '\0';
	w->may_fall |= r->kind == REQUEST_WIPE || r->kind == REQUEST_REMOVE ||
		       (r->kind == REQUEST_SUM &&
			(!sums_is_push(&r->sum) || r->sum.kind == SUM_PLAIN));
	w->counts->summed += r->kind == REQUEST_SUM;
	w->counts->removals += r->kind == REQUEST_REMOVE;
	w->counts->undos += r->kind == REQUEST_UNDO;
	r->fd = c->fd;
	r->rules = w->rules.changes;
	w->oracle.open[w->oracle.n_open++] = *r;
}

/* The gateway still gets what has arrived of the client's last request. */
void world_disconnect(struct world *w, unsigned client)
{
	struct sim_client *c = &w->clients[client];

	if (!c->fd)
		return;
	net_socket_of(c->fd)->gone = true;
	if (c->fd == w->backup.fd)
		backups_leave(w);
	*c = (struct sim_client){ 0 };
}

/* Forgets sockets that neither a client nor the gateway has open. */
static void forget_sockets(struct world *w)
{
	for (int i = 0; i < NET_SOCKETS; i++) {
		struct net_socket *s = net_socket_of(NET_FIRST_FD + i);
		bool has_client = w->slow.fd == NET_FIRST_FD + i;

		for (unsigned k = 0; k < WORLD_CLIENTS; k++)
			has_client |= w->clients[k].fd == NET_FIRST_FD + i;
		if (s->used || has_client)
			continue;
		net_forget(NET_FIRST_FD + i);
		/* Requests of that socket are answered, or never will be. */
		for (size_t k = 0; k < w->oracle.n_open; k++)
			if (w->oracle.open[k].fd == NET_FIRST_FD + i)
				w->oracle.open[k].fd = 0;
	}
}

int world_read_reply(const struct net_socket *s, struct str *ret_content)
{
	const char *end = s->got.n ? memmem(s->got.p, s->got.n, "\r\n\r\n", 4) : NULL;
	const char *length;
	size_t head, n;

	if (!end)
		return 0;
	head = (size_t)(end + 4 - s->got.p);
	length = memmem(s->got.p, head, "Content-Length: ", 16);
	n = length ? strtoul(length + 16, NULL, 10) : 0;
	*ret_content = (struct str){ s->got.p + head, n };
	return s->got.n < head + n ? 0 : (int)strtol(s->got.p + 9, NULL, 10);
}

/* Checks that no counter falls. */
static void note_shown(struct world *w, struct str scrape)
{
	double shown[N_SUMS_SHOWN];

	sums_shown(scrape, shown);
	for (int i = 0; i < N_SUMS_SHOWN && !w->rotten; i++) {
		if (shown[i] < w->shown[i] && !w->may_fall)
			world_fails(w, "a counter falls from %.0f to %.0f", w->shown[i], shown[i]);
		w->shown[i] = shown[i];
	}
}

static void note_removal(struct world *w, struct str answer)
{
	w->removed_ns = clock_wall_ns();
	w->undo_lost = w->disk->failed + w->disk->full;
	if (!removals_read_id(answer, w->undo))
		*w->undo = '\0';
}

bool world_can_undo(const struct world *w)
{
	int64_t since = clock_wall_ns() - w->removed_ns, most = INT64_C(300) * 1000000000;

	/* After faults of the disk, or once the database was written anew, less may come back. */
	return *w->undo && since > -most && since < most && !w->rotten &&
	       w->disk->failed + w->disk->full == w->undo_lost;
}

/*
 * Checks that the status that a client reads is the one that the gateway has sent. A killed process
 * sends nothing.
 */
static void take_replies(struct world *w)
{
	struct str content = STR("");

	if (w->disk->dead)
		return;
	for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
		struct sim_client *c = &w->clients[i];
		int status = c->fd && c->awaits ? world_read_reply(net_socket_of(c->fd), &content)
						: 0;

		if (status == 0 && !(c->awaits && backups_was_cut(w, c->fd)))
			continue;
		c->awaits = AWAITS_NOTHING;
		if (i == WORLD_CLIENTS - 1 && w->scraped_as == 0 && status == 200)
			note_shown(w, content);
		backups_note_reply(w, c->fd, status, content);
		for (size_t k = 0; k < w->oracle.n_open; k++) {
			struct sim_request *r = &w->oracle.open[k];

			if (r->fd != c->fd)
				continue;
			if (r->status && r->status != status)
				world_fails(w, "a client reads %d, and was answered %d", status,
					    r->status);
			r->status = status;
			r->fd = 0;
			if (status != 200 || (r->kind != REQUEST_REMOVE && r->kind != REQUEST_UNDO))
				continue;
			r->removal.said = removals_read_count(content, r->kind == REQUEST_UNDO);
			if (r->kind == REQUEST_REMOVE)
				note_removal(w, content);
		}
	}
}

static bool deliver_some(struct world *w)
{
	unsigned first = rng_below(&w->rng, WORLD_CLIENTS);

	for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
		struct sim_client *c = &w->clients[(first + i) % WORLD_CLIENTS];
		struct net_socket *s = c->fd ? net_socket_of(c->fd) : NULL;
		size_t left = s ? s->sent.n - s->arrived : 0;

		if (left == 0)
			continue;
		s->arrived += rng_one_in(&w->rng, 3) ? 1 + rng_below(&w->rng, (uint32_t)left)
						     : left;
		return true;
	}
	return false;
}

/* ---- going on ---- */

static void note_faults(struct world *w)
{
	uint64_t failed = w->disk->failed + w->disk->full;

	if (failed == w->failed)
		return;
	w->counts->faults += failed - w->failed;
	w->failed = failed;
	for (size_t i = 0; i < w->oracle.n_open; i++)
		w->oracle.open[i].doubted = true;
}

bool world_go_on_once(struct world *w)
{
	bool bytes = rng_one_in(&w->rng, 2);

	if ((bytes && deliver_some(w)) || fibers_run_one() || (!bytes && deliver_some(w))) {
		note_faults(w);
		take_replies(w);
		forget_sockets(w);
		return true;
	}
	return false;
}

void world_go_on(struct world *w)
{
	if (!w->process)
		return;
	world_go_on_once(w);
	if (w->disk->dead)
		world_restart(w, true);
}

static bool all_answered(const struct world *w)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		if (w->clients[i].fd && w->clients[i].awaits)
			return false;
	/* Requests of clients that have gone have to be answered, too. */
	for (size_t i = 0; i < w->oracle.n_open; i++)
		if (w->oracle.open[i].fd && w->oracle.open[i].order && !w->oracle.open[i].status)
			return false;
	return true;
}

void world_pass_time(struct world *w, int64_t mono_ns, int64_t wall_ns)
{
	w->stepped_back |= wall_ns < 0;
	if (mono_ns > 0 && !all_answered(w))
		w->logins.patient_ns = clock_mono_ns() + mono_ns + LOGINS_IMPATIENT_NS;
	w->mono_ns = clock_mono_ns() + mono_ns;
	w->wall_ns = clock_wall_ns() + wall_ns;
	clock_hold(w->wall_ns, w->mono_ns);
	if (clock_wall() > w->latest_wall)
		w->latest_wall = clock_wall();
}

bool world_answer_all(struct world *w)
{
	enum { TURNS = 100000, SILENT = 100 };
	int silent = 0;

	for (int i = 0; i < TURNS && !all_answered(w); i++) {
		if (world_go_on_once(w))
			silent = 0;
		else if (++silent < SILENT)
			world_pass_time(w, INT64_C(100000000), 0);
		else
			return world_fails(w, "requests are never answered");
		if (w->disk->dead)
			return false;
	}
	return all_answered(w) || world_fails(w, "requests take for ever");
}

/* ---- starting and ending ---- */

static void end_connections(struct world *w)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		world_disconnect(w, i);
	slows_forget(w);
}

static void end_process(struct world *w, bool killed)
{
	if (killed)
		w->disk->dead = true;
	if (w->disk->dead)
		end_connections(w);
	process_stop(w->process);
	w->process = NULL;
	take_replies(w);
	end_connections(w);
	forget_sockets(w);
	note_faults(w);
	for (size_t i = 0; i < w->oracle.n_open; i++)
		w->oracle.open[i].fd = 0;
	oracle_process_ended(&w->oracle);
	backups_forget(w);
}

static void boot(struct world *w)
{
	bool dead = w->disk->dead;

	if (!dead)
		return;
	w->counts->crashes++;
	w->counts->power_cuts += w->power_cut;
	w->rotten |= w->power_cut && disk_has_lied(w->disk);
	disk_boot(w->disk, w->power_cut);
}

/* A start may fail only if the disk does. */
static void start_process(struct world *w, int64_t down_ns)
{
	enum { TRIES = 20 };
	struct err err = { 0 };
	struct ends_start start = { .down_ns = down_ns };
	const int64_t second = 1000000000;
	const char *args[WORLD_FLAGS];

	w->lowered = w->lowers;
	world_flags(w, args);
	/* A gateway does not start with a wrong file: an operator would mend it first. */
	if (w->ruled && w->rules.file & RULES_WRONG) {
		w->rules.file &= ~(unsigned)RULES_WRONG;
		rules_write(&w->rules, w->disk);
	}
	for (int i = 0; i < TRIES && !w->process; i++) {
		uint64_t failed = w->disk->failed + w->disk->full;

		w->process = process_start(args, &err);
		if (w->disk->dead) {
			if (w->process)
				end_process(w, true);
			boot(w);
		} else if (!w->process) {
			w->counts->failed_starts++;
			if (failed == w->disk->failed + w->disk->full && !w->rotten) {
				world_fails(w, "does not start: %s", err.msg);
				return;
			}
			w->disk->faults = (struct disk_faults){ 0 };
		}
	}
	note_faults(w);
	if (!w->process) {
		world_fails(w, "never starts: %s", err.msg);
		return;
	}
	start.fold_ns = (w->ends ? ENDS_FOLD : ENDS_FOLD_USUAL) * second;
	start.wall = clock_wall();
	start.ns = clock_mono_ns();
	/* A database without rows does not say when the gateway ran. */
	if (w->stepped_back || w->process->store->newest_at == 0)
		start.down_ns = 0;
	oracle_process_started(&w->oracle, &start);
	w->unknown_batches = 0;
	w->failed_before = w->disk->failed + w->disk->full;
	w->counts->set_aside += w->process->set_aside;
	w->oracle.any_help |= w->process->set_aside;
	/*
	 * A sector that a failed or lying sync has torn cannot be told from a damaged one. The
	 * database may be set aside for it, but no row may be missing.
	 */
	if (w->process->set_aside && !w->rotten &&
	    (!w->disk->torn || w->disk->failed + w->disk->lies == 0))
		world_fails(w, "a database that nothing has happened to was set aside");
	w->disk->torn = false;
}

/* Returns for how long no process ran, in ns. */
static int64_t stay_down(struct world *w)
{
	int64_t ns = w->ends && rng_one_in(&w->rng, 2)
			     ? (int64_t)rng_below(&w->rng, 40) * 1000000000
			     : 0;

	world_pass_time(w, ns, ns);
	return ns;
}

void world_restart(struct world *w, bool killed)
{
	if (w->process)
		end_process(w, killed);
	boot(w);
	w->counts->restarts++;
	start_process(w, stay_down(w));
	if (w->process && !w->over)
		world_settle(w);
}

void world_crash(struct world *w)
{
	enum { TURNS = 400 };

	for (int i = 0; i < TURNS && w->process && !w->over && !w->disk->dead; i++)
		if (!world_go_on_once(w))
			break;
	if (!w->over)
		world_restart(w, true);
}

void world_start(struct world *w, uint64_t seed, struct world_has has, struct world_counts *counts)
{
	bool ends = has.kind == WORLD_ENDS;

	*w = (struct world){ .rng = seed,
			     .ends = ends,
			     .limited = has.kind == WORLD_LIMITED,
			     .few_values = has.few_values,
			     .crowded = has.crowded,
			     .slow = { .on = has.slow },
			     .ruled = has.rules,
			     .rules = { .ends = ends, .logins = has.logins },
			     .logins = { .on = has.logins },
			     .limits = has.limits,
			     .sums_clients = { .own_ttls = ends, .by_rules = has.rules },
			     .counts = counts };
	world = w;
	random_hold(seed);
	fibers_seed(seed);
	loop_seed(seed);
	clock_hold(INT64_C(100000) * 1000000000, INT64_C(5) * 1000000000);
	w->disk = disk_new(seed);
	disk_use(w->disk);
	if (has.rules)
		rules_write(&w->rules, w->disk);
	if (has.logins)
		logins_write(&w->logins, w->disk);
	w->latest_wall = clock_wall();
	oracle_init(&w->oracle, w->limited, has.max_bytes);
	w->oracle.clock.zero_first = has.zero_first;
	sums_shown(STR(""), w->shown);
	start_process(w, 0);
}

bool world_end(struct world *w)
{
	if (w->process)
		end_process(w, false);
	if (fibers_alive() || net_open() || disk_descriptors())
		world_fails(w, "left over: %zu threads, %u sockets, %u files", fibers_alive(),
			    net_open(), disk_descriptors());
	if (bytes_detached())
		world_fails(w, "left over: %llu bytes of replies",
			    (unsigned long long)bytes_detached());
	disk_use(NULL);
	disk_free(w->disk);
	oracle_done(&w->oracle);
	strbuf_done(&w->backup.copy);
	world = NULL;
	return w->why.n == 0;
}
