#include "expose/schedule.h"

#include <assert.h>

void schedule_init(struct schedule *s, int64_t (*now_ns)(void))
{
	*s = (struct schedule){ .now_ns = now_ns };
	for (int i = 0; i < N_SCHEDULE_LEVELS; i++)
		s->levels[i].tail = &s->levels[i].head;
}

static void append(struct schedule *s, enum schedule_level level, struct job *job)
{
	job->node.next = NULL;
	*s->levels[level].tail = &job->node;
	s->levels[level].tail = &job->node.next;
}

static void prepend(struct schedule *s, enum schedule_level level, struct job *job)
{
	job->node.next = s->levels[level].head;
	if (!job->node.next)
		s->levels[level].tail = &job->node.next;
	s->levels[level].head = &job->node;
}

static struct job *take_first(struct schedule *s, enum schedule_level level)
{
	struct queue_node *first = s->levels[level].head;

	s->levels[level].head = first->next;
	if (!first->next)
		s->levels[level].tail = &s->levels[level].head;
	return (struct job *)first;
}

void schedule_add(struct schedule *s, struct job *job)
{
	append(s, job->kind == JOB_SCRAPE ? LEVEL_FRESH : LEVEL_PAGES, job);
	s->n++;
}

/*
 * Chooses the first level with a job; each SCHEDULE_SHARE-th turn goes to the next level with one
 * instead.
 */
static enum schedule_level choose(struct schedule *s)
{
	enum schedule_level chosen = N_SCHEDULE_LEVELS;

	for (enum schedule_level i = LEVEL_FRESH; i < N_SCHEDULE_LEVELS; i++) {
		if (!s->levels[i].head)
			continue;
		chosen = i;
		if (++s->turns[i] % SCHEDULE_SHARE != 0)
			break;
	}
	assert(chosen < N_SCHEDULE_LEVELS);
	return chosen;
}

/* Puts a job back that is not done yet. */
static void put_back(struct schedule *s, enum schedule_level level, struct job *job)
{
	if (level == LEVEL_LONG || (level == LEVEL_FRESH && job->used_ns >= SCHEDULE_FRESH_NS))
		append(s, LEVEL_LONG, job);
	else
		prepend(s, level, job);
}

bool schedule_turn(struct schedule *s, enum job_kind *ret_kind)
{
	enum schedule_level level = choose(s);
	struct job *job = take_first(s, level);
	int64_t start = s->now_ns();

	*ret_kind = job->kind;
	if (job->step(job, start + SCHEDULE_TURN_NS)) {
		s->n--;
		return true;
	}
	job->used_ns += s->now_ns() - start;
	put_back(s, level, job);
	return false;
}
