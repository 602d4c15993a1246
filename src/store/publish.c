/*
 * Publishing: the pages, headers and counts that scrapes read follow what was staged. The lock is
 * held for the whole batch, so that a scrape sees all of a push or nothing of it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/internal.h"

static void list_family(struct store *s, struct store_family *f)
{
	if (f->listed)
		return;
	if (s->n_list == s->cap_list) {
		s->cap_list = s->cap_list ? s->cap_list * 2 : 64;
		s->list = mem_realloc(s->list, s->cap_list * sizeof(*s->list));
	}
	f->list_at = s->n_list;
	s->list[s->n_list++] = f;
	f->listed = true;
}

static void publish_slice(struct store *s, struct slice *old, struct slice *new)
{
	/* cppcheck-suppress nullPointerRedundantCheck; a pair has one of the two */
	struct store_family *f = new ? new->family : old->family;
	struct str text = new ? slice_text(new) : STR_NULL;
	uint32_t old_len = 0;

	if (new) {
		list_family(s, f);
		family_set_type(f, new->type);
		if (new->help)
			family_set_help(f, new->help, slice_segment(new)->pushed_at);
		s->counts.series += new->n_lines;
		s->log.live_bytes += slice_row_bytes(new, text.n);
	}
	if (old && old->page && text.n)
		old_len = pages_replace(f, old, new, text);
	else if (old && old->page)
		old_len = pages_remove(f, old);
	else if (text.n)
		pages_add(f, new, text);
	if (old) {
		s->counts.series -= old->n_lines;
		s->log.live_bytes -= slice_row_bytes(old, old_len);
		slice_done(old);
	}
}

static void publish_time(struct store *s, struct group *g, int which, double value)
{
	struct slice *t = &g->times[which];
	char num[NUM_MAX];
	struct strbuf b = { 0 };

	strbuf_adds(&b, t->family->exposed);
	strbuf_adds(&b, *g->labels);
	strbuf_addc(&b, ' ');
	strbuf_add(&b, num, num_format(value, num));
	strbuf_addc(&b, '\n');
	if (g->odd_names)
		times_make_proto(g, which, value);
	list_family(s, t->family);
	if (t->page)
		pages_replace(t->family, t, t, strbuf_str(&b));
	else
		pages_add(t->family, t, strbuf_str(&b));
	strbuf_done(&b);
}

static void publish_times(struct store *s, struct group *g)
{
	const struct group_state *old = g->cur, *new = g->staged;

	if (!new->exists) {
		for (int i = 0; i < 2; i++)
			if (g->times[i].page)
				pages_remove(g->times[i].family, &g->times[i]);
		return;
	}
	if (!old || old->pushed_at != new->pushed_at)
		publish_time(s, g, TIME_PUSHED, new->pushed_at);
	if (!old || old->failed_at != new->failed_at)
		publish_time(s, g, TIME_FAILED, new->failed_at);
}

static void show_group(struct store *s, struct group *g, bool exists)
{
	if (g->id >= s->cap_shown) {
		uint32_t cap = s->cap_ids;

		s->shown = mem_realloc(s->shown, cap * sizeof(*s->shown));
		memset(s->shown + s->cap_shown, 0, (cap - s->cap_shown) * sizeof(*s->shown));
		s->cap_shown = cap;
	}
	s->shown[g->id] = exists ? g : NULL;
}

static void publish_group(struct store *s, struct group *g)
{
	struct slice_pair pair = { 0 };
	bool row = store_group_row_stale(g);
	bool existed = g->cur != NULL;

	while (slice_pair_next(&pair, g->cur, g->staged))
		if (pair.a != pair.b)
			publish_slice(s, pair.a, pair.b);
	publish_times(s, g);
	s->counts.groups += (uint64_t)g->staged->exists - existed;
	s->counts.series += ((uint64_t)g->staged->exists - existed) * 2;
	if (row)
		g->stored_pushed_at = g->staged->pushed_at;
	for (uint32_t i = 0; i < group_state_n_segments(g->staged); i++)
		group_state_segment(g->staged, i)->push = NULL;
	group_state_free(g->cur);
	g->cur = g->staged;
	g->staged = NULL;
	group_state_compact(g->cur);
	g->labels = NULL;
	show_group(s, g, g->cur->exists);
	if (!g->cur->exists)
		store_group_remove(s, g);
}

void store_publish(struct store *s)
{
	struct group *next;

	pthread_mutex_lock(&s->lock);
	for (struct group *g = s->touched; g; g = next) {
		next = g->next_touched;
		publish_group(s, g);
	}
	s->touched = NULL;
	store_sweep_families(s);
	s->counts.families = s->families.n;
	pthread_mutex_unlock(&s->lock);
	store_log_grew(s);
	store_changes_clear(s);
}
