#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "format/text/write.h"
#include "metrics/names.h"
#include "push/draft.h"
#include "push/rules.h"
#include "push/stored.h"

int push_arena_full(struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, 0,
		       "the push needs more memory than one push may take (--limits.body-size)");
}

int push_metric_order(const void *pa, const void *pb)
{
	const struct metric *a = *(const struct metric *const *)pa;
	const struct metric *b = *(const struct metric *const *)pb;

	if (a->n_labels != b->n_labels)
		return a->n_labels < b->n_labels ? -1 : 1;
	for (uint32_t i = 0; i < a->n_labels; i++) {
		struct str va = a->labels[i].value, vb = b->labels[i].value;
		/* Equal pointers: both are the label that all series of the group share. */
		int r = va.p == vb.p && va.n == vb.n ? 0 : str_cmp(va, vb);

		if (r)
			return r;
	}
	return 0;
}

static void sort_metrics(struct metric **m, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (push_metric_order(&m[i - 1], &m[i]) > 0) {
			array_sort(m, n, push_metric_order);
			return;
		}
}

static bool value_is_lossy(double v)
{
	return v == 0 && signbit(v); /* the exposition prints 0 for both zeros */
}

static bool metric_is_lossy(int32_t type, const struct metric *m)
{
	if (type == METRIC_SUMMARY || type == METRIC_HISTOGRAM || type == METRIC_GAUGE_HISTOGRAM)
		return true;
	if (m->exemplar || m->counter_created.set)
		return true;
	if (value_is_lossy(type == METRIC_GAUGE     ? m->gauge
			   : type == METRIC_COUNTER ? m->counter
						    : m->untyped))
		return true;
	return false;
}

/* A label name with a colon is written unescaped, but the text format cannot read it back. */
static void look_at_label_names(struct draft_family *df, const struct metric *m)
{
	for (uint32_t i = 0; i < m->n_labels && !m->plain; i++) {
		if (name_is_classic_label(m->labels[i].name))
			continue;
		df->lossy = true;
		df->escaped |= !name_is_classic_metric(m->labels[i].name);
	}
}

/* Whether a metric is one line, which begins with its identity. */
static bool is_simple(const struct draft_family *d)
{
	int32_t type = d->family->type;

	return type == METRIC_COUNTER || type == METRIC_GAUGE || type == METRIC_UNTYPED;
}

/* The buffer with the identities of the family's series. */
static struct strbuf *ids_of(struct push_builder *b, const struct draft_family *d)
{
	return is_simple(d) ? &b->text : &b->ids;
}

/* Two series of the family with the same identity are an error. */
static int check_duplicates(struct push_builder *b, const struct draft_family *d,
			    struct metric **metrics, const struct extent *ids, struct err *err)
{
	uint32_t cap = 4;

	while (cap < d->n_series * 2)
		cap *= 2;
	uint32_t *slots = arena_zalloc(b->arena, cap * sizeof(*slots)); /* index + 1 */

	if (!slots)
		return push_arena_full(err);
	for (uint32_t i = 0; i < d->n_series; i++) {
		struct str id = strbuf_at(ids_of(b, d), ids[i]);
		uint32_t s = (uint32_t)d->hashes[i] & (cap - 1);

		for (; slots[s]; s = (s + 1) & (cap - 1)) {
			uint32_t j = slots[s] - 1;

			if (d->hashes[i] == d->hashes[j] &&
			    str_eq(id, strbuf_at(ids_of(b, d), ids[j])))
				return rules_refuse(
					err, d->family->name, metrics[i]->labels,
					metrics[i]->n_labels, metrics[i]->line,
					"was collected before with the same name and label "
					"values");
		}
		slots[s] = i + 1;
	}
	return 0;
}

/*
 * A histogram repeats its labels on every line: some kilobytes of protobuf can become gigabytes of
 * text. So the length is estimated before anything is written; `text` bytes are there already.
 */
static bool text_too_long(const struct push_builder *b, const struct metric *m, size_t text,
			  size_t id)
{
	enum { PER_LINE = 128 }; /* suffix, le or quantile, value */
	uint64_t lines = 1;

	if (m->histogram)
		lines = (uint64_t)m->histogram->n_buckets + 3;
	else if (m->summary)
		lines = (uint64_t)m->summary->n_quantiles + 2;
	return text + lines * (id + PER_LINE) > (b->max_text ? b->max_text : UINT32_MAX);
}

/* Returns where the labels are in `out`. */
static struct extent write_labels(struct push_builder *b, const struct metric *m,
				  struct strbuf *out)
{
	struct label_set *set = label_set_of(m);
	size_t start = out->n;

	if (!set->text.n) {
		text_write_labels(out, m->labels, m->n_labels, m->plain);
		if (out == &b->text)
			set->text = strbuf_since(out, start);
	} else if (out == &b->text) {
		strbuf_repeat(out, set->text);
	} else {
		strbuf_adds(out, strbuf_at(&b->text, set->text));
	}
	return strbuf_since(out, start);
}

/* Writes the lines of m. *ret_id is its identity: name and labels. */
static int draft_metric(struct push_builder *b, struct draft_family *df, struct metric *m,
			struct extent *ret_id, struct err *err)
{
	struct strbuf *ids = ids_of(b, df);
	struct str exposed = strbuf_at(&b->head, df->exposed);
	size_t text = b->text.n, start = ids->n;

	strbuf_adds(ids, exposed);
	struct extent labels = write_labels(b, m, ids);

	*ret_id = strbuf_since(ids, start);
	if (text_too_long(b, m, text, ret_id->n))
		return err_set(err, ERR_TOO_LARGE, m->line,
			       "the push would take more than %llu bytes in a scrape, eight "
			       "times --limits.body-size",
			       (unsigned long long)b->max_text);
	if (is_simple(df)) {
		text_write_value(&b->text, df->family->type, m);
		df->n_lines++;
		df->stored += ret_id->n + STORED_LINE;
	} else {
		uint32_t n = text_write_metric(&b->text, exposed, strbuf_at(ids, labels),
					       df->family->type, m);

		df->n_lines += n;
		df->stored += (uint64_t)n * (ret_id->n + STORED_PART_LINE);
	}
	df->lossy |= metric_is_lossy(df->family->type, m);
	look_at_label_names(df, m);
	return 0;
}

int push_draft_series(struct push_builder *b, struct draft *d, struct draft_family *df,
		      struct metric **metrics, struct err *err)
{
	uint32_t n = df->family->n_metrics;
	struct extent *ids = arena_alloc(b->arena, (n + 1) * sizeof(*ids));
	size_t text_start = b->text.n;

	df->hashes = arena_alloc(b->arena, (n + 1) * sizeof(*df->hashes));
	if (!ids || !df->hashes)
		return push_arena_full(err);
	sort_metrics(metrics, n);
	b->ids.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (draft_metric(b, df, metrics[i], &ids[i], err) < 0)
			return -1;
		df->hashes[i] = hash_bytes(strbuf_at(ids_of(b, df), ids[i]));
		if (d->n_lines + df->n_lines > b->max_series)
			return err_set(
				err, ERR_TOO_LARGE, 0,
				"more than %llu series in one push (--limits.series-per-push)",
				(unsigned long long)b->max_series);
	}
	df->n_series = n;
	df->text = strbuf_since(&b->text, text_start);
	d->n_lines += df->n_lines;
	d->n_series += df->n_series;
	return n > 1 ? check_duplicates(b, df, metrics, ids, err) : 0;
}
