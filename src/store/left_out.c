/* What the database has and the rules do not let in: who loads is told, and cleaning keeps it. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"

void store_leave_out(struct store *s, struct group *g, uint64_t number, struct str key,
		     struct str family, const char *why)
{
	const char prefix[] = PUSH_INVALID_PREFIX;

	/* That is what all of them say. */
	if (strncmp(why, prefix, sizeof(prefix) - 1) == 0)
		why += sizeof(prefix) - 1;
	if (s->n_left_out == s->cap_left_out) {
		s->cap_left_out = s->cap_left_out ? s->cap_left_out * 2 : 16;
		s->left_out = mem_realloc(s->left_out, s->cap_left_out * sizeof(*s->left_out));
	}
	s->left_out[s->n_left_out++] = (struct left_out){
		.group = g,
		.number = number,
		.key = mem_dup(key.p, key.n),
		.key_n = key.n,
		.family = mem_dup(family.p, family.n),
		.family_n = family.n,
		.why = mem_strdup(why),
	};
}

static void left_out_done(struct left_out *l)
{
	free(l->key);
	free(l->family);
	free(l->why);
}

void store_left_out_done(struct store *s)
{
	for (size_t i = 0; i < s->n_left_out; i++)
		left_out_done(&s->left_out[i]);
	free(s->left_out);
}

static struct str family_name(const struct left_out *l)
{
	return (struct str){ l->family, l->family_n };
}

bool store_left_out(const struct store *s, size_t i, struct store_left_out *ret)
{
	const struct left_out *l = &s->left_out[i];

	if (i >= s->n_left_out)
		return false;
	*ret = (struct store_left_out){ { l->key, l->key_n }, family_name(l), l->why };
	return true;
}

bool store_is_left_out(const struct store *s, const struct group *g, uint64_t number,
		       struct str family)
{
	for (size_t i = 0; i < s->n_left_out; i++) {
		const struct left_out *l = &s->left_out[i];

		if (l->group == g && l->number == number && str_eq(family_name(l), family))
			return true;
	}
	return false;
}

static bool is_superseded(const struct left_out *l, const struct staged *st)
{
	if (!st->exists || st->made || st->replaced)
		return true;
	for (uint32_t i = 0; i < st->net.n; i++)
		if (st->net.pairs[i].in &&
		    str_eq(st->net.pairs[i].family->shown.name, family_name(l)))
			return true;
	return false;
}

void store_forget_left_out(struct store *s, const struct group *g, const struct staged *st)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_left_out; i++) {
		struct left_out *l = &s->left_out[i];

		if (l->group == g && is_superseded(l, st))
			left_out_done(l);
		else
			s->left_out[n++] = *l;
	}
	s->n_left_out = n;
}
