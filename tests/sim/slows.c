#include "sim/slows.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "lib/rng.h"
#include "sim/logins.h"
#include "sim/world.h"

/* A client that has not read much for that long is disconnected, within a second. */
#define PATIENCE_NS INT64_C(5000000000)

static void come(struct world *w)
{
	struct sim_slow *slow = &w->slow;
	struct net_socket *s;

	slow->fd = net_connect();
	s = net_socket_of(slow->fd);
	s->window = rng_one_in(&w->rng, 2) ? 0 : rng_below(&w->rng, 2000);
	process_accept(w->process, slow->fd);
	strbuf_addz(&s->sent, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n");
	s->arrived = s->sent.n;
	slow->answered = false;
}

void slows_note_reply(struct world *w, int fd)
{
	if (!w->slow.fd || w->slow.fd != fd)
		return;
	w->slow.answered = true;
	w->slow.since_ns = clock_mono_ns();
}

static void leave(struct world *w)
{
	net_socket_of(w->slow.fd)->gone = true;
	w->slow.fd = 0;
}

void slows_step(struct world *w)
{
	struct sim_slow *slow = &w->slow;

	if (!slow->on || !w->process || w->over)
		return;
	if (slow->fd && net_socket_of(slow->fd)->shut)
		leave(w);
	if (!slow->fd) {
		come(w);
	} else if (rng_one_in(&w->rng, 4)) {
		leave(w);
	} else if (rng_one_in(&w->rng, 3)) {
		net_socket_of(slow->fd)->window = 1 + rng_below(&w->rng, 2000);
		slow->since_ns = clock_mono_ns();
	}
}

static bool reads(const struct sim_slow *slow)
{
	return !slow->fd || net_socket_of(slow->fd)->shut;
}

bool slows_are_in_the_way(const struct world *w)
{
	return w->slow.fd && bytes_detached() > SLOWS_BYTES;
}

/* It reads nothing until it is disconnected. */
static bool is_cut(struct world *w)
{
	net_socket_of(w->slow.fd)->window = 0;
	world_pass_time(w, PATIENCE_NS + INT64_C(1000000001), PATIENCE_NS);
	world_come_to_rest(w);
	return reads(&w->slow) || w->disk->dead || !slows_are_in_the_way(w) ||
	       world_fails(w, "a client that does not read is not disconnected");
}

/* What is left of replies that have been read goes with their connections' rest. */
static bool rests(struct world *w)
{
	world_pass_time(w, PATIENCE_NS, PATIENCE_NS);
	world_come_to_rest(w);
	return bytes_detached() <= SLOWS_BYTES;
}

bool slows_make_room(struct world *w)
{
	if (!w->slow.on || w->over)
		return false;
	if (!slows_are_in_the_way(w))
		return rests(w);
	w->counts->crowded++;
	if (rng_one_in(&w->rng, 2) && !is_cut(w))
		return false;
	if (w->slow.fd)
		leave(w);
	return true;
}

static bool keeps_others_out(const struct world *w)
{
	return !reads(&w->slow) && w->slow.answered && slows_are_in_the_way(w) &&
	       clock_mono_ns() - w->slow.since_ns > PATIENCE_NS;
}

bool slows_check(struct world *w)
{
	if (!keeps_others_out(w))
		return true;
	world_pass_time(w, INT64_C(1000000001), 0);
	world_come_to_rest(w);
	return !keeps_others_out(w) || w->disk->dead ||
	       world_fails(w, "a client that does not read holds %llu bytes",
			   (unsigned long long)bytes_detached());
}

void slows_forget(struct world *w)
{
	if (w->slow.fd)
		leave(w);
}
