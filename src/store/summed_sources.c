/*
 * The published sources of summed groups, for the API, and the number of failing ones, for scrapes.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/summed.h"

static bool is_failing(const struct contribution *c)
{
	return !c->removed && c->live && c->failed_at > c->pushed_at;
}

/* Counts the series of c; parts of dropped families do not count. */
static uint32_t count_series(const struct merged_group *m, const struct contribution *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_parts; i++)
		if (c->parts[i] && !m->families[i]->dropped)
			n += c->parts[i]->list->n;
	return n;
}

/* Removes the places of sources that are gone. */
static void pack(struct summed *su)
{
	size_t n = 0;

	for (size_t i = 0; i < su->n_shown; i++) {
		if (!su->shown[i].c)
			continue;
		su->shown[n] = su->shown[i];
		n++;
		su->shown[n - 1].c->shown_at = n;
	}
	su->n_shown = n;
	su->n_gone = 0;
}

static void unlist(struct summed *su, struct contribution *c)
{
	struct shown_source *sh;

	if (c->shown_at == 0)
		return;
	sh = &su->shown[c->shown_at - 1];
	free(sh->why);
	*sh = (struct shown_source){ .id = sh->id };
	c->shown_at = 0;
	if (++su->n_gone > su->n_shown / 2)
		pack(su);
}

/* New sources have ascending ids; only loaded ones may have to be inserted. */
static struct shown_source *insert(struct summed *su, uint64_t id)
{
	size_t at = su->n_shown++;

	for (; at > 0 && su->shown[at - 1].id > id; at--) {
		su->shown[at] = su->shown[at - 1];
		if (su->shown[at].c)
			su->shown[at].c->shown_at = at + 1;
	}
	return &su->shown[at];
}

static struct shown_source *list(struct summed *su, struct contribution *c)
{
	struct shown_source *sh;

	if (c->shown_at)
		return &su->shown[c->shown_at - 1];
	if (su->n_shown == su->cap_shown) {
		su->cap_shown = su->cap_shown ? su->cap_shown * 2 : 8;
		su->shown = mem_realloc(su->shown, su->cap_shown * sizeof(*su->shown));
	}
	sh = insert(su, c->doc.id);
	*sh = (struct shown_source){ .c = c, .id = c->doc.id };
	c->shown_at = (size_t)(sh - su->shown) + 1;
	return sh;
}

static void show_source(void *arg, struct contribution *c)
{
	struct summed *su = arg;
	struct shown_source *sh;

	su->n_failing -= c->shown_at && su->shown[c->shown_at - 1].failing;
	if (c->removed) {
		unlist(su, c);
		return;
	}
	sh = list(su, c);
	sh->failing = is_failing(c);
	sh->live = c->live;
	sh->ended = c->ended;
	sh->pushed_at = c->pushed_at;
	sh->failed_at = c->failed_at;
	sh->reset_at = c->resets[ARRAY_LEN(c->resets) - 1];
	sh->n_series = count_series(su->group, c);
	free(sh->why);
	sh->why = c->failed_why && sh->failing ? mem_strdup(c->failed_why) : NULL;
	su->n_failing += sh->failing;
}

static void show_failing(struct store *s, struct group *g, uint32_t before)
{
	struct summed *su = g->summed;

	su->brief = (struct summed_brief){ (enum group_mode)su->head.mode,
					   (uint32_t)(su->n_shown - su->n_gone) };
	if (su->failing.page && before == su->n_failing)
		return;
	su->failing.type = METRIC_GAUGE;
	su->failing.escaped = g->time_lines[TIME_PUSHED].escaped;
	time_metrics_publish(s, g, s->failing_family, &su->failing, su->n_failing);
}

void summed_show_sources(struct store *s, struct group *g)
{
	const struct merged_group *m = g->summed->group;
	uint32_t before = g->summed->n_failing;
	bool drops = merged_drops(m);

	merged_each_touched(m, show_source, g->summed);
	for (size_t i = 0; drops && i < m->n; i++)
		show_source(g->summed, m->contributions[i]);
	show_failing(s, g, before);
}

static int by_id(const void *pa, const void *pb)
{
	const struct contribution *a = *(struct contribution *const *)pa;
	const struct contribution *b = *(struct contribution *const *)pb;

	return (a->doc.id > b->doc.id) - (a->doc.id < b->doc.id);
}

void summed_show_all_sources(struct store *s, struct group *g)
{
	const struct merged_group *m = g->summed->group;
	CLEANUP(freep) struct contribution **all = mem_alloc(m->n * sizeof(struct contribution *));

	for (size_t i = 0; i < m->n; i++)
		all[i] = m->contributions[i];
	array_sort(all, m->n, by_id);
	for (size_t i = 0; i < m->n; i++)
		show_source(g->summed, all[i]);
	show_failing(s, g, 0);
}

void summed_hide_sources(struct store *s, struct summed *su)
{
	if (su->failing.page)
		pages_remove(&s->failing_family->shown, &su->failing);
	lines_done(&su->failing);
}

void summed_shown_free(struct summed *su)
{
	for (size_t i = 0; i < su->n_shown; i++)
		free(su->shown[i].why);
	free(su->shown);
}

/* ---- for other threads ---- */

static bool copy_one(const struct shown_source *sh, struct arena *a, struct source_copy *to)
{
	*to = (struct source_copy){
		.id = sh->id,
		.name = arena_dup(a, sh->c->name),
		.has_start = sh->c->has_start,
		.start = sh->c->start,
		.pushed_at = sh->pushed_at,
		.failed_at = sh->failed_at,
		.reset_at = sh->reset_at,
		.live = sh->live,
		.ended = sh->ended,
		.failing = sh->failing,
		.n_series = sh->n_series,
		.failed_why = arena_dup(a, str_of(sh->why ? sh->why : "")),
	};
	return to->name.p && to->failed_why.p;
}

/* The index of the first source with a higher id. */
static size_t find_after(const struct summed *su, uint64_t id)
{
	size_t lo = 0, hi = su->n_shown;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (su->shown[mid].id <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int copy_some(const struct summed *su, uint64_t after, size_t max, struct arena *a,
		     struct sources_copy *ret)
{
	ret->mode = (enum group_mode)su->before.mode;
	ret->list = arena_alloc(a, max * sizeof(*ret->list));
	if (!ret->list)
		return -1;
	/* At most half of the places are those of sources that are gone. */
	for (size_t i = find_after(su, after); i < su->n_shown && ret->n < max; i++)
		if (su->shown[i].c && !copy_one(&su->shown[i], a, &ret->list[ret->n++]))
			return -1;
	return 1;
}

int store_copy_sources(struct store *s, const struct group_brief *of, uint64_t after, size_t max,
		       struct arena *a, struct sources_copy *ret)
{
	struct pages *p = &s->pages;
	const struct group *g;
	int r = 0;

	*ret = (struct sources_copy){ 0 };
	pthread_mutex_lock(&p->lock);
	g = of->slot < p->cap_groups ? p->groups[of->slot] : NULL;
	if (g && g->id == of->id && g->summed)
		r = copy_some(g->summed, after, max, a, ret);
	pthread_mutex_unlock(&p->lock);
	return r;
}
