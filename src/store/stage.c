/*
 * Staging: puts one push on top of what the batch holds, on the committer's side only. The index
 * follows every step and can be taken back by the reverse step, so a refused push and a failed
 * batch need no log of their own.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"

void store_stage_state(struct store *s, struct group *g, struct group_state *next)
{
	if (!g->staged) {
		g->next_touched = NULL;
		*(s->touched ? &s->last_touched->next_touched : &s->touched) = g;
		s->last_touched = g;
	}
	group_state_free(g->staged);
	g->staged = next;
}

static struct help *help_for(const struct store_family *f, struct str text)
{
	struct help *help = f->help;

	if (!help || help->n != text.n || (text.n && memcmp(help->p, text.p, text.n) != 0)) {
		help = mem_zalloc(sizeof(*help) + text.n);
		help->n = (uint32_t)text.n;
		if (text.n)
			memcpy(help->p, text.p, text.n);
	}
	help->refs++;
	return help;
}

static void fill_slice(struct store *s, struct slice *slice, const struct push_family *pf)
{
	slice->family = store_family_get(s, pf->name, pf->exposed, pf->hash);
	slice->type = pf->type & 0xF;
	slice->n_lines = pf->n_lines & 0xFFFFFF;
	slice->escaped = pf->escaped;
	slice->lossy = pf->lossy;
	if (slice->has_more) {
		slice->more->n_series = pf->n_series;
		memcpy(slice->more->hashes, pf->hashes, pf->n_series * sizeof(*pf->hashes));
	} else {
		slice->hash = pf->hashes[0];
	}
	if (pf->lossy)
		slice->more->proto = bytes_of(pf->proto);
	if (pf->has_help)
		slice->help = help_for(slice->family, pf->help);
}

/* NULL: nothing was pushed. */
static struct segment *pushed_segment(struct store *s, const struct push *push)
{
	struct segment *seg;
	size_t body = 0;

	if (push->n_families == 0)
		return NULL;
	seg = segment_new(push);
	seg->row = s->next_row++;
	seg->pushed_at = push->now;
	seg->push = push;
	seg->row_slices = push->n_families;
	for (uint32_t i = 0; i < push->n_families; i++) {
		const struct push_family *pf = &push->families[i];

		fill_slice(s, &seg->slices[i], pf);
		seg->text_len += (uint32_t)pf->text.n;
		body += pf->proto.n;
	}
	seg->row_bytes = row_bytes_of(body);
	return seg;
}

/* The same series: nothing changes for the index. The usual case of a push that repeats. */
static bool same_series(const struct slice *a, const struct slice *b)
{
	uint64_t n = slice_n_series(a);

	return a->type == b->type && n == slice_n_series(b) &&
	       memcmp(slice_hashes(a), slice_hashes(b), n * sizeof(uint64_t)) == 0;
}

/* What a push takes out of the index and puts in. */
struct delta {
	struct slice **removed, **added;
	uint32_t n_removed, n_added;
	int64_t lines; /* of slices that change places without touching the index */
};

static void delta_done(struct delta *d)
{
	free(d->removed);
	free(d->added);
}

static void delta_of(struct delta *d, const struct group_state *old, const struct group_state *in,
		     bool replace)
{
	struct slice_pair pair = { 0 };

	*d = (struct delta){ 0 };
	d->removed = mem_alloc((old ? old->n : 0) * sizeof(*d->removed));
	d->added = mem_alloc(in->n * sizeof(*d->added));
	while (slice_pair_next(&pair, old, in)) {
		if (pair.a && pair.b && same_series(pair.a, pair.b)) {
			d->lines += (int64_t)pair.b->n_lines - pair.a->n_lines;
			continue;
		}
		if (pair.a && (pair.b || replace))
			d->removed[d->n_removed++] = pair.a;
		if (pair.b)
			d->added[d->n_added++] = pair.b;
	}
}

static int check_series_limit(struct store *s, uint64_t before, struct err *err)
{
	if (s->staged_series <= s->lim.max_series || s->staged_series <= before)
		return 0;
	return err_set(err, ERR_STORE_FULL, 0,
		       "the gateway is full: it holds %llu series and this push would make it %llu "
		       "(--limits.series=%llu)",
		       (unsigned long long)before, (unsigned long long)s->staged_series,
		       (unsigned long long)s->lim.max_series);
}

/* Moves the index from the old series to the new ones; on -1 it is as it was. */
static int apply_delta(struct store *s, const struct group *g, const struct delta *d,
		       struct err *err)
{
	uint64_t before = s->staged_series;
	uint32_t n = 0;
	int r = 0;

	for (uint32_t i = 0; i < d->n_removed; i++)
		store_unindex_slice(s, g, d->removed[i]);
	for (; r == 0 && n < d->n_added; n++) {
		r = store_check_slice(s, g, d->added[n], err);
		if (r < 0)
			break;
		store_index_slice(s, g, d->added[n]);
	}
	s->staged_series += (uint64_t)d->lines;
	if (r == 0)
		r = check_series_limit(s, before, err);
	if (r == 0)
		return 0;
	s->staged_series -= (uint64_t)d->lines;
	while (n > 0)
		store_unindex_slice(s, g, d->added[--n]);
	for (uint32_t i = 0; i < d->n_removed; i++)
		store_index_slice(s, g, d->removed[i]);
	return -1;
}

/* Old slices with the pushed ones in place of theirs; takes what was pushed. */
static struct group_state *merged_state(const struct group_state *old, struct group_state *in)
{
	struct slice_pair pair = { 0 };
	struct group_state *st;
	uint32_t n = 0;

