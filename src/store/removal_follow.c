/* The removal of many groups that another gateway has decided (removal.h). */
#include "base/mem.h"
#include "metrics/names.h"
#include "store/internal.h"
#include "store/large.h"
#include "store/left_out_group.h"
#include "store/removal.h"

bool removal_is_of_many(const struct row *row)
{
	return row->kind == ROW_TAKE || (row->kind == ROW_END && row->group == 0);
}

static int cannot(const struct row *row, const char *why, struct err *err)
{
	return err_set(err, ERR_STORAGE, 0, "row %llu of the log %s",
		       (unsigned long long)row->number, why);
}

/* Left-out groups are not shown, so they go at once and not in slices. */
static int leave_out(struct store *s, const struct row *row, uint64_t id, struct str family,
		     struct err *err)
{
	struct left_out_group *l = left_out_group_find(s, id);

	if (l && row->kind == ROW_TAKE)
		left_out_group_take(s, l, family);
	else if (l && left_out_group_apply(s, l, row) < 0)
		return cannot(row, "cannot be read", err);
	else if (!l && row->kind == ROW_END)
		return cannot(row, "ends a group that is not there", err);
	return 0;
}

static int add_all(struct store *s, const struct row *row, struct str *ret_family, struct err *err)
{
	struct removal_at_hand *r = &s->removal;
	bool of_family = row->kind == ROW_TAKE;
	size_t at = 0;
	uint64_t id;
	int more;

	r->cap = row->body.n / sizeof(id) + 1;
	r->slots = mem_alloc(r->cap * sizeof(*r->slots));
	while ((more = removal_next_id(row->body, &at, of_family, ret_family, &id)) > 0) {
		const struct group *g = store_group_by_id(s, id);

		if (g && group_is_there(g))
			r->slots[r->n++] = g->slot;
		else if (leave_out(s, row, id, *ret_family, err) < 0)
			return -1;
	}
	return more < 0 ? cannot(row, "does not say which groups it is about", err) : 0;
}

int store_removal_follow(struct store *s, const struct row *row, struct err *err)
{
	bool large = store_large_push(s) != NULL;
	struct str family = STR("");

	store_large_drop(s);
	store_rows_clear(s);
	if (add_all(s, row, &family, err) < 0) {
		store_removal_drop(s);
		return -1;
	}
	s->removal.at = row->at;
	strbuf_adds(&s->removal.family, family);
	text_write_escaped_name(&s->removal.exposed, family);
	store_removal_begin(s);
	if (large)
		store_removal_finish(s);
	return 0;
}
