#include "format/protobuf/text.h"

#include <math.h>
#include <stdio.h>

#include "base/num.h"
#include "base/utf8.h"
#include "format/protobuf/wire.h"

struct printer {
	struct strbuf *out;
	bool compact;
	bool behind; /* compact: a field has been written, so a blank is due */
	unsigned depth;
};

static void start_field(struct printer *p, const char *name)
{
	struct strbuf *out = p->out;

	if (p->compact) {
		if (p->behind)
			strbuf_addc(out, ' ');
		strbuf_addz(out, name);
		strbuf_addc(out, ':');
		return;
	}
	/* A message's first field begins a line; an empty message stays on the line of its name. */
	if (out->n && out->p[out->n - 1] == '{')
		strbuf_addc(out, '\n');
	for (unsigned i = 0; i < p->depth; i++)
		strbuf_addz(out, "  ");
	strbuf_addz(out, name);
	strbuf_addz(out, ": ");
}

static void end_field(struct printer *p)
{
	p->behind = true;
	if (!p->compact)
		strbuf_addc(p->out, '\n');
}

static void open_message(struct printer *p, const char *name)
{
	start_field(p, name);
	strbuf_addc(p->out, '{');
	p->behind = false;
	p->depth++;
}

static void close_message(struct printer *p)
{
	bool empty = p->out->p[p->out->n - 1] == '{';

	p->depth--;
	for (unsigned i = 0; i < p->depth && !empty && !p->compact; i++)
		strbuf_addz(p->out, "  ");
	strbuf_addc(p->out, '}');
	end_field(p);
}

static void add_word(struct printer *p, const char *name, const char *word)
{
	start_field(p, name);
	strbuf_addz(p->out, word);
	end_field(p);
}

static void add_uint(struct printer *p, const char *name, uint64_t v)
{
	start_field(p, name);
	strbuf_addf(p->out, "%llu", (unsigned long long)v);
	end_field(p);
}

static void add_int(struct printer *p, const char *name, int64_t v)
{
	start_field(p, name);
	strbuf_addf(p->out, "%lld", (long long)v);
	end_field(p);
}

static void add_double(struct printer *p, const char *name, double v)
{
	start_field(p, name);
	if (isnan(v))
		strbuf_addz(p->out, "nan");
	else if (isinf(v))
		strbuf_addz(p->out, v > 0 ? "inf" : "-inf");
	else
		p->out->n += num_format_signed_zero(v, strbuf_reserve(p->out, NUM_MAX));
	end_field(p);
}

static void add_code_point(struct strbuf *out, uint32_t cp, struct str bytes)
{
	switch (cp) {
	case '"':
	case '\\':
		strbuf_addc(out, '\\');
		strbuf_addc(out, (char)cp);
		return;
	case '\n':
		strbuf_addz(out, "\\n");
		return;
	case '\r':
		strbuf_addz(out, "\\r");
		return;
	case '\t':
		strbuf_addz(out, "\\t");
		return;
	default:
		break;
	}
	if (cp == UTF8_INVALID)
		strbuf_addf(out, "\\x%02x", (unsigned char)bytes.p[0]);
	else if (cp < ' ' || cp == 0x7F)
		strbuf_addf(out, "\\x%02x", cp);
	else if (cp >= 0x80 && cp <= 0x9F)
		strbuf_addf(out, "\\u%04x", cp);
	else
		strbuf_adds(out, bytes);
}

static void add_string(struct printer *p, const char *name, struct str s)
{
	start_field(p, name);
	strbuf_addc(p->out, '"');
	for (size_t i = 0; i < s.n;) {
		unsigned len;
		uint32_t cp = utf8_decode((struct str){ s.p + i, s.n - i }, &len);

		add_code_point(p->out, cp, (struct str){ s.p + i, len });
		i += len;
	}
	strbuf_addc(p->out, '"');
	end_field(p);
}

static void add_timestamp(struct printer *p, const char *name, const struct timestamp *ts)
{
	if (!ts->set)
		return;
	open_message(p, name);
	if (ts->seconds)
		add_int(p, "seconds", ts->seconds);
	if (ts->nanos)
		add_int(p, "nanos", ts->nanos);
	close_message(p);
}

static void add_labels(struct printer *p, const struct label *labels, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		open_message(p, "label");
		add_string(p, "name", labels[i].name);
		add_string(p, "value", labels[i].value);
		close_message(p);
	}
}

static void add_exemplar(struct printer *p, const char *name, const struct exemplar *e)
{
	open_message(p, name);
	add_labels(p, e->labels, e->n_labels);
	add_double(p, "value", e->value);
	add_timestamp(p, "timestamp", &e->ts);
	close_message(p);
}

static void add_value(struct printer *p, const char *name, double v)
{
	open_message(p, name);
	add_double(p, "value", v);
	close_message(p);
}

