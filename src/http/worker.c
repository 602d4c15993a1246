/* One worker: its event base, its inbox, and its end. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/extra.h"

static void run_inbox(struct http_worker *w)
{
	struct http_task *task;

	atomic_store(&w->woken, false);
	pthread_mutex_lock(&w->inbox_lock);
	task = w->inbox;
	w->inbox = NULL;
	w->inbox_tail = &w->inbox;
	pthread_mutex_unlock(&w->inbox_lock);
	while (task) {
		struct http_task *next = task->next;

		task->run(task);
		task = next;
	}
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct http_worker *w = arg;

	(void)fd;
	(void)what;
	log_warn("shutdown deadline: closing connections with unfinished requests", NULL);
	event_base_loopbreak(w->base);
}

static void set_accepting(struct http_worker *w, bool accept)
{
	w->accepting = accept;
	for (size_t i = 0; i < w->n_listeners; i++)
		if (accept)
			evconnlistener_enable(w->listeners[i]);
		else
			evconnlistener_disable(w->listeners[i]);
}

void worker_check_stopped(struct http_worker *w)
{
	if (w->stopping && !w->conns)
		event_base_loopbreak(w->base);
}

static void begin_stop(struct http_worker *w)
{
	int64_t ns = w->server->settings.shutdown_timeout_ns;
	const struct timeval deadline = { ns / 1000000000, ns % 1000000000 / 1000 };
	const struct timeval often = { 0, 100000 };

	if (w->stopping)
		return;
	w->stopping = true;
	set_accepting(w, false);
	event_add(w->deadline, &deadline);
	event_add(w->tick, &often);
	sweep_idle(w);
	worker_check_stopped(w);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct http_worker *w = arg;
	uint64_t n;
	bool stop, accept;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	run_inbox(w);
	pthread_mutex_lock(&w->inbox_lock);
	stop = w->stop_asked;
	accept = w->accept_asked;
	pthread_mutex_unlock(&w->inbox_lock);
	if (stop) {
		begin_stop(w);
	} else if (accept && w->held) {
		w->held = false;
		worker_check_load(w);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_worker *w = arg;

	(void)fd;
	(void)what;
	sweep(w);
	if (w->stopping)
		sweep_idle(w);
	w->paused = false;
	w->held = false;
	worker_check_load(w);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct http_worker *w = arg;
	struct http_task *task = w->deferred;

	(void)fd;
	(void)what;
	w->deferred = NULL;
	w->deferred_tail = &w->deferred;
	while (task) {
		struct http_task *next = task->next;

		task->run(task);
		task = next;
	}
}

void http_worker_defer(struct http_worker *w, struct http_task *task)
{
	task->next = NULL;
	*w->deferred_tail = task;
	w->deferred_tail = &task->next;
	/* The loop calls on_later() after the events that are active now. */
	event_active(w->later, EV_TIMEOUT, 0);
}

/*
 * A connection that becomes ready again during this round waits for the next one, and so do those
 * that are left when the round has taken ROUND_NS: sockets are looked at first. Answers that are
 * there by then go out between two turns, so that they do not wait for further requests.
 */
static void on_go_on(evutil_socket_t fd, short what, void *arg)
{
	struct http_worker *w = arg;
	const struct timeval now = { 0, 0 };
	int64_t until = clock_mono_ns() + ROUND_NS;

	(void)fd;
	(void)what;
	w->turns_due = false;
	w->at_once_ns = 0;
	w->round++;
	while (w->ready && w->ready->round != w->round && clock_mono_ns() < until) {
		struct conn *c = w->ready;

		w->ready = c->next_ready;
		if (!w->ready)
			w->ready_tail = &w->ready;
		c->is_ready = false;
		conn_go_on(c);
		if (atomic_load(&w->woken))
			run_inbox(w);
	}
	if (w->ready)
		event_add(w->go_on, &now);
}

void worker_check_load(struct http_worker *w)
{
	bool full = extra_is_full(w);

	if (!w->stopping && !w->paused && !w->held && full == w->accepting)
		set_accepting(w, !full);
}

struct str worker_date(struct http_worker *w)
{
	time_t now = clock_wall_ns() / 1000000000;
	struct tm tm;

	if (now != w->date_at) {
		w->date_at = now;
		gmtime_r(&now, &tm);
		evutil_date_rfc1123(w->date, sizeof(w->date), &tm);
	}
	return str_of(w->date);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *arg)
{
	(void)listener;
	conn_new(arg, fd, address, length);
}

/* There is no descriptor or no memory for another connection. The next tick tries again. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http_worker *w = arg;

	log_error("cannot accept connections", "err",
		  evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()), NULL);
	(void)listener;
	w->paused = true;
	set_accepting(w, false);
}

int worker_listen(struct http_worker *w, int fd, struct err *err)
{
	struct evconnlistener *l = evconnlistener_new(
		w->base, on_accept, w, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	/*
	 * evconnlistener_new() does not report that it failed to watch the socket; enabling it
	 * again does.
	 */
	if (!l || evconnlistener_enable(l) < 0) {
		if (l)
			evconnlistener_free(l);
		else
			close(fd);
		return err_set(err, ERR_SYSTEM, 0, "out of memory while listening");
	}
	if (!w->accepting)
		evconnlistener_disable(l);
	evconnlistener_set_error_cb(l, on_accept_error);
	w->listeners = mem_realloc(w->listeners,
				   (w->n_listeners + 1) * sizeof(struct evconnlistener *));
	w->listeners[w->n_listeners++] = l;
	return 0;
}

