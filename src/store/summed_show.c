/* The exposition of a summed group becomes changes of the group's entries. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "format/protobuf/decode.h"
#include "format/text/parse.h"
#include "format/text/write.h"
#include "metrics/names.h"
#include "store/internal.h"
#include "store/summed.h"

/* Which changed families are wanted. */
struct wanted {
	bool shape;                       /* only those with other series */
	const struct merged_family *only; /* only this one; NULL: all */
};

static bool is_wanted(const struct wanted *w, const struct merged_family *f)
{
	return f && !f->dropped && f->changed && (!w->shape || f->shape_changed) &&
	       (!w->only || w->only == f);
}

/* Builds the wanted families in the work arena; *ret_n: how many are wanted. */
static struct family *build_families(struct store *s, struct merged_group *m,
				     const struct wanted *w, const struct merged_zeros *z,
				     uint32_t *ret_n)
{
	struct family *first = NULL, **last = &first;

	for (uint32_t i = 0; i < m->n_families; i++) {
		struct family *f;

		if (!is_wanted(w, m->families[i]))
			continue;
		++*ret_n;
		f = arena_alloc(&s->work.arena, sizeof(*f));
		merged_family_build(m, m->families[i], z, &s->work.arena, f);
		if (f->n_metrics == 0)
			continue;
		*last = f;
		last = &f->next;
	}
	*last = NULL;
	return first;
}

/*
 * Builds a push of the families, which have the group's labels already; *ret_n: how many are
 * wanted, also those of which no series is shown any more.
 */
static struct push *build_push(struct store *s, const struct group *g, struct merged_group *m,
			       const struct wanted *w, const struct merged_zeros *z, double now,
			       uint32_t *ret_n)
{
	struct family *families;
	struct key key;

	arena_reset(&s->work.arena);
	s->work.builder.arena = &s->work.arena;
	if (key_decode(group_key(g), &s->work.arena, &key) < 0)
		key.n_labels = 0;
	*ret_n = 0;
	families = build_families(s, m, w, z, ret_n);
	return push_build(&s->work.builder, PUSH_POST, &key, families, now);
}

/* The families of a push are sorted by their exposed names, and names that expose as one by
 * themselves. */
