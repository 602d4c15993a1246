#include "format/sample_write.h"

#include <math.h>

#include "base/num.h"
#include "base/utf8.h"
#include "format/text/write.h"
#include "metrics/names.h"

/* OpenMetrics 1.0: the most code points that an exemplar's labels may have together. */
enum { EXEMPLAR_MAX = 128 };

static void add_escaped(struct strbuf *out, struct str s, bool quote_too)
{
	char *to = strbuf_reserve(out, 2 * s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' || c == '\n' || (c == '"' && quote_too))
			to[n++] = '\\';
		to[n++] = c == '\n' ? 'n' : c;
	}
	out->n += n;
}

static void add_quoted(struct strbuf *out, struct str s)
{
	strbuf_addc(out, '"');
	add_escaped(out, s, true);
	strbuf_addc(out, '"');
}

static void add_name(struct strbuf *out, struct str name)
{
	if (name_is_classic_metric(name))
		strbuf_adds(out, name);
	else
		add_quoted(out, name);
}

static void add_number(struct strbuf *out, double v)
{
	out->n += num_format(v, strbuf_reserve(out, NUM_MAX));
}

bool sample_counter_base(struct str name, struct str *ret_base)
{
	const struct str total = STR("_total");

	if (name.n <= total.n || !str_has_suffix(name, total))
		return false;
	*ret_base = (struct str){ name.p, name.n - total.n };
	return true;
}

/* True: the family can be exposed as an OpenMetrics counter, called *ret_base. */
static bool is_counter(const struct sample_family *f, struct str *ret_base)
{
	return f->openmetrics && !f->unknown && f->type == METRIC_COUNTER &&
	       sample_counter_base(f->name, ret_base);
}

static const char *type_word(const struct sample_family *f)
{
	struct str base;

	if (f->openmetrics &&
	    (f->type == METRIC_UNTYPED || (f->type == METRIC_COUNTER && !is_counter(f, &base))))
		return "unknown";
	return text_type_name(f->type);
}

static bool ends_in_unit(struct str name, struct str unit)
{
	return name.n > unit.n + 1 && name_is_classic_metric(name) && str_has_suffix(name, unit) &&
	       name.p[name.n - unit.n - 1] == '_';
}

static void add_meta(struct strbuf *out, const char *what, struct str name)
{
	strbuf_addz(out, what);
	add_name(out, name);
	strbuf_addc(out, ' ');
}

void sample_write_header(struct strbuf *out, const struct sample_family *f)
{
	struct str name = f->name;

	is_counter(f, &name);
	if (f->has_help) {
		add_meta(out, "# HELP ", name);
		add_escaped(out, f->help, f->openmetrics);
		strbuf_addc(out, '\n');
	}
	add_meta(out, "# TYPE ", name);
	strbuf_addz(out, type_word(f));
	strbuf_addc(out, '\n');
	if (f->openmetrics && f->unit.n && ends_in_unit(name, f->unit)) {
		add_meta(out, "# UNIT ", name);
		strbuf_adds(out, f->unit);
		strbuf_addc(out, '\n');
	}
}

static void add_label(struct strbuf *out, const struct label *l, char *sep)
{
	strbuf_addc(out, *sep);
	*sep = ',';
	add_name(out, l->name);
	strbuf_addc(out, '=');
	add_quoted(out, l->value);
}

/* What the lines of one metric have in common. */
struct metric_lines {
	struct strbuf *out;
	struct str name;
	bool quoted; /* the name goes into the braces */
	const struct metric *m;
};

static void add_bound(struct strbuf *out, const char *label, double bound, char *sep)
{
	strbuf_addc(out, *sep);
	*sep = ',';
	strbuf_addz(out, label);
	strbuf_addz(out, "=\"");
	add_number(out, bound);
	strbuf_addc(out, '"');
}

/* Writes a line up to the blank in front of the value. label: "le", "quantile" or NULL. */
static void start_line(const struct metric_lines *s, const char *suffix, const char *label,
		       double bound)
{
	struct strbuf *out = s->out;
	char sep = '{';

	if (s->quoted) {
		strbuf_addz(out, "{\"");
		add_escaped(out, s->name, true);
		strbuf_addz(out, suffix);
		strbuf_addc(out, '"');
		sep = ',';
	} else {
		strbuf_adds(out, s->name);
		strbuf_addz(out, suffix);
	}
	for (uint32_t i = 0; i < s->m->n_labels; i++)
		add_label(out, &s->m->labels[i], &sep);
	if (label)
		add_bound(out, label, bound, &sep);
	if (sep == ',')
		strbuf_addc(out, '}');
	strbuf_addc(out, ' ');
}

static void add_line(const struct metric_lines *s, const char *suffix, double v)
{
	start_line(s, suffix, NULL, 0);
	add_number(s->out, v);
	strbuf_addc(s->out, '\n');
}

