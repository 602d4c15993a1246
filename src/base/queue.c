#include "base/queue.h"

#include "base/clock.h"

void queue_init(struct queue *q, size_t max_n, size_t max_bytes)
{
	*q = (struct queue){ .max_n = max_n, .max_bytes = max_bytes, .limit = SIZE_MAX };
	q->tail = &q->head;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->nonempty, NULL);
}

void queue_done(struct queue *q)
{
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
		node->next = NULL;
		*q->tail = node;
		q->tail = &node->next;
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

static void leave(struct queue *q, const struct queue_node *node)
{
	q->bytes -= node->bytes;
	q->n_urgent -= node->urgent;
}

struct queue_node *queue_take(struct queue *q, size_t max_n, size_t *ret_n)
{
	struct queue_node *first, *last;
	size_t n = 1;

	*ret_n = 0;
	pthread_mutex_lock(&q->lock);
	q->wanted = 1;
	while (q->n == 0 && !q->closed)
		pthread_cond_wait(&q->nonempty, &q->lock);
	q->wanted = 0;
	first = last = q->head;
	if (first) {
		leave(q, last);
		for (; n < max_n && last->next; n++) {
			last = last->next;
			leave(q, last);
		}
		q->head = last->next;
		last->next = NULL;
		if (!q->head)
			q->tail = &q->head;
		q->n -= n;
		*ret_n = n;
	}
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
