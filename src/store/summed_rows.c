/* The rows of summed groups in the log, one for each document, and which of them are live. */
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/le.h"
#include "base/mem.h"
#include "store/digest.h"
#include "store/internal.h"
#include "store/stored_bytes.h"
#include "store/summed.h"

/* Version 1 ends before counted_since. */
enum { HEAD_VERSION = 2, HEAD = 'H' };
enum { HEAD_BYTES_1 = SUMMED_HEAD_BYTES - 8 };

struct str summed_head_encode(const struct summed_head *h, char to[SUMMED_HEAD_BYTES])
{
	uint64_t counted_since;

	memcpy(&counted_since, &h->counted_since, sizeof(counted_since));
	to[0] = HEAD_VERSION;
	to[1] = HEAD;
	to[2] = (char)h->mode;
	le_put(to + 3, h->birth, 8);
	le_put(to + 11, (uint64_t)h->zero_first_ns, 8);
	le_put(to + 19, h->max_sources, 8);
	le_put(to + 27, counted_since, 8);
	return (struct str){ to, SUMMED_HEAD_BYTES };
}

bool summed_head_decode(struct str bytes, struct summed_head *ret)
{
	bool first = bytes.n == HEAD_BYTES_1 && bytes.p[0] == 1;
	double counted_since = -1;

	if (!first && (bytes.n != SUMMED_HEAD_BYTES || bytes.p[0] != HEAD_VERSION))
		return false;
	if (!first) {
		uint64_t bits = le_take(bytes.p + 27, 8);

		memcpy(&counted_since, &bits, sizeof(bits));
	}
	*ret = (struct summed_head){ .mode = (uint8_t)bytes.p[2],
				     .birth = le_take(bytes.p + 3, 8),
				     .zero_first_ns = (int64_t)le_take(bytes.p + 11, 8),
				     .max_sources = le_take(bytes.p + 19, 8),
				     .counted_since = counted_since };
	return bytes.p[1] == HEAD && ret->zero_first_ns >= 0 && counted_since >= -1 &&
	       counted_since < HUGE_VAL;
}

/* ---- the documents of a batch ---- */

struct lister {
	struct store *store;
	struct group *group;
};

struct staged_document *summed_list_document(struct store *s, struct group *g, struct document *doc,
					     struct str body)
{
	struct summed_work *w = &s->work;

	if (w->n_documents == w->cap_documents) {
		w->cap_documents = w->cap_documents ? w->cap_documents * 2 : 64;
		w->documents = mem_realloc(w->documents, w->cap_documents * sizeof(*w->documents));
	}
	w->documents[w->n_documents] = (struct staged_document){ g, doc, body, 0 };
	return &w->documents[w->n_documents++];
}

/* The body of a row begins with the document's number in its group: 8 bytes, the lowest first. */
static void list_document(void *arg, struct document *doc, struct str bytes)
{
	struct lister *l = arg;
	size_t n = DOCUMENT_ID_BYTES + bytes.n;
	char *body;

	/* The document is gone before it was ever written. */
	if (bytes.n == 0 && doc->number == 0)
		return;
	body = arena_alloc(&l->store->work.bodies, n);
	le_put(body, doc->id, 8);
	copy_bytes(body + DOCUMENT_ID_BYTES, bytes.p, bytes.n);
	summed_list_document(l->store, l->group, doc, (struct str){ body, n });
}

static void list_group(struct store *s, struct group *g, struct summed *su)
{
	struct lister l = { s, g };
	char head[SUMMED_HEAD_BYTES];

	if (su->head_changed || su->all_changed)
		list_document(&l, &su->doc, summed_head_encode(&su->head, head));
	if (su->all_changed)
		merged_all_documents(su->group, list_document, &l);
	else
		merged_documents(su->group, list_document, &l);
}

static void list_documents(struct store *s)
{
	if (s->work.listed)
		return;
	s->work.listed = true;
	for (struct group *g = s->touched; g; g = g->staged->next)
		if (g->staged->exists && g->staged->summed)
			list_group(s, g, g->staged->summed);
}

static void add_remembered(struct store *s, struct remembered *r, uint64_t *next)
{
	struct str body;
	struct row *row;

	if (r->n_staged == 0)
		return;
	body = remembered_body(r);
	row = store_row_add(s, r->kind);
	row->number = (*next)++;
	row->at = s->work.now;
	row->body = arena_dup(&s->work.bodies, body);
	row->checksum = row_checksum(row);
	r->row = row->number;
	free((char *)body.p);
}

