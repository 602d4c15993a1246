#include "lib/mem_storage.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/body.h"

static struct mem_storage *of(struct storage *st)
{
	return (struct mem_storage *)st;
}

/* Position of the row, or where it belongs. */
static size_t find_group(const struct mem_storage *m, uint32_t id, bool *ret_found)
{
	size_t i = 0;

	while (i < m->n_groups && m->groups[i].id < id)
		i++;
	*ret_found = i < m->n_groups && m->groups[i].id == id;
	return i;
}

static size_t find_segment(const struct mem_storage *m, uint64_t row, bool *ret_found)
{
	size_t i = 0;

	while (i < m->n_segments && m->segments[i].row < row)
		i++;
	*ret_found = i < m->n_segments && m->segments[i].row == row;
	return i;
}

static void drop_group(struct mem_storage *m, uint32_t id)
{
	bool found;
	size_t i = find_group(m, id, &found);

	assert(found);
	free(m->groups[i].key);
	m->n_groups--;
	memmove(m->groups + i, m->groups + i + 1, (m->n_groups - i) * sizeof(*m->groups));
}

static void put_group(struct mem_storage *m, const struct row *c)
{
	bool found;
	size_t i = find_group(m, c->group, &found);

	if (found)
		drop_group(m, c->group);
	m->groups = mem_realloc(m->groups, (m->n_groups + 1) * sizeof(*m->groups));
	memmove(m->groups + i + 1, m->groups + i, (m->n_groups - i) * sizeof(*m->groups));
	m->n_groups++;
	m->groups[i] = (struct mem_group){ c->group, c->pushed_at, c->failed_at,
					   mem_dup(c->bytes.p, c->bytes.n), c->bytes.n };
}

static void put_segment(struct mem_storage *m, const struct row *c)
{
	bool found;
	size_t i = find_segment(m, c->row, &found);

	assert(c->row > 0 && !found && (c->bytes.n > 0 || c->whole));
	m->segments = mem_realloc(m->segments, (m->n_segments + 1) * sizeof(*m->segments));
	memmove(m->segments + i + 1, m->segments + i, (m->n_segments - i) * sizeof(*m->segments));
	m->n_segments++;
	m->segments[i] = (struct mem_segment){
		c->row,    c->group, c->whole, c->pushed_at, mem_dup(c->bytes.p, c->bytes.n),
		c->bytes.n
	};
}

static void move_segment(struct mem_storage *m, struct row *c)
{
	CLEANUP(strbuf_done) struct strbuf kept = { 0 };
	bool found;
	size_t i = find_segment(m, c->from, &found);
	const struct mem_segment *from = &m->segments[i];

	assert(found && c->row > m->segments[m->n_segments - 1].row && c->group == from->group);
	c->bytes = (struct str){ from->body, from->body_n };
	if (c->n_keep) {
		int r = body_keep(c->bytes, c->keep, c->n_keep, &kept);

		assert(r == 0 && kept.n > 0 && kept.n < from->body_n);
		(void)r;
		c->bytes = strbuf_str(&kept);
		m->shrinks++;
	}
	put_segment(m, c);
	c->bytes.p = NULL;
	m->moves++;
}

static void trim(struct mem_storage *m, uint64_t row)
{
	size_t n = 0;

	m->trims++;
	while (n < m->n_segments && m->segments[n].row <= row)
		free(m->segments[n++].body);
	m->n_segments -= n;
	memmove(m->segments, m->segments + n, m->n_segments * sizeof(*m->segments));
}

static void wipe(struct mem_storage *m)
{
	for (size_t i = 0; i < m->n_groups; i++)
		free(m->groups[i].key);
	for (size_t i = 0; i < m->n_segments; i++)
		free(m->segments[i].body);
	m->n_groups = m->n_segments = 0;
}

static bool has_group(const struct mem_storage *m, uint32_t id)
{
	bool found;

	find_group(m, id, &found);
	return found;
}

/* Every segment belongs to a group, or comes before the end of one. */
static void check_rows(const struct mem_storage *m)
{
	for (size_t i = 0; i < m->n_segments; i++) {
		bool ended = has_group(m, m->segments[i].group);

		for (size_t k = i; k < m->n_segments && !ended; k++)
			ended = m->segments[k].group == m->segments[i].group &&
				m->segments[k].whole && m->segments[k].body_n == 0;
		assert(ended);
	}
}

static bool trims(const struct rows *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		if (changes->list[i].kind == ROW_TRIM)
			return true;
	return false;
}

static int mem_commit(struct storage *st, struct rows *changes, struct err *err)
{
	struct mem_storage *m = of(st);

	if (m->refuse || (m->refuse_trim && trims(changes)))
		return err_set(err, ERR_STORAGE, 0, "told to refuse");
	for (size_t i = 0; i < changes->n; i++) {
		struct row *c = &changes->list[i];

		switch (c->kind) {
		case ROW_PUT_GROUP:
			put_group(m, c);
			break;
		case ROW_DROP_GROUP:
			drop_group(m, c->group);
			break;
		case ROW_PUT_SEGMENT:
			put_segment(m, c);
			break;
		case ROW_MOVE_SEGMENT:
			move_segment(m, c);
			break;
		case ROW_TRIM:
			trim(m, c->row);
			break;
		case ROW_WIPE:
			wipe(m);
			break;
		}
	}
	check_rows(m);
	return 0;
}

static int mem_oldest(struct storage *st, uint64_t bytes, storage_row_fn row, void *arg,
		      struct err *err)
{
	const struct mem_storage *m = of(st);
	uint64_t seen = 0;

	(void)err;
	for (size_t i = 0; i < m->n_segments && seen < bytes; i++) {
		seen += m->segments[i].body_n;
		row(arg, m->segments[i].row, m->segments[i].group, m->segments[i].body_n);
	}
	return 0;
}

static enum storage_load_result mem_load(struct storage *st, const struct storage_sink *sink,
					 struct err *err)
{
	struct mem_storage *m = of(st);

	for (size_t i = 0; i < m->n_groups; i++) {
		const struct mem_group *g = &m->groups[i];

		if (sink->group(sink->arg, g->id, (struct str){ g->key, g->key_n }, g->pushed_at,
				g->failed_at, err) < 0)
			return STORAGE_DAMAGED;
	}
	for (size_t i = m->n_segments; i > 0; i--) {
		const struct mem_segment *s = &m->segments[i - 1];
		struct storage_segment seg = {
			s->row, s->group, s->whole, s->pushed_at, { s->body, s->body_n }
		};

		if (sink->segment(sink->arg, &seg, err) < 0)
			return STORAGE_DAMAGED;
	}
	return STORAGE_LOADED;
}

static uint64_t mem_bytes(struct storage *st)
{
	struct mem_storage *m = of(st);
	uint64_t n = 0;

	for (size_t i = 0; i < m->n_segments; i++)
		n += m->segments[i].body_n;
	return n;
}

static void mem_close(struct storage *st)
{
	mem_storage_done(of(st));
}

static const struct storage_ops mem_ops = { mem_load, mem_commit, mem_oldest, mem_bytes,
					    mem_close };

void mem_storage_init(struct mem_storage *m)
{
	*m = (struct mem_storage){ .base = { &mem_ops } };
}

void mem_storage_done(struct mem_storage *m)
{
	wipe(m);
	free(m->groups);
	free(m->segments);
}
