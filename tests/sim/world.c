#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/submit.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/procstat.h"
#include "base/random.h"
#include "commit/undo.h"
#include "expose/own_metrics.h"
#include "http/conn.h"
#include "lib/rng.h"
#include "sim/fibers.h"
#include "sim/loop.h"
#include "sim/net.h"
#include "store/removal.h"

struct world *world;

static const char database_flag[] = "--persistence.file=" DISK_DATABASE;
static const char *const flags[] = {
	database_flag,
	"--push.enable-utf8-names",
	"--web.enable-admin-api",
	"--web.enable-openmetrics",
	"--log.level=error",
	NULL,
};

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

/* ---- what the linker puts around src/ ---- */

static struct sim_request *request_of(const struct http_request *req)
{
	struct oracle *o = &world->oracle;

	for (size_t i = o->n_open; i > 0; i--)
		if (o->open[i - 1].fd == req->conn->fd)
			return o->open[i - 1].status ? NULL : &o->open[i - 1];
	return NULL;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
void __real_submit_push(struct api_worker *w, struct http_request *req, struct push *push,
			int64_t start_ns);
void __real_http_reply(struct http_request *req, int status, const char *content_type);
int __real_store_removal_decide(struct store *s, struct removal *r, struct err *err);
int __real_undoing_stage(struct undoing *u, double now, struct err *err);
void __real_v1_reply_error(struct api_worker *w, struct http_request *req, const struct err *err);
int __wrap_store_removal_decide(struct store *s, struct removal *r, struct err *err);
int __wrap_undoing_stage(struct undoing *u, double now, struct err *err);
void __wrap_v1_reply_error(struct api_worker *w, struct http_request *req, const struct err *err);
void __real_api_reply_error(struct http_request *req, int status, const char *msg);
void __real_own_announce(struct store *s);
void __real_store_stage(struct store *s, struct push *push);
const struct rows *__real_store_wipe_rows(struct store *s, double now);
bool __real_store_large_step(struct store *s, uint32_t families);
void __real_store_large_end(struct store *s);
void __wrap_store_stage(struct store *s, struct push *push);
const struct rows *__wrap_store_wipe_rows(struct store *s, double now);
bool __wrap_store_large_step(struct store *s, uint32_t families);
void __wrap_store_large_end(struct store *s);
void __wrap_submit_push(struct api_worker *w, struct http_request *req, struct push *push,
			int64_t start_ns);
void __wrap_http_reply(struct http_request *req, int status, const char *content_type);
void __wrap_api_reply_error(struct http_request *req, int status, const char *msg);
void __wrap_own_announce(struct store *s);
void __wrap_procstat_read(struct procstat *ps);

void __wrap_submit_push(struct api_worker *w, struct http_request *req, struct push *push,
			int64_t start_ns)
{
	struct sim_request *r = request_of(req);

	if (r && !world->disk->dead) {
		r->order = ++world->order;
		r->now = push->now;
		r->made = push;
		r->decided = false;
	}
	__real_submit_push(w, req, push, start_ns);
}

/*
 * The order is that in which pushes are decided. One that is large lets others pass: it is decided
 * when it is refused, or when it is taken as a whole. A push that is staged again is decided then.
 */
static void decide(const struct push *push)
{
	struct oracle *o = &world->oracle;

	for (size_t i = o->n_open; i > 0; i--)
		if (o->open[i - 1].made == push && !o->open[i - 1].status) {
			o->open[i - 1].order = ++world->order;
			return;
		}
}

void __wrap_store_stage(struct store *s, struct push *push)
{
	decide(push);
	__real_store_stage(s, push);
}

bool __wrap_store_large_step(struct store *s, uint32_t families)
{
	enum err_reason before = store_large_push(s)->err.reason;
	bool goes_on = __real_store_large_step(s, families);

	if (store_large_push(s)->err.reason != before)
		decide(store_large_push(s));
	return goes_on;
}

void __wrap_store_large_end(struct store *s)
{
	if (store_large_push(s)->err.reason == ERR_NONE)
		decide(store_large_push(s));
	__real_store_large_end(s);
}

/* Wipes are done in the order in which they came. */
const struct rows *__wrap_store_wipe_rows(struct store *s, double now)
{
	struct oracle *o = &world->oracle;
	struct sim_request *first = NULL;

	for (size_t i = 0; i < o->n_open; i++) {
		struct sim_request *r = &o->open[i];

		if (r->kind == REQUEST_WIPE && r->order && !r->status && !r->decided &&
		    (!first || r->order < first->order))
			first = r;
	}
	if (first) {
		first->order = ++world->order;
		first->decided = true;
	}
	return __real_store_wipe_rows(s, now);
}

/* One of these is under way at a time. */
static void decide_kind(enum request_kind kind)
{
	struct oracle *o = &world->oracle;

	for (size_t i = 0; i < o->n_open && !world->disk->dead; i++)
		if (o->open[i].kind == kind && !o->open[i].status)
			o->open[i].order = ++world->order;
}

int __wrap_store_removal_decide(struct store *s, struct removal *r, struct err *err)
{
	if (!r->dry_run && !r->has_expect)
		decide_kind(REQUEST_REMOVE);
	return __real_store_removal_decide(s, r, err);
}

int __wrap_undoing_stage(struct undoing *u, double now, struct err *err)
{
	decide_kind(REQUEST_UNDO);
	return __real_undoing_stage(u, now, err);
}

/* What a process says that has been killed is not heard. */
void __wrap_http_reply(struct http_request *req, int status, const char *content_type)
{
	struct sim_request *r = request_of(req);

	if (r && !world->disk->dead) {
		r->status = status;
		world->counts->answered += status < 300;
		world->counts->refused += status >= 300;
	}
	__real_http_reply(req, status, content_type);
}

static void note_error(const struct http_request *req, const char *msg)
{
	struct sim_request *r = request_of(req);

	if (r && !world->disk->dead && strstr(msg, "may have been stored")) {
		r->unknown = true;
		world->counts->unknown++;
	}
}

void __wrap_v1_reply_error(struct api_worker *w, struct http_request *req, const struct err *err)
{
	note_error(req, err->msg);
	__real_v1_reply_error(w, req, err);
}

void __wrap_api_reply_error(struct http_request *req, int status, const char *msg)
{
	note_error(req, msg);
	__real_api_reply_error(req, status, msg);
}

/* The names that the naive store takes for metrics of our own. */
void __wrap_own_announce(struct store *s)
{
	__real_own_announce(s);
	for (int i = 0; i < NAIVE_NAMES - 1; i++)
		if (naive_names[i].own >= 0)
			store_add_own(s, str_of(naive_names[i].name), naive_names[i].own);
}

void __wrap_procstat_read(struct procstat *ps)
{
	*ps = (struct procstat){ .cpu_seconds = 1 };
}

/* NOLINTEND(bugprone-reserved-identifier) */

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
	strbuf_adds(&s->sent, bytes);
	w->counts->requests++;
	if (!r)
		return;
	if (r->kind != REQUEST_UNDO)
		*w->undo = '\0';
	w->may_fall |= r->kind == REQUEST_WIPE || r->kind == REQUEST_REMOVE ||
		       (r->kind == REQUEST_SUM && !sums_is_push(&r->sum));
	w->counts->summed += r->kind == REQUEST_SUM;
	w->counts->removals += r->kind == REQUEST_REMOVE;
	w->counts->undos += r->kind == REQUEST_UNDO;
	r->fd = c->fd;
	w->oracle.open[w->oracle.n_open++] = *r;
}

