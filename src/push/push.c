#include "push/draft.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "format/protobuf/encode.h"
#include "format/text/write.h"
#include "metrics/names.h"
#include "push/rules.h"
#include "push/stored.h"

/*
 * A buffer larger than KEEP_BUFFER is freed after a push that has used less than a quarter of it,
 * one larger than KEEP_BUFFER_IN_USE after any push.
 */
enum { KEEP_BUFFER = 1024 * 1024, KEEP_BUFFER_IN_USE = 4 * 1024 * 1024 };

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
		return push_arena_full(err);
	if (rules_check_family(f, err) < 0)
		return -1;
	for (struct metric *m = f->metrics; m; m = m->next) {
		bool known;

		if (label_set_apply(m, key, b->arena, &d->recent_set, &known) < 0)
			return push_arena_full(err);
		if (m->n_labels > b->max_labels)
			return err_set(
				err, ERR_TOO_LARGE, m->line,
				"a series has more than %u labels, those of the group included "
				"(--limits.labels-per-series)",
				b->max_labels);
		if (known ? rules_check_again(f, m, &b->rules, err) < 0
			  : rules_check_metric(f, m, &b->rules, err) < 0)
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
	d->n_families++;
	if (push_draft_series(b, d, df, metrics, err) < 0)
		return -1;
	/* The text is written first, since its limit then bounds the protobuf message as well. */
	if (!b->check_only)
		draft_proto(b, df);
	return 0;
}

bool push_is_own_family(struct str name)
{
	return str_eq(name, STR("push_time_seconds")) ||
	       str_eq(name, STR("push_failure_time_seconds")) ||
	       str_eq(name, STR("pushgateway_group_expired")) ||
	       str_eq(name, STR("pushgateway_group_failing_sources")) ||
	       str_eq(name, STR("pushgateway_job_overdue")) ||
	       str_eq(name, STR("pushgateway_next_push_expected_timestamp_seconds"));
}

static int draft_families(struct push_builder *b, struct draft *d, const struct key *key,
			  struct family *families, struct err *err)
{
	uint32_t n = 0;

	for (struct family *f = families; f; f = f->next, n++)
		for (struct metric *m = f->metrics; m; m = m->next)
			if (m->has_timestamp)
				return err_set(err, ERR_INVALID, m->line,
					       "pushed metrics must not have timestamps");
	if (b->max_families && n > b->max_families)
		return err_set(err, ERR_TOO_LARGE, 0,
			       "%u metric families in one push, more than "
			       "--limits.families-per-push=%llu",
			       n, (unsigned long long)b->max_families);
	d->families = arena_alloc(b->arena, (n + 1) * sizeof(*d->families));
	if (!d->families)
		return push_arena_full(err);
	for (struct family *f = families; f; f = f->next)
		if (!push_is_own_family(f->name) && draft_family(b, d, key, f, err) < 0)
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
		return push_arena_full(err);
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
			array_sort(f, n, push_family_cmp);
			return;
		}
}

/* Copies p into the block at *to and moves *to on. */
static struct str place(char **to, struct str s)
{
	struct str placed = { *to, s.n };

	copy_bytes(*to, s.p, s.n);
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

/*
 * The lengths in front of the families' messages take so many bytes. The builder's buffer does not
 * have them.
 */
static size_t lengths_size(const struct draft *d)
{
	char unused[PROTO_LENGTH_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < d->n_families; i++)
		n += proto_put_length(unused, d->families[i].proto.n);
	return n;
}

static uint64_t stored_bytes(const struct draft_family *df)
{
	uint64_t n = STORED_ENTRY + df->stored + stored_help(df->help.n) +
		     (uint64_t)df->n_series * STORED_SERIES;

	return n + (df->lossy || df->escaped ? stored_message(df->proto.n) : 0);
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
	push->node = (struct queue_node){ .bytes = size };
	const char *body;

	place(&to, strbuf_str(&b->head));
	struct str text = place(&to, strbuf_str(&b->text));

	push->key = (struct str){ head + d->key.at, d->key.n };
	push->key_hash = hash_bytes(push->key);
	push->labels = (struct str){ head + d->labels.at, d->labels.n };
	body = to;
	for (uint32_t i = 0; i < d->n_families; i++) {
		const struct draft_family *df = &d->families[i];

		copy_bytes(hashes, df->hashes, df->n_series * sizeof(*hashes));
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
			.stored = stored_bytes(df),
			.hashes = hashes,
			.text = { text.p + df->text.at, df->text.n },
			.proto = place_proto(&to, b, df->proto),
		};
		hashes += df->n_series;
	}
	push->body = (struct str){ body, (size_t)(to - body) };
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
	label_names_done(&b->rules.names);
}

static void forget_families(struct push_builder *b, struct draft *d)
{
	d->n_families = 0;
	d->n_series = 0;
	b->text.n = b->proto.n = 0;
}

struct push *push_build(struct push_builder *b, enum push_mode mode, const struct key *key,
			struct family *families, double now)
{
	struct draft d = { 0 };
	struct err err = { 0 };

	if (draft_key(b, &d, key, &err) < 0 || draft_families(b, &d, key, families, &err) < 0) {
		forget_families(b, &d);
		if (err.reason == ERR_INVALID)
			err_prefix(&err, PUSH_INVALID_PREFIX);
	} else if (b->check_only) {
		forget_families(b, &d);
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
	if (push)
		free(push->said);
	free(push);
}
