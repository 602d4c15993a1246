/*
 * Wrappers that the linker puts around src/, to see when a request is decided, and how it is
 * answered.
 */
#include "api/submit.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "base/procstat.h"
#include "commit/undo.h"
#include "http/conn.h"
#include "sim/fibers.h"
#include "sim/world.h"
#include "store/internal.h"
#include "store/removal.h"
#include "store/stored_bytes.h"

struct sim_request *world_request_of(const struct http_request *req)
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
void __real_store_large_leave(struct store *s);
void __wrap_store_stage(struct store *s, struct push *push);
const struct rows *__wrap_store_wipe_rows(struct store *s, double now);
bool __wrap_store_large_step(struct store *s, uint32_t families);
void __wrap_store_large_end(struct store *s);
void __wrap_store_large_leave(struct store *s);
void __wrap_submit_push(struct api_worker *w, struct http_request *req, struct push *push,
			int64_t start_ns);
void __wrap_http_reply(struct http_request *req, int status, const char *content_type);
void __wrap_api_reply_error(struct http_request *req, int status, const char *msg);
void __wrap_own_announce(struct store *s);
void __wrap_procstat_read(struct procstat *ps);
int __real_stored_bytes_check_group(const struct store *s, const struct group *g, struct err *err);
int __wrap_stored_bytes_check_group(const struct store *s, const struct group *g, struct err *err);

void __wrap_submit_push(struct api_worker *w, struct http_request *req, struct push *push,
			int64_t start_ns)
{
	struct sim_request *r = world_request_of(req);

	if (r && !world->disk->dead) {
		r->order = ++world->order;
		r->now = push->now;
		r->made = push;
		r->decided = false;
		if (!r->push.own_ttl)
			r->push.ttl = rules_ttl(rules_read_by(push), world->ends, r->push.group,
						ENDS_USUAL);
		rules_of_times(rules_read_by(push), &r->push);
		rules_of_sum(rules_read_by(push), world->ends, &r->sum);
	}
	__real_submit_push(w, req, push, start_ns);
}

static void note_room(struct sim_request *r, const struct push *push)
{
	r->no_group = world->no_group;
	r->no_room = push->err.reason == ERR_STORE_FULL &&
		     strstr(push->err.msg, "--limits.stored-bytes");
	world->no_group = false;
}

int __wrap_stored_bytes_check_group(const struct store *s, const struct group *g, struct err *err)
{
	int r = __real_stored_bytes_check_group(s, g, err);

	world->no_group |= r < 0;
	return r;
}

/* For sources that could be folded, within a second. */
static bool has_looked(const struct store *s)
{
	return s->nothing_spent_ns != 0 &&
	       clock_mono_ns() - s->nothing_spent_ns < INT64_C(1000000000);
}

/*
 * Pushes are numbered in the order in which they are decided. A large one lets others pass: it is
 * decided when it is taken as a whole, or when a step before that refuses it (in_steps). A push
 * that is staged again is decided anew.
 */
static struct sim_request *decide(const struct store *s, const struct push *push, bool in_steps)
{
	struct oracle *o = &world->oracle;

	for (size_t i = o->n_open; i > 0; i--)
		if (o->open[i - 1].made == push && !o->open[i - 1].status) {
			o->open[i - 1].order = ++world->order;
			o->open[i - 1].now_ns = clock_mono_ns();
			o->open[i - 1].in_steps = in_steps;
			o->open[i - 1].lowered = world->lowered;
			note_room(&o->open[i - 1], push);
			o->open[i - 1].sum.decided_ns = clock_mono_ns();
			o->open[i - 1].sum.looked = has_looked(s);
			o->open[i - 1].push.max_of_group = rules_committed_by(
				o->open[i - 1].push.group);
			return &o->open[i - 1];
		}
	return NULL;
}

void __wrap_store_stage(struct store *s, struct push *push)
{
	world->staged = decide(s, push, false);
	__real_store_stage(s, push);
	if (world->staged)
		note_room(world->staged, push);
	world->staged = NULL;
}

bool __wrap_store_large_step(struct store *s, uint32_t families)
{
	enum err_reason before = store_large_push(s)->err.reason;
	bool goes_on = __real_store_large_step(s, families);

	if (store_large_push(s)->err.reason != before)
		decide(s, store_large_push(s), true);
	return goes_on;
}

void __wrap_store_large_end(struct store *s)
{
	const struct push *push = store_large_push(s);

	decide(s, push, push->err.reason != ERR_NONE);
	__real_store_large_end(s);
}

/*
 * A push that only asks for the answer is decided when it begins to leave; what others are answered
 * while it does comes later. Any other is staged again.
 */
void __wrap_store_large_leave(struct store *s)
{
	if (store_large_push(s)->err.reason == ERR_NONE)
		decide(s, store_large_push(s), false);
	__real_store_large_leave(s);
}

/* Wipes are decided in the order in which they came. */
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

/* Only one request of these kinds is under way at a time. */
static void decide_kind(enum request_kind kind)
{
	struct oracle *o = &world->oracle;

	for (size_t i = 0; i < o->n_open && !world->disk->dead; i++)
		if (o->open[i].kind == kind && !o->open[i].status) {
			o->open[i].order = ++world->order;
			o->open[i].now = clock_wall();
			o->open[i].now_ns = clock_mono_ns();
			o->open[i].not_before_ns = world->process->store->nothing_ends_before_ns;
		}
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

/* An answer of a process that has been killed does not count. */
void __wrap_http_reply(struct http_request *req, int status, const char *content_type)
{
	struct sim_request *r = world_request_of(req);

	if (r && !world->disk->dead) {
		r->status = status;
		/* They may have been others when its head came. */
		r->maybe_refused = r->rules != world->rules.changes;
		r->refusal = r->maybe_refused ? 0
			     : r->kind == REQUEST_SUM
				     ? rules_refusal_of_sum(world->rules.pushes, &r->sum)
				     : rules_refusal(world->rules.pushes, r->login, &r->push);
		r->spared = r->maybe_refused ? 0 : rules_spared(world->rules.pushes, r->login);
		world->counts->answered += status < 300;
		world->counts->refused += status >= 300;
	}
	slows_note_reply(world, req->conn->fd);
	__real_http_reply(req, status, content_type);
}

static void note_error(const struct http_request *req, const char *msg)
{
	struct sim_request *r = world_request_of(req);

	if (r && !world->disk->dead && strstr(msg, "may have been stored")) {
		if (r->kind <= REQUEST_SUM && r->order == 0)
			world_fails(world, "told that it may be stored, and was never tried: %s",
				    msg);
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

/* Adds the names that the naive store takes for own metrics. */
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
