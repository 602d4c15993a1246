/* The sources of summed groups as they are published: for the API, and as a number for scrapes. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/internal.h"
#include "store/summed.h"

static bool is_failing(const struct contribution *c)
{
	return !c->removed && c->live && c->failed_at > c->pushed_at;
}

static uint32_t count_series(const struct contribution *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_parts; i++)
		n += c->parts[i] ? c->parts[i]->n : 0;
	return n;
}

static void unlist(struct summed *su, struct contribution *c)
{
	size_t at = c->shown_at;

	if (at == 0)
		return;
	free(su->shown[at - 1].why);
	su->shown[at - 1] = su->shown[--su->n_shown];
	su->shown[at - 1].c->shown_at = at;
	c->shown_at = 0;
}

static struct shown_source *list(struct summed *su, struct contribution *c)
{
	if (c->shown_at)
		return &su->shown[c->shown_at - 1];
	if (su->n_shown == su->cap_shown) {
		su->cap_shown = su->cap_shown ? su->cap_shown * 2 : 8;
		su->shown = mem_realloc(su->shown, su->cap_shown * sizeof(*su->shown));
	}
	su->shown[su->n_shown++] = (struct shown_source){ .c = c };
	c->shown_at = su->n_shown;
	return &su->shown[su->n_shown - 1];
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
	sh->n_series = count_series(c);
	free(sh->why);
	sh->why = c->failed_why && sh->failing ? mem_strdup(c->failed_why) : NULL;
	su->n_failing += sh->failing;
}

static void show_failing(struct store *s, struct group *g, uint32_t before)
{
	struct summed *su = g->summed;

	su->brief = (struct summed_brief){ (enum group_mode)su->head.mode, (uint32_t)su->n_shown };
	if (su->failing.page && before == su->n_failing)
		return;
	su->failing.n = 1;
	su->failing.type = METRIC_GAUGE;
	su->failing.escaped = g->time_lines[TIME_PUSHED].escaped;
	time_metrics_publish(s, g, s->failing_family, &su->failing, su->n_failing);
}

void summed_show_sources(struct store *s, struct group *g)
{
	uint32_t before = g->summed->n_failing;

	merged_each_touched(g->summed->group, show_source, g->summed);
	show_failing(s, g, before);
}

void summed_show_all_sources(struct store *s, struct group *g)
{
	for (size_t i = 0; i < g->summed->group->n; i++)
		show_source(g->summed, g->summed->group->contributions[i]);
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

static int copy_some(const struct group *g, size_t *at, size_t max, struct arena *a,
		     struct sources_copy *ret)
{
	const struct summed *su = g->summed;
	size_t n = su->n_shown - *at < max ? su->n_shown - *at : max;

	*ret = (struct sources_copy){
		.key = arena_dup(a, group_key(g)),
		.mode = (enum group_mode)su->before.mode,
		.n_all = su->n_shown,
		.first = *at,
		.list = arena_alloc(a, n * sizeof(*ret->list)),
	};
	if (!ret->key.p || (n > 0 && !ret->list))
		return -1;
	for (; ret->n < n; ret->n++)
		if (!copy_one(&su->shown[*at + ret->n], a, &ret->list[ret->n]))
			return -1;
	*at += n;
	return 1;
}

int store_copy_sources(struct store *s, uint32_t *cursor, size_t *at, size_t max, struct arena *a,
		       struct sources_copy *ret)
{
	struct pages *p = &s->pages;
	int r = 0;

	pthread_mutex_lock(&p->lock);
	for (uint32_t slot = *cursor ? *cursor : 1; r == 0 && slot < p->cap_groups; slot++) {
		const struct group *g = p->groups[slot];

		if (slot != *cursor)
			*at = 0;
		*cursor = slot;
		if (!g || !g->summed || (*at > 0 && *at >= g->summed->n_shown))
			continue;
		r = copy_some(g, at, max, a, ret);
		/* A group without sources is there once. */
		if (r > 0 && g->summed->n_shown == 0)
			*at = 1;
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}