static void add_counter(struct printer *p, const struct metric *m)
{
	open_message(p, "counter");
	add_double(p, "value", m->counter);
	if (m->exemplar)
		add_exemplar(p, "exemplar", m->exemplar);
	add_timestamp(p, "created_timestamp", &m->counter_created);
	close_message(p);
}

static void add_summary(struct printer *p, const struct summary *s)
{
	open_message(p, "summary");
	add_uint(p, "sample_count", s->count);
	add_double(p, "sample_sum", s->sum);
	for (uint32_t i = 0; i < s->n_quantiles; i++) {
		open_message(p, "quantile");
		add_double(p, "quantile", s->quantiles[i].quantile);
		add_double(p, "value", s->quantiles[i].value);
		close_message(p);
	}
	add_timestamp(p, "created_timestamp", &s->created);
	close_message(p);
}

/* Writes one kind of count, as encode.c does, unless both kinds were pushed. */
static void add_counts(struct printer *p, const char *name, const char *name_float, uint64_t count,
		       double count_float)
{
	if (count || !(count_float > 0))
		add_uint(p, name, count);
	if (count_float != 0 || signbit(count_float))
		add_double(p, name_float, count_float);
}

static void add_spans(struct printer *p, const char *name, const struct span *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		open_message(p, name);
		add_int(p, "offset", s[i].offset);
		add_uint(p, "length", s[i].length);
		close_message(p);
	}
}

static void add_deltas(struct printer *p, const char *name, const int64_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		add_int(p, name, v[i]);
}

static void add_doubles(struct printer *p, const char *name, const double *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		add_double(p, name, v[i]);
}

static void add_native(struct printer *p, const struct histogram *h)
{
	if (h->has_schema)
		add_int(p, "schema", h->schema);
	if (h->has_zero_threshold)
		add_double(p, "zero_threshold", h->zero_threshold);
	if (h->has_zero_count)
		add_uint(p, "zero_count", h->zero_count);
	if (h->has_zero_count_float)
		add_double(p, "zero_count_float", h->zero_count_float);
	add_spans(p, "negative_span", h->neg_spans, h->n_neg_spans);
	add_deltas(p, "negative_delta", h->neg_deltas, h->n_neg_deltas);
	add_doubles(p, "negative_count", h->neg_counts, h->n_neg_counts);
	add_spans(p, "positive_span", h->pos_spans, h->n_pos_spans);
	add_deltas(p, "positive_delta", h->pos_deltas, h->n_pos_deltas);
	add_doubles(p, "positive_count", h->pos_counts, h->n_pos_counts);
}

static void add_histogram(struct printer *p, const struct histogram *h)
{
	open_message(p, "histogram");
	add_counts(p, "sample_count", "sample_count_float", h->count, h->count_float);
	add_double(p, "sample_sum", h->sum);
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		const struct bucket *b = &h->buckets[i];

		open_message(p, "bucket");
		add_counts(p, "cumulative_count", "cumulative_count_float", b->count,
			   b->count_float);
		add_double(p, "upper_bound", b->upper_bound);
		if (b->exemplar)
			add_exemplar(p, "exemplar", b->exemplar);
		close_message(p);
	}
	add_timestamp(p, "created_timestamp", &h->created);
	add_native(p, h);
	for (uint32_t i = 0; i < h->n_exemplars; i++)
		add_exemplar(p, "exemplars", &h->exemplars[i]);
	close_message(p);
}

void proto_text_head(struct strbuf *out, bool compact, const struct family *f)
{
	static const char *const types[] = { "COUNTER", "GAUGE",     "SUMMARY",
					     "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM" };
	struct printer p = { .out = out, .compact = compact };

	add_string(&p, "name", f->name);
	if (f->has_help)
		add_string(&p, "help", f->help);
	if (f->type >= METRIC_COUNTER && f->type <= METRIC_GAUGE_HISTOGRAM)
		add_word(&p, "type", types[f->type]);
	else
		add_int(&p, "type", f->type);
}

void proto_text_metric(struct strbuf *out, bool compact, const struct metric *m)
{
	struct printer p = { .out = out, .compact = compact, .behind = true };

	open_message(&p, "metric");
	add_labels(&p, m->labels, m->n_labels);
	if (m->has & HAS_GAUGE)
		add_value(&p, "gauge", m->gauge);
	if (m->has & HAS_COUNTER)
		add_counter(&p, m);
	if (m->has & HAS_SUMMARY)
		add_summary(&p, m->summary);
	if (m->has & HAS_UNTYPED)
		add_value(&p, "untyped", m->untyped);
	if (m->has & HAS_HISTOGRAM)
		add_histogram(&p, m->histogram);
	close_message(&p);
}

void proto_text_end(struct strbuf *out)
{
	strbuf_addc(out, '\n');
}
