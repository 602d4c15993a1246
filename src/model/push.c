#include "model/push.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "format/proto_encode.h"
#include "format/text_parse.h"
#include "format/text_write.h"
#include "model/label_set.h"
#include "model/rules.h"

/*
 * Buffers above the first are given back after a push that has not used a quarter of them, above
 * the second after any.
 */
enum { KEEP_BUFFER = 1024 * 1024, KEEP_BUFFER_IN_USE = 4 * 1024 * 1024 };

struct draft_family {
	const struct family *family;
	struct extent name, exposed, help, text;
	struct extent proto; /* without its length */
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
	struct label_set *recent_set;
};

int push_metric_order(const void *pa, const void *pb)
{
	const struct metric *a = *(const struct metric *const *)pa;
	const struct metric *b = *(const struct metric *const *)pb;

	if (a->n_labels != b->n_labels)
		return a->n_labels < b->n_labels ? -1 : 1;
	for (uint32_t i = 0; i < a->n_labels; i++) {
		struct str va = a->labels[i].value, vb = b->labels[i].value;
		/* The group's are the very same. */
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

/* Whether a metric is one line, which begins with its identity. */
static bool is_simple(const struct draft_family *d)
{
	int32_t type = d->family->type;

	return type == METRIC_COUNTER || type == METRIC_GAUGE || type == METRIC_UNTYPED;
}

/* Where the identities of a family's series are. */
static struct strbuf *ids_of(struct push_builder *b, const struct draft_family *d)
{
	return is_simple(d) ? &b->text : &b->ids;
}

/* Finds two series of one identity among those of a family. */
static int check_duplicates(struct push_builder *b, const struct draft_family *d,
			    struct metric **metrics, const struct extent *ids, struct err *err)
{
	uint32_t cap = 4;

	while (cap < d->n_series * 2)
		cap *= 2;
	uint32_t *slots = arena_zalloc(b->arena, cap * sizeof(*slots)); /* index + 1 */

	if (!slots)
		return arena_full(err);
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
 * text. Measured before it is written after `text` bytes.
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

/* Returns where the labels are. */
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

/* Writes the lines of m and what identifies it. */
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
		return err_set(err, 413, m->line,
			       "the push would take more than %llu bytes in a scrape, eight "
			       "times --limits.body-size",
			       (unsigned long long)b->max_text);
	if (is_simple(df)) {
		text_write_value(&b->text, df->family->type, m);
		df->n_lines++;
	} else {
		df->n_lines += text_write_metric(&b->text, exposed, strbuf_at(ids, labels),
						 df->family->type, m);
	}
	df->lossy |= metric_is_lossy(df->family->type, m);
	look_at_label_names(df, m);
	return 0;
}

static int draft_series(struct push_builder *b, struct draft *d, struct draft_family *df,
			struct metric **metrics, struct err *err)
{
	uint32_t n = df->family->n_metrics;
	struct extent *ids = arena_alloc(b->arena, (n + 1) * sizeof(*ids));
	size_t text_start = b->text.n;

	df->hashes = arena_alloc(b->arena, (n + 1) * sizeof(*df->hashes));
	if (!ids || !df->hashes)
		return arena_full(err);
	b->ids.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (draft_metric(b, df, metrics[i], &ids[i], err) < 0)
			return -1;
		df->hashes[i] = hash_bytes(strbuf_at(ids_of(b, df), ids[i]));
		if (d->n_lines + df->n_lines > b->max_series)
			return err_set(
				err, 413, 0,
				"more than %llu series in one push (--limits.series-per-push)",
				(unsigned long long)b->max_series);
	}
	df->n_series = n;
	df->text = strbuf_since(&b->text, text_start);
	d->n_lines += df->n_lines;
	d->n_series += df->n_series;
	return n > 1 ? check_duplicates(b, df, metrics, ids, err) : 0;
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

static void draft_proto(struct push_builder *b, struct draft_family *df)
{
	size_t start = b->proto.n;

	proto_encode_head(df->family, &b->proto);
	for (const struct metric *m = df->family->metrics; m; m = m->next)
		proto_encode_metric_again(m, &label_set_of(m)->proto, &b->proto);
	proto_encode_tail(df->family, &b->proto);
	df->proto = strbuf_since(&b->proto, start);
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
		bool known;

		if (label_set_apply(m, key, b->arena, &d->recent_set, &known) < 0)
			return arena_full(err);
		if (m->n_labels > b->max_labels)
			return err_set(
				err, 413, m->line,
				"a series has more than %u labels, those of the group included "
				"(--limits.labels-per-series)",
				b->max_labels);
		if (known ? rules_check_again(f, m, err) < 0 : rules_check_metric(f, m, err) < 0)
			return -1;
		label_set_of(m)->plain = m->plain;
		metrics[n++] = m;
	}
	*df = (struct draft_family){ .family = f };
	size_t start = b->head.n;

	text_write_escaped_name(&b->head, f->name);
	df->exposed = strbuf_since(&b->head, start);
	df->escaped = !str_eq(strbuf_at(&b->head, df->exposed), f->name);
	df->name = df->exposed;
	if (df->escaped) {
		start = b->head.n;
		strbuf_adds(&b->head, f->name);
		df->name = strbuf_since(&b->head, start);
	}
	df->lossy = f->unit.n > 0;
	df->hash = hash_bytes(strbuf_at(&b->head, df->exposed));
	start = b->head.n;
	add_valid_utf8(&b->head, f->help);
	df->help = strbuf_since(&b->head, start);
	sort_metrics(metrics, n);
	d->n_families++;
	if (draft_series(b, d, df, metrics, err) < 0)
		return -1;
	/* After the text, whose limit then holds for this as well. */
	draft_proto(b, df);
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
	d->key = strbuf_since(&b->head, start);
	start = b->head.n;
	if (rules_apply_key(&group, key, b->arena) < 0)
		return arena_full(err);
	text_write_labels(&b->head, group.labels, group.n_labels, key->plain);
	d->labels = strbuf_since(&b->head, start);
	return 0;
}

static int push_family_cmp(const void *pa, const void *pb)
{
	const struct push_family *a = pa, *b = pb;
	int r = str_cmp(a->exposed, b->exposed);

	return r ? r : str_cmp(a->name, b->name);
}

static void sort_families(struct push_family *f, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (push_family_cmp(&f[i - 1], &f[i]) > 0) {
			qsort(f, n, sizeof(*f), push_family_cmp);
			return;
		}
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

static struct str place_proto(char **to, const struct push_builder *b, struct extent e)
{
	const char *start = *to;

	*to += proto_put_length(*to, e.n);
	place(to, strbuf_at(&b->proto, e));
	return (struct str){ start, (size_t)(*to - start) };
}

/* Of the lengths before the families' messages, which are not in the builder's buffer. */
static size_t lengths_size(const struct draft *d)
{
	char unused[PROTO_LENGTH_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < d->n_families; i++)
		n += proto_put_length(unused, d->families[i].proto.n);
	return n;
}

/* One allocation for the whole push, exactly as large as it is. */
static struct push *draft_finish(struct push_builder *b, const struct draft *d)
{
	size_t size = sizeof(struct push) + d->n_families * sizeof(struct push_family) +
		      d->n_series * sizeof(uint64_t) + b->head.n + b->text.n + b->proto.n +
		      lengths_size(d);
	struct push *push = mem_alloc(size);
	struct push_family *families = (struct push_family *)(push + 1);
	uint64_t *hashes = (uint64_t *)(families + d->n_families);
	char *to = (char *)(hashes + d->n_series);
	char *head = to;

	*push = (struct push){ .families = families, .n_families = d->n_families };
	push->node.bytes = size;
	place(&to, strbuf_str(&b->head));
	struct str text = place(&to, strbuf_str(&b->text));

	push->key = (struct str){ head + d->key.at, d->key.n };
	push->key_hash = hash_bytes(push->key);
	push->labels = (struct str){ head + d->labels.at, d->labels.n };
	for (uint32_t i = 0; i < d->n_families; i++) {
		const struct draft_family *df = &d->families[i];

		if (df->n_series)
			memcpy(hashes, df->hashes, df->n_series * sizeof(*hashes));
		families[i] = (struct push_family){
			.name = { head + df->name.at, df->name.n },
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
			.proto = place_proto(&to, b, df->proto),
		};
		hashes += df->n_series;
	}
	sort_families(families, d->n_families);
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