static bool is_in(const struct push *push, struct str name, struct str exposed)
{
	uint32_t lo = 0, hi = push->n_families;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct push_family *pf = &push->families[mid];
		int r = str_cmp(pf->exposed, exposed);

		if (r == 0)
			r = str_cmp(pf->name, name);
		if (r == 0)
			return true;
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* Takes out families of which no series is shown any more. */
static void take_gone(struct store *s, const struct merged_group *m, const struct wanted *w,
		      const struct push *push)
{
	CLEANUP(strbuf_done) struct strbuf exposed = { 0 };

	for (uint32_t i = 0; i < m->n_families; i++) {
		const struct merged_family *mf = m->families[i];
		struct store_family *f;

		if (!is_wanted(w, mf))
			continue;
		exposed.n = 0;
		text_write_escaped_name(&exposed, mf->name);
		if (is_in(push, mf->name, strbuf_str(&exposed)))
			continue;
		f = store_family_find(s, mf->name, strbuf_str(&exposed),
				      hash_bytes(strbuf_str(&exposed)));
		if (f)
			change_take(s, f);
	}
}

static void forget_changes(struct merged_group *m, const struct wanted *w)
{
	for (uint32_t i = 0; i < m->n_families; i++)
		if (is_wanted(w, m->families[i]))
			m->families[i]->changed = m->families[i]->shape_changed = false;
}

static void free_built(const struct built *b)
{
	b->record->push = NULL;
	record_unref(b->record);
	push_free(b->push);
}

/*
 * Frees what was built for earlier pushes of the batch to the group, and all of whose entries have
 * been replaced: with many pushes it would be many times the group.
 */
static void drop_replaced(struct summed_work *w, const struct group *g)
{
	for (size_t i = w->n_built; i-- > 0;)
		if (w->built[i].group == g && w->built[i].record->refs == 1) {
			free_built(&w->built[i]);
			w->built[i] = w->built[--w->n_built];
		}
}

/* Keeps the push until the end of the batch, since entries borrow from it. */
static void keep_built(struct store *s, struct group *g, struct push *push, struct record *record)
{
	struct summed_work *w = &s->work;

	drop_replaced(w, g);
	if (w->n_built == w->cap_built) {
		w->cap_built = w->cap_built ? w->cap_built * 2 : 16;
		w->built = mem_realloc(w->built, w->cap_built * sizeof(*w->built));
	}
	w->built[w->n_built++] = (struct built){ g, push, record };
}

static int show(struct store *s, struct group *g, const struct wanted *w, bool take_others,
		double now, struct err *err)
{
	struct summed *su = group_summed(g);
	struct merged_group *m = su->group;
	const struct merged_zeros zeros = summed_zeros(s, su, now);
	double counted_since = summed_counted_since(m, &zeros);
	struct record *record;
	struct push *push;
	uint32_t n_wanted;

	/* What is shown is then what the rows say, also of families that nobody has pushed. */
	if (counted_since > su->head.counted_since)
		summed_show_counts(m);
	push = build_push(s, g, m, w, &zeros, now, &n_wanted);
	record = record_new(push, g);
	record->merged = true;
	change_begin(s, g);
	for (uint32_t i = 0; i < push->n_families; i++)
		change_put(s, record, &push->families[i]);
	if (push->n_families < n_wanted)
		take_gone(s, m, w, push);
	if (take_others)
		change_take_others(s);
	/* Limits hold only for what a push changes, since only its pusher can be told. */
	if (w->shape || take_others)
		change_limited(s);
	if (push->err.reason) {
		*err = push->err;
	} else if (change_apply(s, err) == 0) {
		keep_built(s, g, push, record);
		forget_changes(m, w);
		su->head_changed |= counted_since > su->head.counted_since;
		su->head.counted_since = counted_since;
		summed_note_zeros(s, g, &zeros, now);
		return 0;
	}
	record_unref(record);
	push_free(push);
	return -1;
}

int summed_show(struct store *s, struct group *g, bool shape, bool take_others, double now,
		struct err *err)
{
	const struct wanted w = { .shape = shape };

	return show(s, g, &w, take_others, now, err);
}

int summed_show_each(struct store *s, struct group *g, double now,
		     int (*refused)(struct store *s, const struct group *g, struct str family,
				    const char *why))
{
	struct merged_group *m = group_summed(g)->group;

	for (uint32_t i = 0; i < m->n_families; i++) {
		const struct wanted w = { .only = m->families[i] };
		struct err err;

		if (!m->families[i] || !m->families[i]->changed ||
		    show(s, g, &w, false, now, &err) == 0)
			continue;
		forget_changes(m, &w);
		if (refused && refused(s, g, m->families[i]->name, err.msg) < 0)
			return -1;
	}
	return 0;
}

static bool has_changed(const struct merged_group *m)
{
	for (uint32_t i = 0; i < m->n_families; i++)
		if (m->families[i] && m->families[i]->changed && !m->families[i]->dropped)
			return true;
	return false;
}

/*
 * Changed values contradict no other group. But a family that could not be shown when the log was
 * loaded may be among the changed ones, so families are then tried one by one.
 */
void summed_finish(struct store *s)
{
	struct err err;

	for (struct group *g = s->touched; g; g = g->staged->next) {
		struct summed *su = g->staged->exists ? g->staged->summed : NULL;

		if (!su || !has_changed(su->group))
			continue;
		if (summed_show(s, g, false, false, s->work.now, &err) < 0)
			summed_show_each(s, g, s->work.now, NULL);
	}
}

void summed_init(struct store *s)
{
	arena_init(&s->work.arena, ARENA_MUST);
	arena_init(&s->work.bodies, ARENA_MUST);
	remembered_init(&s->folded, ROW_FOLDED, REMEMBERED_MAX);
	remembered_init(&s->push_ids, ROW_PUSH_IDS, REMEMBERED_MAX);
	remembered_init(&s->adders, ROW_PUSH_IDS, REMEMBERED_ADDERS_MAX);
	s->work.builder = (struct push_builder){ .max_series = UINT64_MAX,
						 .max_labels = UINT32_MAX,
						 .rules.lenient = true };
}

void store_limit_sources(struct store *s, const struct source_limits *lim)
{
	s->source_lim = *lim;
}

void summed_done(struct store *s)
{
	struct summed_work *w = &s->work;

	table_done(&s->documents);
	push_builder_done(&w->builder);
	arena_done(&w->arena);
	arena_done(&w->bodies);
	remembered_done(&s->folded);
	remembered_done(&s->push_ids);
	remembered_done(&s->adders);
	free(s->sources.list);
	free(s->zeros.waiting.v);
	free(s->zeros.staged.v);
	free(w->built);
	free(w->documents);
	free(w->popped);
}

static const struct decode_limits no_limits = DECODE_UNLIMITED;

struct family *summed_decode_entry(const struct entry *e, struct arena *a)
{
	CLEANUP(strbuf_done) struct strbuf head = { 0 };
	const struct shown_family *sf = e->help->family;
	struct str proto = bytes_str(lines_proto(&e->lines)), text = lines_text(&e->lines);
	struct family *f = NULL;
	struct err err;
	char *body;

	if (proto.n && proto_decode(arena_dup(a, proto), &no_limits, a, &f, &err) < 0)
		return NULL;
	if (!proto.n && text.n) {
		text_write_header(&head, sf->name, false, STR_NULL, e->lines.type);
		body = arena_alloc(a, head.n + text.n);
		copy_bytes(body, head.p, head.n);
		copy_bytes(body + head.n, text.p, text.n);
		if (text_parse((struct str){ body, head.n + text.n }, &no_limits, a, &f, &err) < 0)
			return NULL;
	}
	if (f && e->help->given) {
		f->has_help = true;
		f->help = arena_dup(a, (struct str){ e->help->p, e->help->n });
	}
	return f;
}

void summed_forget_batch(struct store *s)
{
	struct summed_work *w = &s->work;

	for (size_t i = 0; i < w->n_built; i++)
		free_built(&w->built[i]);
	w->n_built = 0;
	w->n_documents = 0;
	w->listed = false;
	arena_reset(&w->bodies);
}
