#include "lib/mem_storage.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "persist/body.h"

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

static void put_group(struct mem_storage *m, const struct change *c)
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

static void drop_segment(struct mem_storage *m, uint64_t row)
{
	bool found;
	size_t i = find_segment(m, row, &found);

	assert(found);
	free(m->segments[i].body);
	m->n_segments--;
	memmove(m->segments + i, m->segments + i + 1, (m->n_segments - i) * sizeof(*m->segments));
}

static void put_segment(struct mem_storage *m, const struct change *c)
{
	bool found;
	size_t i = find_segment(m, c->row, &found);

	assert(c->row > 0 && c->bytes.n > 0);
	if (found)
		drop_segment(m, c->row);
	m->segments = mem_realloc(m->segments, (m->n_segments + 1) * sizeof(*m->segments));
	memmove(m->segments + i + 1, m->segments + i, (m->n_segments - i) * sizeof(*m->segments));
	m->n_segments++;
	m->segments[i] = (struct mem_segment){
		c->row, c->seq, c->group, c->pushed_at, mem_dup(c->bytes.p, c->bytes.n), c->bytes.n
	};
}

static void shrink_segment(struct mem_storage *m, const struct change *c)
{
	struct strbuf kept = { 0 };
	bool found;
	size_t i = find_segment(m, c->row, &found);
	struct mem_segment *seg = &m->segments[i];

	assert(found && c->n_keep > 0);
	int r = body_keep((struct str){ seg->body, seg->body_n }, c->keep, c->n_keep, &kept);

	assert(r == 0 && kept.n > 0 && kept.n < seg->body_n);
	(void)r;
	free(seg->body);
	seg->body = kept.p;
	seg->body_n = kept.n;
	m->shrinks++;
}

static void wipe(struct mem_storage *m)
{
	for (size_t i = 0; i < m->n_groups; i++)
		free(m->groups[i].key);
	for (size_t i = 0; i < m->n_segments; i++)
		free(m->segments[i].body);
	m->n_groups = m->n_segments = 0;
}

/* Every segment belongs to a group. */
static void check_rows(const struct mem_storage *m)
{
	for (size_t i = 0; i < m->n_segments; i++) {
		bool found;

		find_group(m, m->segments[i].group, &found);
		assert(found);
	}
}

static int mem_commit(struct storage *st, const struct changes *changes, struct err *err)
{
	struct mem_storage *m = of(st);

	if (m->refuse)
		return err_set(err, 503, 0, "told to refuse");
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *c = &changes->list[i];

		switch (c->kind) {
		case CHANGE_PUT_GROUP:
			put_group(m, c);
			break;
		case CHANGE_DROP_GROUP:
			drop_group(m, c->group);
			break;
		case CHANGE_PUT_SEGMENT:
			put_segment(m, c);
			break;
		case CHANGE_DROP_SEGMENT:
			drop_segment(m, c->row);
			break;
		case CHANGE_SHRINK_SEGMENT:
			shrink_segment(m, c);
			break;
		case CHANGE_WIPE:
			wipe(m);
			break;
		}
	}
	check_rows(m);
	return 0;
}

static int falling_seq(const void *pa, const void *pb)
{
	const struct mem_segment *a = pa, *b = pb;

	return (a->seq < b->seq) - (a->seq > b->seq);
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
	CLEANUP(freep)
	struct mem_segment *newest_first = mem_dup(m->segments,
						   m->n_segments * sizeof(*newest_first));

	qsort(newest_first, m->n_segments, sizeof(*newest_first), falling_seq);
	for (size_t i = 0; i < m->n_segments; i++) {
		const struct mem_segment *s = &newest_first[i];

		if (sink->segment(sink->arg, s->row, s->group, s->seq, s->pushed_at,
				  (struct str){ s->body, s->body_n }, err) < 0)
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

static const struct storage_ops mem_ops = { mem_load, mem_commit, mem_bytes, mem_close };

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
