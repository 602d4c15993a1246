/*
 * Families that contradict what others have stay left out, whatever becomes of the others' rows,
 * since rows say so. When what was in their way has gone, they are pushed again.
 */
#include "base/hash.h"
#include "store/apply.h"
#include "store/left_out.h"
#include "store/summed.h"

/* ---- rows that say so ---- */

bool store_has_unsettled(const struct store *s)
{
	return s->n_unsettled > 0;
}

static struct left_out *next_unsettled(const struct store *s, size_t *at)
{
	while (*at < s->left_out.cap) {
		struct left_out *l = s->left_out.entries[(*at)++].item;

		if (l && left_out_is_unsettled(l))
			return l;
	}
	return NULL;
}

const struct rows *store_settle_rows(struct store *s)
{
	enum { ROWS_MAX = 512, BYTES_MAX = 1024 * 1024 };
	size_t at = 0, bytes = 0;
	const struct left_out *l;

	store_rows_clear(s);
	while (s->rows.n < ROWS_MAX && bytes < BYTES_MAX && (l = next_unsettled(s, &at))) {
		struct row *row = store_row_add(s, ROW_LEFT_OUT);

		row->number = s->next_number + s->rows.n - 1;
		row->group = s->by_slot[l->slot]->id;
		row->at = l->at;
		row->body = (struct str){ l->message, l->message_n };
		row->checksum = row_checksum(row);
		bytes += l->message_n;
	}
	store_rows_count(s);
	return &s->rows;
}

void store_settled(struct store *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->rows.n; i++) {
		struct left_out *l = next_unsettled(s, &at);

		l->number = s->rows.list[i].number;
		l->settled = true;
		s->n_unsettled--;
	}
	store_look_for_free(s);
}

int store_apply_families_left_out(struct store *s, const struct row *row, struct err *err)
{
	struct str message, name;
	size_t at = 0;
	int r;

	if (!store_apply_find(s, row->group))
		return err_set(err, ERR_STORAGE, 0, "row %llu of the log belongs to no group",
			       (unsigned long long)row->number);
	while ((r = row_next_family(row->body, &at, &message, &name)) > 0)
		store_apply_hide_family(s, row->group, name);
	if (r < 0)
		return err_set(err, ERR_STORAGE, 0, "row %llu of the log cannot be read",
			       (unsigned long long)row->number);
	left_out_rows_add(&s->applied.left_out, row);
	return 0;
}

void left_out_applied(struct store *s)
{
	pthread_mutex_lock(&s->pages.lock);
	for (size_t i = 0; i < s->applied.left_out.n; i++) {
		const struct row *row = &s->applied.left_out.list[i];
		const struct group *g = store_group_by_id(s, row->group);
		struct str message, name;

		for (size_t at = 0; g && row_next_family(row->body, &at, &message, &name) > 0;)
			store_leave_out_settled(s, g, row, name);
	}
	pthread_mutex_unlock(&s->pages.lock);
}

/* ---- what is in no one's way any more ---- */

void store_look_for_free(struct store *s)
{
	s->n_left_out_to_look_at = s->left_out.cap;
}

bool store_is_looking_for_free(const struct store *s)
{
	return s->n_left_out_to_look_at > 0 && s->left_out.n > 0;
}

static bool is_in_use(const struct store *s, const struct in_the_way *w)
{
	const struct store_family *f;

	for (size_t at = table_first(&s->families, w->exposed);
	     (f = table_next(&s->families, w->exposed, &at));)
		if (f->n_groups > 0 && f->type == w->type && hash_bytes(f->shown.name) == w->name)
			return true;
	return false;
}

static bool has_series(const struct store *s, uint32_t slot, uint64_t hash)
{
	uint32_t owner, at = SERIES_INDEX_START;

	while ((owner = series_index_next(&s->index, hash, &at)) != 0)
		if (owner != slot)
			return true;
	return false;
}

static bool is_free(const struct store *s, const struct left_out *l)
{
	const struct in_the_way *w = &l->in_way;

	if (!l->settled || w->own || l->message_n == 0)
		return false;
	return !w->known || !(w->series ? has_series(s, l->slot, w->series) : is_in_use(s, w));
}

/* Moves to the next one that is free. NULL: none of the next `max` is. */
static const struct left_out *find_free(struct store *s, size_t max)
{
	for (size_t i = 0; i < max && store_is_looking_for_free(s); i++) {
		const struct left_out *l =
			s->left_out.entries[s->next_left_out % s->left_out.cap].item;

		if (l && is_free(s, l))
			return l;
		s->next_left_out++;
		s->n_left_out_to_look_at--;
	}
	return NULL;
}

bool store_finds_free(struct store *s, size_t max)
{
	return find_free(s, max) != NULL;
}

bool store_next_free(struct store *s, size_t max, struct store_left_out *ret)
{
	const struct left_out *l = find_free(s, max);

	if (!l)
		return false;
	left_out_describe(l, ret);
	s->next_left_out++;
	s->n_left_out_to_look_at--;
	return true;
}

static int put_family(struct store *s, struct group *g, struct push *push)
{
	struct record *record = record_new(push, g);
	struct limits_held lim = store_lift_limits(s);
	int r;

	change_begin(s, g);
	g->staged->labels = &push->labels;
	change_put(s, record, &push->families[0]);
	r = change_apply(s, &push->err);
	s->lim = lim;
	if (r == 0)
		store_step_record(s, g, record);
	else
		record_unref(record);
	return r;
}

/* A record of the last push, which is older. */
static void put_time(struct store *s, struct group *g, struct push *push)
{
	struct record *record = record_new(push, g);

	record->pushed_at = group_pushed_at(g);
	store_step_record(s, g, record);
}

bool store_show_again(struct store *s, const struct store_left_out *left, struct push *push,
		      struct push *empty)
{
	struct group *g = store_group_find(s, left->key, hash_bytes(left->key));
	struct left_out *l = g ? left_out_find(s, g, left->family) : NULL;

	if (!l || !group_is_there(g) || group_summed(g))
		return false;
	s->in_way = (struct in_the_way){ .known = false };
	if (!push->err.reason && push->n_families == 1 && put_family(s, g, push) == 0) {
		put_time(s, g, empty);
		return true;
	}
	l->in_way = s->in_way;
	/* A rule of this version is against it by itself. */
	l->in_way.own |= !s->in_way.known;
	return false;
}
