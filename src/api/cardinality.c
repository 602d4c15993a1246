/*
 * GET /api/v1/status/cardinality: which families, labels, jobs and groups take the most room.
 * Families and labels are counted in the pages of text, jobs and groups in the list of groups; on
 * the background thread, by turns. For a reader that may not read all groups they are counted in
 * the text of each group that it may read, without the metrics that the gateway adds: a line does
 * not tell which of its labels are those of its group.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "api/endpoints.h"
#include "api/group_json.h"
#include "api/metric_json.h"
#include "api/name_sums.h"
#include "api/permission.h"
#include "api/picks.h"
#include "api/v1_reply.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/table.h"

enum {
	SHOWN = 20,
	SHOWN_MAX = 1000,
	VALUES_MAX = 4 * 1000 * 1000, /* of all labels together; beyond it values are not counted */
};

static const char *const known[] = { "limit", "sort" };

struct cardinality {
	struct v1_job job; /* first */
	struct store *store;
	const struct caller *narrowed; /* a reader that may not read all groups; NULL: it may */
	/* For that reader: the current group, and how far it has been read. */
	struct held_group held;
	struct arena held_arena;
	uint32_t held_cursor, held_family;
	size_t held_at;
	uint64_t limit;
	bool by_bytes;
	struct snapshot *snap;
	size_t family, page; /* the next to be read of the snapshot */
	struct name_sums_list families, labels, jobs;
	/*
	 * The values seen so far, each as a hash of the label's name and the value; 0: a free
	 * place.
	 */
	uint64_t *values;
	size_t n_values, cap_values;
	uint32_t cursor;
	struct group_list some;
	struct picks groups;
	struct arena arena;
};

/* ---- values of labels ---- */

static void put_value(uint64_t *values, size_t cap, uint64_t hash)
{
	size_t at = hash & (cap - 1);

	while (values[at])
		at = (at + 1) & (cap - 1);
	values[at] = hash;
}

static void grow_values(struct cardinality *c)
{
	size_t cap = c->cap_values ? c->cap_values * 2 : 4096;
	uint64_t *values = mem_zalloc(cap * sizeof(*values));

	for (size_t i = 0; i < c->cap_values; i++)
		if (c->values[i])
			put_value(values, cap, c->values[i]);
	free(c->values);
	c->values = values;
	c->cap_values = cap;
}

/* False: the value has been seen before, or VALUES_MAX have been counted. */
static bool is_new_value(struct cardinality *c, const struct name_sums *label, struct str value)
{
	uint64_t hash = (hash_bytes(value) ^ hash_bytes(label->name) * 0x9E3779B97F4A7C15) | 1;
	size_t at;

	if (c->n_values * 2 >= c->cap_values)
		grow_values(c);
	for (at = hash & (c->cap_values - 1); c->values[at]; at = (at + 1) & (c->cap_values - 1))
		if (c->values[at] == hash)
			return false;
	if (c->n_values == VALUES_MAX)
		return false;
	c->values[at] = hash;
	c->n_values++;
	return true;
}

/* ---- lines, as pages have them ---- */

/* Reads the next pair of `{a="x",b="y"}`; line.p[*at] is the '{' or ',' before it. */
static bool next_label(struct str line, size_t *at, struct str *ret_name, struct str *ret_value)
{
	size_t i = *at + 1, start = i;

	if (*at >= line.n || line.p[*at] == '}')
		return false;
	while (i < line.n && line.p[i] != '=')
		i++;
	if (i + 1 >= line.n)
		return false;
	*ret_name = (struct str){ line.p + start, i - start };
	i += 2;
	for (start = i; i < line.n && line.p[i] != '"'; i++)
		if (line.p[i] == '\\')
			i++;
	if (i >= line.n)
		return false;
	*ret_value = (struct str){ line.p + start, i - start };
	*at = i + 1;
	return true;
}

static void count_line(struct cardinality *c, struct str line)
{
	const char *brace = memchr(line.p, '{', line.n);
	size_t at = brace ? (size_t)(brace - line.p) : line.n;
	struct str name, value;

	while (next_label(line, &at, &name, &value)) {
		struct name_sums *s = name_sums_of(&c->labels, name);

		s->n_series++;
		s->n_bytes += name.n + value.n;
		s->n += is_new_value(c, s, value);
	}
}

