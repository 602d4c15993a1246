/*
 * Publishing: the pages, headers and counts that scrapes read follow the changes of the batch. The
 * lock is held for the whole batch, so that a scrape sees all of a push or nothing of it.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/digest.h"
#include "store/left_out.h"
#include "store/left_out_group.h"
#include "store/lifetime.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

/* New families of a batch: some tens of microseconds. The others come later (store_tidy()). */
enum { SORTED_AT_ONCE = 1024 };

/* The row of a record is live while an entry or the group refers to the record. */
static void count_record(struct store *s, struct record *r, int n)
{
	bool was = r->n_live > 0;

	r->n_live += (unsigned)n;
	if (r->merged)
		return;
	s->log.live_bytes += ((uint64_t)(r->n_live > 0) - was) * ROW_BYTES;
}

static void count_in(struct store *s, const struct entry *e)
{
	s->pages.counts.series += lines_n(&e->lines);
	s->log.live_bytes += e->record->merged ? 0 : e->lines.bytes;
	count_record(s, e->record, 1);
	if (e->help->given && lines_n(&e->lines) > 0)
		family_help_comes(e->help->family, e->help, e->record->number);
}

static void count_out(struct store *s, const struct entry *e)
{
	s->pages.counts.series -= lines_n(&e->lines);
	s->log.live_bytes -= e->record->merged ? 0 : e->lines.bytes;
	count_record(s, e->record, -1);
}

/* The same for an entry whose family stays. */
static void count_out_of_family(struct store *s, const struct entry *e)
{
	count_out(s, e);
	if (e->help->given && lines_n(&e->lines) > 0)
		family_help_goes(e->help->family, e->help, e->record->number);
}

/* Publishes an entry: its family's type, help text and counts follow. Returns its text. */
static struct str begin_to_show(struct store *s, struct entry *e)
{
	struct shown_family *f = e->help->family;
	struct str text = e->lines.pushed->text;

	e->lines.staged = 0;
	e->lines.page = NULL;
	family_list_add(&s->pages.families, f);
	family_set_type(f, e->lines.type);
	count_in(s, e);
	return text;
}

static void publish_sums(const struct store *s, struct group *g, const struct change_pair *p)
{
	const struct entry *out = p->out ? store_entry(s, p->out) : NULL;
	const struct entry *in = p->in ? store_entry(s, p->in) : NULL;

	g->n_series += (in ? lines_n(&in->lines) : 0) - (out ? lines_n(&out->lines) : 0);
	g->n_bytes += (in ? in->lines.bytes : 0) - (uint64_t)(out ? out->lines.bytes : 0);
}

static void publish_pair(struct store *s, struct group *g, const struct change_pair *p)
{
	struct shown_family *f = &p->family->shown;
	struct entry *out = p->out ? store_entry(s, p->out) : NULL;
	struct entry *in = p->in ? store_entry(s, p->in) : NULL;
	struct str text = in ? begin_to_show(s, in) : STR_NULL;

	/* Finding the text in its page takes time, so only a kept digest asks for it. */
	if (out && s->digest.kept)
		digest_count_entry(s, g, -1, out, lines_text(&out->lines));
	if (in)
		digest_count_entry(s, g, 1, in, text);
	/* The family goes with its pages. */
	if (out && store_family_goes(s, p->family)) {
		count_out(s, out);
		dead_add_entry(s, p->out);
		return;
	}
	if (out && out->lines.page && text.n)
		pages_replace(f, &out->lines, &in->lines, text);
	else if (out && out->lines.page)
		pages_remove(f, &out->lines);
	else if (text.n)
		pages_add(f, &in->lines, text);
	if (out) {
		count_out_of_family(s, out);
		entry_free(&s->pages.entries, p->out);
	}
}

/* Fetches what later pairs need into the cache; for nearer pairs the pages, too. */
static void look_ahead(const struct store *s, const struct change *net, uint32_t i)
{
	enum { PAGES = 8 };

	change_fetch_ahead(s, net, i);
	if (i + PAGES < net->n) {
		const struct change_pair *p = &net->pairs[i + PAGES];
		const struct entry *in = p->in ? store_entry(s, p->in) : NULL;

		if (p->out)
			__builtin_prefetch(store_entry(s, p->out)->lines.page);
		if (in) {
			__builtin_prefetch(in->help);
			__builtin_prefetch(in->lines.pushed);
		}
	}
}

