#include "format/text/write.h"

#include <math.h>

#include "base/array.h"
#include "base/num.h"
#include "metrics/names.h"

const char *text_type_name(int32_t type)
{
	switch (type) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_SUMMARY:
		return "summary";
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
		return "histogram";
	default:
		return "untyped";
	}
}

static char *put(char *to, const void *from, size_t n)
{
	copy_bytes(to, from, n);
	return to + n;
}

static char *put_str(char *to, struct str s)
{
	return put(to, s.p, s.n);
}

enum { NEEDS_ESCAPE = 1, NEEDS_ESCAPE_IN_QUOTES = 2 };

static const uint8_t escapes[256] = {
	['\\'] = NEEDS_ESCAPE | NEEDS_ESCAPE_IN_QUOTES,
	['\n'] = NEEDS_ESCAPE | NEEDS_ESCAPE_IN_QUOTES,
	['"'] = NEEDS_ESCAPE_IN_QUOTES,
};

/* Room for 2 * s.n bytes. */
static char *put_escaped(char *to, struct str s, uint8_t which)
{
	size_t done = 0;

	for (size_t i = text_skip_verbatim(s); i < s.n; i++) {
		if (!(escapes[(uint8_t)s.p[i]] & which))
			continue;
		to = put(to, s.p + done, i - done);
		*to++ = '\\';
		*to++ = s.p[i] == '\n' ? 'n' : s.p[i];
		done = i + 1;
	}
	return put(to, s.p + done, s.n - done);
}

void text_write_header(struct strbuf *out, struct str exposed_name, bool has_help, struct str help,
		       int32_t type)
{
	struct str word = str_of(text_type_name(type));
	size_t room = sizeof("# HELP  \n# TYPE  \n") + 2 * exposed_name.n + 2 * help.n + word.n;
	char *to = strbuf_reserve(out, room);
	const char *start = to;

	if (has_help) {
		to = put_str(to, STR("# HELP "));
		to = put_str(to, exposed_name);
		*to++ = ' ';
		to = put_escaped(to, help, NEEDS_ESCAPE);
		*to++ = '\n';
	}
	to = put_str(to, STR("# TYPE "));
	to = put_str(to, exposed_name);
	*to++ = ' ';
	to = put_str(to, word);
	*to++ = '\n';
	out->n += (size_t)(to - start);
}

static void write_plain_labels(struct strbuf *out, const struct label *labels, uint32_t n)
{
	size_t room = 1;
	char *to;

	for (uint32_t i = 0; i < n; i++)
		room += labels[i].name.n + labels[i].value.n + sizeof(",=\"\"") - 1;
	to = strbuf_reserve(out, room);
	for (uint32_t i = 0; i < n; i++) {
		*to++ = i == 0 ? '{' : ',';
		to = put_str(to, labels[i].name);
		to = put_str(to, STR("=\""));
		to = put_str(to, labels[i].value);
		*to++ = '"';
	}
	*to = '}';
	out->n += room;
}

