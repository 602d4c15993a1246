/* Copies of published groups, one at a time: the lock is held for one group only. */
#include "store/internal.h"

static int copy_family(const struct slice *s, struct arena *a, struct group_copy_family *to)
{
	struct str text = slice_text(s);

	*to = (struct group_copy_family){
		.name = arena_dup(a, s->family->name),
		.type = s->type,
		.pushed_at = slice_segment(s)->pushed_at,
		.text = arena_dup(a, text),
		.proto = arena_dup(a, bytes_str(slice_proto(s))),
	};
	if (s->help)
		to->help = arena_dup(a, (struct str){ s->help->p, s->help->n });
	return to->name.p && to->text.p && to->proto.p && (!s->help || to->help.p) ? 1 : -1;
}

static int copy_group(const struct group *g, struct arena *a, struct group_copy *ret)
{
	const struct group_state *st = g->cur;

	*ret = (struct group_copy){
		.key = arena_dup(a, group_key(g)),
		.pushed_at = st->pushed_at,
		.failed_at = st->failed_at,
		.families = arena_alloc(a, st->n * sizeof(*ret->families)),
		.n_families = st->n,
	};
	if (!ret->key.p || !ret->families)
		return -1;
	for (uint32_t i = 0; i < st->n; i++)
		if (copy_family(group_state_slice(st, i), a, &ret->families[i]) < 0)
			return -1;
	return 1;
}

int store_copy_group(struct store *s, uint32_t *cursor, struct arena *a, struct group_copy *ret)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	for (uint32_t id = *cursor + 1; r == 0 && id < s->cap_shown; id++) {
		if (!s->shown[id])
			continue;
		*cursor = id;
		r = copy_group(s->shown[id], a, ret);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}