	while (slice_pair_next(&pair, old, in))
		n++;
	if (n == in->n)
		return in;
	st = group_state_new(n);
	pair = (struct slice_pair){ 0 };
	while (slice_pair_next(&pair, old, in))
		group_state_put(st, pair.b ? pair.b : pair.a);
	group_state_free(in);
	return st;
}

int store_stage_put(struct store *s, struct group *g, struct push *push, struct segment **ret_seg)
{
	const struct group_state *old = group_state(g);
	struct group_state *in;
	bool replace = push->mode == PUSH_PUT;
	CLEANUP(delta_done) struct delta d;

	*ret_seg = pushed_segment(s, push);
	in = group_state_whole(*ret_seg);
	delta_of(&d, old, in, replace);
	if (apply_delta(s, g, &d, &push->err) < 0) {
		group_state_free(in);
		return -1;
	}

	struct group_state *next = replace ? in : merged_state(old, in);

	next->pushed_at = push->now;
	next->failed_at = old->failed_at;
	store_stage_state(s, g, next);
	return 0;
}

/* The same families with other times. */
static struct group_state *copy_state(const struct group_state *old)
{
	struct group_state *st = old->whole ? group_state_whole(old->whole)
					    : group_state_new(old->n);

	for (uint32_t i = 0; !old->whole && i < old->n; i++)
		group_state_put(st, old->listed[i]);
	st->pushed_at = old->pushed_at;
	st->failed_at = old->failed_at;
	return st;
}

static uint64_t time_hash(struct str labels)
{
	CLEANUP(strbuf_done) struct strbuf id = { 0 };

	strbuf_adds(&id, STR("push_time_seconds"));
	strbuf_adds(&id, labels);
	return hash_bytes(strbuf_str(&id));
}

static int check_group_limits(struct store *s, struct err *err)
{
	if (s->staged_groups >= s->lim.max_groups)
		return err_set(err, ERR_STORE_FULL, 0,
			       "the gateway is full: it holds %llu groups (--limits.groups)",
			       (unsigned long long)s->staged_groups);
	if (s->staged_series + 2 > s->lim.max_series)
		return err_set(err, ERR_STORE_FULL, 0,
			       "the gateway is full: it holds %llu series (--limits.series)",
			       (unsigned long long)s->staged_series);
	return 0;
}

/* Brings the group into being, empty. NULL: refused, and nothing is left of it. */
static struct group *create_group(struct store *s, struct group *g, const struct push *push,
				  struct err *err)
{
	bool known = g != NULL;

	if (check_group_limits(s, err) < 0)
		return NULL;
	if (!known)
		g = store_group_add(s, push->key, push->key_hash, 0);
	g->labels = &push->labels;
	g->time_hash = time_hash(push->labels);
	if (store_check_group(s, g, err) < 0) {
		if (!known)
			store_group_remove(s, g);
		return NULL;
	}
	store_stage_state(s, g, group_state_new(0));
	store_index_group(s, g);
	return g;
}

static void stage_delete(struct store *s, struct group *g)
{
	const struct group_state *old = g ? group_state(g) : NULL;

	if (!old)
		return;
	for (uint32_t i = 0; i < old->n; i++)
		store_unindex_slice(s, g, group_state_slice(old, i));
	store_unindex_group(s, g);

	struct group_state *gone = group_state_new(0);

	gone->exists = false;
	store_stage_state(s, g, gone);
}

void store_stage(struct store *s, struct push *push)
{
	struct group *g = store_group_find(s, push->key, push->key_hash);
	struct segment *seg;

	if (push->mode == PUSH_DELETE) {
		stage_delete(s, g);
		return;
	}
	if (!g || !group_state(g)) {
		struct err err = { 0 };

		/* What refuses the group itself leaves no place to note a failure time. */
		g = create_group(s, g, push, &err);
		if (!g) {
			if (!push->err.reason)
				push->err = err;
			return;
		}
	}
	g->labels = &push->labels;
	if (push->err.reason == ERR_NONE && store_stage_put(s, g, push, &seg) == 0)
		return;

	struct group_state *failed = copy_state(group_state(g));

	failed->failed_at = push->now;
	store_stage_state(s, g, failed);
}

/* The index goes back from what was staged to what is published, for all groups of the batch. */
static void unindex_staged(struct store *s, const struct group *g)
{
	const struct group_state *staged = g->staged->exists ? g->staged : NULL;
	struct slice_pair pair = { 0 };

	while (slice_pair_next(&pair, g->cur, staged))
		if (pair.b && pair.b != pair.a)
			store_unindex_slice(s, g, pair.b);
	if (staged && !g->cur)
		store_unindex_group(s, g);
}

static void index_published(struct store *s, const struct group *g)
{
	const struct group_state *staged = g->staged->exists ? g->staged : NULL;
	struct slice_pair pair = { 0 };

	while (slice_pair_next(&pair, g->cur, staged))
		if (pair.a && pair.a != pair.b)
			store_index_slice(s, g, pair.a);
	if (g->cur && !staged)
		store_index_group(s, g);
}

void store_rollback(struct store *s)
{
	struct group *next;

	for (struct group *g = s->touched; g; g = g->next_touched)
		unindex_staged(s, g);
	for (struct group *g = s->touched; g; g = g->next_touched)
		index_published(s, g);
	for (struct group *g = s->touched; g; g = next) {
		next = g->next_touched;
		group_state_free(g->staged);
		g->staged = NULL;
		g->labels = NULL;
		if (!g->cur)
			store_group_remove(s, g);
	}
	s->touched = NULL;
	store_changes_clear(s);
	pthread_mutex_lock(&s->lock);
	store_sweep_families(s);
	pthread_mutex_unlock(&s->lock);
}
