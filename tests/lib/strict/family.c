/* io.prometheus.client.MetricFamily: its schema, and the rules for families that are exposed. */
#include <math.h>

#include "book.h"

static const struct schema timestamp = { "Timestamp",
					 { { 1, "seconds", F_VARINT, false, NULL },
					   { 2, "nanos", F_VARINT, false, NULL } } };
static const struct schema label_pair = {
	"LabelPair", { { 1, "name", F_STRING, false, NULL }, { 2, "value", F_STRING, false, NULL } }
};
static const struct schema exemplar = { "Exemplar",
					{ { 1, "label", F_MESSAGE, true, &label_pair },
					  { 2, "value", F_DOUBLE, false, NULL },
					  { 3, "timestamp", F_MESSAGE, false, &timestamp } } };
static const struct schema value = { "Gauge", { { 1, "value", F_DOUBLE, false, NULL } } };
static const struct schema counter = { "Counter",
				       { { 1, "value", F_DOUBLE, false, NULL },
					 { 2, "exemplar", F_MESSAGE, false, &exemplar },
					 { 3, "created_timestamp", F_MESSAGE, false,
					   &timestamp } } };
static const struct schema quantile = { "Quantile",
					{ { 1, "quantile", F_DOUBLE, false, NULL },
					  { 2, "value", F_DOUBLE, false, NULL } } };
static const struct schema summary = { "Summary",
				       { { 1, "sample_count", F_VARINT, false, NULL },
					 { 2, "sample_sum", F_DOUBLE, false, NULL },
					 { 3, "quantile", F_MESSAGE, true, &quantile },
					 { 4, "created_timestamp", F_MESSAGE, false,
					   &timestamp } } };
static const struct schema bucket = { "Bucket",
				      { { 1, "cumulative_count", F_VARINT, false, NULL },
					{ 2, "upper_bound", F_DOUBLE, false, NULL },
					{ 3, "exemplar", F_MESSAGE, false, &exemplar },
					{ 4, "cumulative_count_float", F_DOUBLE, false, NULL } } };
static const struct schema span = { "BucketSpan",
				    { { 1, "offset", F_ZIGZAG, false, NULL },
				      { 2, "length", F_VARINT, false, NULL } } };
static const struct schema histogram = { "Histogram",
					 { { 1, "sample_count", F_VARINT, false, NULL },
					   { 2, "sample_sum", F_DOUBLE, false, NULL },
					   { 3, "bucket", F_MESSAGE, true, &bucket },
					   { 4, "sample_count_float", F_DOUBLE, false, NULL },
					   { 5, "schema", F_ZIGZAG, false, NULL },
					   { 6, "zero_threshold", F_DOUBLE, false, NULL },
					   { 7, "zero_count", F_VARINT, false, NULL },
					   { 8, "zero_count_float", F_DOUBLE, false, NULL },
					   { 9, "negative_span", F_MESSAGE, true, &span },
					   { 10, "negative_delta", F_ZIGZAG, true, NULL },
					   { 11, "negative_count", F_DOUBLE, true, NULL },
					   { 12, "positive_span", F_MESSAGE, true, &span },
					   { 13, "positive_delta", F_ZIGZAG, true, NULL },
					   { 14, "positive_count", F_DOUBLE, true, NULL },
					   { 15, "created_timestamp", F_MESSAGE, false,
					     &timestamp },
					   { 16, "exemplars", F_MESSAGE, true, &exemplar } } };
static const struct schema metric = { "Metric",
				      { { 1, "label", F_MESSAGE, true, &label_pair },
					{ 2, "gauge", F_MESSAGE, false, &value },
					{ 3, "counter", F_MESSAGE, false, &counter },
					{ 4, "summary", F_MESSAGE, false, &summary },
					{ 5, "untyped", F_MESSAGE, false, &value },
					{ 7, "histogram", F_MESSAGE, false, &histogram } } };
const struct schema metric_family = { "MetricFamily",
				      { { 1, "name", F_STRING, false, NULL },
					{ 2, "help", F_STRING, false, NULL },
					{ 3, "type", F_ENUM, false, NULL },
					{ 4, "metric", F_MESSAGE, true, &metric } } };

static const struct field *find(const struct field *f, int number)
{
	while (f && f->number != number)
		f = f->next;
	return f;
}

static double number_of(const struct field *f, int number)
{
	f = find(f, number);
	return f ? f->number_value : 0;
}

static int64_t integer_of(const struct field *f, int number)
{
	f = find(f, number);
	return f ? f->integer : 0;
}

