/*
 * Families in the database that are not shown because they break a rule. They are logged at start,
 * and cleaning keeps them. For whole groups see left_out_group.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

/* The reason, without the words that all refusals begin with. */
const char *store_left_out_reason(const char *why)
{
	const char prefix[] = PUSH_INVALID_PREFIX;

	return strncmp(why, prefix, sizeof(prefix) - 1) == 0 ? why + sizeof(prefix) - 1 : why;
}

static void left_out_free(struct left_out *l)
{
	free(l->key);
	free(l->family);
	free(l->message);
	free(l->why);
	free(l);
}

static uint64_t held_by(const struct left_out *l)
{
	return STORED_LEFT_OUT + l->key_n + l->family_n + l->message_n + strlen(l->why);
}

static void forget(struct store *s, struct left_out *l)
{
	table_remove(&s->left_out, l->slot, l);
	s->left_out_bytes -= held_by(l);
	s->n_unsettled -= left_out_is_unsettled(l);
	left_out_free(l);
}

struct left_out *left_out_find(const struct store *s, const struct group *g, struct str family)
{
	struct left_out *l;

	for (size_t at = table_first(&s->left_out, g->slot);
	     (l = table_next(&s->left_out, g->slot, &at));)
		if (str_eq(left_out_family(l), family))
			return l;
	return NULL;
}

void store_leave_out(struct store *s, const struct group *g, const struct row *row,
		     struct str family, const char *why, bool contradicts)
{
	bool settled = row && row->kind == ROW_LEFT_OUT;
	struct str key = group_key(g),
		   message = left_out_message(row ? row->body : STR_NULL, family);
	struct left_out *l = left_out_find(s, g, family);
	uint64_t number = row ? row_first_number(row) : 0;

	/* As of what is shown, the newest record counts; a moved one is read early. */
	if (l && l->number >= number)
		return;
	if (l)
		forget(s, l);
	l = mem_alloc(sizeof(*l));
	*l = (struct left_out){
		.slot = g->slot,
		.number = number,
		.at = row ? row->at : 0,
		.message = mem_dup(message.p, message.n),
		.message_n = message.n,
		.key = mem_dup(key.p, key.n),
		.key_n = key.n,
		.family = mem_dup(family.p, family.n),
		.family_n = family.n,
		.why = mem_strdup(store_left_out_reason(why)),
		.contradicts = contradicts || settled,
		.settled = settled,
		.in_way = contradicts && !settled ? s->in_way
						  : (struct in_the_way){ .known = false },
	};
	table_add(&s->left_out, l->slot, l);
	s->left_out_bytes += held_by(l);
	s->n_unsettled += left_out_is_unsettled(l);
	store_count_left_out(s);
}

void store_leave_out_settled(struct store *s, const struct group *g, const struct row *row,
			     struct str family)
{
	store_leave_out(s, g, row, family, "it contradicts what others have", true);
	store_look_for_free(s);
}

void store_count_left_out(struct store *s)
{
	s->pages.counts.left_out = s->left_out.n + s->left_out_groups.n;
}

void store_left_out_done(struct store *s)
{
	for (size_t i = 0; i < s->left_out.cap; i++)
		if (s->left_out.entries[i].item)
			left_out_free(s->left_out.entries[i].item);
	table_done(&s->left_out);
}

void left_out_describe(const struct left_out *l, struct store_left_out *ret)
{
	*ret = (struct store_left_out){ .key = { l->key, l->key_n },
					.family = left_out_family(l),
					.why = l->why,
					.message = { l->message, l->message_n },
					.at = l->at,
					.contradicts = l->contradicts };
}

bool store_left_out(const struct store *s, size_t *at, struct store_left_out *ret)
{
	while (*at < s->left_out.cap) {
		const struct left_out *l = s->left_out.entries[(*at)++].item;

		if (!l)
			continue;
		left_out_describe(l, ret);
		return true;
	}
	while (*at < s->left_out.cap + s->left_out_groups.cap)
		if (left_out_group_at(s, (*at)++ - s->left_out.cap, ret))
			return true;
	return false;
}

bool store_is_left_out(const struct store *s, const struct group *g, uint64_t number,
		       struct str family)
{
	const struct left_out *l = left_out_find(s, g, family);

	return l && l->number == number;
}

bool store_left_out_since(const struct store *s, const struct group *g, uint64_t number,
			  struct str family)
{
	const struct left_out *l = s->left_out.n > 0 ? left_out_find(s, g, family) : NULL;

	return l && l->number > number;
}

bool store_leaves_out_of(const struct store *s, const struct group *g)
{
	size_t at = table_first(&s->left_out, g->slot);

	return table_next(&s->left_out, g->slot, &at) != NULL;
}

static bool is_superseded(const struct left_out *l, const struct staged *st)
{
	if (!st->exists || st->made || st->replaced)
		return true;
	/* Of a summed group only its documents count. */
	if (l->number > 0 && st->summed)
		return true;
	if (l->number == 0 && st->summed && !merged_has(st->summed->group, left_out_family(l)))
		return true;
	for (uint32_t i = 0; i < st->net.n; i++)
		if (st->net.pairs[i].in &&
		    str_eq(st->net.pairs[i].family->shown.name, left_out_family(l)))
			return true;
	return false;
}

/* The first left-out family of the group that the batch has replaced or ended; NULL: none. */
static struct left_out *find_superseded(const struct store *s, const struct group *g)
{
	struct left_out *l;

	for (size_t at = table_first(&s->left_out, g->slot);
	     (l = table_next(&s->left_out, g->slot, &at));)
		if (is_superseded(l, g->staged))
			return l;
	return NULL;
}

void store_forget_left_out(struct store *s, const struct group *g)
{
	struct left_out *l;

	while ((l = find_superseded(s, g)) != NULL) {
		forget(s, l);
		/* What stood behind it in the table may stand before it now. */
		store_look_for_free(s);
	}
	store_count_left_out(s);
}