/* Its last request is on its way all the same, as far as it has arrived. */
void world_disconnect(struct world *w, unsigned client)
{
	struct sim_client *c = &w->clients[client];

	if (!c->fd)
		return;
	net_socket_of(c->fd)->gone = true;
	*c = (struct sim_client){ 0 };
}

/* Sockets that nobody has at either end. */
static void forget_sockets(struct world *w)
{
	for (int i = 0; i < NET_SOCKETS; i++) {
		struct net_socket *s = net_socket_of(NET_FIRST_FD + i);
		bool has_client = false;

		for (unsigned k = 0; k < WORLD_CLIENTS; k++)
			has_client |= w->clients[k].fd == NET_FIRST_FD + i;
		if (s->used || has_client)
			continue;
		net_forget(NET_FIRST_FD + i);
		/* What is asked on it is answered, or never will be. */
		for (size_t k = 0; k < w->oracle.n_open; k++)
			if (w->oracle.open[k].fd == NET_FIRST_FD + i)
				w->oracle.open[k].fd = 0;
	}
}

/* 0: it is not complete. Otherwise the status, and where the content is. */
static int read_reply(const struct net_socket *s, struct str *ret_content)
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

/* No counter falls. */
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

	/* Of a full disk, and of a database that is written anew, less comes back. */
	return *w->undo && since > -most && since < most && !w->rotten &&
	       w->disk->failed + w->disk->full == w->undo_lost;
}

