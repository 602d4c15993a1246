#include "store/group.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/page.h"

struct group *group_new(uint32_t id, struct str key, uint64_t key_hash)
{
	struct group *g = mem_zalloc(sizeof(*g) + key.n);

	g->id = id;
	g->key_hash = key_hash;
	g->key = (struct str){ (char *)(g + 1), key.n };
	memcpy(g + 1, key.p, key.n);
	for (int i = 0; i < 2; i++) {
		g->times[i].n_lines = 1;
		g->times[i].type = METRIC_GAUGE;
	}
	times_look_at_key(g);
	return g;
}

void group_free(struct group *g)
{
	group_state_free(g->cur);
	group_state_free(g->staged);
	for (int i = 0; i < 2; i++)
		bytes_unref(g->times[i].proto);
	free(g);
}

struct group_state *group_state_new(uint32_t n)
{
	struct group_state *st = mem_zalloc(sizeof(*st) + n * sizeof(st->slices[0]));

	st->exists = true;
	return st;
}

void group_state_put(struct group_state *st, struct slice *slice)
{
	slice->segment->refs++;
	st->slices[st->n++] = slice;
}

void group_state_free(struct group_state *st)
{
	for (uint32_t i = 0; st && i < st->n; i++)
		segment_unref(st->slices[i]->segment);
	free(st);
}

struct segment *segment_new(uint32_t n)
{
	struct segment *seg = mem_zalloc(sizeof(*seg) + n * sizeof(seg->slices[0]));

	seg->n = n;
	return seg;
}

static void slice_done(struct slice *s)
{
	if (s->n_series != 1)
		free(s->hashes);
	bytes_unref(s->proto);
	if (s->help && --s->help->refs == 0)
		free(s->help);
}

void segment_unref(struct segment *seg)
{
	if (--seg->refs > 0)
		return;
	for (uint32_t i = 0; i < seg->n; i++)
		slice_done(&seg->slices[i]);
	free(seg);
}

struct str slice_text(const struct slice *s)
{
	if (s->text_len == 0)
		return STR_NULL;
	if (!s->published)
		return (struct str){ s->text, s->text_len };
	return page_text(s->page, s);
}

struct slice *group_state_find(const struct group_state *st, const struct store_family *family)
{
	for (uint32_t i = 0; i < st->n; i++)
		if (st->slices[i]->family == family)
			return st->slices[i];
	return NULL;
}