/* One side of a native histogram: spans, and deltas or counts. Adds its observations to *total. */
static int check_side(struct book *b, const struct field *h, int spans, bool floats, double *total)
{
	int list = spans + (floats ? 2 : 1);
	uint64_t length = 0, n = 0;
	bool first = true;
	int64_t count = 0;

	for (const struct field *f = h; f; f = f->next) {
		if (f->number == spans) {
			if (!first && integer_of(f->inner, 1) < 0)
				return wrong(b, "a span goes back");
			first = false;
			length += (uint64_t)integer_of(f->inner, 2);
		}
		if (f->number != list)
			continue;
		n++;
		if (__builtin_add_overflow(count, f->integer, &count))
			return wrong(b, "deltas overflow");
		if (floats ? !(f->number_value >= 0) : count < 0)
			return wrong(b, "a native bucket is negative");
		*total += floats ? f->number_value : (double)count;
	}
	return length == n ? 0 : wrong(b, "spans are not as long as there are buckets");
}

static int check_native(struct book *b, const struct field *h)
{
	bool any = false, floats = number_of(h, 4) > 0 || number_of(h, 8) > 0;
	double total = 0, count = (double)(uint64_t)integer_of(h, 1);
	int64_t schema = integer_of(h, 5);

	for (const struct field *f = h; f; f = f->next)
		any |= f->number >= 5 && f->number <= 14;
	if (!any)
		return 0;
	if (schema < -4 || schema > 8 || !(number_of(h, 6) >= 0))
		return wrong(b, "a native histogram of a schema or threshold that is none");
	if (check_side(b, h, 9, floats, &total) < 0 || check_side(b, h, 12, floats, &total) < 0)
		return -1;
	total += (double)(uint64_t)integer_of(h, 7);
	/* Compared only as far as doubles are exact. */
	if (!floats && count < 0x1p53 && (isnan(number_of(h, 2)) ? total > count : total != count))
		return wrong(b, "a native histogram does not add up");
	return 0;
}

static size_t read_pairs(struct book *b, const struct field *f, struct pair **ret)
{
	size_t n = 0;

	for (const struct field *g = f; g; g = g->next)
		n += g->number == 1;
	*ret = book_alloc(b, (n + 1) * sizeof(**ret));
	n = 0;
	for (const struct field *g = f; g; g = g->next) {
		if (g->number != 1)
			continue;
		const struct field *name = find(g->inner, 1), *v = find(g->inner, 2);

		(*ret)[n].name = name ? name->bytes : (struct text){ NULL, 0 };
		(*ret)[n++].value = v ? v->bytes : (struct text){ NULL, 0 };
	}
	return n;
}

/* Notes a sample for each bucket or quantile. */
static void book_bounds(struct book *b, struct text name, const struct field *f, int number,
			int bound, const struct pair *labels, size_t n)
{
	for (; f; f = f->next) {
		if (f->number != number)
			continue;
		double at = number_of(f->inner, bound);

		book_series(b, name, labels, n, &at);
	}
}

static int check_metric(struct book *b, struct text name, int64_t type, const struct field *m)
{
	static const int holds[N_KINDS] = { 3, 2, 4, 5, 7, 7 };
	struct pair *labels;
	size_t n = read_pairs(b, m, &labels);
	const struct field *v = NULL;

	for (const struct field *f = m; f; f = f->next) {
		if (f->number == 1)
			continue;
		if (v || f->number != holds[type])
			return wrong(b, "a metric of %s holds a value of another type, or two",
				     shown(name));
		v = f;
	}
	if (!v || check_labels(b, labels, n) < 0)
		return wrong(b, "a metric of %s holds no value", shown(name));
	book_series(b, name, labels, n, NULL);
	if (v->number == 4)
		book_bounds(b, name, v->inner, 3, 1, labels, n);
	if (v->number == 7) {
		book_bounds(b, name, v->inner, 3, 2, labels, n);
		return check_native(b, v->inner);
	}
	return 0;
}

int check_family(struct book *b, const struct field *fields)
{
	const struct field *name = find(fields, 1), *type = find(fields, 3);
	bool any = false;

	if (!name || check_metric_name(b, name->bytes) < 0)
		return wrong(b, "a family without a name");
	if (!type || type->integer < 0 || type->integer >= N_KINDS)
		return wrong(b, "%s is of no type", shown(name->bytes));
	book_family(b, name->bytes);
	for (const struct field *f = fields; f; f = f->next) {
		if (f->number != 4)
			continue;
		any = true;
		if (check_metric(b, name->bytes, type->integer, f->inner) < 0)
			return -1;
	}
	return any ? 0 : wrong(b, "%s has no metrics", shown(name->bytes));
}