/* What the client reads is what the gateway has meant. Nothing comes from a killed process. */
static void take_replies(struct world *w)
{
	struct str content;

	if (w->disk->dead)
		return;
	for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
		struct sim_client *c = &w->clients[i];
		int status = c->fd && c->awaits ? read_reply(net_socket_of(c->fd), &content) : 0;

		if (status == 0)
			continue;
		c->awaits = AWAITS_NOTHING;
		if (i == WORLD_CLIENTS - 1 && w->scraped_as == 0 && status == 200)
			note_shown(w, content);
		for (size_t k = 0; k < w->oracle.n_open; k++) {
			struct sim_request *r = &w->oracle.open[k];

			if (r->fd != c->fd)
				continue;
			if (r->status && r->status != status)
				world_fails(w, "a client reads %d, and was answered %d", status,
					    r->status);
			r->status = status;
			r->fd = 0;
			if (r->kind == REQUEST_REMOVE && status == 200) {
				r->removal.said = removals_read_count(content);
				note_removal(w, content);
			}
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

/* False: nobody can. */
static bool go_on(struct world *w)
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
	go_on(w);
	if (w->disk->dead)
		world_restart(w, true);
}

void world_pass_time(struct world *w, int64_t mono_ns, int64_t wall_ns)
{
	w->mono_ns = clock_mono_ns() + mono_ns;
	w->wall_ns = clock_wall_ns() + wall_ns;
	clock_hold(w->wall_ns, w->mono_ns);
}

static bool all_answered(const struct world *w)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		if (w->clients[i].fd && w->clients[i].awaits)
			return false;
	/* Of clients that have gone, too. */
	for (size_t i = 0; i < w->oracle.n_open; i++)
		if (w->oracle.open[i].fd && w->oracle.open[i].order && !w->oracle.open[i].status)
			return false;
	return true;
}

