#include "pages/group.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

struct group *group_new(uint32_t slot, struct str key)
{
	struct group *g = mem_zalloc(sizeof(*g) + key.n);

	g->slot = slot;
	g->key_n = key.n & (INT32_MAX >> 2);
	copy_bytes(g->key, key.p, key.n);
	for (int i = 0; i < 2; i++)
		g->time_lines[i].type = METRIC_GAUGE;
	return g;
}

void group_free(struct group *g, struct pool *entries)
{
	for (uint32_t i = 0; i < g->entries.cap; i++)
		if (entries_at(&g->entries, i))
			entry_free(entries, entries_at(&g->entries, i));
	entries_done(&g->entries);
	if (g->last)
		record_unref(g->last);
	free(g->failure);
	lifetime_free(g->life);
	for (int i = 0; i < 2; i++)
		lines_done(&g->time_lines[i]);
	free(g);
}