/*
 * Fetches what the next groups of the batch need, whose entries and pages are scattered in memory:
 * entries of the third group ahead, pages of the second, and of the next group the places of its
 * entries in their pages.
 */
static void look_ahead_batch(const struct store *s, const struct group *g)
{
	enum { MANY = 16 }; /* more pairs than that look ahead themselves */
	const struct group *next = g->staged->next, *then = next ? next->staged->next : NULL;
	const struct group *last = then ? then->staged->next : NULL;

	for (uint32_t i = 0; last && i < last->staged->net.n && i < MANY; i++) {
		const struct change_pair *p = &last->staged->net.pairs[i];

		if (p->out)
			__builtin_prefetch(store_entry(s, p->out));
		if (p->in)
			__builtin_prefetch(store_entry(s, p->in));
	}
	for (uint32_t i = 0; then && i < then->staged->net.n && i < MANY; i++) {
		uint32_t out = then->staged->net.pairs[i].out;

		if (out)
			__builtin_prefetch(store_entry(s, out)->lines.page);
	}
	for (uint32_t i = 0; next && i < next->staged->net.n && i < MANY; i++) {
		uint32_t out = next->staged->net.pairs[i].out;

		if (out)
			page_prefetch(store_entry(s, out)->lines.page);
	}
}

/* Brings the group's table of entries up to date. */
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
	for (uint32_t i = 0; i < net->n && !(whole && n_in == 0); i++) {
		const struct change_pair *p = &net->pairs[i];

		look_ahead(s, net, i);
		if (p->out && !whole)
			entries_replace(&g->entries, entries, p->out, p->in);
		else if (p->in)
			entries_add(&g->entries, entries, p->in);
	}
}

static void set_last(struct store *s, struct group *g, struct record *last)
{
	struct record *before = g->last;

	if (last) {
		last->refs++;
		count_record(s, last, 1);
		digest_count(s, 1, DIGEST_LAST, last->number, last->pushed_at, STR(""));
	}
	g->last = last;
	if (before) {
		digest_count(s, -1, DIGEST_LAST, before->number, before->pushed_at, STR(""));
		count_record(s, before, -1);
		record_unref(before);
	}
}

static void count_failure(struct store *s, int sign, const struct failure *f)
{
	digest_count(s, sign, DIGEST_FAILURE, f->number, f->at, (struct str){ f->why, f->why_n });
}

static void set_failure(struct store *s, struct group *g, const struct step *step)
{
	if (g->failure) {
		count_failure(s, -1, g->failure);
		s->log.live_bytes -= row_bytes_of(g->failure->why_n);
		free(g->failure);
	}
	g->failure = NULL;
	if (!step)
		return;
	size_t n = utf8_cut(step->why, FAILED_WHY_MAX);

	g->failure = mem_alloc(sizeof(*g->failure) + n);
	*g->failure = (struct failure){ step->number, step->at, (uint32_t)n };
	copy_bytes(g->failure->why, step->why.p, n);
	s->log.live_bytes += row_bytes_of(n);
	count_failure(s, 1, g->failure);
}

static void show_time(struct store *s, struct group *g, int which, double value)
{
	time_metrics_publish(s, g, s->time_families[which], &g->time_lines[which], value);
}

static void publish_times(struct store *s, struct group *g)
{
	const struct staged *st = g->staged;
	double before[2] = { group_pushed_at(g), group_failed_at(g) };

	if (st->made || st->last)
		set_last(s, g, st->last ? store_step_at(s, st->last)->record : NULL);
	if (st->made || st->failed)
		set_failure(s, g, st->failed ? store_step_at(s, st->failed) : NULL);
	if (!g->exists || before[TIME_PUSHED] != group_pushed_at(g))
		show_time(s, g, TIME_PUSHED, group_pushed_at(g));
	if (!g->exists || before[TIME_FAILED] != group_failed_at(g))
		show_time(s, g, TIME_FAILED, group_failed_at(g));
}

