#include "store/change.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/change_index.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

enum {
	FEW = 16,        /* up to this number, pairs are searched one after the other */
	SPARE_MAX = 512, /* as many as a batch has groups */
};

/* ---- pairs ---- */

static struct change_pair *pair_add(struct change *c, struct store_family *f, uint32_t out,
				    uint32_t in)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : FEW;
		c->pairs = mem_realloc(c->pairs, c->cap * sizeof(*c->pairs));
	}
	c->pairs[c->n] = (struct change_pair){ f, out, in };
	c->n_out += out != 0;
	return &c->pairs[c->n++];
}

/* The items of a net change's index are the numbers of pairs, plus one. */
static void net_index(struct change *c)
{
	for (uint32_t i = (uint32_t)c->index.n; i < c->n; i++)
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): pairs move, their numbers do not. */
		table_add(&c->index, c->pairs[i].family->shown.hash, (void *)(uintptr_t)(i + 1));
}

/* Adds a pair to a net change. */
static void net_add(struct change *c, struct store_family *f, uint32_t out, uint32_t in)
{
	pair_add(c, f, out, in);
	if (c->n > FEW)
		net_index(c);
}

static struct change_pair *net_find(struct change *c, const struct store_family *f)
{
	void *item;

	if (c->n <= FEW) {
		for (uint32_t i = 0; i < c->n; i++)
			if (c->pairs[i].family == f)
				return &c->pairs[i];
		return NULL;
	}
	net_index(c);
	for (size_t at = table_first(&c->index, f->shown.hash);
	     (item = table_next(&c->index, f->shown.hash, &at));) {
		struct change_pair *pair = &c->pairs[(uintptr_t)item - 1];

		if (pair->family == f)
			return pair;
	}
	return NULL;
}

uint32_t group_entry(struct store *s, const struct group *g, const struct store_family *f,
		     uint32_t *hint)
{
	const struct change_pair *pair = g->staged ? net_find(&g->staged->net, f) : NULL;

	if (pair)
		return pair->in;
	return entries_find(&g->entries, &s->pages.entries, &f->shown, hint);
}

/* ---- one change ---- */

/* Each push needs one, so some are kept for reuse. */
static struct staged *staged_new(struct store *s)
{
	struct staged *st = s->spare.first;
	struct change net;

	if (!st)
		return mem_zalloc(sizeof(*st));
	s->spare.first = st->next_spare;
	s->spare.n--;
	net = (struct change){ .pairs = st->net.pairs, .cap = st->net.cap };
	*st = (struct staged){ .net = net };
	return st;
}

/* Makes the group part of the batch. */
static struct staged *touch(struct store *s, struct group *g)
{
	struct staged *st = g->staged;

	if (st)
		return st;
	limits_meet(s, g);
	st = g->staged = staged_new(s);
	st->holds = (struct amounts){ g->n_series, g->entries.n };
	st->net.group = g;
	st->exists = g->exists;
	st->id = g->id;
	if (g->life)
		st->life = g->life->now;
	st->summed = g->summed;
	*(s->touched ? &s->last_touched->staged->next : &s->touched) = g;
	s->last_touched = g;
	return st;
}

void change_begin(struct store *s, struct group *g)
{
	struct change *c = &s->change;

	/* Of the group of a large push nobody else changes anything. */
	assert(g != s->large.group);
	touch(s, g);
	c->group = g;
	c->n = c->n_out = c->hint = 0;
	c->limited = c->replaces = false;
	c->number++;
}

/* Makes a staged entry of the pushed family. */
static uint32_t entry_of(struct store *s, struct store_family *f, struct record *record,
			 const struct push_family *pf)
{
	struct help *help = pf->has_help ? family_help(&f->shown, pf->help)
					 : family_no_help(&f->shown);
	uint32_t in;

	entry_new(&s->pages.entries, pf, help, record, &in);
	return in;
}

