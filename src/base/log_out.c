#include "base/log_out.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

#define SECOND INT64_C(1000000000)

enum { RING = 256 * 1024 };

/* How often the thread looks for kinds that had too many lines. */
#define LOOK_NS (1 * SECOND)
#define WINDOW_NS (LOG_WINDOW_SECONDS * SECOND)

static struct {
	pthread_mutex_t lock; /* of all but running */
	pthread_cond_t news;  /* for the thread: a line, or the end */
	pthread_cond_t empty; /* for log_flush(): all is written */
	pthread_t thread;
	atomic_bool running;
	bool stop;
	char bytes[RING];
	size_t at,
		n; /* what is there to be written: whole lines, and around the end to the start */
	uint64_t no_room, no_room_said;
	uint64_t lost;
	struct log_site *sites; /* those that have logged while the thread ran */
} ring = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.news = PTHREAD_COND_INITIALIZER,
	.empty = PTHREAD_COND_INITIALIZER,
};

/* ---- writing ---- */

/*
 * An error is not reported, since stderr is where it would go. After a partial write the rest of
 * the line is written, so that lines stay whole.
 */
static void write_all(struct iovec *v, int n)
{
	while (n > 0) {
		ssize_t r = writev(STDERR_FILENO, v, n);

		if (r < 0 && errno == EAGAIN) {
			struct pollfd p = { STDERR_FILENO, POLLOUT, 0 };

			poll(&p, 1, -1);
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return;
		for (; n > 0 && (size_t)r >= v->iov_len; v++, n--)
			r -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + r;
			v->iov_len -= (size_t)r;
		}
	}
}

static void write_one(const char *line, size_t n)
{
	struct iovec v = { (char *)line, n };

	write_all(&v, 1);
}

/*
 * With the lock: the n bytes of the ring from `from` on, in two pieces if they go around its end.
 */
static int pieces(size_t from, size_t n, struct iovec v[2])
{
	size_t first = from + n <= RING ? n : RING - from;

	v[0] = (struct iovec){ ring.bytes + from, first };
	v[1] = (struct iovec){ ring.bytes, n - first };
	return first < n ? 2 : 1;
}

static size_t first_line(void)
{
	for (size_t i = 0; i < ring.n; i++)
		if (ring.bytes[(ring.at + i) % RING] == '\n')
			return i + 1;
	return ring.n;
}

static bool put(const char *line, size_t n)
{
	struct iovec v[2];
	int parts;

	if (n > RING - ring.n)
		return false;
	parts = pieces((ring.at + ring.n) % RING, n, v);
	copy_bytes(v[0].iov_base, line, v[0].iov_len);
	if (parts > 1)
		copy_bytes(v[1].iov_base, line + v[0].iov_len, v[1].iov_len);
	ring.n += n;
	return true;
}

void log_out(const char *line, size_t n)
{
	if (!atomic_load_explicit(&ring.running, memory_order_acquire)) {
		write_one(line, n);
		return;
	}
	pthread_mutex_lock(&ring.lock);
	if (put(line, n)) {
		pthread_cond_signal(&ring.news);
	} else {
		ring.no_room++;
		ring.lost++;
	}
	pthread_mutex_unlock(&ring.lock);
}

/* ---- kinds ---- */

static bool take_turn(struct log_site *site, const char *msg)
{
	int64_t window = clock_mono_ns() / WINDOW_NS;

	if (!site->known) {
		site->known = true;
		site->msg = msg;
		site->next = ring.sites;
		ring.sites = site;
	}
	if (site->window != window) {
		site->window = window;
		site->lines = 0;
	}
	if (site->lines >= LOG_WINDOW_LINES) {
		site->left_out++;
		ring.lost++;
		return false;
	}
	site->lines++;
	return true;
}

bool log_take_turn(struct log_site *site, enum log_level level, const char *msg)
{
	bool mine;

	/* Debug lines are not limited: an operator who asks for them wants all of them. */
	if (level == LOG_DEBUG || !atomic_load_explicit(&ring.running, memory_order_acquire))
		return true;
	pthread_mutex_lock(&ring.lock);
	mine = take_turn(site, msg);
	pthread_mutex_unlock(&ring.lock);
	return mine;
}

uint64_t log_lost(void)
{
	uint64_t n;

	pthread_mutex_lock(&ring.lock);
	n = ring.lost;
	pthread_mutex_unlock(&ring.lock);
	return n;
}

/* ---- the thread ---- */

/* Called with the lock, which it releases while it logs. The count is of one window or more. */
static void say_left_out(bool all)
{
	int64_t window = clock_mono_ns() / WINDOW_NS;

	for (struct log_site *s = ring.sites; s; s = s->next) {
		uint64_t n = s->left_out;

		if (n == 0 || (s->window == window && !all))
			continue;
		s->left_out = 0;
		pthread_mutex_unlock(&ring.lock);
		log_write(LOG_WARN, s->file, s->line, "further lines of this kind were left out",
			  "kind", s->msg, LOG_NUMBER("lines"), log_count(n).text, NULL);
		pthread_mutex_lock(&ring.lock);
	}
}

static void say_no_room(void)
{
	uint64_t n = ring.no_room - ring.no_room_said;

	if (n == 0 || ring.n > RING / 2)
		return;
	ring.no_room_said = ring.no_room;
	pthread_mutex_unlock(&ring.lock);
	log_warn("log lines were dropped: whatever reads stderr is too slow", LOG_NUMBER("lines"),
		 log_count(n).text, NULL);
	pthread_mutex_lock(&ring.lock);
}

/*
 * Called with the lock, which it releases to write: other threads then append, but do not touch the
 * bytes that are being written.
 */
static void write_first(void)
{
	size_t n = first_line();
	struct iovec v[2];
	int parts = pieces(ring.at, n, v);

	pthread_mutex_unlock(&ring.lock);
	write_all(v, parts);
	pthread_mutex_lock(&ring.lock);
	ring.at = (ring.at + n) % RING;
	ring.n -= n;
}

static void *log_main(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&ring.lock);
	for (;;) {
		int64_t until = clock_mono_ns() + LOOK_NS;

		while (ring.n > 0)
			write_first();
		say_no_room();
		say_left_out(ring.stop);
		if (ring.n > 0)
			continue;
		pthread_cond_broadcast(&ring.empty);
		if (ring.stop)
			break;
		clock_wait(&ring.news, &ring.lock, until);
	}
	pthread_mutex_unlock(&ring.lock);
	return NULL;
}

int log_start(void)
{
	ring.stop = false;
	if (pthread_create(&ring.thread, NULL, log_main, NULL) != 0)
		return -1;
	pthread_setname_np(ring.thread, "log");
	ring.running = true;
	return 0;
}

bool log_flush(int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;
	bool done, in_time = true;

	if (!ring.running)
		return true;
	pthread_mutex_lock(&ring.lock);
	while (ring.n > 0 && in_time)
		in_time = clock_wait(&ring.empty, &ring.lock, until);
	done = ring.n == 0;
	pthread_mutex_unlock(&ring.lock);
	return done;
}

void log_stop(int64_t ns)
{
	if (!ring.running)
		return;
	pthread_mutex_lock(&ring.lock);
	ring.stop = true;
	pthread_cond_signal(&ring.news);
	pthread_mutex_unlock(&ring.lock);
	if (!log_flush(ns)) {
		/* The thread still waits for stderr; it ends with the process. */
		pthread_detach(ring.thread);
		return;
	}
	pthread_join(ring.thread, NULL);
	ring.running = false;
}
