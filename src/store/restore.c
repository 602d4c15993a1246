/* Start-up: rows of the database become groups, by the same steps as pushes. */
#include "base/hash.h"
#include "store/internal.h"

int store_restore_group(struct store *s, uint32_t id, struct str key, struct str labels,
			double pushed_at, double failed_at, struct err *err)
{
	uint64_t hash = hash_bytes(key);
	CLEANUP(strbuf_done) struct strbuf time_id = { 0 };

	if (id == 0 || id > STORE_GROUP_ID_MAX)
		return err_set(err, ERR_SYSTEM, 0, "group %u cannot be", id);
	if ((id < s->n_ids && s->by_id[id]) || store_group_find(s, key, hash))
		return err_set(err, ERR_SYSTEM, 0, "two rows for one group (id %u)", id);

	struct group *g = store_group_add(s, key, hash, id);
	struct group_state *st = group_state_new(0);

	strbuf_adds(&time_id, STR("push_time_seconds"));
	strbuf_adds(&time_id, labels);
	g->time_hash = hash_bytes(strbuf_str(&time_id));
	g->labels = &labels;
	g->stored_pushed_at = pushed_at;
	st->pushed_at = pushed_at;
	st->failed_at = failed_at;
	if (store_check_group(s, g, err) < 0)
		return -1;
	store_stage_state(s, g, st);
	store_index_group(s, g);
	store_publish(s);
	/* Publishing took it for a new group: what the row says is what it said before. */
	g->stored_pushed_at = pushed_at;
	return 0;
}

static int order(const struct store_family *f, const struct push_family *pf)
{
	int r = str_cmp(f->exposed, pf->exposed);

	return r ? r : str_cmp(f->name, pf->name);
}

/* Leaves out the families that a later segment has replaced: both sides are sorted. */
static void keep_newest(const struct group_state *st, struct push *push)
{
	uint32_t n = 0, at = 0;

	for (uint32_t i = 0; i < push->n_families; i++) {
		const struct push_family *pf = &push->families[i];

		while (at < st->n && order(group_state_slice(st, at)->family, pf) < 0)
			at++;
		if (at == st->n || order(group_state_slice(st, at)->family, pf) > 0)
			push->families[n++] = *pf;
	}
	push->n_families = n;
}

/* What the row of a push with all these families takes. */
struct row {
	uint32_t slices;
	uint64_t text;
	size_t body;
};

static struct row row_of(const struct push *push)
{
	struct row row = { .slices = push->n_families };

	for (uint32_t i = 0; i < push->n_families; i++) {
		row.text += push->families[i].text.n;
		row.body += push->families[i].proto.n;
	}
	return row;
}

/* What is stored stays when --limits.series has been lowered below it. */
static int stage_unlimited(struct store *s, struct group *g, struct push *push,
			   struct segment **ret_seg)
{
	uint64_t max = s->lim.max_series;
	int r;

	s->lim.max_series = UINT64_MAX;
	r = store_stage_put(s, g, push, ret_seg);
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
	struct segment *seg = NULL;

	if (push->err.reason) {
		*err = push->err;
		return -1;
	}
	if (!g)
		return err_set(err, ERR_SYSTEM, 0, "segment %llu belongs to no group",
			       (unsigned long long)row);

	const struct group_state *old = group_state(g);
	struct row whole = row_of(push);
	double pushed_at = old->pushed_at;

	keep_newest(old, push);
	/* As store_group_row_stale() counts: a segment of which nothing is left does not matter. */
	if (push->n_families > 0 && push->now > pushed_at)
		pushed_at = push->now;
	g->labels = &push->labels;
	push->mode = PUSH_POST;
	if (stage_unlimited(s, g, push, &seg) < 0) {
		*err = push->err;
		return -1;
	}
	g->staged->pushed_at = pushed_at;
	if (seg) {
		seg->row = row;
		seg->row_slices = whole.slices;
		seg->text_len = (uint32_t)whole.text;
		seg->row_bytes = row_bytes_of(whole.body);
	}
	store_publish(s);
	return 0;
}

void store_restore_end(struct store *s)
{
	for (uint32_t id = 1; id < s->n_ids; id++)
		if (!s->by_id[id])
			store_free_id(s, id);
}

void store_stage_times(struct store *s, const struct push *push, double pushed_at, double failed_at)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);

	if (!g || !g->staged)
		return;
	g->staged->pushed_at = pushed_at;
	g->staged->failed_at = failed_at;
}
