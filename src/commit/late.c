#include "commit/late.h"

uint32_t late_families = LATE_FAMILIES;

void late_init(struct late *l)
{
	*l = (struct late){ .last = &l->first, .put_off = &l->first };
}

static struct push *next_of(const struct push *p)
{
	return (struct push *)p->node.next;
}

bool late_is_large(const struct push *p)
{
	return p->n_families >= late_families;
}

bool late_is_full(const struct late *l)
{
	return l->n_large >= LATE_MAX_LARGE || l->n >= LATE_MAX;
}

/* Whether the push concerns no single group, and is a batch by itself. */
static bool is_alone(const struct push *p)
{
	return p->mode >= PUSH_WIPE;
}

/* A loop will do: there are few late pushes. */
bool late_has_group_of(const struct late *l, const struct push *p)
{
	for (const struct queue_node *node = l->first; node; node = node->next) {
		const struct push *other = (const struct push *)node;

		if (other->key_hash == p->key_hash && str_eq(other->key, p->key))
			return true;
	}
	return false;
}

static bool has_to_wait(const struct late *l, const struct push *p)
{
	if (!l->first)
		return late_is_large(p);
	return l->n_wipes > 0 || p->mode == PUSH_WIPE || late_is_large(p) ||
	       late_has_group_of(l, p);
}

static void insert(struct late *l, struct queue_node **at, struct push *p)
{
	p->node.next = *at;
	*at = &p->node;
	if (l->last == at)
		l->last = &p->node.next;
	if (at == &l->first)
		l->put_off = &p->node.next;
	l->n++;
	l->n_large += late_is_large(p);
	l->n_wipes += p->mode == PUSH_WIPE;
}

void late_add(struct late *l, struct push *p)
{
	insert(l, l->last, p);
}

void late_put_off(struct late *l, struct push *p)
{
	insert(l, l->put_off, p);
	l->put_off = &p->node.next;
}

struct push *late_first(const struct late *l)
{
	return (struct push *)l->first;
}

struct push *late_sort(struct late *l, struct push *list)
{
	struct queue_node *first = NULL, **last = &first;
	struct push *next;

	for (struct push *p = list; p; p = next) {
		next = next_of(p);
		p->node.next = NULL;
		if (has_to_wait(l, p)) {
			late_add(l, p);
			continue;
		}
		*last = &p->node;
		last = &p->node.next;
	}
	return (struct push *)first;
}

struct push *late_take(struct late *l, size_t max, size_t *ret_n)
{
	struct push *first = (struct push *)l->first, *p = first;

	*ret_n = first ? 1 : 0;
	if (!first)
		return NULL;
	if (!late_is_large(first) && !is_alone(first))
		for (; *ret_n < max && next_of(p); p = next_of(p), ++*ret_n)
			if (late_is_large(next_of(p)) || is_alone(next_of(p)))
				break;
	l->first = p->node.next;
	if (!l->first)
		l->last = &l->first;
	l->put_off = l->first ? &l->first->next : &l->first;
	p->node.next = NULL;
	l->n -= *ret_n;
	l->n_large -= late_is_large(first);
	l->n_wipes -= first->mode == PUSH_WIPE;
	return first;
}
