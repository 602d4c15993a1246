/* Moves the values of a plain group into the summed group that replaces it. */
#include "base/hash.h"
#include "store/internal.h"
#include "store/summed.h"

/* The family's policy in the push, so that both agree. */
static int plain_policy(void *arg, const struct family *f, enum merge_policy *ret, struct err *err)
{
	const struct said *said = arg;

	(void)err;
	for (uint32_t i = 0; i < said->n; i++)
		if (str_eq(said->families[i].name, f->name)) {
			*ret = (enum merge_policy)said->families[i].policy;
			return 0;
		}
	*ret = merge_policy_of(f->name, f->type, MERGE_MOSTRECENT, false);
	return 0;
}

static void add_plain(struct store *s, struct merged_group *m, const struct entry *e,
		      const struct push *push)
{
	struct said_head head = { .push_id = STR("") };
	struct family *f;
	struct said *said;
	struct err err;

	arena_reset(&s->work.arena);
	f = summed_decode_entry(e, &s->work.arena);
	/* An entry that cannot be summed is dropped. */
	if (!f ||
	    said_make(f, &head, plain_policy, (void *)push->said, &s->work.arena, &said, &err) < 0)
		return;
	merged_add(m, said, push->now, &err);
	said_free(said);
}

static void add_all_plain(struct store *s, const struct group *g, struct merged_group *m,
			  const struct push *push)
{
	const struct change *net = &g->staged->net;
	uint32_t hint = 0;

	for (uint32_t i = 0; i < net->n; i++)
		if (net->pairs[i].in)
			add_plain(s, m, store_entry(s, net->pairs[i].in), push);
	for (uint32_t i = 0; i < g->entries.cap; i++) {
		uint32_t id = entries_at(&g->entries, i);

		if (id && group_entry(s, g, entry_family(store_entry(s, id)), &hint) == id)
			add_plain(s, m, store_entry(s, id), push);
	}
}

static uint64_t birth_of(const struct push *push)
{
	uint64_t parts[2] = { push->key_hash };

	memcpy(&parts[1], &push->now, sizeof(push->now));
	return hash_bytes((struct str){ (const char *)parts, sizeof(parts) });
}

bool summed_from_plain(struct store *s, struct group *g, const struct push *push)
{
	if (g->staged->summed)
		return false;
	g->staged->summed = summed_new();
	g->staged->summed->head.birth = birth_of(push);
	add_all_plain(s, g, g->staged->summed->group, push);
	return true;
}

/* ---- the group of the whole key ---- */

static struct group *plain_twin(struct store *s, const struct push *push)
{
	struct str whole = push->said->head.whole_key;
	struct group *g;

	if (str_eq(whole, push->key))
		return NULL;
	g = store_group_find(s, whole, hash_bytes(whole));
	return g && group_is_there(g) && !group_summed(g) ? g : NULL;
}

void summed_end_plain_twin(struct store *s, const struct push *push)
{
	struct group *twin = plain_twin(s, push);

	/* While a large push to it is staged it is nobody else's: this one has to wait. */
	if (twin && twin == s->large.group)
		s->large.in_the_way = true;
	else if (twin)
		change_end(s, twin, push->now);
}
