#include "commit/large_steps.h"

#include "base/cleanup.h"
#include "base/mem.h"

/* Half a millisecond or so. */
enum { STEP_FAMILIES = 512 };

/* How often rows of others may make it begin again. */
enum { TRIES = 3 };

void large_steps_init(struct large_steps *l, struct store *store, struct late *late,
		      uint64_t max_body)
{
	*l = (struct large_steps){ .store = store, .late = late, .max_body = max_body };
}

static uint32_t families(void)
{
	return late_families < STEP_FAMILIES ? late_families : STEP_FAMILIES;
}

static void begin(struct large_steps *l, struct push *first, bool may_begin)
{
	l->n_ended += l->begun;
	l->begun = l->leaving = false;
	if (!may_begin)
		return;
	l->begun = first->body.n <= l->max_body && l->n_ended < TRIES &&
		   store_large_begin(l->store, first);
	l->at_once = !l->begun;
}

bool large_steps_go_on(struct large_steps *l, bool may_begin)
{
	struct push *first = late_first(l->late);

	if (!first || !late_is_large(first) || l->at_once)
		return false;
	if (!store_large_push(l->store)) {
		begin(l, first, may_begin);
		return !l->at_once;
	}
	if (store_large_step(l->store, families()))
		return true;
	if (!first->dry_run || l->leaving)
		return false;
	store_large_leave(l->store);
	l->leaving = true;
	return true;
}

/* Whether the large push is in the way of this one, which keeps its verdict of before. */
static bool is_in_the_way(struct large_steps *l, struct push *p)
{
	struct err before = p->err;
	bool is = p->body.n <= l->max_body && store_large_is_in_the_way(l->store, p);

	p->err = before;
	return is;
}

/* Returns the pushes that need not wait. */
static struct push *put_off_once(struct large_steps *l, struct push *first, size_t *ret_n)
{
	struct push *others = NULL, **last = &others, *next;
	CLEANUP(freep) bool *waits = mem_alloc(*ret_n * sizeof(*waits));
	size_t i = 0;

	for (struct push *p = first; p; p = (struct push *)p->node.next)
		waits[i++] = is_in_the_way(l, p);
	store_rollback(l->store);
	*ret_n = i = 0;
	for (struct push *p = first; p; p = next) {
		next = (struct push *)p->node.next;
		p->node.next = NULL;
		if (waits[i++] || late_has_group_of(l->late, p)) {
			late_put_off(l->late, p);
			continue;
		}
		++*ret_n;
		*last = p;
		last = (struct push **)&p->node.next;
	}
	return others;
}

struct push *large_steps_put_off(struct large_steps *l, struct push *first, size_t *n)
{
	size_t before = *n + 1;

	if (!store_large_push(l->store) || store_large_push(l->store) == first)
		return first;
	while (first && *n < before) {
		before = *n;
		first = put_off_once(l, first, n);
	}
	return first;
}

void large_steps_give_up(struct large_steps *l)
{
	if (!store_large_push(l->store))
		return;
	store_large_drop(l->store);
	l->at_once = true;
	l->begun = l->leaving = false;
}

void large_steps_done(struct large_steps *l)
{
	l->at_once = l->begun = l->leaving = false;
	l->n_ended = 0;
}
