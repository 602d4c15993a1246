#include "store/deadlines.h"

#include "base/mem.h"
#include "store/internal.h"

static void place(struct store *s, struct group *g, size_t at)
{
	s->deadlines.list[at] = g;
	g->life->heap_at = at + 1;
}

static void sift(struct store *s, struct group *g, size_t at)
{
	struct group **list = s->deadlines.list;
	int64_t due = g->life->due_ns;

	for (; at > 0 && list[(at - 1) / 2]->life->due_ns > due; at = (at - 1) / 2)
		place(s, list[(at - 1) / 2], at);
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < s->deadlines.n &&
		    list[child + 1]->life->due_ns < list[child]->life->due_ns)
			child++;
		if (child >= s->deadlines.n || list[child]->life->due_ns >= due)
			break;
		place(s, list[child], at);
		at = child;
	}
	place(s, g, at);
}

void deadline_clear(struct store *s, struct group *g)
{
	size_t at = g->life->heap_at;
	struct group *last;

	if (at == 0)
		return;
	g->life->heap_at = 0;
	last = s->deadlines.list[--s->deadlines.n];
	if (last != g)
		sift(s, last, at - 1);
}

void deadline_set(struct store *s, struct group *g, int64_t due)
{
	if (due == DEADLINE_NEVER) {
		deadline_clear(s, g);
		return;
	}
	g->life->due_ns = due;
	if (g->life->heap_at) {
		sift(s, g, g->life->heap_at - 1);
		return;
	}
	if (s->deadlines.n == s->deadlines.cap) {
		s->deadlines.cap = s->deadlines.cap ? s->deadlines.cap * 2 : 64;
		s->deadlines.list = mem_realloc(s->deadlines.list,
						s->deadlines.cap * sizeof(struct group *));
	}
	s->deadlines.n++;
	sift(s, g, s->deadlines.n - 1);
}