static int make_base(struct http_worker *w)
{
	struct event_config *cfg = event_config_new();

	if (!cfg)
		return -1;
	/*
	 * One thread owns the base, so it needs no locks. EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST must
	 * not be set: it would apply changes in the next round, when the descriptor may belong to a
	 * connection of another worker.
	 */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	w->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return w->base ? 0 : -1;
}

int worker_init(struct http_worker *w, struct http_server *s, struct err *err)
{
	struct timeval second = { 1, 0 };

	*w = (struct http_worker){
		.server = s,
		.wake_fd = -1,
		.accepting = !s->settings.hold,
		.held = s->settings.hold,
	};
	w->inbox_tail = &w->inbox;
	w->deferred_tail = &w->deferred;
	w->ready_tail = &w->ready;
	w->scratch = mem_alloc(SCRATCH);
	pthread_mutex_init(&w->inbox_lock, NULL);
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake_fd < 0 || make_base(w) < 0)
		return err_set(err, ERR_SYSTEM, 0,
			       "cannot set up an event loop: out of memory or descriptors");
	w->wake = event_new(w->base, w->wake_fd, EV_READ | EV_PERSIST, on_wake, w);
	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	w->go_on = event_new(w->base, -1, 0, on_go_on, w);
	w->later = event_new(w->base, -1, 0, on_later, w);
	w->deadline = event_new(w->base, -1, 0, on_deadline, w);
	if (!w->wake || !w->tick || !w->go_on || !w->later || !w->deadline ||
	    event_add(w->wake, NULL) < 0 || event_add(w->tick, &second) < 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot set up an event loop: out of memory");
	w->state = s->handler.worker_new(s->handler.arg, w);
	return 0;
}

/*
 * If one thread cannot be started, none serves requests: an answer could come after its worker has
 * ended.
 */
static bool wait_until_complete(struct http_server *s)
{
	bool complete;

	pthread_mutex_lock(&s->starting);
	complete = s->complete;
	pthread_mutex_unlock(&s->starting);
	return complete;
}

static void *worker_main(void *arg)
{
	struct http_worker *w = arg;

	if (wait_until_complete(w->server))
		event_base_dispatch(w->base);
	return NULL;
}

int worker_start(struct http_worker *w, struct err *err)
{
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
		return err_set(err, ERR_SYSTEM, 0, "cannot start a worker thread");
	pthread_setname_np(w->thread, "http");
	w->started = true;
	return 0;
}

static void wake(struct http_worker *w)
{
	uint64_t one = 1;

	(void)!write(w->wake_fd, &one, sizeof(one));
}

/* Workers that the current thread has posted to and not yet woken. */
static _Thread_local struct http_worker *due;

void http_worker_post(struct http_worker *w, struct http_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&w->inbox_lock);
	*w->inbox_tail = task;
	w->inbox_tail = &task->next;
	if (!w->wake_due) {
		w->wake_due = true;
		w->next_due = due;
		due = w;
	}
	pthread_mutex_unlock(&w->inbox_lock);
}

void http_wake_workers(void)
{
	while (due) {
		struct http_worker *w = due;

		pthread_mutex_lock(&w->inbox_lock);
		due = w->next_due;
		w->wake_due = false;
		pthread_mutex_unlock(&w->inbox_lock);
		atomic_store(&w->woken, true);
		wake(w);
	}
}

void worker_ask_accept(struct http_worker *w)
{
	pthread_mutex_lock(&w->inbox_lock);
	w->accept_asked = true;
	pthread_mutex_unlock(&w->inbox_lock);
	wake(w);
}

void worker_ask_stop(struct http_worker *w)
{
	pthread_mutex_lock(&w->inbox_lock);
	w->stop_asked = true;
	pthread_mutex_unlock(&w->inbox_lock);
	wake(w);
}

void worker_done(struct http_worker *w)
{
	/* Late replies run first, while their connections still exist. */
	run_inbox(w);
	w->stopping = true;
	conn_free_all(w);
	for (size_t i = 0; i < w->n_listeners; i++)
		evconnlistener_free(w->listeners[i]);
	if (w->wake)
		event_free(w->wake);
	if (w->tick)
		event_free(w->tick);
	if (w->go_on)
		event_free(w->go_on);
	if (w->later)
		event_free(w->later);
	if (w->deadline)
		event_free(w->deadline);
	if (w->base)
		event_base_free(w->base);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	if (w->state)
		w->server->handler.worker_free(w->state);
	free(w->listeners);
	free(w->scratch);
	pthread_mutex_destroy(&w->inbox_lock);
}