void text_write_labels(struct strbuf *out, const struct label *labels, uint32_t n, bool plain)
{
	if (plain && n > 0) {
		write_plain_labels(out, labels, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct str value = labels[i].value;

		strbuf_addc(out, i == 0 ? '{' : ',');
		text_write_escaped_name(out, labels[i].name);

		char *to = strbuf_reserve(out, 2 * value.n + 4);
		const char *start = to;

		to = put_str(to, STR("=\""));
		to = put_escaped(to, value, NEEDS_ESCAPE_IN_QUOTES);
		*to++ = '"';
		if (i == n - 1)
			*to++ = '}';
		out->n += (size_t)(to - start);
	}
}

/* What the lines of one metric have in common. */
struct sample {
	struct strbuf *out;
	struct str name, labels;
};

static char *put_start(const struct sample *s, struct str suffix, char *to)
{
	to = put_str(to, s->name);
	to = put_str(to, suffix);
	return put_str(to, s->labels);
}

static void write_line(const struct sample *s, struct str suffix, double v)
{
	char *to = strbuf_reserve(s->out, s->name.n + suffix.n + s->labels.n + NUM_MAX + 2);
	const char *start = to;

	to = put_start(s, suffix, to);
	*to++ = ' ';
	to += num_format(v, to);
	*to++ = '\n';
	s->out->n += (size_t)(to - start);
}

/* Writes a line with one more label at the end: le or quantile. */
static void write_line_at(const struct sample *s, struct str suffix, struct str label, double at,
			  double v)
{
	char *to = strbuf_reserve(s->out, s->name.n + suffix.n + s->labels.n + label.n +
						  (size_t)2 * NUM_MAX + sizeof("{=\"\"} \n"));
	const char *start = to;

	to = put_start(s, suffix, to);
	if (s->labels.n)
		to[-1] = ','; /* in place of the closing brace */
	else
		*to++ = '{';
	to = put_str(to, label);
	to = put_str(to, STR("=\""));
	to += num_format(at, to);
	to = put_str(to, STR("\"} "));
	to += num_format(v, to);
	*to++ = '\n';
	s->out->n += (size_t)(to - start);
}

static uint32_t write_summary(const struct sample *s, const struct summary *y)
{
	for (uint32_t i = 0; i < y->n_quantiles; i++)
		write_line_at(s, STR(""), STR("quantile"), y->quantiles[i].quantile,
			      y->quantiles[i].value);
	write_line(s, STR("_sum"), y->sum);
	write_line(s, STR("_count"), (double)y->count);
	return y->n_quantiles + 2;
}

static double either(double count_float, uint64_t count)
{
	return count_float != 0 ? count_float : (double)count;
}

static uint32_t write_histogram(const struct sample *s, const struct histogram *h)
{
	double count = either(h->count_float, h->count);
	uint32_t n = h->n_buckets + 2;
	bool inf_seen = false;

	for (uint32_t i = 0; i < h->n_buckets; i++) {
		const struct bucket *b = &h->buckets[i];

		write_line_at(s, STR("_bucket"), STR("le"), b->upper_bound,
			      either(b->count_float, b->count));
		inf_seen |= b->upper_bound == (double)INFINITY;
	}
	if (!inf_seen) {
		write_line_at(s, STR("_bucket"), STR("le"), (double)INFINITY, count);
		n++;
	}
	write_line(s, STR("_sum"), h->sum);
	write_line(s, STR("_count"), count);
	return n;
}

static uint32_t write_simple(const struct sample *s, double v)
{
	write_line(s, STR(""), v);
	return 1;
}

void text_write_value(struct strbuf *out, int32_t type, const struct metric *m)
{
	char *to = strbuf_reserve(out, NUM_MAX + 2);
	const char *start = to;

	*to++ = ' ';
	to += num_format(type == METRIC_GAUGE     ? m->gauge
			 : type == METRIC_COUNTER ? m->counter
						  : m->untyped,
			 to);
	*to++ = '\n';
	out->n += (size_t)(to - start);
}

uint32_t text_write_metric(struct strbuf *out, struct str exposed_name, struct str labels,
			   int32_t type, const struct metric *m)
{
	struct sample s = { out, exposed_name, labels };

	switch (type) {
	case METRIC_COUNTER:
		return m->has & HAS_COUNTER ? write_simple(&s, m->counter) : 0;
	case METRIC_GAUGE:
		return m->has & HAS_GAUGE ? write_simple(&s, m->gauge) : 0;
	case METRIC_UNTYPED:
		return m->has & HAS_UNTYPED ? write_simple(&s, m->untyped) : 0;
	case METRIC_SUMMARY:
		return m->has & HAS_SUMMARY ? write_summary(&s, m->summary) : 0;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
		return m->has & HAS_HISTOGRAM ? write_histogram(&s, m->histogram) : 0;
	default:
		return 0;
	}
}