static void end_times(struct store *s, struct group *g)
{
	set_last(s, g, NULL);
	set_failure(s, g, NULL);
	for (int i = 0; i < 2; i++)
		if (g->time_lines[i].page)
			pages_remove(&s->time_families[i]->shown, &g->time_lines[i]);
}

/* Counts failed, overdue and conflicting groups. more: 1, or -1 to undo an earlier count. */
static void count_states(struct store *s, const struct group *g, int64_t more)
{
	if (!g->exists)
		return;
	if (group_failed_at(g) > group_pushed_at(g))
		s->pages.counts.failed += (uint64_t)more;
	if (g->life && g->life->now.overdue)
		s->pages.counts.overdue += (uint64_t)more;
}

/* Counts the group itself in the digest, before its change and after it. */
static void count_digest(struct store *s, const struct group *g, int sign)
{
	if (!g->exists)
		return;
	digest_count(s, sign, DIGEST_GROUP, g->id, 0, group_key(g));
	digest_count_summed(s, g, sign);
	if (g->life)
		digest_count(s, sign, DIGEST_LIFE, g->life->number, g->life->now.expired, STR(""));
}

static void publish_group(struct store *s, struct group *g)
{
	const struct staged *st = g->staged;
	uint64_t more = (uint64_t)st->exists - g->exists;

	count_states(s, g, -1);
	count_digest(s, g, -1);
	for (uint32_t i = 0; i < st->net.n; i++) {
		change_fetch_ahead(s, &st->net, i);
		if (st->net.pairs[i].family->shown.kin)
			store_kin_changes(s, &st->net.pairs[i]);
	}
	summed_publish(s, g);
	publish_table(s, g);
	dead_begin(s);
	for (uint32_t i = 0; i < st->net.n; i++) {
		look_ahead(s, &st->net, i);
		publish_sums(s, g, &st->net.pairs[i]);
		publish_pair(s, g, &st->net.pairs[i]);
	}
	dead_end(s);
	if (st->exists)
		publish_times(s, g);
	else
		end_times(s, g);
	lifetime_publish(s, g);
	s->pages.counts.groups += more;
	s->pages.counts.series += more * 2;
	s->log.live_bytes += more * row_bytes_of(g->key_n);
	store_set_group_id(s, g, st->exists ? st->id : 0);
	g->exists = st->exists;
	count_states(s, g, 1);
	count_digest(s, g, 1);
	pages_show_group(&s->pages, g, g->exists);
	if (s->left_out.n > 0) {
		store_forget_left_out(s, g);
		if (st->net.n_out > 0)
			store_look_for_free(s);
	}
	if (st->has_left)
		store_has_left(s, g);
	staged_free(s, g);
	if (!g->exists)
		store_group_remove(s, g);
}

static void end_left_out_groups(struct store *s)
{
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i].left_out) {
			left_out_group_remove(s, s->steps[i].left_out);
			s->steps[i].left_out = NULL;
		}
}

/* Notes who sent each accepted push of the batch, in order, while the groups are there. */
static void note_writers(struct store *s)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		struct step *step = &s->steps[i];
		struct push *push = step->record ? step->record->push : NULL;

		if (push && push->peer.n && writers_note(&s->pages.writers, step->group, push))
			push->warnings |= PUSH_WRITERS_CONFLICT;
	}
}

void store_publish(struct store *s)
{
	struct group *next;

	summed_finish(s);
	store_number_steps(s);
	summed_know_rows(s);
	pthread_mutex_lock(&s->pages.lock);
	note_writers(s);
	for (struct group *g = s->touched; g; g = next) {
		next = g->staged->next;
		look_ahead_batch(s, g);
		publish_group(s, g);
	}
	end_left_out_groups(s);
	store_sweep_families(s);
	family_list_take_in(&s->pages.families, SORTED_AT_ONCE);
	if (!s->large.push)
		s->pages.counts.families = s->families.n;
	s->pages.counts.bytes = stored_bytes(s) - (uint64_t)s->large.n_bytes;
	pthread_mutex_unlock(&s->pages.lock);
	dead_end_batch(s);
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i].record)
			s->steps[i].record->push = NULL;
	s->work.n_popped = 0;
	summed_zeros_published(s);
	limits_show(s);
	s->next_number = s->after;
	store_log_grew(s);
	store_forget_batch(s);
}
