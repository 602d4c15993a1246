/* Exemplars in documents. */
#include <stdlib.h>

#include "base/mem.h"
#include "merge/document_numbers.h"

void put_exemplars(struct strbuf *b, const struct exemplars *e)
{
	put(b, e ? e->n : 0);
	for (uint32_t i = 0; e && i < e->n; i++) {
		const struct kept_exemplar *k = &e->list[i];

		put(b, (uint64_t)k->native | (uint64_t)k->ts.set << 1);
		put_double(b, k->bucket);
		put_double(b, k->value);
		put_double(b, k->at);
		put(b, (uint64_t)k->ts.seconds);
		put_signed(b, k->ts.nanos);
		put(b, k->n_labels);
		for (uint32_t j = 0; j < k->n_labels; j++) {
			put_str(b, k->labels[j].name);
			put_str(b, k->labels[j].value);
		}
	}
}

/* The caller frees the labels. */
static void take_one(struct reader *r, struct kept_exemplar *k)
{
	uint64_t flags = take(r);
	struct label *labels;

	k->native = flags & 1;
	k->bucket = take_double(r);
	k->value = take_double(r);
	k->at = take_double(r);
	k->ts.set = flags >> 1 & 1;
	k->ts.seconds = (int64_t)take(r);
	k->ts.nanos = take_signed(r);
	k->n_labels = take_count(r);
	labels = mem_zalloc(k->n_labels * sizeof(*labels));
	for (uint32_t i = 0; i < k->n_labels; i++) {
		labels[i].name = take_str(r);
		labels[i].value = take_str(r);
	}
	k->labels = labels;
}

struct exemplars *take_exemplars(struct reader *r)
{
	uint32_t n = take_count(r);
	struct kept_exemplar *list = mem_zalloc(n * sizeof(*list));
	struct exemplars *e = NULL;

	for (uint32_t i = 0; i < n && !r->bad; i++)
		take_one(r, &list[i]);
	if (!r->bad)
		e = exemplars_newest(NULL, list, n);
	for (uint32_t i = 0; i < n; i++)
		free((void *)list[i].labels);
	free(list);
	return e;
}
