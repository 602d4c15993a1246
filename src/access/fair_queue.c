#include "access/fair_queue.h"

#include <stdlib.h>

#include "base/mem.h"

void fair_queue_init(struct fair_queue *q, size_t max)
{
	*q = (struct fair_queue){ .max = max };
	q->lanes = mem_zalloc(max * sizeof(*q->lanes));
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->nonempty, NULL);
}

void fair_queue_done(struct fair_queue *q)
{
	free(q->lanes);
	pthread_cond_destroy(&q->nonempty);
	pthread_mutex_destroy(&q->lock);
}

/* ---- lanes ---- */

/* The lane of this client; NULL: nothing of it waits. There are few lanes, so a loop will do. */
static struct fair_lane *find(struct fair_queue *q, uint64_t client)
{
	for (size_t i = 0; i < q->n_lanes; i++)
		if (q->lanes[i].client == client)
			return &q->lanes[i];
	return NULL;
}

static struct fair_lane *longest(struct fair_queue *q)
{
	struct fair_lane *most = &q->lanes[0];

	for (size_t i = 1; i < q->n_lanes; i++)
		if (q->lanes[i].n > most->n)
			most = &q->lanes[i];
	return most;
}

/* A new client's turn is the last. */
static struct fair_lane *add_lane(struct fair_queue *q, uint64_t client)
{
	size_t at = q->turn;

	for (size_t i = q->n_lanes; i > at; i--)
		q->lanes[i] = q->lanes[i - 1];
	q->lanes[at] = (struct fair_lane){ .client = client };
	q->n_lanes++;
	q->turn = (at + 1) % q->n_lanes;
	return &q->lanes[at];
}

static void remove_lane(struct fair_queue *q, size_t at)
{
	for (size_t i = at + 1; i < q->n_lanes; i++)
		q->lanes[i - 1] = q->lanes[i];
	q->n_lanes--;
	if (q->turn > at)
		q->turn--;
	if (q->turn >= q->n_lanes)
		q->turn = 0;
}

static void append(struct fair_queue *q, struct fair_lane *lane, struct fair_node *node)
{
	node->given_up = false;
	node->newer = NULL;
	node->older = lane->newest;
	if (node->older)
		node->older->newer = node;
	else
		lane->oldest = node;
	lane->newest = node;
	lane->n++;
	q->n++;
}

/* Gives up the newest of a lane that has more than one. */
static void give_up_newest(struct fair_queue *q, struct fair_lane *lane)
{
	struct fair_node *node = lane->newest;

	lane->newest = node->older;
	lane->newest->newer = NULL;
	lane->n--;
	q->n--;
	node->given_up = true;
	node->older = q->given_up;
	q->given_up = node;
}

static bool has_room(struct fair_queue *q, const struct fair_lane *lane)
{
	struct fair_lane *most;

	if (q->n < q->max)
		return true;
	most = longest(q);
	if (most->n <= (lane ? lane->n : 0) + 1)
		return false;
	give_up_newest(q, most);
	return true;
}

bool fair_queue_push(struct fair_queue *q, struct fair_node *node)
{
	struct fair_lane *lane;
	bool taken;

	pthread_mutex_lock(&q->lock);
	lane = find(q, node->client);
	taken = !q->closed && has_room(q, lane);
	if (taken) {
		append(q, lane ? lane : add_lane(q, node->client), node);
		pthread_cond_signal(&q->nonempty);
	}
	pthread_mutex_unlock(&q->lock);
	return taken;
}

/* ---- the consumer ---- */

static struct fair_node *take_given_up(struct fair_queue *q)
{
	struct fair_node *node = q->given_up;

	q->given_up = node->older;
	return node;
}

static struct fair_node *take_next(struct fair_queue *q)
{
	struct fair_lane *lane = &q->lanes[q->turn];
	struct fair_node *node = lane->oldest;

	lane->oldest = node->newer;
	lane->n--;
	q->n--;
	if (lane->oldest) {
		lane->oldest->older = NULL;
		q->turn = (q->turn + 1) % q->n_lanes;
	} else {
		remove_lane(q, q->turn);
	}
	return node;
}

struct fair_node *fair_queue_take(struct fair_queue *q)
{
	struct fair_node *node = NULL;

	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->n == 0 && !q->given_up)
		pthread_cond_wait(&q->nonempty, &q->lock);
	if (q->given_up)
		node = take_given_up(q);
	else if (q->n > 0)
		node = take_next(q);
	pthread_mutex_unlock(&q->lock);
	return node;
}

void fair_queue_close(struct fair_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_signal(&q->nonempty);
	pthread_mutex_unlock(&q->lock);
}