/* False: the disk has died meanwhile, or it takes for ever. */
static bool answer_all(struct world *w)
{
	enum { TURNS = 100000, SILENT = 100 };
	int silent = 0;

	for (int i = 0; i < TURNS && !all_answered(w); i++) {
		if (go_on(w))
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

/* ---- looking ---- */

static const struct {
	const char *accept;
	enum strict_format format;
	bool utf8;
} accepts[] = {
	{ "text/plain;version=0.0.4", STRICT_TEXT, false },
	{ "text/plain;version=1.0.0;escaping=allow-utf-8", STRICT_TEXT, true },
	{ "application/openmetrics-text;version=1.0.0", STRICT_OPENMETRICS, false },
	{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", STRICT_OPENMETRICS,
	  true },
	{ "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
	  "encoding=delimited",
	  STRICT_PROTO, false },
	{ "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
	  "encoding=text",
	  STRICT_PROTO_TEXT, false },
};

/* Own metrics are most of a small scrape, and of its costs. */
static void send_scrape(struct world *w, unsigned how)
{
	CLEANUP(strbuf_done) struct strbuf request = { 0 };
	bool own = rng_one_in(&w->rng, 8);

	w->scraped_as = how;
	strbuf_addf(&request, "GET /metrics%s HTTP/1.1\r\nHost: x\r\nAccept: %s\r\n\r\n",
		    own ? "" : "?own=0", accepts[how].accept);
	world_send(w, WORLD_CLIENTS - 1, NULL, strbuf_str(&request));
}

void world_scrape(struct world *w)
{
	if (w->process && !w->clients[WORLD_CLIENTS - 1].awaits)
		send_scrape(w, 0);
}

/* The last client scrapes. False: not answered, or not readable. */
static bool scrape(struct world *w, unsigned how, struct str *ret)
{
	const unsigned client = WORLD_CLIENTS - 1;
	char why[512];
	int status;

	send_scrape(w, how);
	if (!answer_all(w))
		return false;
	w->counts->scrapes++;
	status = read_reply(net_socket_of(w->clients[client].fd), ret);
	if (status != 200)
		return world_fails(w, "a scrape is answered %d: %.*s", status,
				   (int)(ret->n < 300 ? ret->n : 300), ret->p);
	if (strict_check(accepts[how].format, accepts[how].utf8, ret->p, ret->n, why, sizeof(why)) <
	    0)
		return world_fails(w, "a scrape as %s cannot be read: %s", accepts[how].accept,
				   why);
	return true;
}

static void look(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf why = { 0 };
	struct str shown;

	if (w->over ||
	    (rng_one_in(&w->rng, 4) && !scrape(w, rng_below(&w->rng, ARRAY_LEN(accepts)), &shown)))
		return;
	if (!scrape(w, 0, &shown))
		return;
	w->counts->settled++;
	if (!w->rotten) {
		if (!oracle_settle(&w->oracle, shown, &why))
			world_fails(w, "%s", strbuf_z(&why));
		w->may_fall = w->oracle.n_open > 0;
		w->over |= w->oracle.too_many;
		return;
	}
	/* What follows cannot be foretold any more. */
	w->over = true;
	if (oracle_settle(&w->oracle, shown, &why))
		return;
	why.n = 0;
	if (!oracle_was_ever(&w->oracle, shown, &why))
		world_fails(w, "damaged: %s", strbuf_z(&why));
}

void world_settle(struct world *w)
{
	if (w->over || !w->process)
		return;
	if (answer_all(w))
		look(w);
	if (w->disk->dead && !w->over)
		world_restart(w, true);
}

/* A failure that lasts is tried again every second. */
void world_check_well(struct world *w)
{
	enum { SECONDS = 3 };
	struct sim_request r = { .kind = REQUEST_PUSH, .push = { .mode = PUSH_DELETE } };
	struct str bytes = STR("DELETE /metrics/job/j HTTP/1.1\r\nHost: x\r\n\r\n");

	w->disk->faults = (struct disk_faults){ 0 };
	w->disk->dies_at = 0;
	world_settle(w);
	for (int i = 0; i < SECONDS && !w->over; i++) {
		world_pass_time(w, INT64_C(1000000001), 0);
		while (go_on(w))
			;
	}
	if (w->over || !w->process)
		return;
	world_send(w, 0, &r, bytes);
	if (!answer_all(w))
		return;
	if (w->oracle.open[w->oracle.n_open - 1].status != 202)
		world_fails(w, "the disk is well, and a delete is answered %d",
			    w->oracle.open[w->oracle.n_open - 1].status);
	look(w);
}

/* ---- starting and ending ---- */

static void end_connections(struct world *w)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		world_disconnect(w, i);
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

/* With a disk that fails a start may fail; with one that does not, it may not. */
static void start_process(struct world *w)
{
	enum { TRIES = 20 };
	struct err err = { 0 };

	for (int i = 0; i < TRIES && !w->process; i++) {
		uint64_t failed = w->disk->failed + w->disk->full;

		w->process = process_start(flags, &err);
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
	w->counts->set_aside += w->process->set_aside;
	w->oracle.any_help |= w->process->set_aside;
	/* A sector that is torn cannot be told from one that is damaged; but nothing may be
	 * missing. */
	if (w->process->set_aside && !w->rotten && !w->disk->torn)
		world_fails(w, "a database that nothing has happened to was set aside");
	w->disk->torn = false;
}

void world_restart(struct world *w, bool killed)
{
	if (w->process)
		end_process(w, killed);
	boot(w);
	w->counts->restarts++;
	start_process(w);
	if (w->process && !w->over)
		world_settle(w);
}

void world_crash(struct world *w)
{
	enum { TURNS = 400 };

	for (int i = 0; i < TURNS && w->process && !w->over && !w->disk->dead; i++)
		if (!go_on(w))
			break;
	if (!w->over)
		world_restart(w, true);
}

void world_start(struct world *w, uint64_t seed, struct world_counts *counts)
{
	*w = (struct world){ .rng = seed, .counts = counts };
	world = w;
	random_hold(seed);
	fibers_seed(seed);
	loop_seed(seed);
	clock_hold(INT64_C(100000) * 1000000000, INT64_C(5) * 1000000000);
	w->disk = disk_new(seed);
	disk_use(w->disk);
	oracle_init(&w->oracle);
	sums_shown(STR(""), w->shown);
	start_process(w);
}

bool world_end(struct world *w)
{
	if (w->process)
		end_process(w, false);
	if (fibers_alive() || net_open() || disk_descriptors())
		world_fails(w, "left over: %zu threads, %u sockets, %u files", fibers_alive(),
			    net_open(), disk_descriptors());
	disk_use(NULL);
	disk_free(w->disk);
	oracle_done(&w->oracle);
	world = NULL;
	return w->why.n == 0;
}