/* Counts the lines of a family up to about so many bytes. Returns how many bytes they have. */
static size_t count_lines(struct cardinality *c, struct str name, struct str text, size_t most)
{
	struct name_sums *family = text.n > 0 ? name_sums_of(&c->families, name) : NULL;
	size_t at = 0;

	while (at < text.n && at < most) {
		const char *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end ? (size_t)(end - text.p) - at : text.n - at;

		count_line(c, (struct str){ text.p + at, n });
		n += end != NULL;
		family->n_series++;
		family->n_bytes += n;
		at += n;
	}
	return at;
}

static bool count_pages(struct cardinality *c)
{
	const struct snapshot_family *f;

	if (c->family == c->snap->n_families)
		return false;
	f = &c->snap->families[c->family];
	if (c->page < f->n)
		count_lines(c, f->name, bytes_str(c->snap->pages[f->first + c->page++].text),
			    SIZE_MAX);
	if (c->page == f->n) {
		c->page = 0;
		c->family++;
	}
	return true;
}

/* ---- groups ---- */

/* Whether the reader may read the group; sets c->job.err if that cannot be decided. */
static bool may_read(struct cardinality *c, struct str key)
{
	return !c->narrowed ||
	       permission_for_group(c->narrowed, VERB_READ, key, &c->arena, &c->job.err) > 0;
}

/* The next group that the reader may read, or the next part of the current one. */
static bool count_held(struct cardinality *c)
{
	enum { PART = 64 * 1024 };
	const struct group_copy *g = &c->held.copy;
	int r;

	if (c->held_family < g->n_families) {
		const struct group_copy_family *f = &g->families[c->held_family];
		struct str rest = { f->text.p + c->held_at, f->text.n - c->held_at };

		c->held_at += count_lines(c, f->exposed, rest, PART);
		if (c->held_at == f->text.n) {
			c->held_at = 0;
			c->held_family++;
		}
		return true;
	}
	held_group_done(&c->held);
	arena_reset(&c->held_arena);
	c->held_family = 0;
	r = store_hold_group(c->store, &c->held_cursor, false, &c->held_arena, &c->held);
	if (r < 0)
		err_set(&c->job.err, ERR_BUSY, 0, "not enough memory for the answer");
	else if (r > 0 && !may_read(c, c->held.copy.key))
		held_group_done(&c->held);
	return r > 0;
}

static bool count_groups(struct cardinality *c)
{
	if (!store_list_groups(c->store, &c->cursor, &c->some))
		return false;
	for (uint32_t i = 0; i < c->some.n; i++) {
		const struct group_brief *g = &c->some.list[i];
		struct str key = group_list_key(&c->some, g);
		struct name_sums *job;

		if (!may_read(c, key))
			continue;
		job = name_sums_of(&c->jobs, key_value(key, STR("job")));
		job->n++;
		job->n_series += g->n_series;
		job->n_bytes += g->n_bytes;
		picks_offer(
			&c->groups,
			(struct place){ -(int64_t)(c->by_bytes ? g->n_bytes : g->n_series), key },
			g);
	}
	return true;
}

/* ---- the answer ---- */

static void write_sums(struct cardinality *c, const char *member, struct name_sums_list *l,
		       enum name_sums_order order, const char *n_is)
{
	struct strbuf *b = &c->job.data;