void summed_rows(struct store *s, uint64_t *next)
{
	list_documents(s);
	add_remembered(s, &s->folded, next);
	add_remembered(s, &s->push_ids, next);
	for (size_t i = 0; i < s->work.n_documents; i++) {
		struct staged_document *d = &s->work.documents[i];
		struct row *row = store_row_add(s, ROW_DOCUMENT);

		d->number = (*next)++;
		row->number = d->number;
		row->group = d->group->staged->id;
		row->at = s->work.now;
		row->body = d->body;
		row->checksum = row_checksum(row);
	}
}

/* ---- which are live ---- */

static void forget_row(struct store *s, struct document *doc)
{
	if (doc->number == 0)
		return;
	table_remove(&s->documents, doc->number, doc);
	digest_count(s, -1, DIGEST_DOCUMENT, doc->number, 0, STR(""));
	s->log.live_bytes -= row_bytes_of(doc->bytes);
	doc->number = 0;
}

void summed_know_row(struct store *s, struct document *doc, uint64_t number, size_t bytes)
{
	forget_row(s, doc);
	if (number == 0)
		return;
	doc->number = number;
	doc->bytes = (uint32_t)bytes;
	table_add(&s->documents, number, doc);
	digest_count(s, 1, DIGEST_DOCUMENT, number, 0, STR(""));
	s->log.live_bytes += row_bytes_of(bytes);
}

bool summed_is_live(const struct store *s, const struct row *row)
{
	uint64_t number = row_first_number(row);
	size_t at = table_first(&s->documents, number);

	if (row->kind == ROW_FOLDED || row->kind == ROW_PUSH_IDS)
		return remembered_is_live(row->kind == ROW_FOLDED ? &s->folded : &s->push_ids,
					  number);
	return table_next(&s->documents, number, &at) != NULL;
}

void summed_know_rows(struct store *s)
{
	for (size_t i = 0; i < s->work.n_documents; i++) {
		const struct staged_document *d = &s->work.documents[i];

		if (d->body.n > DOCUMENT_ID_BYTES)
			summed_know_row(s, d->doc, d->number, d->body.n);
		else
			forget_row(s, d->doc);
	}
	s->log.live_bytes += (uint64_t)remembered_publish(&s->folded);
	s->log.live_bytes += (uint64_t)remembered_publish(&s->push_ids);
	remembered_publish(&s->adders);
	for (size_t i = 0; i < s->work.n_built; i++)
		s->work.built[i].record->number = s->work.built[i].group->staged->id;
}

static void forget_document(void *arg, struct document *doc)
{
	forget_row(arg, doc);
}

static void count_use(struct store *s, struct summed *su, const struct summed_use *now)
{
	s->source_values += now->values - su->n_values;
	s->merged_bytes += now->bytes - su->n_bytes;
	su->n_values = now->values;
	su->n_bytes = now->bytes;
}

static void forget_all_rows(struct store *s, struct summed *su)
{
	summed_stop_waiting(s, su);
	summed_hide_sources(s, su);
	count_use(s, su, &(struct summed_use){ 0 });
	forget_row(s, &su->doc);
	merged_each_document(su->group, forget_document, s);
}

void summed_publish(struct store *s, struct group *g)
{
	struct summed *su = g->staged->exists ? g->staged->summed : NULL;

	if (g->summed != su && g->summed) {
		/* The old group is replaced, so what the batch did to it does not count. */
		merged_undo(g->summed->group, 0);
		forget_all_rows(s, g->summed);
		if (su)
			su->digest = g->summed->digest;
		summed_free(g->summed);
	}
	g->summed = su;
	if (!su)
		return;
	if (su->all_changed) {
		summed_await_all(s, g);
		summed_show_all_sources(s, g);
	} else {
		summed_await_touched(s, g);
		summed_show_sources(s, g);
	}
	merged_commit(su->group);
	count_use(s, su, &(struct summed_use){ su->group->n_values, stored_summed(g, su) });
	su->before = su->head;
	su->head_changed = su->all_changed = false;
}

void summed_rolled_back(struct group *g)
{
	struct summed *staged = g->staged->summed;

	if (staged != g->summed)
		summed_free(staged);
	if (!g->summed)
		return;
	merged_undo(g->summed->group, 0);
	g->summed->head = g->summed->before;
	g->summed->head_changed = false;
}