void change_put(struct store *s, struct record *record, const struct push_family *pf)
{
	struct change *c = &s->change;
	struct store_family *f = store_family_get(s, pf->name, pf->exposed, pf->hash);
	uint32_t out = group_entry(s, c->group, f, &c->hint);

	pair_add(c, f, out, entry_of(s, f, record, pf));
	f->named = c->number;
}

void change_take(struct store *s, struct store_family *f)
{
	struct change *c = &s->change;
	uint32_t out = group_entry(s, c->group, f, &c->hint);

	if (out && f->named != c->number)
		pair_add(c, f, out, 0);
	f->named = c->number;
}

/* Fetches what later entries of the table need into the cache. */
static void look_at_entry(const struct store *s, const struct entry_table *t, uint32_t i)
{
	enum { ENTRIES = 32, HELPS = 16, FAMILIES = 8 };
	uint32_t id;

	if (i + ENTRIES < t->cap && (id = entries_at(t, i + ENTRIES)))
		__builtin_prefetch(store_entry(s, id));
	if (i + HELPS < t->cap && (id = entries_at(t, i + HELPS)))
		__builtin_prefetch(store_entry(s, id)->help);
	if (i + FAMILIES < t->cap && (id = entries_at(t, i + FAMILIES)))
		__builtin_prefetch(&entry_family(store_entry(s, id))->named);
}

void change_take_others(struct store *s)
{
	struct change *c = &s->change;
	const struct change *net = &c->group->staged->net;
	const struct entry_table *t = &c->group->entries;

	c->replaces = true;
	/* Usually the push has all of the group's families, and no other entry has to go. */
	if (net->n == 0 && c->n_out == t->n)
		return;
	for (uint32_t i = 0; i < net->n; i++)
		if (net->pairs[i].family->named != c->number) {
			if (net->pairs[i].in)
				pair_add(c, net->pairs[i].family, net->pairs[i].in, 0);
			net->pairs[i].family->named = c->number;
		}
	for (uint32_t i = 0; net->n_out < t->n && i < t->cap; i++) {
		uint32_t id = entries_at(t, i);

		look_at_entry(s, t, i);
		struct store_family *f = id ? entry_family(store_entry(s, id)) : NULL;

		if (f && f->named != c->number)
			pair_add(c, f, id, 0);
	}
}

void change_limited(struct store *s)
{
	s->change.limited = true;
}

/*
 * Merges the change into the group's net change. An entry that came and went within the batch is
 * freed.
 */
static void join_net(struct store *s, const struct change *c)
{
	struct change *net = &c->group->staged->net;
	bool first = net->n == 0;

	for (uint32_t i = 0; i < c->n; i++) {
		const struct change_pair *p = &c->pairs[i];
		struct change_pair *known = first ? NULL : net_find(net, p->family);
		struct amounts *holds = &c->group->staged->holds;

		holds->series += entry_lines(s, p->in) - entry_lines(s, p->out);
		holds->families += (p->in != 0) - (p->out != 0);
		if (first) {
			/* Nobody may ever look for it: the index is made when somebody does. */
			pair_add(net, p->family, p->out, p->in);
			continue;
		}
		if (!known) {
			net_add(net, p->family, p->out, p->in);
			continue;
		}
		assert(known->in == p->out);
		if (p->out)
			entry_free(&s->pages.entries, p->out);
		known->in = p->in;
	}
}

int change_apply(struct store *s, struct err *err)
{
	struct change *c = &s->change;

	if (change_follow(s, c, err) == 0) {
		join_net(s, c);
		c->group->staged->replaced |= c->replaces;
		return 0;
	}
	for (uint32_t i = 0; i < c->n; i++)
		if (c->pairs[i].in)
			entry_free(&s->pages.entries, c->pairs[i].in);
	return -1;
}

/* ---- a change of a large push, which is in the net change from the beginning ---- */