	array_sort_with(l->list, l->n, name_sums_cmp, &order);
	json_add_member(b, member);
	strbuf_addc(b, '[');
	for (size_t i = 0; i < l->n && i < c->limit; i++) {
		const struct name_sums *s = l->list[i];

		strbuf_addz(b, i ? ",{\"name\":" : "{\"name\":");
		json_add_string(b, s->name);
		strbuf_addf(b, ",\"series\":%" PRIu64 ",\"bytes\":%" PRIu64, s->n_series,
			    s->n_bytes);
		if (n_is)
			strbuf_addf(b, ",\"%s\":%" PRIu64, n_is, s->n);
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void write_groups(struct cardinality *c)
{
	struct strbuf *b = &c->job.data;

	picks_finish(&c->groups);
	json_add_member(b, "groups");
	strbuf_addc(b, '[');
	for (size_t i = 0; i < c->groups.n; i++) {
		const struct pick *it = &c->groups.list[i];

		arena_reset(&c->arena);
		if (!group_json_add_labels(b, pick_key(&c->groups, it), &c->arena)) {
			err_set(&c->job.err, ERR_BUSY, 0, "not enough memory for the answer");
			return;
		}
		b->n--;
		strbuf_addf(b, ",\"series\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", it->group.n_series,
			    it->group.n_bytes);
	}
	strbuf_addc(b, ']');
}

static void write_all(struct cardinality *c)
{
	enum name_sums_order order = c->by_bytes ? BY_BYTES : BY_SERIES;
	struct strbuf *b = &c->job.data;
	size_t n_families = c->families.n, n_labels = c->labels.n, n_jobs = c->jobs.n;

	strbuf_addc(b, '{');
	write_sums(c, "families", &c->families, order, NULL);
	write_sums(c, "labels", &c->labels, order, "values");
	write_sums(c, "label_values", &c->labels, BY_N, "values");
	write_sums(c, "jobs", &c->jobs, order, "groups");
	write_groups(c);
	strbuf_addf(b, ",\"totals\":{\"families\":%zu,\"labels\":%zu,\"jobs\":%zu}}", n_families,
		    n_labels, n_jobs);
	if (c->n_values == VALUES_MAX)
		strbuf_addf(&c->job.warning,
			    "there are more than %d values of labels: those beyond are not counted",
			    VALUES_MAX);
}

static bool step(struct v1_job *job, int64_t until_ns)
{
	struct cardinality *c = (struct cardinality *)job;
	const struct snapshot_wants none = { 0 };

	if (!c->snap && !c->narrowed)
		c->snap = store_snapshot(c->store, &none);
	do {
		if (c->job.err.reason)
			return true;
		if (c->narrowed ? count_held(c) : count_pages(c))
			continue;
		if (c->job.err.reason)
			return true;
		if (count_groups(c))
			continue;
		write_all(c);
		/*
		 * The answer is written: a client that reads it slowly must not keep old pages in
		 * memory.
		 */
		snapshot_free(c->snap);
		c->snap = NULL;
		return true;
	} while (clock_mono_ns() < until_ns);
	return false;
}

static void cardinality_free(struct v1_job *job)
{
	struct cardinality *c = (struct cardinality *)job;

	snapshot_free(c->snap);
	held_group_done(&c->held);
	arena_done(&c->held_arena);
	name_sums_done(&c->families);
	name_sums_done(&c->labels);
	name_sums_done(&c->jobs);
	free(c->values);
	group_list_done(&c->some);
	picks_done(&c->groups);
	arena_done(&c->arena);
	free(c);
}

void api_cardinality(struct api_worker *w, struct http_request *req)
{
	uint64_t limit = SHOWN;
	struct cardinality *c;
	struct params p;
	struct str warning, sort = STR_NULL;
	struct err err;
	int r = v1_params(w, known, ARRAY_LEN(known), false, &p, &warning, &err);

	if (r == 0)
		r = params_count(&p, "limit", 1, SHOWN_MAX, &limit, &err);
	if (r >= 0)
		sort = params_get(&p, "sort");
	if (r >= 0 && sort.p && !str_eq(sort, STR("series")) && !str_eq(sort, STR("bytes")))
		r = err_set(&err, ERR_INVALID, 0, "sort has to be series or bytes");
	if (r < 0) {
		v1_reply_error(w, req, &err);
		return;
	}
	c = mem_zalloc(sizeof(*c));
	c->job.step = step;
	c->job.free = cardinality_free;
	c->store = w->api->store;
	c->narrowed = caller_if_narrowed(caller_of(req));
	c->limit = limit;
	c->by_bytes = sort.p && str_eq(sort, STR("bytes"));
	picks_init(&c->groups, limit);
	arena_init(&c->arena, ARENA_MAY_FAIL);
	arena_init(&c->held_arena, ARENA_MAY_FAIL);
	strbuf_adds(&c->job.warning, warning);
	v1_run(w, req, &c->job);
}