static void add_timestamp(struct strbuf *out, const struct timestamp *ts)
{
	char digits[16];

	if (ts->seconds < 0 || ts->nanos < 0 || ts->nanos > 999999999) {
		add_number(out, (double)ts->seconds + ts->nanos / 1e9);
		return;
	}
	strbuf_addf(out, "%lld", (long long)ts->seconds);
	if (ts->nanos == 0)
		return;
	for (int i = 8, rest = ts->nanos; i >= 0; i--, rest /= 10)
		digits[i] = (char)('0' + rest % 10);
	size_t n = 9;

	while (digits[n - 1] == '0')
		n--;
	strbuf_addc(out, '.');
	strbuf_add(out, digits, n);
}

static size_t code_points(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xC0) != 0x80;
	return n;
}

/*
 * An exemplar that OpenMetrics or its readers do not allow is left out, since they would refuse the
 * whole scrape.
 */
static bool exemplar_fits(const struct exemplar *e)
{
	size_t n = 0;

	for (uint32_t i = 0; i < e->n_labels; i++) {
		struct str name = e->labels[i].name, value = e->labels[i].value;

		if (!name_is_classic_label(name) || str_eq(name, STR("__name__")) ||
		    !utf8_valid(value) || (value.n && memchr(value.p, '\0', value.n)))
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (str_eq(name, e->labels[j].name))
				return false;
		n += code_points(name) + code_points(value);
		if (n > EXEMPLAR_MAX)
			return false;
	}
	return true;
}

/* Ends a line, after its exemplar if it has one. */
static void end_line(struct strbuf *out, const struct exemplar *e)
{
	if (e && exemplar_fits(e)) {
		char sep = '{';

		strbuf_addz(out, " # ");
		for (uint32_t i = 0; i < e->n_labels; i++)
			add_label(out, &e->labels[i], &sep);
		strbuf_addz(out, sep == '{' ? "{} " : "} ");
		add_number(out, e->value);
		if (e->ts.set) {
			strbuf_addc(out, ' ');
			add_timestamp(out, &e->ts);
		}
	}
	strbuf_addc(out, '\n');
}

static void add_created(const struct metric_lines *s, const struct sample_family *f,
			const struct timestamp *ts)
{
	if (!f->openmetrics || !ts->set)
		return;
	start_line(s, "_created", NULL, 0);
	add_timestamp(s->out, ts);
	strbuf_addc(s->out, '\n');
}

static void add_summary(const struct metric_lines *s, const struct sample_family *f)
{
	const struct summary *y = s->m->summary;

	for (uint32_t i = 0; i < y->n_quantiles; i++) {
		start_line(s, "", "quantile", y->quantiles[i].quantile);
		add_number(s->out, y->quantiles[i].value);
		strbuf_addc(s->out, '\n');
	}
	add_line(s, "_sum", y->sum);
	add_line(s, "_count", (double)y->count);
	add_created(s, f, &y->created);
}

static double either(double count_float, uint64_t count)
{
	return count_float != 0 ? count_float : (double)count;
}

static void add_bucket(const struct metric_lines *s, double bound, double count,
		       const struct exemplar *e)
{
	start_line(s, "_bucket", "le", bound);
	add_number(s->out, count);
	end_line(s->out, e);
}

static void add_histogram(const struct metric_lines *s, const struct sample_family *f)
{
	const struct histogram *h = s->m->histogram;
	double count = either(h->count_float, h->count);
	bool inf_seen = false;

	for (uint32_t i = 0; i < h->n_buckets; i++) {
		const struct bucket *b = &h->buckets[i];

		add_bucket(s, b->upper_bound, either(b->count_float, b->count),
			   f->openmetrics ? b->exemplar : NULL);
		inf_seen |= b->upper_bound == (double)INFINITY;
	}
	if (!inf_seen)
		add_bucket(s, (double)INFINITY, count, NULL);
	add_line(s, "_sum", h->sum);
	add_line(s, "_count", count);
	add_created(s, f, &h->created);
}

static void add_counter(const struct metric_lines *s, const struct sample_family *f)
{
	struct metric_lines created = *s;
	bool counter = is_counter(f, &created.name);

	start_line(s, "", NULL, 0);
	add_number(s->out, s->m->counter);
	end_line(s->out, counter ? s->m->exemplar : NULL);
	if (counter)
		add_created(&created, f, &s->m->counter_created);
}

void sample_write_metric(struct strbuf *out, const struct sample_family *f, const struct metric *m)
{
	struct metric_lines s = { out, f->name, !name_is_classic_metric(f->name), m };

	switch (f->type) {
	case METRIC_COUNTER:
		add_counter(&s, f);
		break;
	case METRIC_GAUGE:
		add_line(&s, "", m->gauge);
		break;
	case METRIC_SUMMARY:
		if (m->summary)
			add_summary(&s, f);
		break;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
		if (m->histogram)
			add_histogram(&s, f);
		break;
	default:
		add_line(&s, "", m->untyped);
		break;
	}
}
