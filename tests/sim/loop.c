#include "sim/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "lib/rng.h"
#include "sim/fibers.h"
#include "sim/net.h"

enum { EVENTS = 64 };

/* An event that is waited for, or that has been made active. */
struct waiting {
	struct event *ev; /* NULL: free */
	event_callback_fn fn;
	void *arg;
	int fd;
	short what;
	bool active, repeats;
	int64_t due, every; /* monotonic; INT64_MAX: no timer */
};

struct event_base {
	struct waiting list[EVENTS];
	bool broken;
};

struct event_config {
	int unused;
};

static uint64_t rng;

void loop_seed(uint64_t seed)
{
	rng = seed;
}

static struct waiting *find(struct event_base *b, const struct event *ev)
{
	for (int i = 0; i < EVENTS; i++)
		if (b->list[i].ev == ev)
			return &b->list[i];
	return NULL;
}

static struct waiting *find_or_add(struct event *ev)
{
	struct event_base *b = ev->ev_base;
	struct waiting *w = find(b, ev);

	if (w)
		return w;
	w = find(b, NULL);
	assert(w);
	*w = (struct waiting){
		.ev = ev,
		.fn = ev->ev_evcallback.evcb_cb_union.evcb_callback,
		.arg = ev->ev_evcallback.evcb_arg,
		.fd = ev->ev_fd,
		.what = ev->ev_events,
		.due = INT64_MAX,
	};
	return w;
}

static bool socket_is_ready(const struct waiting *w)
{
	return w->fd >= 0 && (((w->what & EV_READ) && net_is_readable(w->fd)) ||
			      ((w->what & EV_WRITE) && net_is_writable(w->fd)));
}

static bool is_ready(const struct waiting *w)
{
	return w->ev && (w->active || socket_is_ready(w) || clock_mono_ns() >= w->due);
}

static bool any_ready(void *arg)
{
	struct event_base *b = arg;

	for (int i = 0; i < EVENTS; i++)
		if (is_ready(&b->list[i]))
			return true;
	return b->broken;
}

static void handle(struct event_base *b, int i)
{
	struct waiting w = b->list[i];

	b->list[i].active = false;
	if (w.every)
		b->list[i].due = clock_mono_ns() + w.every;
	if (!(w.what & EV_PERSIST))
		b->list[i].ev = NULL;
	w.fn(w.fd, w.what, w.arg);
}

/* An event that the handler of an earlier one has ended is not handled. */
static void handle_all(struct event_base *b, bool sockets)
{
	struct event *ready[EVENTS];
	int n = 0;

	for (int i = 0; i < EVENTS; i++)
		if (is_ready(&b->list[i]) && socket_is_ready(&b->list[i]) == sockets)
			ready[n++] = b->list[i].ev;
	while (n > 0 && !b->broken) {
		int k = (int)rng_below(&rng, (uint32_t)n);
		struct waiting *w = find(b, ready[k]);

		if (w && is_ready(w))
			handle(b, (int)(w - b->list));
		ready[k] = ready[--n];
	}
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker says how they are called. */
struct event_config *__wrap_event_config_new(void);
void __wrap_event_config_free(struct event_config *c);
int __wrap_event_config_set_flag(struct event_config *c, int flag);
struct event_base *__wrap_event_base_new_with_config(const struct event_config *c);
void __wrap_event_base_free(struct event_base *b);
int __wrap_event_base_dispatch(struct event_base *b);
int __wrap_event_base_loopbreak(struct event_base *b);
int __wrap_event_assign(struct event *ev, struct event_base *b, evutil_socket_t fd, short what,
			event_callback_fn fn, void *arg);
struct event *__wrap_event_new(struct event_base *b, evutil_socket_t fd, short what,
			       event_callback_fn fn, void *arg);
void __wrap_event_free(struct event *ev);
int __wrap_event_add(struct event *ev, const struct timeval *timeout);
int __wrap_event_del(struct event *ev);
void __wrap_event_active(struct event *ev, int what, short calls);
int __wrap_event_pending(const struct event *ev, short what, struct timeval *ret);

struct event_config *__wrap_event_config_new(void)
{
	return mem_zalloc(sizeof(struct event_config));
}

void __wrap_event_config_free(struct event_config *c)
{
	free(c);
}

int __wrap_event_config_set_flag(struct event_config *c, int flag)
{
	(void)c;
	(void)flag;
	return 0;
}

struct event_base *__wrap_event_base_new_with_config(const struct event_config *c)
{
	(void)c;
	return mem_zalloc(sizeof(struct event_base));
}

void __wrap_event_base_free(struct event_base *b)
{
	for (int i = 0; i < EVENTS; i++)
		assert(!b->list[i].ev);
	free(b);
}

int __wrap_event_base_dispatch(struct event_base *b)
{
	while (!b->broken) {
		fiber_wait_until(any_ready, b);
		handle_all(b, true);
		handle_all(b, false);
	}
	return 0;
}

int __wrap_event_base_loopbreak(struct event_base *b)
{
	b->broken = true;
	return 0;
}

int __wrap_event_assign(struct event *ev, struct event_base *b, evutil_socket_t fd, short what,
			event_callback_fn fn, void *arg)
{
	ev->ev_base = b;
	ev->ev_fd = fd;
	ev->ev_events = what;
	ev->ev_evcallback.evcb_cb_union.evcb_callback = fn;
	ev->ev_evcallback.evcb_arg = arg;
	return 0;
}

struct event *__wrap_event_new(struct event_base *b, evutil_socket_t fd, short what,
			       event_callback_fn fn, void *arg)
{
	struct event *ev = mem_zalloc(sizeof(*ev));

	__wrap_event_assign(ev, b, fd, what, fn, arg);
	return ev;
}

int __wrap_event_del(struct event *ev)
{
	struct waiting *w = find(ev->ev_base, ev);

	if (w)
		w->ev = NULL;
	return 0;
}

void __wrap_event_free(struct event *ev)
{
	__wrap_event_del(ev);
	free(ev);
}

int __wrap_event_add(struct event *ev, const struct timeval *timeout)
{
	struct waiting *w = find_or_add(ev);

	if (!timeout)
		return 0;
	w->every = timeout->tv_sec * INT64_C(1000000000) + timeout->tv_usec * INT64_C(1000);
	w->due = clock_mono_ns() + w->every;
	if (!(ev->ev_events & EV_PERSIST))
		w->every = 0;
	return 0;
}

void __wrap_event_active(struct event *ev, int what, short calls)
{
	(void)what;
	(void)calls;
	find_or_add(ev)->active = true;
}

int __wrap_event_pending(const struct event *ev, short what, struct timeval *ret)
{
	(void)what;
	(void)ret;
	return find(ev->ev_base, ev) != NULL;
}

/* NOLINTEND(bugprone-reserved-identifier) */
