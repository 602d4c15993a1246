/*
 * Applies documents of a summed group that other gateways have written: only these documents are
 * looked at, and only families that they change are shown anew.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/left_out.h"
#include "store/summed.h"

/* The newest row of each document. */
struct news {
	struct table seen; /* rows by id */
	const struct row **rows;
	size_t n;
};

static void news_done(struct news *n)
{
	table_done(&n->seen);
	free(n->rows);
}

static void news_find(struct news *n, const struct applied_document *list, size_t newest)
{
	size_t all = 0;

	for (size_t place = newest; place; place = list[place - 1].before)
		all++;
	n->rows = mem_alloc(all * sizeof(const struct row *));
	for (size_t place = newest; place; place = list[place - 1].before) {
		const struct row *row = &list[place - 1].row;
		uint64_t id;
		size_t at;

		if (!row_document_id(row->body, &id))
			continue;
		at = table_first(&n->seen, id);
		if (table_next(&n->seen, id, &at))
			continue;
		table_add(&n->seen, id, (void *)row);
		n->rows[n->n++] = row;
	}
}

static struct str document_of(const struct row *row)
{
	return (struct str){ row->body.p + DOCUMENT_ID_BYTES, row->body.n - DOCUMENT_ID_BYTES };
}

/* The order in which documents are applied (merged_apply()). */
enum phase { HEAD, GONE, FAMILY, CONTRIBUTION, N_PHASES };

static enum phase phase_of(const struct row *row)
{
	struct str bytes = document_of(row);
	uint64_t id;

	if (row_document_id(row->body, &id) && id == 0)
		return HEAD;
	if (bytes.n == 0)
		return GONE;
	return document_is_family(bytes) ? FAMILY : CONTRIBUTION;
}

struct teller {
	struct store *store;
	struct group *group;
	const struct row *row;
};

/* Which rows are live is noted when the batch is published. */
static void tell(void *arg, struct document *doc, bool there)
{
	struct teller *t = arg;
	struct str body = there ? t->row->body : STR("");

	summed_list_document(t->store, t->group, doc, body)->number = row_first_number(t->row);
}

static int apply_head(struct teller *t, struct err *err)
{
	struct summed *su = t->group->staged->summed;
	struct summed_head head;

	if (!summed_head_decode(document_of(t->row), &head))
		return err_set(err, ERR_STORAGE, 0, "the head of a summed group is damaged");
	if (head.counted_since < su->head.counted_since)
		head.counted_since = su->head.counted_since;
	if (head.zero_first_ns < su->head.zero_first_ns ||
	    head.counted_since > su->head.counted_since)
		summed_show_counts(su->group);
	su->head = head;
	tell(t, &su->doc, true);
	return 0;
}

static int apply_all(struct store *s, struct group *g, const struct news *n, struct err *err)
{
	struct teller t = { s, g, NULL };
	struct merged_news m = {
		.group = g->staged->summed->group,
		.now = s->applied.now,
		.now_ns = clock_mono_ns(),
		.said = tell,
		.arg = &t,
	};
	int r = 0;

	/* The oldest first, since newer sources have higher ids. */
	for (int phase = HEAD; phase < N_PHASES; phase++)
		for (size_t i = n->n; i-- > 0 && r == 0;) {
			uint64_t id;

			t.row = n->rows[i];
			if (phase_of(t.row) != (enum phase)phase ||
			    !row_document_id(t.row->body, &id))
				continue;
			r = phase == HEAD ? apply_head(&t, err)
					  : merged_apply(&m, id, document_of(t.row), err);
		}
	merged_news_done(&m);
	return r;
}

/* A family that was left out when the log was loaded is no reason to load the log again. */
static int is_known(struct store *s, const struct group *g, struct str family, const char *why)
{
	(void)why;
	return store_is_left_out(s, g, 0, family) ? 0 : -1;
}

static int show_all(struct store *s, struct group *g, struct err *err)
{
	if (g->staged->hidden)
		summed_mark_all(g->staged->summed->group);
	if (summed_show(s, g, false, false, s->work.now, err) == 0)
		return 0;
	return store_leaves_out_of(s, g) ? summed_show_each(s, g, s->work.now, is_known) : -1;
}

static int show(struct store *s, struct group *g, struct err *err)
{
	int r;

	s->work.heads_only = true;
	r = show_all(s, g, err);
	s->work.heads_only = false;
	return r;
}

int summed_apply(struct store *s, struct group *g, const struct applied_document *list,
		 struct err *err)
{
	struct news n = { .n = 0 };
	int r;

	change_begin(s, g);
	if (!g->staged->summed) {
		g->staged->summed = summed_new();
		g->staged->summed->head_changed = false;
		change_take_others(s);
		if (change_apply(s, err) < 0)
			return -1;
	}
	news_find(&n, list, g->staged->documents);
	r = apply_all(s, g, &n, err);
	news_done(&n);
	return r < 0 ? -1 : show(s, g, err);
}
