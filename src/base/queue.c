#include "base/queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* Places of n_about: more than nodes that wait as a rule, so that two subjects rarely share one. */
enum { ABOUTS = 16384 };

void queue_init(struct queue *q, size_t max_n, size_t max_bytes)
{
	*q = (struct queue){ .max_n = max_n, .max_bytes = max_bytes, .limit = SIZE_MAX };
	q->n_about = mem_zalloc(ABOUTS * sizeof(*q->n_about));
	q->first.tail = &q->first.head;
	q->others.tail = &q->others.head;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->nonempty, NULL);
}

void queue_done(struct queue *q)
{
	free(q->n_about);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->nonempty);
}

/* With the lock. */
static bool is_full(struct queue *q, const struct queue_node *node)
{
	size_t others = q->n - q->n_urgent;

	if (node->urgent)
		return q->n_urgent > q->max_n / 2;
	if (others >= q->max_n || (others > 0 && q->bytes + node->bytes > q->max_bytes))
		return true;
	if (others < q->limit)
		return false;
	q->refused++;
	return true;
}

bool queue_has_room(struct queue *q)
{
	const struct queue_node node = { 0 };

	pthread_mutex_lock(&q->lock);
	bool room = !is_full(q, &node);

	pthread_mutex_unlock(&q->lock);
	return room;
}

void queue_limit(struct queue *q, size_t n)
{
	pthread_mutex_lock(&q->lock);
	q->limit = n;
	pthread_mutex_unlock(&q->lock);
}

uint64_t queue_refused(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	uint64_t n = q->refused;

	pthread_mutex_unlock(&q->lock);
	return n;
}

static uint32_t *n_about(struct queue *q, const struct queue_node *node)
{
	return &q->n_about[node->about % ABOUTS];
}

/* With the lock. A node that is about several things keeps its place in the order of arrival. */
static void insert(struct queue *q, struct queue_node *node)
{
	bool first = node->urgent && node->about && *n_about(q, node) == 0;
	struct queue_list *l = first ? &q->first : &q->others;

	node->next = NULL;
	*l->tail = node;
	l->tail = &node->next;
	if (!first)
		++*n_about(q, node);
}

enum queue_result queue_push(struct queue *q, struct queue_node *node)
{
	enum queue_result r = QUEUE_OK;
	bool asleep = false;

	pthread_mutex_lock(&q->lock);
	if (q->closed)
		r = QUEUE_CLOSED;
	else if (is_full(q, node))
		r = QUEUE_FULL;
	if (r == QUEUE_OK) {
		insert(q, node);
		q->n++;
		q->n_urgent += node->urgent;
		q->bytes += node->bytes;
		node->queued_ns = clock_mono_ns();
	} else if (r == QUEUE_FULL && q->wanted > 1) {
		q->wanted = 1;
		asleep = true;
	}
	pthread_mutex_unlock(&q->lock);
	if (asleep)
		pthread_cond_signal(&q->nonempty);
	return r;
}

void queue_wake(struct queue *q)
{
	bool asleep;

	pthread_mutex_lock(&q->lock);
	asleep = q->wanted > 0 && q->n >= q->wanted;
	pthread_mutex_unlock(&q->lock);
	if (asleep)
		pthread_cond_signal(&q->nonempty);
}

/* With the lock: up to max_n of the list go to *end. Returns the new end. */
static struct queue_node **take_some(struct queue *q, struct queue_list *l, size_t max_n,
				     struct queue_node **end, size_t *n)
{
	for (; max_n > 0 && l->head; max_n--, ++*n) {
		struct queue_node *node = l->head;

		l->head = node->next;
		if (!l->head)
			l->tail = &l->head;
		q->bytes -= node->bytes;
		q->n_urgent -= node->urgent;
		if (l == &q->others)
			--*n_about(q, node);
		*end = node;
		end = &node->next;
	}
	*end = NULL;
	return end;
}

struct queue_node *queue_take(struct queue *q, size_t max_n, size_t *ret_n)
{
	struct queue_node *first = NULL, **end = &first;

	*ret_n = 0;
	pthread_mutex_lock(&q->lock);
	q->wanted = 1;
	while (q->n == 0 && !q->closed)
		pthread_cond_wait(&q->nonempty, &q->lock);
	q->wanted = 0;
	end = take_some(q, &q->first, q->others.head ? (max_n + 1) / 2 : max_n, end, ret_n);
	take_some(q, &q->others, max_n - *ret_n, end, ret_n);
	q->n -= *ret_n;
	pthread_mutex_unlock(&q->lock);
	return first;
}

/* Waits, with the lock, for n nodes. */
static void wait_for(struct queue *q, size_t n, int64_t ns)
{
	int64_t end = clock_mono_ns() + ns;
	bool in_time = true;

	q->wanted = n < q->max_n ? n : q->max_n;
	while (q->n < q->wanted && !q->closed && in_time)
		in_time = clock_wait(&q->nonempty, &q->lock, end);
	q->wanted = 0;
}

bool queue_stays_empty(struct queue *q, int64_t ns)
{
	bool empty;

	pthread_mutex_lock(&q->lock);
	wait_for(q, 1, ns);
	empty = q->n == 0 && !q->closed;
	pthread_mutex_unlock(&q->lock);
	return empty;
}

void queue_gather(struct queue *q, size_t n, int64_t ns)
{
	pthread_mutex_lock(&q->lock);
	wait_for(q, n, ns);
	pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_broadcast(&q->nonempty);
}

size_t queue_depth(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t n = q->n;

	pthread_mutex_unlock(&q->lock);
	return n;
}

size_t queue_bytes(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t bytes = q->bytes;

	pthread_mutex_unlock(&q->lock);
	return bytes;
}