void large_put(struct store *s, struct group *g, struct record *record,
	       const struct push_family *pf)
{
	struct store_family *f = store_family_get(s, pf->name, pf->exposed, pf->hash);
	uint32_t hint = 0, out = entries_find(&g->entries, &s->pages.entries, &f->shown, &hint);

	net_add(&g->staged->net, f, out, entry_of(s, f, record, pf));
	s->large.n_going += out && !change_is_same(s, &g->staged->net.pairs[g->staged->net.n - 1]);
}

void large_take(struct store *s, struct group *g, uint32_t id)
{
	struct store_family *f = entry_family(store_entry(s, id));

	if (net_find(&g->staged->net, f))
		return;
	net_add(&g->staged->net, f, id, 0);
	s->large.n_going++;
}

void large_forget(struct store *s, struct group *g, uint32_t i)
{
	uint32_t in = g->staged->net.pairs[i].in;

	if (in)
		entry_free(&s->pages.entries, in);
	g->staged->net.pairs[i].in = 0;
}

void large_forget_all(struct group *g)
{
	struct change *net = &g->staged->net;

	table_done(&net->index);
	net->n = net->n_out = 0;
}

/* ---- whole groups ---- */

/*
 * Series that the current large push removes. Nobody may use their room before that push is
 * committed, so for a new group they count as stored: it is made even if its push is refused. An
 * accepted push waits (change_follow()).
 */
static uint64_t room_to_come(const struct store *s)
{
	return s->large.n_series < 0 ? (uint64_t)-s->large.n_series : 0;
}

static int check_group_limits(struct store *s, const struct group *g, struct err *err)
{
	if (s->staged_groups >= s->lim.max_groups)
		return err_set(err, ERR_STORE_FULL, 0,
			       "the gateway is full: it holds %llu groups (--limits.groups)",
			       (unsigned long long)s->staged_groups);
	if (s->staged_series + room_to_come(s) + 2 > s->lim.max_series)
		return err_set(err, ERR_STORE_FULL, 0,
			       "the gateway is full: it holds %llu series (--limits.series)",
			       (unsigned long long)s->staged_series);
	return stored_bytes_check_group(s, g, err);
}

int change_make(struct store *s, struct group *g, const struct str *labels, double at,
		struct err *err)
{
	if (check_group_limits(s, g, err) < 0 || store_check_group(s, g, *labels, err) < 0 ||
	    (!s->applied.unlimited && limits_check_key(s, g, err) < 0))
		return -1;
	struct staged *st = touch(s, g);

	st->exists = true;
	st->labels = labels;
	st->made = store_step(s, g, ROW_GROUP, at);
	st->last = st->failed = st->lived = 0;
	st->life = (struct life){ .ttl_ns = 0 };
	store_index_group(s, g);
	return 0;
}

void change_leave(struct store *s, struct group *g)
{
	struct err err;

	change_begin(s, g);
	change_take_others(s);
	change_apply(s, &err);
	summed_leave(g);
	g->staged->exists = false;
	store_unindex_group(s, g);
}

void change_end(struct store *s, struct group *g, double at)
{
	if (store_is_leaving(s, g)) {
		store_leave(s, g);
		if (!group_is_there(g))
			return;
	}
	change_leave(s, g);
	if (!g->staged->ended)
		g->staged->ended = store_step(s, g, ROW_END, at);
}

/* ---- rollback ---- */

void staged_free(struct store *s, struct group *g)
{
	struct staged *st = g->staged;

	for (uint32_t i = 0; i < st->net.n; i++) {
		uint32_t in = st->net.pairs[i].in;

		if (in && store_entry(s, in)->lines.staged)
			entry_free(&s->pages.entries, in);
	}
	g->staged = NULL;
	table_done(&st->net.index);
	if (s->spare.n < SPARE_MAX && st->net.cap <= FEW) {
		st->next_spare = s->spare.first;
		s->spare.first = st;
		s->spare.n++;
		return;
	}
	free(st->net.pairs);
	free(st);
}

void staged_done(struct store *s)
{
	struct staged *next;

	for (struct staged *st = s->spare.first; st; st = next) {
		next = st->next_spare;
		free(st->net.pairs);
		free(st);
	}
}
