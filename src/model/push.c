#include "model/push.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "format/proto_encode.h"
#include "format/text_parse.h"
#include "format/text_write.h"
#include "model/rules.h"

/*
 * Buffers above the first are given back after a push that has not used a quarter of them, above
 * the second after any.
 */
enum { KEEP_BUFFER = 1024 * 1024, KEEP_BUFFER_IN_USE = 4 * 1024 * 1024 };

/* Where a part of the push lies while the builder's buffers can still move. */
struct extent {
	size_t at, n;
};

struct draft_family {
	const struct family *family;
	struct extent exposed, help, text, proto;
	uint64_t hash;
	uint64_t *hashes;
	uint32_t n_series, n_lines;
	bool lossy, escaped;
};

struct draft {
	struct draft_family *families;
	uint32_t n_families;
	uint64_t n_lines, n_series;
	struct extent key, labels;
};

static struct extent since(const struct strbuf *b, size_t start)
{
	return (struct extent){ start, b->n - start };
}

static struct str at(const struct strbuf *b, struct extent e)
{
	return (struct str){ b->p + e.at, e.n };
}

int push_metric_order(const void *pa, const void *pb)
{
	const struct metric *a = *(const struct metric *const *)pa;
	const struct metric *b = *(const struct metric *const *)pb;

	if (a->n_labels != b->n_labels)
		return a->n_labels < b->n_labels ? -1 : 1;
	for (uint32_t i = 0; i < a->n_labels; i++) {
		int r = str_cmp(a->labels[i].value, b->labels[i].value);

		if (r)
			return r;
	}
	return 0;
}

