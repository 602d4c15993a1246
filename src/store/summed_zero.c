/* Groups with new series that show zeros for some time (zero_first), and then their counts. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/seconds.h"
#include "store/internal.h"
#include "store/summed.h"

#define NEVER INT64_MAX

/* A time that does not go back, even if somebody sets the clock back. */
static double latest(struct store *s, double now)
{
	if (now > s->work.latest)
		s->work.latest = now;
	return s->work.latest;
}

struct merged_zeros summed_zeros(struct store *s, const struct summed *su, double now)
{
	return (struct merged_zeros){
		.first = (double)su->head.zero_first_ns / 1e9,
		.now = s->work.heads_only ? 0 : latest(s, now),
		.counted_since = su->head.counted_since,
	};
}

static double newest_since(const struct merged_group *m, const struct merged_zeros *but)
{
	double newest = but->counted_since;

	for (uint32_t i = 0; i < m->n_families; i++) {
		const struct merged_family *f = m->families[i];

		for (uint32_t k = 0; f && !f->dropped && f->policy == MERGE_SUM && k < f->n; k++)
			if (f->series[k].since > newest && !merged_is_zero(but, &f->series[k]))
				newest = f->series[k].since;
	}
	return newest;
}

double summed_counted_since(const struct merged_group *m, const struct merged_zeros *z)
{
	return z->first > 0 ? newest_since(m, z) : z->counted_since;
}

double summed_newest_since(const struct merged_group *m)
{
	const struct merged_zeros none = { .first = 0 };

	return newest_since(m, &none);
}

/* When the next series of the family shows its count, Unix seconds; 0: all do. */
static double zeros_end(const struct merged_family *f, const struct merged_zeros *z)
{
	double end = 0;

	for (uint32_t i = 0; f->policy == MERGE_SUM && i < f->n; i++) {
		double at = f->series[i].since + z->first;

		if (merged_is_zero(z, &f->series[i]) && (end == 0 || at < end))
			end = at;
	}
	return end;
}

static void add(struct showing_zeros_list *list, struct showing_zeros it)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 16;
		list->v = mem_realloc(list->v, list->cap * sizeof(*list->v));
	}
	list->v[list->n++] = it;
}

static void wait_for(struct store *s, struct showing_zeros it)
{
	add(&s->zeros.waiting, it);
	if (it.due_ns < s->zeros.next_ns || s->zeros.waiting.n == 1)
		s->zeros.next_ns = it.due_ns;
}

void summed_note_zeros(struct store *s, struct group *g, const struct merged_zeros *z, double now)
{
	struct summed *su = group_summed(g);
	double from = latest(s, now), end = 0;
	int64_t due = clock_mono_ns();

	if (z->first <= 0)
		return;
	for (uint32_t i = 0; i < su->group->n_families; i++) {
		const struct merged_family *f = su->group->families[i];
		double at = f && !f->dropped ? zeros_end(f, z) : 0;

		if (at > 0 && (end == 0 || at < end))
			end = at;
	}
	if (end == 0)
		return;
	if (end > from)
		due = ns_later(due + 1, seconds_to_ns(end - from));
	if (su->zeros_number == 0)
		su->zeros_number = ++s->zeros.n_groups;
	if (su->zeros_due_ns == 0 || due < su->zeros_due_ns) {
		su->zeros_due_ns = due;
		wait_for(s, (struct showing_zeros){ g->slot, su->zeros_number, due, end });
	}
}

/* The group, if it is still the one that was noted. */
static struct group *group_of(const struct store *s, const struct showing_zeros *z)
{
	struct group *g = z->slot < s->n_slots ? s->by_slot[z->slot] : NULL;

	return g && group_is_there(g) && group_summed(g) &&
			       group_summed(g)->zeros_number == z->number
		       ? g
		       : NULL;
}

void summed_show_counts(struct merged_group *m)
{
	for (uint32_t i = 0; i < m->n_families; i++)
		if (m->families[i] && m->families[i]->policy == MERGE_SUM)
			merged_family_changed(m, m->families[i]);
}

/* Those that are over by then, whatever the clock says. */
static void end_zeros(struct summed *su, double end)
{
	const struct merged_zeros z = {
		.first = (double)su->head.zero_first_ns / 1e9,
		.now = end,
		.counted_since = su->head.counted_since,
	};
	double since = summed_counted_since(su->group, &z);

	su->head_changed |= since > su->head.counted_since;
	su->head.counted_since = since;
	summed_show_counts(su->group);
}

void summed_stage_zeros(struct store *s, int64_t now_ns)
{
	struct showing_zeros_list *w = &s->zeros.waiting;
	size_t n = 0;

	if (w->n == 0 || s->zeros.next_ns > now_ns)
		return;
	s->zeros.next_ns = NEVER;
	for (size_t i = 0; i < w->n; i++) {
		struct showing_zeros it = w->v[i];
		struct group *g = group_of(s, &it);

		if (it.due_ns > now_ns) {
			w->v[n++] = it;
			if (it.due_ns < s->zeros.next_ns)
				s->zeros.next_ns = it.due_ns;
		} else if (g && !store_is_leaving(s, g)) {
			group_summed(g)->zeros_due_ns = 0;
			add(&s->zeros.staged, it);
			change_begin(s, g);
			end_zeros(g->staged->summed, it.end);
		}
	}
	w->n = n;
}

void summed_zeros_published(struct store *s)
{
	s->zeros.staged.n = 0;
}

void summed_zeros_rolled_back(struct store *s)
{
	for (size_t i = 0; i < s->zeros.staged.n; i++)
		wait_for(s, s->zeros.staged.v[i]);
	s->zeros.staged.n = 0;
}

int64_t summed_zeros_due(const struct store *s)
{
	return s->zeros.waiting.n ? s->zeros.next_ns : NEVER;
}
