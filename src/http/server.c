#include "http/server.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/conn.h"

enum { MAX_THREADS = 256 };

static void log_libevent(int severity, const char *msg)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("libevent", "err", msg, NULL);
}

static unsigned thread_count(unsigned asked)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (asked)
		return asked;
	return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (unsigned)cores;
}

/* Each worker gets one socket and owns it. */
static int listen_with(struct http_server *s, const int *fds, const char *bound, struct err *err)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (worker_listen(&s->workers[i], fds[i], err) < 0) {
			while (++i < s->n_workers)
				close(fds[i]);
			return -1;
		}
	if (s->settings.listening)
		s->settings.listening(s->settings.listening_arg, bound);
	return 0;
}

static int listen_on(struct http_server *s, const char *address, struct err *err)
{
	int fds[MAX_THREADS];
	char bound[128];

	if (listen_open(address, fds, s->n_workers, bound, sizeof(bound), err) < 0) {
		err_prefix(err, "--web.listen-address: ");
		return -1;
	}
	return listen_with(s, fds, bound, err);
}

static int listen_on_passed(struct http_server *s, int fd, struct err *err)
{
	int fds[MAX_THREADS];
	char bound[128];

	if (listen_passed(fd, fds, s->n_workers, bound, sizeof(bound), err) < 0)
		return -1;
	return listen_with(s, fds, bound, err);
}

static int start_threads(struct http_server *s, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&s->starting);
	for (unsigned i = 0; i < s->n_workers && r == 0; i++)
		r = worker_start(&s->workers[i], err);
	s->complete = r == 0;
	pthread_mutex_unlock(&s->starting);
	return r;
}

static int start(struct http_server *s, struct err *err)
{
	unsigned n = thread_count(s->settings.threads);

	if (conn_tls_init(s, err) < 0)
		return -1;
	s->workers = mem_zalloc(n * sizeof(*s->workers));
	s->beats = mem_zalloc(n * sizeof(*s->beats));
	for (; s->n_workers < n; s->n_workers++)
		if (worker_init(&s->workers[s->n_workers], s, err) < 0) {
			s->n_workers++; /* counted, so that it is freed although it is incomplete */
			return -1;
		}
	for (size_t i = 0; i < s->settings.n_addresses; i++)
		if (listen_on(s, s->settings.addresses[i], err) < 0)
			return -1;
	for (size_t i = 0; i < s->settings.n_fds; i++)
		if (listen_on_passed(s, s->settings.fds[i], err) < 0)
			return -1;
	return start_threads(s, err);
}

struct http_server *http_server_start(const struct http_settings *settings,
				      const struct http_handler *handler, struct err *err)
{
	struct http_server *s = mem_zalloc(sizeof(*s));

	event_set_log_callback(log_libevent);
	s->settings = *settings;
	s->handler = *handler;
	s->limits = (struct parse_limits){ settings->max_header_size, settings->max_body_size };
	pthread_mutex_init(&s->starting, NULL);
	peers_init(&s->peers);
	if (start(s, err) < 0) {
		/* No request has reached the handler yet, so nobody can post to the workers. */
		http_server_stop(s);
		http_server_free(s);
		return NULL;
	}
	return s;
}

void http_server_stop(struct http_server *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i].started)
			worker_ask_stop(&s->workers[i]);
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i].started)
			pthread_join(s->workers[i].thread, NULL);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_done(&s->workers[i]);
	conn_tls_done(s);
	pthread_mutex_destroy(&s->starting);
	peers_done(&s->peers);
	free(s->workers);
	free(s->beats);
	free(s);
}

struct http_stats http_server_stats(struct http_server *s)
{
	return (struct http_stats){
		.connections = s->connections,
		.connections_refused = s->refused,
		.requests_timed_out = s->timed_out,
		.requests_malformed = s->malformed,
		.requests_crowded = s->crowded,
		.receiving = s->receiving,
		.replies_cut = s->replies_cut,
		.tls_handshake_failures = s->tls_failures,
	};
}

void http_server_accept(struct http_server *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_ask_accept(&s->workers[i]);
}

static void beat(struct http_task *task)
{
	((struct beat *)task)->due = false;
}

bool http_server_beats(struct http_server *s)
{
	bool all = true;

	for (unsigned i = 0; i < s->n_workers; i++) {
		struct beat *b = &s->beats[i];

		if (b->due) {
			all = false;
			continue;
		}
		b->task.run = beat;
		b->due = true;
		http_worker_post(&s->workers[i], &b->task);
	}
	http_wake_workers();
	return all;
}
