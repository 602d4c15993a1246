/*
 * Publishing: the pages, headers and counts that scrapes read follow the changes of the batch. The
 * lock is held for the whole batch, so that a scrape sees all of a push or nothing of it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/internal.h"

static void count_in(struct store *s, const struct entry *e)
{
	s->pages.counts.series += e->lines.n;
	s->log.live_bytes += e->lines.bytes;
	if (e->record->n_live++ == 0)
		s->log.live_bytes += ROW_BYTES;
}

static void count_out(struct store *s, const struct entry *e)
{
	s->pages.counts.series -= e->lines.n;
	s->log.live_bytes -= e->lines.bytes;
	if (--e->record->n_live == 0)
		s->log.live_bytes -= ROW_BYTES;
}

/* What it says of its family; and from now on it is not staged any more. */
static struct str begin_to_show(struct store *s, struct entry *e)
{
	struct shown_family *f = e->help->family;
	struct str text = e->lines.pushed->text;

	e->lines.staged = 0;
	e->lines.page = NULL;
	pages_list_family(&s->pages, f);
	family_set_type(f, e->lines.type);
	if (e->help->given)
		family_set_help(f, e->help, e->record->pushed_at);
	count_in(s, e);
	return text;
}

static void publish_pair(struct store *s, const struct change_pair *p)
{
	struct shown_family *f = &p->family->shown;
	struct entry *out = p->out ? store_entry(s, p->out) : NULL;
	struct entry *in = p->in ? store_entry(s, p->in) : NULL;
	struct str text = in ? begin_to_show(s, in) : STR_NULL;

	if (out && out->lines.page && text.n)
		pages_replace(f, &out->lines, &in->lines, text);
	else if (out && out->lines.page)
		pages_remove(f, &out->lines);
	else if (text.n)
		pages_add(f, &in->lines, text);
	if (out) {
		count_out(s, out);
		entry_free(&s->pages.entries, p->out);
	}
}

/* Which entries the group has. */
static void publish_table(struct store *s, struct group *g)
{
	const struct change *net = &g->staged->net;
	const struct pool *entries = &s->pages.entries;
	bool whole = net->n_out == g->entries.n;
	uint32_t n_in = 0;

	for (uint32_t i = 0; whole && i < net->n; i++)
		n_in += net->pairs[i].in != 0;
	if (whole)
		entries_reset(&g->entries, n_in);
	for (uint32_t i = 0; i < net->n; i++) {
		const struct change_pair *p = &net->pairs[i];

		if (p->out && !whole)
			entries_replace(&g->entries, entries, p->out, p->in);
		else if (p->in)
			entries_add(&g->entries, entries, p->in);
	}
}

static void publish_time(struct store *s, struct group *g, int which, double value)
{
	struct shown_family *f = &s->time_families[which]->shown;
	struct lines *t = &g->times[which];
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char num[NUM_MAX];

	strbuf_adds(&b, f->exposed);
	strbuf_adds(&b, *g->staged->labels);
	strbuf_addc(&b, ' ');
	strbuf_add(&b, num, num_format(value, num));
	strbuf_addc(&b, '\n');
	if (g->odd_names)
		times_make_proto(s, g, which, value);
	pages_list_family(&s->pages, f);
	if (t->page)
		pages_replace(f, t, t, strbuf_str(&b));
	else
		pages_add(f, t, strbuf_str(&b));
}

static void publish_times(struct store *s, struct group *g)
{
	const struct staged *st = g->staged;

	if (!st->exists) {
		for (int i = 0; i < 2; i++)
			if (g->times[i].page)
				pages_remove(&s->time_families[i]->shown, &g->times[i]);
		return;
	}
	if (!g->exists || g->pushed_at != st->pushed_at)
		publish_time(s, g, TIME_PUSHED, st->pushed_at);
	if (!g->exists || g->failed_at != st->failed_at)
		publish_time(s, g, TIME_FAILED, st->failed_at);
}

static void publish_group(struct store *s, struct group *g)
{
	const struct staged *st = g->staged;
	uint64_t more = (uint64_t)st->exists - g->exists;

	publish_table(s, g);
	for (uint32_t i = 0; i < st->net.n; i++)
		publish_pair(s, &st->net.pairs[i]);
	publish_times(s, g);
	s->pages.counts.groups += more;
	s->pages.counts.series += more * 2;
	g->pushed_at = st->pushed_at;
	g->failed_at = st->failed_at;
	g->exists = st->exists;
	pages_show_group(&s->pages, g, g->exists);
	staged_free(s, g);
	if (!g->exists)
		store_group_remove(s, g);
}

void store_publish(struct store *s)
{
	struct group *next;

	pthread_mutex_lock(&s->pages.lock);
	for (struct group *g = s->touched; g; g = next) {
		next = g->staged->next;
		publish_group(s, g);
	}
	store_sweep_families(s);
	s->pages.counts.families = s->families.n;
	pthread_mutex_unlock(&s->pages.lock);
	for (size_t i = 0; i < s->n_records; i++)
		s->records[i].record->push = NULL;
	store_log_grew(s);
	store_forget_batch(s);
}
