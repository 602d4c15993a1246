/*
 * Bounded queue between threads: many producers, which never block, and one consumer, which takes
 * all that is there. Bounded by count and by bytes: a full queue means 503, never waiting.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of whatever is queued. */
struct queue_node {
	struct queue_node *next;
	size_t bytes; /* what it holds; set by the producer */
	/* Urgent nodes have room of their own, beside that of the others; set by the producer. */
	bool urgent;
	/*
	 * The hash of the one thing that the node is about; 0: several. Set by the producer. An
	 * urgent node goes before others that are not about the same thing.
	 */
	uint64_t about;
	int64_t queued_ns; /* when it was queued, monotonic */
};

struct queue_list {
	struct queue_node *head, **tail;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t nonempty;
	struct queue_list first, others;
	uint32_t *n_about; /* how many of `others` are about a thing, by some bits of its hash */
	size_t n, bytes, max_n, max_bytes;
	size_t n_urgent;  /* of n */
	size_t limit;     /* see queue_limit() */
	uint64_t refused; /* because of `limit` */
	bool closed;
	size_t wanted; /* the consumer sleeps until so many are there; 0: it is awake */
};

enum queue_result { QUEUE_OK, QUEUE_FULL, QUEUE_CLOSED };

void queue_init(struct queue *q, size_t max_n, size_t max_bytes);
void queue_done(struct queue *q);

/*
 * Any thread. On QUEUE_OK the queue owns the node; otherwise the caller still does. An empty queue
 * takes one node of any size, so that nothing is refused for ever. Nodes that are urgent may be
 * half as many as max_n, whatever else there is. Does not wake the consumer: call queue_wake() once
 * after several nodes.
 */
enum queue_result queue_push(struct queue *q, struct queue_node *node);
void queue_wake(struct queue *q);
/* Any thread, before it makes a node that is not urgent: false when it would be refused now. */
bool queue_has_room(struct queue *q);

/*
 * The consumer: no more than n nodes that are not urgent may wait, because more would wait too
 * long; SIZE_MAX: only max_n limits them. queue_refused() says how many this limit has refused.
 */
void queue_limit(struct queue *q, size_t n);
uint64_t queue_refused(struct queue *q);

/*
 * The consumer: waits until something is there and takes up to max_n nodes, linked by ->next: first
 * those that are urgent, but at most max_n / 2 of them if others wait, then the others, the oldest
 * first. NULL when the queue is closed and empty.
 */
struct queue_node *queue_take(struct queue *q, size_t max_n, size_t *ret_n);

/* The consumer: waits for at most ns nanoseconds. True: nothing has come, and the queue is open. */
bool queue_stays_empty(struct queue *q, int64_t ns);

/* The consumer: waits until there are n nodes or one was refused, for at most ns nanoseconds. */
void queue_gather(struct queue *q, size_t n, int64_t ns);

/* Any thread: nothing more is accepted; the consumer drains what is there. */
void queue_close(struct queue *q);
size_t queue_depth(struct queue *q);
size_t queue_bytes(struct queue *q);

#endif