static void sort_metrics(struct metric **m, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (push_metric_order(&m[i - 1], &m[i]) > 0) {
			qsort(m, n, sizeof(*m), push_metric_order);
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
	if (m->exemplar || m->counter_created.set || m->unknown.n)
		return true;
	if (value_is_lossy(type == METRIC_GAUGE     ? m->gauge
			   : type == METRIC_COUNTER ? m->counter
						    : m->untyped))
		return true;
	return false;
}

/* A label with a colon is written as it is, but the text format does not read it back. */
static void look_at_label_names(struct draft_family *df, const struct metric *m)
{
	for (uint32_t i = 0; i < m->n_labels && !m->plain; i++) {
		if (name_is_classic_label(m->labels[i].name))
			continue;
		df->lossy = true;
		df->escaped |= !name_is_classic_metric(m->labels[i].name);
	}
}

static int arena_full(struct err *err)
{
	return err_set(err, 413, 0,
		       "the push needs more memory than one push may take (--limits.body-size)");
}

/* Finds two series of one identity among those of a family. ids[i] is where identity i ends. */
static int check_duplicates(struct push_builder *b, const struct draft_family *d,
			    struct metric **metrics, const size_t *ends, struct err *err)
{
	uint32_t cap = 4;

	while (cap < d->n_series * 2)
		cap *= 2;
	uint32_t *slots = arena_zalloc(b->arena, cap * sizeof(*slots)); /* index + 1 */

	if (!slots)
		return arena_full(err);
	for (uint32_t i = 0; i < d->n_series; i++) {
		size_t start = i ? ends[i - 1] : 0;
		struct str id = { b->ids.p + start, ends[i] - start };
		uint32_t s = (uint32_t)d->hashes[i] & (cap - 1);

		for (; slots[s]; s = (s + 1) & (cap - 1)) {
			uint32_t j = slots[s] - 1;
			size_t other = j ? ends[j - 1] : 0;

			if (d->hashes[i] == d->hashes[j] &&
			    str_eq(id, (struct str){ b->ids.p + other, ends[j] - other }))
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
 * text. Measured before anything is written.
 */
static bool text_too_long(const struct push_builder *b, const struct metric *m, size_t id)
{
	enum { PER_LINE = 128 }; /* suffix, le or quantile, value */
	uint64_t lines = 1;

	if (m->histogram)
		lines = (uint64_t)m->histogram->n_buckets + 3;
	else if (m->summary)
		lines = (uint64_t)m->summary->n_quantiles + 2;
	return b->text.n + lines * (id + PER_LINE) > (b->max_text ? b->max_text : UINT32_MAX);
}

static int draft_series(struct push_builder *b, struct draft *d, struct draft_family *df,
			struct metric **metrics, struct err *err)
{
	const struct family *f = df->family;
	size_t *ends = arena_alloc(b->arena, (f->n_metrics + 1) * sizeof(*ends));
	size_t text_start = b->text.n;

	df->hashes = arena_alloc(b->arena, (f->n_metrics + 1) * sizeof(*df->hashes));
	if (!ends || !df->hashes)
		return arena_full(err);
	b->ids.n = 0;
	for (uint32_t i = 0; i < f->n_metrics; i++) {
		struct metric *m = metrics[i];
		size_t id = b->ids.n;
		struct str exposed = at(&b->head, df->exposed);

		strbuf_adds(&b->ids, exposed);
		size_t labels = b->ids.n;

		text_write_labels(&b->ids, m->labels, m->n_labels, m->plain);
		df->hashes[i] = hash_bytes((struct str){ b->ids.p + id, b->ids.n - id });
		ends[i] = b->ids.n;
		if (text_too_long(b, m, ends[i] - id))
			return err_set(
				err, 413, m->line,
				"the push would take more than %llu bytes in a scrape, eight "
				"times --limits.body-size",
				(unsigned long long)b->max_text);
		df->n_lines += text_write_metric(
			&b->text, exposed, (struct str){ b->ids.p + labels, b->ids.n - labels },
			f->type, m);
		df->lossy |= metric_is_lossy(f->type, m);
		look_at_label_names(df, m);
		if (d->n_lines + df->n_lines > b->max_series)
			return err_set(
				err, 413, 0,
				"more than %llu series in one push (--limits.series-per-push)",
				(unsigned long long)b->max_series);
	}
	df->n_series = f->n_metrics;
	df->text = since(&b->text, text_start);
	d->n_lines += df->n_lines;
	d->n_series += df->n_series;
	return f->n_metrics > 1 ? check_duplicates(b, df, metrics, ends, err) : 0;
}

/* Prometheus refuses a whole scrape over one help text that is not UTF-8. */
static void add_valid_utf8(struct strbuf *out, struct str s)
{
	size_t i = 0;

	if (utf8_valid(s)) {
		strbuf_adds(out, s);
		return;
	}
	while (i < s.n) {
		unsigned len;

		if (utf8_decode((struct str){ s.p + i, s.n - i }, &len) == UTF8_INVALID)
			strbuf_add(out, "\xEF\xBF\xBD", 3);
		else
			strbuf_add(out, s.p + i, len);
		i += len;
	}
}

static int draft_family(struct push_builder *b, struct draft *d, const struct key *key,
			struct family *f, struct err *err)
{
	struct draft_family *df = &d->families[d->n_families];
	struct metric **metrics = arena_alloc(b->arena, (f->n_metrics + 1) * sizeof(*metrics));
	uint32_t n = 0;

	if (!metrics)
		return arena_full(err);
	if (rules_check_family(f, err) < 0)
		return -1;
	for (struct metric *m = f->metrics; m; m = m->next) {
		if (rules_apply_key(m, key, b->arena) < 0)
			return arena_full(err);
		if (m->n_labels > b->max_labels)
			return err_set(
				err, 413, m->line,
				"a series has more than %u labels, those of the group included "
				"(--limits.labels-per-series)",
				b->max_labels);
		if (rules_check_metric(f, m, err) < 0)
			return -1;
		metrics[n++] = m;
	}
	*df = (struct draft_family){ .family = f };
	size_t start = b->head.n;

	text_write_escaped_name(&b->head, f->name);
	df->exposed = since(&b->head, start);
	df->escaped = !str_eq(at(&b->head, df->exposed), f->name);
	df->lossy = f->unit.n > 0;
	df->hash = hash_bytes(at(&b->head, df->exposed));
	start = b->head.n;
	add_valid_utf8(&b->head, f->help);
	df->help = since(&b->head, start);
	sort_metrics(metrics, n);
	d->n_families++;
	if (draft_series(b, d, df, metrics, err) < 0)
		return -1;
	/* After the text, whose limit then holds for this as well. */
	start = b->proto.n;
	proto_encode_family(f, &b->proto);
	df->proto = since(&b->proto, start);
	return 0;
}

/* The time metrics are ours: what a pusher sends under their names is dropped. */
static bool is_time_metric(const struct family *f)
{
	return str_eq(f->name, STR("push_time_seconds")) ||
	       str_eq(f->name, STR("push_failure_time_seconds"));
}

static int draft_families(struct push_builder *b, struct draft *d, const struct key *key,
			  struct family *families, struct err *err)
{
	uint32_t n = 0;

	for (struct family *f = families; f; f = f->next, n++)
		for (struct metric *m = f->metrics; m; m = m->next)
			if (m->has_timestamp)
				return err_set(err, 400, m->line,
					       "pushed metrics must not have timestamps");
	d->families = arena_alloc(b->arena, (n + 1) * sizeof(*d->families));
	if (!d->families)
		return arena_full(err);
	for (struct family *f = families; f; f = f->next)
		if (!is_time_metric(f) && draft_family(b, d, key, f, err) < 0)
			return -1;
	return 0;
}

static int draft_key(struct push_builder *b, struct draft *d, const struct key *key,
		     struct err *err)
{
	struct metric group = { 0 };
	size_t start = b->head.n;

	key_encode(key, &b->head);
	d->key = since(&b->head, start);
	start = b->head.n;
	if (rules_apply_key(&group, key, b->arena) < 0)
		return arena_full(err);
	text_write_labels(&b->head, group.labels, group.n_labels, key->plain);
	d->labels = since(&b->head, start);
	return 0;
}

static int push_family_cmp(const void *pa, const void *pb)
{
	const struct push_family *a = pa, *b = pb;
	int r = str_cmp(a->exposed, b->exposed);

	return r ? r : str_cmp(a->name, b->name);
}

/* Copies p into the block at *to and moves *to on. */
static struct str place(char **to, struct str s)
{
	struct str placed = { *to, s.n };

	if (s.n)
		memcpy(*to, s.p, s.n);
	*to += s.n;
	return placed;
}

/* One allocation for the whole push, exactly as large as it is. */
static struct push *draft_finish(struct push_builder *b, const struct draft *d)
{
	size_t names = 0;

	for (uint32_t i = 0; i < d->n_families; i++)
		names += d->families[i].family->name.n;
	size_t size = sizeof(struct push) + d->n_families * sizeof(struct push_family) +
		      d->n_series * sizeof(uint64_t) + b->head.n + names + b->text.n + b->proto.n;
	struct push *push = mem_alloc(size);
	struct push_family *families = (struct push_family *)(push + 1);
	uint64_t *hashes = (uint64_t *)(families + d->n_families);
	char *to = (char *)(hashes + d->n_series);
	char *head = to;

	*push = (struct push){ .families = families, .n_families = d->n_families };
	push->node.bytes = size;
	place(&to, strbuf_str(&b->head));
	struct str text = place(&to, strbuf_str(&b->text));
	struct str proto = place(&to, strbuf_str(&b->proto));

	push->key = (struct str){ head + d->key.at, d->key.n };
	push->key_hash = hash_bytes(push->key);
	push->labels = (struct str){ head + d->labels.at, d->labels.n };
	for (uint32_t i = 0; i < d->n_families; i++) {
		const struct draft_family *df = &d->families[i];

		if (df->n_series)
			memcpy(hashes, df->hashes, df->n_series * sizeof(*hashes));
		families[i] = (struct push_family){
			.name = place(&to, df->family->name),
			.exposed = { head + df->exposed.at, df->exposed.n },
			.hash = df->hash,
			.help = { head + df->help.at, df->help.n },
			.has_help = df->family->has_help,
			.type = (uint8_t)df->family->type,
			.lossy = df->lossy || df->escaped,
			.escaped = df->escaped,
			.n_series = df->n_series,
			.n_lines = df->n_lines,
			.hashes = hashes,
			.text = { text.p + df->text.at, df->text.n },
			.proto = { proto.p + df->proto.at, df->proto.n },
		};
		hashes += df->n_series;
	}
	qsort(families, d->n_families, sizeof(*families), push_family_cmp);
	return push;
}

static void builder_reset(struct push_builder *b)
{
	struct strbuf *buffers[] = { &b->text, &b->proto, &b->ids, &b->head };

	for (size_t i = 0; i < ARRAY_LEN(buffers); i++) {
		size_t keep = buffers[i]->n < buffers[i]->cap / 4 ? KEEP_BUFFER
								  : KEEP_BUFFER_IN_USE;

		buffers[i]->n = 0;
		if (buffers[i]->cap > keep)
			strbuf_done(buffers[i]);
	}
}

void push_builder_done(struct push_builder *b)
{
	strbuf_done(&b->text);
	strbuf_done(&b->proto);
	strbuf_done(&b->ids);
	strbuf_done(&b->head);
}

struct push *push_build(struct push_builder *b, enum push_mode mode, const struct key *key,
			struct family *families, double now)
{
	struct draft d = { 0 };
	struct err err = { 0 };

	if (draft_key(b, &d, key, &err) < 0 || draft_families(b, &d, key, families, &err) < 0) {
		d.n_families = 0;
		d.n_series = 0;
		b->text.n = b->proto.n = 0;
		if (err.status == 400)
			err_prefix(&err, PUSH_INVALID_PREFIX);
	}
	struct push *push = draft_finish(b, &d);

	push->mode = mode;
	push->now = now;
	push->err = err;
	builder_reset(b);
	return push;
}

void push_free(struct push *push)
{
	free(push);
}
