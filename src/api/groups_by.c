/* GET /api/v1/groups?by=LABEL: counts of groups for each value of a label. */
#include <stdlib.h>

#include "api/cursor.h"
#include "api/groups_list.h"
#include "api/metric_json.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/table.h"

enum { VALUES_MAX = 100 * 1000 };

struct by_row {
	struct str value; /* owned; empty: the groups do not have the label */
	uint64_t n, n_series, n_bytes, n_failed, n_overdue, n_conflict;
	double oldest, newest; /* Unix seconds */
	int64_t rank;
};

struct groups_by {
	struct v1_job job; /* first */
	struct store *store;
	struct list_request asked;
	struct str label; /* owned */
	uint32_t cursor;
	struct group_list some;
	struct arena arena;
	struct table index; /* finds a row by the hash of its value */
	struct by_row **rows;
	size_t n, cap;
};

static struct by_row *row_of(struct groups_by *b, struct str value)
{
	uint64_t hash = hash_bytes(value);
	struct by_row *row;

	for (size_t at = table_first(&b->index, hash); (row = table_next(&b->index, hash, &at));)
		if (str_eq(row->value, value))
			return row;
	if (b->n == VALUES_MAX) {
		err_set(&b->job.err, ERR_INVALID, 0,
			"the label has more than %d values: ask for fewer groups with match[]",
			VALUES_MAX);
		return NULL;
	}
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->rows = mem_realloc(b->rows, b->cap * sizeof(struct by_row *));
	}
	row = mem_zalloc(sizeof(*row));
	row->value = (struct str){ mem_dup(value.p, value.n), value.n };
	b->rows[b->n++] = row;
	table_add(&b->index, hash, row);
	return row;
}

/* False: *err says why there is no answer. */
static bool look_at(struct groups_by *b, const struct group_brief *g)
{
	struct str key = group_list_key(&b->some, g);
	double at = g->pushed_at > 0 ? g->pushed_at : g->failed_at;
	struct by_row *row;
	int r;

	if (!group_filter_state(&b->asked.filter, g, b->asked.now))
		return true;
	r = group_filter_key(&b->asked.filter, key, &b->arena, &b->job.err);
	if (r <= 0)
		return r == 0;
	row = row_of(b, key_value(key, b->label));
	if (!row)
		return false;
	if (row->n++ == 0 || at < row->oldest)
		row->oldest = at;
	if (at > row->newest)
		row->newest = at;
	row->n_series += g->n_series;
	row->n_bytes += g->n_bytes;
	row->n_failed += group_brief_failed(g);
	row->n_overdue += g->overdue;
	row->n_conflict += g->conflict;
	return true;
}

static int64_t rank_of(const struct list_request *r, const struct by_row *row)
{
	int64_t rank = 0;

	switch (r->sort) {
	case SORT_AGE:
		rank = -(int64_t)(row->oldest * 1e6);
		break;
	case SORT_SERIES:
		rank = (int64_t)row->n_series;
		break;
	case SORT_BYTES:
		rank = (int64_t)row->n_bytes;
		break;
	case SORT_FAILED:
		rank = (int64_t)row->n_failed;
		break;
	default:
		break;
	}
	return r->descending ? -rank : rank;
}

static int place_cmp(const struct list_request *r, struct place a, struct place b)
{
	int c = (a.rank > b.rank) - (a.rank < b.rank);

	if (c == 0)
		c = r->sort == SORT_KEY && r->descending ? str_cmp(b.key, a.key)
							 : str_cmp(a.key, b.key);
	return c;
}

static struct place place_of(const struct by_row *row)
{
	return (struct place){ row->rank, row->value };
}

static int row_cmp(const void *a, const void *b, void *arg)
{
	return place_cmp(arg, place_of(*(struct by_row *const *)a),
			 place_of(*(struct by_row *const *)b));
}

static void add_row(struct strbuf *b, const struct by_row *row)
{
	strbuf_addz(b, b->p[b->n - 1] == '}' ? ",{\"value\":" : "{\"value\":");
	json_add_string(b, row->value);
	strbuf_addf(b, ",\"count\":%llu,\"oldest\":", (unsigned long long)row->n);
	v1_add_time(b, row->oldest);
	strbuf_addz(b, ",\"newest\":");
	v1_add_time(b, row->newest);
	strbuf_addf(b,
		    ",\"series\":%llu,\"bytes\":%llu,\"failed\":%llu,\"overdue\":%llu,"
		    "\"conflict\":%llu}",
		    (unsigned long long)row->n_series, (unsigned long long)row->n_bytes,
		    (unsigned long long)row->n_failed, (unsigned long long)row->n_overdue,
		    (unsigned long long)row->n_conflict);
}

static void write_rows(struct groups_by *by)
{
	struct strbuf *b = &by->job.data;
	const struct list_request *asked = &by->asked;
	size_t i = 0, n = 0;

	for (size_t k = 0; k < by->n; k++)
		by->rows[k]->rank = rank_of(asked, by->rows[k]);
	array_sort_with(by->rows, by->n, row_cmp, &by->asked);
	while (asked->has_after && i < by->n &&
	       place_cmp(asked, place_of(by->rows[i]), asked->after) <= 0)
		i++;
	strbuf_addz(b, "{\"by\":");
	json_add_string(b, by->label);
	strbuf_addz(b, ",\"rows\":[");
	for (; i < by->n && n < asked->limit; n++)
		add_row(b, by->rows[i++]);
	strbuf_addf(b, "],\"total\":%zu", by->n);
	if (asked->sort != SORT_KEY)
		strbuf_addz(b, ",\"stable\":false");
	if (i < by->n) {
		json_add_member(b, "next_cursor");
		strbuf_addc(b, '"');
		cursor_write(b, asked->hash, place_of(by->rows[i - 1]));
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '}');
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct groups_by *b = (struct groups_by *)job;

	do {
		if (!store_list_groups(b->store, &b->cursor, &b->some)) {
			write_rows(b);
			return true;
		}
		for (uint32_t i = 0; i < b->some.n; i++)
			if (!look_at(b, &b->some.list[i]))
				return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void by_free(struct v1_job *job)
{
	struct groups_by *b = (struct groups_by *)job;

	for (size_t i = 0; i < b->n; i++) {
		free((char *)b->rows[i]->value.p);
		free(b->rows[i]);
	}
	free(b->rows);
	table_done(&b->index);
	list_request_done(&b->asked);
	group_list_done(&b->some);
	arena_done(&b->arena);
	free((char *)b->label.p);
	free(b);
}

void groups_by_label(struct api_worker *w, struct http_request *req, struct list_request *asked,
		     struct str label, struct str warning)
{
	struct groups_by *b = mem_zalloc(sizeof(*b));

	b->job.step = step;
	b->job.free = by_free;
	b->store = w->api->store;
	b->asked = *asked;
	b->label = (struct str){ mem_dup(label.p, label.n), label.n };
	arena_init(&b->arena, ARENA_MAY_FAIL);
	strbuf_adds(&b->job.warning, warning);
	v1_run(w, req, &b->job);
}
