/* Start-up: rows of the database become groups, by the same steps as pushes. */
#include "base/hash.h"
#include "store/internal.h"

int store_restore_group(struct store *s, uint32_t id, struct str key, struct str labels,
			double pushed_at, double failed_at, struct err *err)
{
	uint64_t hash = hash_bytes(key);

	if (id == 0 || id > STORE_GROUP_ID_MAX)
		return err_set(err, ERR_SYSTEM, 0, "group %u cannot be", id);
	if ((id < s->n_ids && s->by_id[id]) || store_group_find(s, key, hash))
		return err_set(err, ERR_SYSTEM, 0, "two rows for one group (id %u)", id);

	struct group *g = store_group_add(s, key, labels, hash, id);
	uint64_t max_groups = s->lim.max_groups, max_series = s->lim.max_series;

	/* What is stored stays when limits have been lowered below it. */
	s->lim.max_groups = s->lim.max_series = UINT64_MAX;
	int r = change_make(s, g, &labels, err);

	s->lim.max_groups = max_groups;
	s->lim.max_series = max_series;
	if (r < 0)
		return -1;
	g->staged->pushed_at = pushed_at;
	g->staged->failed_at = failed_at;
	store_publish(s);
	return 0;
}

/* Leaves out the families that a later record has replaced. */
static void keep_newest(struct store *s, const struct group *g, struct push *push)
{
	uint32_t n = 0, hint = 0;

	for (uint32_t i = 0; i < push->n_families; i++) {
		const struct push_family *pf = &push->families[i];
		struct store_family *f = store_family_find(s, pf->name, pf->exposed, pf->hash);

		if (!f || !group_entry(s, g, f, &hint))
			push->families[n++] = *pf;
	}
	push->n_families = n;
}

/* What is stored stays when --limits.series has been lowered below it. */
static int stage_unlimited(struct store *s, struct group *g, struct push *push,
			   struct record **ret_record)
{
	uint64_t max = s->lim.max_series;
	int r;

	s->lim.max_series = UINT64_MAX;
	r = store_stage_families(s, g, push, ret_record);
	s->lim.max_series = max;
	return r;
}

void store_restore_row(struct store *s, uint64_t row, size_t body)
{
	s->log.bytes += row_bytes_of(body);
	if (row >= s->next_row)
		s->next_row = row + 1;
}

int store_restore_segment(struct store *s, uint32_t group, uint64_t row, struct push *push,
			  struct err *err)
{
	struct group *g = group < s->n_ids ? s->by_id[group] : NULL;
	uint32_t n = push->n_families;
	struct record *record;

	if (push->err.reason) {
		*err = push->err;
		return -1;
	}
	if (!g)
		return err_set(err, ERR_SYSTEM, 0, "segment %llu belongs to no group",
			       (unsigned long long)row);
	keep_newest(s, g, push);
	if (push->n_families == 0)
		return 0;
	push->mode = PUSH_POST;
	if (stage_unlimited(s, g, push, &record) < 0) {
		*err = push->err;
		return -1;
	}
	if (push->now > g->staged->pushed_at)
		g->staged->pushed_at = push->now;
	record->number = row;
	record->n = n;
	store_publish(s);
	return 0;
}

void store_restore_end(struct store *s)
{
	for (uint32_t id = 1; id < s->n_ids; id++)
		if (!s->by_id[id])
			store_free_id(s, id);
}
