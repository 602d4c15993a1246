/*
 * Passwords that wait to be checked. Clients take turns: one that guesses, however fast, delays
 * another by the check that is under way and one of its own. When too many wait, the newest of the
 * client with the most of them is given up. Bounded; many producers, one consumer.
 */
#ifndef ACCESS_FAIR_QUEUE_H
#define ACCESS_FAIR_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of whatever waits. */
struct fair_node {
	struct fair_node *older, *newer; /* of the same client */
	uint64_t client;                 /* hash of its address; set by the producer */
	bool given_up;
};

/* Of one client; none is empty. */
struct fair_lane {
	uint64_t client;
	struct fair_node *oldest, *newest;
	size_t n;
};

struct fair_queue {
	pthread_mutex_t lock;
	pthread_cond_t nonempty;
	struct fair_lane *lanes; /* room for max */
	size_t n_lanes, turn;    /* turn: the lane whose turn is next */
	size_t n, max;
	struct fair_node *given_up; /* linked by older */
	bool closed;
};

void fair_queue_init(struct fair_queue *q, size_t max);
void fair_queue_done(struct fair_queue *q);

/*
 * Any thread. False: the queue is closed, or it is full and no client has more waiting than this
 * one.
 */
bool fair_queue_push(struct fair_queue *q, struct fair_node *node);
/*
 * The consumer: waits for a node. Nodes that were given up come first, with given_up set. NULL: the
 * queue is closed and empty.
 */
struct fair_node *fair_queue_take(struct fair_queue *q);
/* Any thread: nothing more is accepted. */
void fair_queue_close(struct fair_queue *q);

#endif
