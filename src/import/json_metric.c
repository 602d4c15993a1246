#include "import/json_metric.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/array.h"
#include "base/num.h"

struct str json_bytes(const json_t *v)
{
	if (!json_is_string(v))
		return STR_NULL;
	return (struct str){ json_string_value(v), json_string_length(v) };
}

static int cmp_labels(const void *a, const void *b)
{
	return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

bool json_labels(json_t *v, struct arena *a, struct label **ret_labels, uint32_t *ret_n)
{
	struct label *labels;
	const char *name;
	json_t *value;
	uint32_t n = 0;

	if (!json_is_object(v))
		return false;
	labels = arena_alloc(a, (json_object_size(v) + 1) * sizeof(*labels));
	json_object_foreach(v, name, value)
	{
		if (!json_is_string(value))
			return false;
		labels[n++] = (struct label){ str_of(name), json_bytes(value) };
	}
	array_sort(labels, n, cmp_labels);
	*ret_labels = labels;
	*ret_n = n;
	return true;
}

bool json_metric_type(const json_t *v, int32_t *ret_type)
{
	static const char *const names[] = {
		[METRIC_COUNTER] = "COUNTER",     [METRIC_GAUGE] = "GAUGE",
		[METRIC_SUMMARY] = "SUMMARY",     [METRIC_UNTYPED] = "UNTYPED",
		[METRIC_HISTOGRAM] = "HISTOGRAM", [METRIC_GAUGE_HISTOGRAM] = "GAUGE_HISTOGRAM",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (json_is_string(v) && str_eq(json_bytes(v), str_of(names[i]))) {
			*ret_type = (int32_t)i;
			return true;
		}
	}
	return false;
}

/* ---- numbers ---- */

static bool number(const json_t *v, double *ret)
{
	return json_is_string(v) && num_parse(json_bytes(v), ret);
}

/* Reads an exact count. The counts of float histograms are not integers and are refused. */
static bool count(const json_t *v, uint64_t *ret)
{
	const char *z = json_string_value(v);
	char *end;

	if (!z || *z < '0' || *z > '9')
		return false;
	errno = 0;
	*ret = strtoull(z, &end, 10);
	return errno == 0 && *end == '\0';
}

/* ---- values ---- */

static const char not_a_value[] = "its value is not as a Pushgateway shows one";

static int cmp_quantiles(const void *pa, const void *pb)
{
	double a = ((const struct quantile *)pa)->quantile;
	double b = ((const struct quantile *)pb)->quantile;

	return (a > b) - (a < b);
}

static const char *read_summary(json_t *v, struct arena *a, struct metric *ret)
{
	json_t *quantiles = json_object_get(v, "quantiles"), *value;
	struct summary *s = arena_zalloc(a, sizeof(*s));
	const char *name;

	if (!json_is_object(quantiles) || !count(json_object_get(v, "count"), &s->count) ||
	    !number(json_object_get(v, "sum"), &s->sum))
		return not_a_value;
	s->quantiles = arena_alloc(a, (json_object_size(quantiles) + 1) * sizeof(*s->quantiles));
	json_object_foreach(quantiles, name, value)
	{
		struct quantile *q = &s->quantiles[s->n_quantiles++];

		if (!num_parse(str_of(name), &q->quantile) || !number(value, &q->value))
			return not_a_value;
	}
	/* The keys of the object are sorted as text, so quantiles are sorted anew. */
	array_sort(s->quantiles, s->n_quantiles, cmp_quantiles);
	ret->summary = s;
	ret->has = HAS_SUMMARY;
	return NULL;
}

static int cmp_buckets(const void *pa, const void *pb)
{
	double a = ((const struct bucket *)pa)->upper_bound;
	double b = ((const struct bucket *)pb)->upper_bound;

	return (a > b) - (a < b);
}

static bool read_buckets(json_t *buckets, struct arena *a, struct histogram *h)
{
	const char *name;
	json_t *value;

	h->buckets = arena_zalloc(a, (json_object_size(buckets) + 1) * sizeof(*h->buckets));
	json_object_foreach(buckets, name, value)
	{
		struct bucket *b = &h->buckets[h->n_buckets++];

		if (!num_parse(str_of(name), &b->upper_bound) ||
		    (!count(value, &b->count) && !number(value, &b->count_float)))
			return false;
	}
	array_sort(h->buckets, h->n_buckets, cmp_buckets);
	return true;
}

static const char *read_histogram(json_t *v, struct arena *a, struct metric *ret)
{
	json_t *buckets = json_object_get(v, "buckets"), *n = json_object_get(v, "count");
	struct histogram *h = arena_zalloc(a, sizeof(*h));

	if (json_is_array(buckets))
		return "a native histogram, which only the scrape shows in full";
	if (!json_is_object(buckets) || (!count(n, &h->count) && !number(n, &h->count_float)) ||
	    !number(json_object_get(v, "sum"), &h->sum) || !read_buckets(buckets, a, h))
		return not_a_value;
	ret->histogram = h;
	ret->has = HAS_HISTOGRAM;
	return NULL;
}

const char *json_metric_value(json_t *v, int32_t type, struct arena *a, struct metric *ret)
{
	double value;

	switch (type) {
	case METRIC_SUMMARY:
		return read_summary(v, a, ret);
	case METRIC_HISTOGRAM:
		return read_histogram(v, a, ret);
	case METRIC_GAUGE_HISTOGRAM:
		return "a gauge histogram, which only the scrape shows";
	default:
		break;
	}
	if (!number(json_object_get(v, "value"), &value))
		return not_a_value;
	ret->has = type == METRIC_COUNTER ? HAS_COUNTER
		   : type == METRIC_GAUGE ? HAS_GAUGE
					  : HAS_UNTYPED;
	*(type == METRIC_COUNTER ? &ret->counter
	  : type == METRIC_GAUGE ? &ret->gauge
				 : &ret->untyped) = value;
	return NULL;
}

/* ---- times ---- */

/* Reads the fraction behind the seconds, if there is one. Returns what follows. */
static const char *read_fraction(const char *z, int64_t *ret_ns)
{
	int64_t unit = 100000000;

	*ret_ns = 0;
	if (*z != '.')
		return z;
	for (z++; *z >= '0' && *z <= '9'; z++, unit /= 10)
		*ret_ns += (*z - '0') * unit;
	return z;
}

bool json_time(const json_t *v, double *ret_seconds)
{
	const char *z = json_string_value(v);
	struct tm tm = { 0 };
	int64_t ns, seconds;

	z = z ? strptime(z, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	/* "Z" or "+01:00" */
	z = z ? strptime(read_fraction(z, &ns), "%z", &tm) : NULL;
	if (!z || *z)
		return false;
	seconds = -tm.tm_gmtoff;
	seconds += timegm(&tm);
	if (seconds < 0)
		*ret_seconds = 0;
	/*
	 * One number of nanoseconds, as in the Go gateway, rounds alike; it holds times until 2262.
	 */
	else if (seconds < INT64_MAX / 1000000000)
		*ret_seconds = (double)(seconds * 1000000000 + ns) / 1e9;
	else
		*ret_seconds = (double)seconds + (double)ns / 1e9;
	return true;
}
