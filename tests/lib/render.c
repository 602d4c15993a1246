#include "lib/render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/text/parse.h"
#include "metrics/names.h"

static void add_escaped(struct strbuf *out, struct str s, bool quote_too)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' || c == '\n' || (c == '"' && quote_too))
			strbuf_addc(out, '\\');
		strbuf_addc(out, c == '\n' ? 'n' : c);
	}
}

static void add_quoted(struct strbuf *out, struct str s)
{
	strbuf_addc(out, '"');
	add_escaped(out, s, true);
	strbuf_addc(out, '"');
}

/* The shortest of three precisions that reads back to the same value. */
static void add_number(struct strbuf *out, double v)
{
	char text[64];

	if (isnan(v)) {
		strbuf_addz(out, "NaN");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	strbuf_addz(out, text);
}

/* In a form that Go's conversion from double turns into the same count again. */
static void add_count(struct strbuf *out, uint64_t count)
{
	double v = (double)count;

	if (v < 0x1p64 && (uint64_t)v == count)
		strbuf_addf(out, "%llu", (unsigned long long)count);
	else
		strbuf_addf(out, "%lld", (long long)count);
}

static void add_name(struct strbuf *out, struct str name, const char *suffix)
{
	bool is_classic = name_is_classic_metric(name);

	if (!is_classic)
		strbuf_addc(out, '"');
	add_escaped(out, name, true);
	strbuf_addz(out, suffix);
	if (!is_classic)
		strbuf_addc(out, '"');
}

/* Name and labels of one sample; bound_name NULL: no le or quantile. */
static void add_series(struct strbuf *out, const struct family *f, const char *suffix,
		       const struct metric *m, const char *bound_name, double bound)
{
	bool inside = !name_is_classic_metric(f->name);
	const char *sep = "";

	if (!inside)
		add_name(out, f->name, suffix);
	if (inside || m->n_labels || bound_name)
		strbuf_addc(out, '{');
	if (inside) {
		add_name(out, f->name, suffix);
		sep = ",";
	}
	for (uint32_t i = 0; i < m->n_labels; i++) {
		strbuf_addz(out, sep);
		if (name_is_classic_label(m->labels[i].name))
			strbuf_adds(out, m->labels[i].name);
		else
			add_quoted(out, m->labels[i].name);
		strbuf_addc(out, '=');
		add_quoted(out, m->labels[i].value);
		sep = ",";
	}
	if (bound_name) {
		strbuf_addf(out, "%s%s=\"", sep, bound_name);
		add_number(out, bound);
		strbuf_addc(out, '"');
	}
	if (inside || m->n_labels || bound_name)
		strbuf_addc(out, '}');
	strbuf_addc(out, ' ');
}

static void add_plain(struct strbuf *out, const struct family *f, const struct metric *m)
{
	double v = m->has == HAS_COUNTER ? m->counter : m->has == HAS_GAUGE ? m->gauge : m->untyped;

	add_series(out, f, "", m, NULL, 0);
	add_number(out, v);
}

static void add_summary(struct strbuf *out, const struct family *f, const struct metric *m)
{
	const struct summary *s = m->summary;

	for (uint32_t i = 0; i < s->n_quantiles; i++) {
		add_series(out, f, "", m, "quantile", s->quantiles[i].quantile);
		add_number(out, s->quantiles[i].value);
		strbuf_addc(out, '\n');
	}
	add_series(out, f, "_sum", m, NULL, 0);
	add_number(out, s->sum);
	strbuf_addc(out, '\n');
	add_series(out, f, "_count", m, NULL, 0);
	add_count(out, s->count);
}

static void add_either_count(struct strbuf *out, uint64_t count, double count_float)
{
	if (count && count_float != 0)
		strbuf_addz(out, "both ");
	if (count_float != 0)
		add_number(out, count_float);
	else
		add_count(out, count);
}

static void add_histogram(struct strbuf *out, const struct family *f, const struct metric *m)
{
	const struct histogram *h = m->histogram;
	bool is_float = h->count_float != 0, is_integer = h->count != 0;

	for (uint32_t i = 0; i < h->n_buckets; i++) {
		is_float |= h->buckets[i].count_float != 0;
		is_integer |= h->buckets[i].count != 0;
	}
	if (is_float)
		strbuf_addz(out, is_integer ? "# mixed\n" : "# float\n");
	for (uint32_t i = 0; i < h->n_buckets; i++) {
		/* Not h_bucket: a family of that name may stand before this one. */
		add_series(out, f, "", m, "le", h->buckets[i].upper_bound);
		add_either_count(out, h->buckets[i].count, h->buckets[i].count_float);
		strbuf_addc(out, '\n');
	}
	add_series(out, f, "_sum", m, NULL, 0);
	add_number(out, h->sum);
	strbuf_addc(out, '\n');
	add_series(out, f, "_count", m, NULL, 0);
	add_either_count(out, h->count, h->count_float);
}

static void add_header(struct strbuf *out, const struct family *f)
{
	static const char *const types[] = { "counter", "gauge",     "summary",
					     "untyped", "histogram", "gaugehistogram" };

	if (f->has_help) {
		strbuf_addz(out, "# HELP ");
		add_name(out, f->name, "");
		strbuf_addc(out, ' ');
		add_escaped(out, f->help, false);
		strbuf_addc(out, '\n');
	}
	if (f->type == METRIC_UNTYPED)
		return;
	strbuf_addz(out, "# TYPE ");
	add_name(out, f->name, "");
	strbuf_addf(out, " %s\n", types[f->type]);
}

void render_families(const struct family *families, struct strbuf *out)
{
	for (const struct family *f = families; f; f = f->next) {
		add_header(out, f);
		for (const struct metric *m = f->metrics; m; m = m->next) {
			if (m->has == HAS_SUMMARY)
				add_summary(out, f, m);
			else if (m->has == HAS_HISTOGRAM)
				add_histogram(out, f, m);
			else
				add_plain(out, f, m);
			strbuf_addz(out, m->has_timestamp ? " 1\n" : "\n");
		}
	}
}
