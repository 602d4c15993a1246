#include "store/undo_list.h"

#include "store/internal.h"

static int copy_all(const struct store *s, double now, struct arena *a, struct undo_brief **ret)
{
	struct undo_brief *list = arena_alloc(a, (s->undo.n + 1) * sizeof(*list));
	int n = 0;

	if (!list)
		return -1;
	for (size_t i = s->undo.n; i > 0; i--) {
		const struct undoable *u = s->undo.list[i - 1];
		struct undo_brief *b = &list[n];

		if (now - u->at > UNDO_SECONDS)
			continue;
		*b = (struct undo_brief){ .at = u->at, .n = u->n, .family = STR("") };
		memcpy(b->id, u->id, UNDO_ID);
		if (u->family.n)
			b->family = arena_dup(a, u->family);
		if (!b->family.p)
			return -1;
		n++;
	}
	*ret = list;
	return n;
}

int store_undo_list(struct store *s, double now, struct arena *a, struct undo_brief **ret)
{
	int n;

	pthread_mutex_lock(&s->pages.lock);
	n = copy_all(s, now, a, ret);
	pthread_mutex_unlock(&s->pages.lock);
	return n;
}
