/* Scrapes of the gateway, and checks whether they show what they have to. */
#include <stdarg.h>

#include "api/submit.h"
#include "api/v1_reply.h"
#include "base/clock.h"
#include "commit/committer.h"
#include "lib/rng.h"
#include "sim/fibers.h"
#include "sim/net.h"
#include "sim/world.h"
#include "store/store.h"

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

/* Some scrapes leave own metrics out: those are most of a small scrape, and of its costs. */
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

/* The last client scrapes. False: no answer, or one that cannot be read. */
static bool scrape(struct world *w, unsigned how, struct str *ret)
{
	const unsigned client = WORLD_CLIENTS - 1;
	char why[512];
	int status;

	do {
		bool crowded = slows_are_in_the_way(w);

		send_scrape(w, how);
		if (!world_answer_all(w))
			return false;
		w->counts->scrapes++;
		status = world_read_reply(net_socket_of(w->clients[client].fd), ret);
		if (status == 200 && crowded && slows_are_in_the_way(w))
			return world_fails(w, "a scrape is answered while others read too much");
	} while (status == 503 && slows_make_room(w));
	if (status != 200)
		return world_fails(w, "a scrape is answered %d: %.*s", status,
				   (int)(ret->n < 300 ? ret->n : 300), ret->p);
	if (strict_check(accepts[how].format, accepts[how].utf8, ret->p, ret->n, why, sizeof(why)) <
	    0)
		return world_fails(w, "a scrape as %s cannot be read: %s", accepts[how].accept,
				   why);
	return true;
}

/* The disk, since the start. */
static bool has_failed(const struct world *w)
{
	return w->failed_before != w->disk->failed + w->disk->full;
}

/* True: a group whose time is over is still there. */
static bool has_not_ended(const struct world *w, struct strbuf *why)
{
	return w->ends && !has_failed(w) && oracle_is_overdue(&w->oracle, clock_mono_ns(), why);
}

/* A batch of refused pushes has nobody to tell it to. */
static void note_unknown_batches(struct world *w)
{
	uint64_t n = committer_stats(w->process->api.committer).batches_unknown;

	w->oracle.any_unknown = n > w->unknown_batches;
	w->unknown_batches = n;
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
	note_unknown_batches(w);
	w->oracle.clock.stepped_back = w->stepped_back;
	w->oracle.clock.may_wait = has_failed(w);
	w->oracle.clock.wall = clock_wall();
	w->oracle.clock.latest_wall = w->latest_wall;
	w->oracle.clock.now_ns = clock_mono_ns();
	if (!backups_check(w))
		return;
	if (!w->rotten) {
		if (!oracle_settle(&w->oracle, shown, &why) || has_not_ended(w, &why))
			world_fails(w, "%s", strbuf_z(&why));
		w->may_fall = w->oracle.n_open > 0;
		w->over |= w->oracle.too_many;
		w->counts->too_many += w->oracle.too_many;
		return;
	}
	/* After damage it cannot be foretold what later scrapes show. */
	w->over = true;
	if (oracle_settle(&w->oracle, shown, &why))
		return;
	why.n = 0;
	if (!oracle_was_ever(&w->oracle, shown, &why))
		world_fails(w, "damaged: %s", strbuf_z(&why));
}

/* The committer does what is due when it has nothing else to do. */
void world_come_to_rest(struct world *w)
{
	enum { TURNS = 5000 };
	int n = 0;

	while (n < TURNS && !w->over && !w->disk->dead && world_go_on_once(w))
		n++;
	if (n == TURNS)
		world_fails(w, "a thread goes on for ever, and no time passes");
}

/*
 * The end of a source can make it due at once. While a large push is staged nothing ends, and then
 * within a second.
 */
static void do_what_is_due(struct world *w)
{
	world_come_to_rest(w);
	if (w->over || w->disk->dead || store_next_due(w->process->store) > clock_mono_ns())
		return;
	world_pass_time(w, INT64_C(1000000001), 0);
	world_come_to_rest(w);
}

void world_settle(struct world *w)
{
	if (w->over || !w->process)
		return;
	if (world_answer_all(w)) {
		if (w->ends || w->oracle.clock.zero_first || w->slow.fd)
			do_what_is_due(w);
		if (slows_check(w))
			look(w);
	}
	if (w->disk->dead && !w->over)
		world_restart(w, true);
}

/* No request is under way meanwhile: the gateway would not wait so long for the rest of one. */
void world_pass_long(struct world *w)
{
	int64_t ns = (int64_t)rng_below(&w->rng, 40) * 1000000000;

	world_settle(w);
	if (!w->over && w->process)
		world_pass_time(w, ns, ns);
	world_settle(w);
}

/* The gateway tries again every second while the disk fails. */
void world_check_well(struct world *w)
{
	enum { SECONDS = 3 };
	struct sim_request r = { .kind = REQUEST_PUSH,
				 .login = w->logins.on ? LOGIN_ADMIN : LOGIN_ANY,
				 .push = { .mode = PUSH_DELETE } };
	struct str bytes = STR("DELETE /metrics/job/j HTTP/1.1\r\nHost: x\r\n\r\n");

	w->disk->faults = (struct disk_faults){ 0 };
	w->disk->dies_at = 0;
	world_settle(w);
	for (int i = 0; i < SECONDS && !w->over; i++) {
		world_pass_time(w, INT64_C(1000000001), 0);
		world_come_to_rest(w);
	}
	if (w->over || !w->process)
		return;
	world_send(w, 0, &r, bytes);
	if (!world_answer_all(w))
		return;
	if (w->oracle.open[w->oracle.n_open - 1].status != 202)
		world_fails(w, "the disk is well, and a delete is answered %d",
			    w->oracle.open[w->oracle.n_open - 1].status);
	look(w);
}
